/* SPDX-License-Identifier: ISC
 *
 * check: private keys, as the signer and systemd take them, and certificates.
 */
#include "check_fixture.h"

static void
key_gone(void)
{
	take(KEYS "/_cb.bar.test.key");
}
static void
key_open(void)
{
	put(KEYS "/_cb.bar.test.key", "", 0640);
}
static void
key_link(void)
{
	char *link = at(KEYS "/_cb.bar.test.key"), *key = at("/real.key");

	put("/real.key", "secret", 0600);
	unlink(link);
	CHECK(symlink(key, link) == 0);
	free(link);
	free(key);
}
static void
key_link_systemd(void)
{
	key_link();
	put("/run/systemd/system/x", "", 0644);
}
static void
key_link_open(void)
{
	key_link();
	set_mode("/real.key", 0640);
}
#define ONE(name) "LoadCredential=keys_" name ".key:" KEYS "/" name ".key\n"

static void
grow(const char *path, int size)
{
	char *full = at(path);

	put(path, "", 0644);
	CHECK(truncate(full, size) == 0);
	free(full);
}
/* All but 4 KiB of three quarters, with what else there is. */
static void
keys_many(void)
{
	put("/run/systemd/system/x", "", 0644);
	grow(KEYS "/rotation/y.csr", 782000);
}
static void
keys_near(void)
{
	keys_many();
	grow(KEYS "/y.crt", 8192);
}
static void
keys_over(void)
{
	keys_many();
	grow(KEYS "/y.crt", 266000);
}
static void
keys_hidden(void)
{
	char *link = at(KEYS "/y.crt");

	keys_many();
	grow(KEYS "/.y.crt", 266000);
	CHECK(symlink(".y.crt", link) == 0);
	free(link);
}
static void
keys_alone(void)
{
	keys_over();
	put(DROP_IN,
	    "[Service]\nLoadCredential=\n" ONE("_cb.bar.test")
		ONE("_rra.bar.test") ONE("mailbox.bar.test"),
	    0644);
}
static void
keys_one_less(void)
{
	keys_over();
	put(DROP_IN,
	    "[Service]\nLoadCredential=\n" ONE("_cb.bar.test")
		ONE("mailbox.bar.test"),
	    0644);
}
static void
keys_one_gone(void)
{
	keys_alone();
	put(DROP_IN, "[Service]\n" ONE("_cb.foo.test"), 0644);
}
static void
key_directory(void)
{
	take(KEYS "/_cb.bar.test.key");
	put(KEYS "/_cb.bar.test.key/x", "", 0600);
}
static void
crt_gone(void)
{
	take(KEYS "/mailbox.bar.test.crt");
}
static void
crt_empty(void)
{
	put(KEYS "/_cb.bar.test.crt", "x", 0644);
}
static void
crt_other(void)
{
	put_certificate(1, "_cb.bar.test");
}
static void
crt_late(void)
{
	fake.now += 41 * 86400;
}
static void
crt_soon(void)
{
	fake.now += 35 * 86400;
}
static void
crt_early(void)
{
	fake.now -= 10 * 86400;
}
static void
crt_stale(void)
{
	fake.until = fake.now + 86400;
}
static void
crt_not_read(void)
{
	fake.until = 0;
}

TEST(each_fault_is_named)
{
	static const struct fault faults[] = {
		{ key_gone, "keys", "fail", "No such file",
		    "rm -f " KEYS "/_cb.bar.test.crt; "
		    "gripd keygen _cb.bar.test; systemctl restart" },
		{ key_open, "keys", "fail", "(0640)", "chmod 600" },
		{ key_link, "keys", "ok", "3 of 3", "" },
		{ key_link_open, "keys", "fail", "(0640)", "chmod 600" },
		{ key_link_systemd, "keys", "fail", "is a symbolic link",
		    "install -m 600 \"$(readlink -f " KEYS
		    "/_cb.bar.test.key)\" " KEYS "/_cb.bar.test.key" },
		{ key_directory, "keys", "fail", "is no regular file",
		    "move it out of the way" },
		{ keys_near, "keys", "warn", "is to hand", "HOSTING" },
		{ keys_over, "keys", "fail", "is to hand 10", "HOSTING" },
		{ keys_one_less, "keys", "fail",
		    "_rra.bar.test.key: is not among", "HOSTING" },
		{ keys_one_gone, "keys", "fail",
		    "_cb.foo.test.key: is not there", "HOSTING" },
		{ crt_gone, "certificates", "fail", "No such file", ".csr" },
		{ crt_empty, "certificates", "fail", "no certificate",
		    "keygen" },
		{ crt_other, "certificates", "fail", "is not for _cb",
		    "keygen" },
		{ crt_late, "certificates", "fail", "has expired", "renew" },
		{ crt_soon, "certificates", "warn", "expires soon", "renew" },
		{ crt_early, "certificates", "fail", "only from", "renew" },
		{ crt_stale, "certificates", "warn", "another one loaded",
		    "reload" },
		{ crt_not_read, "certificates", "fail",
		    "the signer has not taken it up",
		    "systemctl reload cargomail-gripd-sign" },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}

/* Only what systemd would hand to the signer counts. */
TEST(keys_that_fit_are_not_complained_of)
{
	void (*const makes[])(void) = { keys_many, keys_hidden, keys_alone };
	struct said said;

	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		reset();
		makes[i]();
		CHECK_FOR(run("keys", OTHER, &said) == CHECK_OK, "%zu: %s", i,
		    said.text);
	}
}

int
main(void)
{
	if (host_begin() != 0)
		return 1;
	RUN(each_fault_is_named);
	RUN(keys_that_fit_are_not_complained_of);
	host_end();
	return test_done();
}

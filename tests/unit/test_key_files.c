/* SPDX-License-Identifier: ISC
 *
 * Keys and certificates on disk: what is taken, and the line that says what
 * is wrong and how to mend it.
 */
#include "test.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "key_files.h"
#include "sign_fixture.h"

#define NAME "_cb.bar.test"
#define HOST "mailbox.insurance.test"

static char directory[64];

static char *
in(const char *file)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

/* Reads a key and gives what is wrong with it, "" if nothing. */
static const char *
read_key(const char *name, const char *credentials)
{
	static char text[512];
	struct key_files *files;
	char *error = NULL;
	EVP_PKEY *key;

	text[0] = '\0';
	files = key_files_open(directory, credentials, &error);
	if (files != NULL) {
		key = key_files_read_key(files, name, &error);
		EVP_PKEY_free(key);
		key_files_close(&files);
	}
	if (error != NULL)
		snprintf(text, sizeof(text), "%s", error);
	free(error);
	return text;
}

/* The same for a certificate with the key of `key_name`. */
static const char *
read_chain_by(const char *credentials, const char *key_name, const char *file,
    const char *identity, enum grip_role role)
{
	struct grip_identity shown = { .role = role };
	static char text[512];
	struct key_files *files;
	char *error = NULL;
	EVP_PKEY *key;

	shown.name = strdup(identity);
	files = key_files_open(directory, credentials, &error);
	key = key_files_read_key(files, key_name, &error);
	text[0] = '\0';
	if (key_files_read_chain(files, file, key, &shown, &error) != 0)
		snprintf(text, sizeof(text), "%s", error);
	else
		snprintf(text, sizeof(text), "%zu", shown.chain_count);
	key_files_free_chain(&shown);
	free(shown.name);
	free(error);
	EVP_PKEY_free(key);
	key_files_close(&files);
	return text;
}

static const char *
read_chain(const char *key_name, const char *file, const char *identity,
    enum grip_role role)
{
	return read_chain_by(NULL, key_name, file, identity, role);
}

static void
write_key(const char *file, EVP_PKEY *key)
{
	FILE *out = fopen(in(file), "w");

	fchmod(fileno(out), 0600);
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	fclose(out);
	EVP_PKEY_free(key);
}

TEST(both_kinds_are_read)
{
	CHECK_STRING(read_key(NAME, NULL), "");
	CHECK_STRING(read_key(HOST, NULL), "");
	CHECK_STRING(read_chain(NAME, NAME, NAME, GRIP_ROLE_BROKER), "1");
	CHECK_STRING(read_chain(HOST, HOST, HOST, GRIP_ROLE_MAILBOX), "1");
}

TEST(what_is_missing_is_named)
{
	CHECK(strstr(read_key("_cb.x.test", NULL),
	    "/_cb.x.test.key: not there; make it with: gripd keygen "
	    "_cb.x.test"));
	CHECK(strstr(read_key("mailbox.x.test", NULL),
	    "make it with: gripd keygen -s mailbox.x.test"));
	CHECK(strstr(read_chain(NAME, "_cb.x.test", NAME, GRIP_ROLE_BROKER),
	    "/_cb.x.test.crt: not there; put the certificate"));
}

TEST(owner_and_mode_count)
{
	chmod(in(NAME ".key"), 0640);
	CHECK(strstr(read_key(NAME, NULL),
	    "mode 0640 opens the key to "
	    "others; do: chmod 600 /tmp/"));
	chmod(in(NAME ".key"), 0604);
	CHECK(strstr(read_key(NAME, NULL), "mode 0604"));
	chmod(in(NAME ".key"), 0400);
	CHECK_STRING(read_key(NAME, NULL), "");
	CHECK(chown(in(NAME ".key"), 12345, 0) == 0);
	CHECK(strstr(read_key(NAME, NULL),
	    "owned by uid 12345; do: chown "
	    "root /tmp/"));
	CHECK(chown(in(NAME ".key"), 0, 0) == 0);
}

TEST(credentials_of_systemd_come_first)
{
	char credentials[160];

	snprintf(credentials, sizeof(credentials), "%s", in("credentials"));
	mkdir(credentials, 0700);
	CHECK_STRING(read_key(NAME, credentials), "");
	/* What is in neither belongs where an administrator can put it. */
	CHECK(strstr(read_key("_cb.x.test", credentials), "/credentials/") ==
	    NULL);
	CHECK(strstr(read_chain_by(credentials, NAME, "_cb.x.test", NAME,
			 GRIP_ROLE_BROKER),
		  "/credentials/") == NULL);
	CHECK(sign_fixture_write(in("credentials/" NAME ".key"), "x") == 0);
	chmod(in("credentials/" NAME ".key"), 0440);
	CHECK(strstr(read_key(NAME, credentials),
	    "/credentials/_cb.bar.test.key: no private key"));
	chmod(in("credentials/" NAME ".key"), 0444);
	CHECK(strstr(read_key(NAME, credentials), "mode 0444"));
	/* LoadCredential=keys:/etc/cargomail/keys */
	unlink(in("credentials/" NAME ".key"));
	CHECK(
	    sign_fixture_write(in("credentials/keys_" NAME ".key"), "x") == 0);
	chmod(in("credentials/keys_" NAME ".key"), 0400);
	CHECK(strstr(read_key(NAME, credentials),
	    "/credentials/keys__cb.bar.test.key: no private key"));
}

TEST(other_files_are_no_keys)
{
	write_key("_cb.p384.test.key", EVP_EC_gen("P-384"));
	CHECK(strstr(read_key("_cb.p384.test", NULL), "neither P-256 nor"));
	CHECK(sign_fixture_write(in("_cb.junk.test.key"), "junk") == 0);
	chmod(in("_cb.junk.test.key"), 0600);
	CHECK(strstr(read_key("_cb.junk.test", NULL), "no private key in PEM"));
	mkdir(in("_cb.dir.test.key"), 0700);
	CHECK(strstr(read_key("_cb.dir.test", NULL), "not a regular file"));
	mkfifo(in("_cb.fifo.test.key"), 0600);
	CHECK(strstr(read_key("_cb.fifo.test", NULL), "not a regular file"));
	CHECK(truncate(in("_cb.junk.test.key"), 70000) == 0);
	CHECK(strstr(read_key("_cb.junk.test", NULL), "not a regular file"));
}

TEST(certificate_belongs_to_key_and_name)
{
	CHECK(strstr(read_chain(HOST, NAME, NAME, GRIP_ROLE_BROKER),
	    "not that of the key beside it"));
	CHECK(strstr(read_chain(NAME, NAME, "_cb.foo.test", GRIP_ROLE_MAILBOX),
	    "no subjectAltName DNS:_cb.foo"));
	CHECK(strstr(read_chain(HOST, HOST, "mailbox.evil.test",
			 GRIP_ROLE_MAILBOX),
	    "DNS:mailbox.evil.test"));
	CHECK(strstr(read_chain(NAME, HOST, NAME, GRIP_ROLE_BROKER),
	    "not that of the key"));
	/* A customer's name with the hoster's key. */
	CHECK_STRING(read_chain(NAME, NAME, "_cb.customer.test",
			 GRIP_ROLE_BROKER),
	    "1");
	CHECK(sign_fixture_write(in("_cb.junk.test.crt"), "junk") == 0);
	CHECK(strstr(read_chain(NAME, "_cb.junk.test", NAME, GRIP_ROLE_BROKER),
	    "not 1 to 8 certificates"));
}

/* The old chain stands until a good one takes its place. */
TEST(a_bad_new_chain_changes_nothing)
{
	struct grip_identity shown = { .role = GRIP_ROLE_BROKER };
	struct key_files *files;
	char *error = NULL, old[160];
	EVP_PKEY *key;

	shown.name = strdup(NAME);
	files = key_files_open(directory, NULL, &error);
	key = key_files_read_key(files, NAME, &error);
	CHECK(key_files_read_chain(files, NAME, key, &shown, &error) == 0);
	snprintf(old, sizeof(old), "%s", in(NAME ".crt"));
	CHECK(rename(old, in("aside")) == 0);
	CHECK(key_files_read_chain(files, NAME, key, &shown, &error) == -1);
	free(error);
	CHECK(shown.chain_count == 1 && shown.chain[0].len > 100);
	CHECK(rename(in("aside"), old) == 0);
	CHECK(key_files_read_chain(files, NAME, key, &shown, &error) == 0);
	key_files_free_chain(&shown);
	free(shown.name);
	EVP_PKEY_free(key);
	key_files_close(&files);
}

/* The new key is in its place, its certificate not yet. */
TEST(a_rotation_that_was_cut_short_goes_on)
{
	char next[160], own[160], old[160];

	snprintf(own, sizeof(own), "%s", in(NAME ".key"));
	snprintf(old, sizeof(old), "%s", in("old.key"));
	snprintf(next, sizeof(next), "%s", in(KEY_FILES_NEXT));
	CHECK(mkdir(next, 0755) == 0);
	CHECK(sign_fixture_keygen(next, "p256", NAME) == 0);
	CHECK_STRING(read_chain(NAME, NAME, NAME, GRIP_ROLE_BROKER), "1");
	snprintf(next, sizeof(next), "%s", in(KEY_FILES_NEXT "/" NAME ".key"));
	CHECK(rename(own, old) == 0 && rename(next, own) == 0);
	CHECK_STRING(read_chain(NAME, NAME, NAME, GRIP_ROLE_BROKER), "1");
	/* A next one that is another key's helps nobody. */
	CHECK(strstr(read_chain(HOST, NAME, NAME, GRIP_ROLE_BROKER),
	    "/" NAME ".crt: the first certificate is not that of the key"));
	CHECK(rename(old, own) == 0);
}

TEST(no_directory_is_told)
{
	char *error = NULL;

	CHECK(key_files_open("/nonexistent", NULL, &error) == NULL);
	CHECK_STRING(error,
	    "keys directory /nonexistent: No such file or "
	    "directory");
	free(error);
}

int
main(void)
{
	char command[128];

	if (geteuid() != 0) {
		printf("1..0 # skip: needs root\n");
		return 0;
	}
	strcpy(directory, "/tmp/test_key_files.XXXXXX");
	if (mkdtemp(directory) == NULL ||
	    sign_fixture_keygen(directory, "p256", NAME) != 0 ||
	    sign_fixture_keygen(directory, "ed25519", HOST) != 0)
		return 1;
	RUN(both_kinds_are_read);
	RUN(what_is_missing_is_named);
	RUN(owner_and_mode_count);
	RUN(credentials_of_systemd_come_first);
	RUN(other_files_are_no_keys);
	RUN(certificate_belongs_to_key_and_name);
	RUN(a_bad_new_chain_changes_nothing);
	RUN(a_rotation_that_was_cut_short_goes_on);
	RUN(no_directory_is_told);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command) != 0 || test_done();
}

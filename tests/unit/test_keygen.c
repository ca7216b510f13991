/* SPDX-License-Identifier: ISC
 *
 * gripd keygen: what it makes and prints, and what it leaves alone.
 */
#include "test.h"

#include <sysexits.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "grip_jwk.h"
#include "sign_fixture.h"

static char directory[64];
static char printed[1024]; /* standard output of the last run */

static char *
in(const char *file)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

/* Runs keygen -d directory with these words; its exit code. */
static int
run(const char *one, const char *two, const char *three)
{
	char words[6][300] = { "keygen", "-d" }, *argv[7] = { NULL };
	const char *more[] = { one, two, three };
	int saved[2] = { dup(1), dup(2) }, argc = 3, rc;
	FILE *out = tmpfile();

	snprintf(words[2], sizeof(words[2]), "%s", directory);
	for (int i = 0; i < 3 && more[i] != NULL; i++)
		snprintf(words[argc++], sizeof(words[0]), "%s", more[i]);
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	fflush(stdout);
	dup2(fileno(out), 1);
	dup2(open("/dev/null", O_WRONLY), 2);
	rc = keygen_main(argc, argv);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	rewind(out);
	printed[fread(printed, 1, sizeof(printed) - 1, out)] = '\0';
	fclose(out);
	return rc;
}

static X509 *
certificate(const char *file)
{
	FILE *stream = fopen(in(file), "r");
	X509 *x509 = NULL;

	if (stream != NULL) {
		x509 = PEM_read_X509(stream, NULL, NULL, NULL);
		fclose(stream);
	}
	return x509;
}

static void
check_record(const char *file, const char *name)
{
	X509 *x509 = certificate(file);
	char hash[65] = "", want[400];

	CHECK(x509 != NULL &&
	    grip_jwk_spki_hash(X509_get0_pubkey(x509), hash) == 0);
	snprintf(want, sizeof(want), "%s. IN TXT \"v=grip1; h=sha256; p=%s\"\n",
	    name, hash);
	CHECK_STRING(printed, want);
	X509_free(x509);
}

TEST(a_broker_gets_key_certificate_and_record)
{
	char name[128] = "";
	struct stat st;
	X509 *x509;

	CHECK(run("_cb.bar.test", NULL, NULL) == EX_OK);
	check_record("_cb.bar.test.crt", "_cb.bar.test");
	CHECK(stat(in("_cb.bar.test.key"), &st) == 0 &&
	    (st.st_mode & 07777) == 0600);
	CHECK(stat(in("_cb.bar.test.crt"), &st) == 0 &&
	    (st.st_mode & 07777) == 0644);
	x509 = certificate("_cb.bar.test.crt");
	X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName,
	    name, sizeof(name));
	CHECK_STRING(name, "_cb.bar.test");
	CHECK(EVP_PKEY_is_a(X509_get0_pubkey(x509), "EC"));
	CHECK(X509_verify(x509, X509_get0_pubkey(x509)) == 1);
	CHECK(X509_cmp_time(X509_get0_notBefore(x509), NULL) < 0);
	X509_free(x509);
}

TEST(print_shows_the_same_record)
{
	CHECK(run("-p", "_cb.bar.test", NULL) == EX_OK);
	check_record("_cb.bar.test.crt", "_cb.bar.test");
	CHECK(run("-p", "_cb.nobody.test", NULL) == EX_NOINPUT);
	CHECK_STRING(printed, "");
}

TEST(nothing_is_overwritten)
{
	X509 *before = certificate("_cb.bar.test.crt"), *after;

	CHECK(run("_cb.bar.test", NULL, NULL) == EX_CANTCREAT);
	CHECK_STRING(printed, "");
	after = certificate("_cb.bar.test.crt");
	CHECK(X509_cmp(before, after) == 0);
	X509_free(before);
	X509_free(after);
	/* Nor is a key made beside somebody's certificate. */
	CHECK(sign_fixture_write(in("_cb.other.test.crt"), "theirs") == 0);
	CHECK(run("_cb.other.test", NULL, NULL) == EX_CANTCREAT);
	CHECK(access(in("_cb.other.test.key"), F_OK) == -1);
	/* Nor through a symbolic link. */
	CHECK(symlink("/tmp/keygen_target", in("_cb.link.test.key")) == 0);
	CHECK(run("_cb.link.test", NULL, NULL) == EX_NOINPUT);
	CHECK(access("/tmp/keygen_target", F_OK) == -1);
}

TEST(a_key_without_certificate_gets_its_own)
{
	X509 *before = certificate("_cb.bar.test.crt"), *after;

	CHECK(unlink(in("_cb.bar.test.crt")) == 0);
	CHECK(run("_cb.bar.test", NULL, NULL) == EX_OK);
	check_record("_cb.bar.test.crt", "_cb.bar.test");
	after = certificate("_cb.bar.test.crt");
	CHECK(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)) ==
	    1);
	X509_free(before);
	X509_free(after);
	/* Not of one that others may have read. */
	CHECK(unlink(in("_cb.bar.test.crt")) == 0);
	CHECK(chmod(in("_cb.bar.test.key"), 0644) == 0);
	CHECK(run("_cb.bar.test", NULL, NULL) == EX_NOINPUT);
	CHECK(access(in("_cb.bar.test.crt"), F_OK) == -1);
	CHECK(chmod(in("_cb.bar.test.key"), 0600) == 0);
	CHECK(run("_cb.bar.test", NULL, NULL) == EX_OK);
}

TEST(ed25519_on_request)
{
	X509 *x509;

	CHECK(run("-t", "ed25519", "_rra.insurance.test") == EX_OK);
	check_record("_rra.insurance.test.crt", "_rra.insurance.test");
	x509 = certificate("_rra.insurance.test.crt");
	CHECK(EVP_PKEY_is_a(X509_get0_pubkey(x509), "ED25519"));
	CHECK(X509_verify(x509, X509_get0_pubkey(x509)) == 1);
	X509_free(x509);
}

TEST(a_mailbox_is_published_below_its_domain)
{
	X509 *x509;

	CHECK(run("mailbox.insurance.test", NULL, NULL) == EX_OK);
	check_record("mailbox.insurance.test.crt", "_rm.insurance.test");
	x509 = certificate("mailbox.insurance.test.crt");
	CHECK(X509_check_host(x509, "mailbox.insurance.test", 0,
		  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1);
	X509_free(x509);
	/* One label is left: no domain to publish in. */
	CHECK(run("mailbox.test", NULL, NULL) == EX_OK);
	CHECK_STRING(printed, "");
}

static X509_REQ *
request(const char *file)
{
	FILE *stream = fopen(in(file), "r");
	X509_REQ *made = NULL;

	if (stream != NULL) {
		made = PEM_read_X509_REQ(stream, NULL, NULL, NULL);
		fclose(stream);
	}
	return made;
}

TEST(a_request_for_a_ca)
{
	STACK_OF(X509_EXTENSION) * extensions;
	X509_REQ *made, *again;
	bool named = false;

	CHECK(run("-s", "mailbox.hospital.test", NULL) == EX_OK);
	CHECK(access(in("mailbox.hospital.test.crt"), F_OK) == -1);
	made = request("mailbox.hospital.test.csr");
	CHECK(made != NULL &&
	    X509_REQ_verify(made, X509_REQ_get0_pubkey(made)) == 1);
	extensions = X509_REQ_get_extensions(made);
	for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
		X509_EXTENSION *one = sk_X509_EXTENSION_value(extensions, i);
		ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(one);

		if (OBJ_obj2nid(X509_EXTENSION_get_object(one)) ==
		    NID_subject_alt_name)
			named = memmem(ASN1_STRING_get0_data(data),
				    (size_t)ASN1_STRING_length(data),
				    "mailbox.hospital.test", 21) != NULL;
	}
	CHECK(named);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	/* Asked again, for renewal, it uses the same key. */
	CHECK(run("-s", "mailbox.hospital.test", NULL) == EX_OK);
	again = request("mailbox.hospital.test.csr");
	CHECK(EVP_PKEY_eq(X509_REQ_get0_pubkey(made),
		  X509_REQ_get0_pubkey(again)) == 1);
	X509_REQ_free(made);
	X509_REQ_free(again);
}

/* Its key must not be taken for that of the mailbox of the same domain. */
TEST(a_web_host_is_not_published)
{
	X509_REQ *made;

	CHECK(run("-w", "web.hospital.test", NULL) == EX_OK);
	CHECK_STRING(printed, "");
	made = request("web.hospital.test.csr");
	CHECK(made != NULL && EVP_PKEY_is_a(X509_REQ_get0_pubkey(made), "EC"));
	CHECK(access(in("web.hospital.test.crt"), F_OK) == -1);
	X509_REQ_free(made);
	CHECK(run("-w", "_cb.hospital.test", NULL) == EX_USAGE);
	CHECK(run("-wted25519", "www.hospital.test", NULL) == EX_USAGE);
}

TEST(names_longer_than_x520_allows)
{
	static const char name[] =
	    "_cb.a-department-with-a-very-long-name.of-a-company-with-a-"
	    "longer-one.bar.test";
	char file[200];

	CHECK(run(name, NULL, NULL) == EX_OK);
	snprintf(file, sizeof(file), "%s.crt", name);
	check_record(file, name);
}

TEST(bad_words_are_usage_errors)
{
	static const char *const rows[][3] = {
		{ NULL, NULL, NULL },
		{ "-t", "rsa", "_cb.x.test" },
		{ "-z", "_cb.x.test", NULL },
		{ "-p", "-s", "_cb.x.test" },
		{ "_cb.x.test", "_cb.y.test", NULL },
		{ "_CB.x.test", NULL, NULL },
		{ "_xx.bar.test", NULL, NULL },
		{ "../x.test", NULL, NULL },
		{ "_cb.x.test/y", NULL, NULL },
		{ "localhost", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(run(rows[i][0], rows[i][1], rows[i][2]) == EX_USAGE,
		    "row %zu", i);
}

TEST(only_for_root)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setuid(12345) != 0)
			_exit(1);
		_exit(run("_cb.x.test", NULL, NULL));
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EX_NOPERM);
}

int
main(void)
{
	char command[128];

	if (geteuid() != 0) {
		printf("1..0 # skip: needs root\n");
		return 0;
	}
	strcpy(directory, "/tmp/test_keygen.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return 1;
	RUN(a_broker_gets_key_certificate_and_record);
	RUN(print_shows_the_same_record);
	RUN(nothing_is_overwritten);
	RUN(a_key_without_certificate_gets_its_own);
	RUN(ed25519_on_request);
	RUN(a_mailbox_is_published_below_its_domain);
	RUN(a_request_for_a_ca);
	RUN(a_web_host_is_not_published);
	RUN(names_longer_than_x520_allows);
	RUN(bad_words_are_usage_errors);
	RUN(only_for_root);
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command) != 0 || test_done();
}

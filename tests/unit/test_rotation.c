/* SPDX-License-Identifier: ISC
 *
 * cargomailctl keys rotate: its steps with the clock and the DNS set from
 * here, real keys by gripd keygen, and a crash at each write, rename, unlink
 * and sync on the way: whatever is left, the signer's own code can start with
 * it, and the same command goes on to the end.
 */
#include "rotation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "clock.h"
#include "json_strict.h"
#include "key_files.h"
#include "keygen.h"
#include "memory.h"
#include "test.h"

#define BROKER "_cb.bar.test"
#define AGENT "_rra.bar.test"
#define MAILBOX "mailbox.bar.test"
#define DAY 86400
#define START INT64_C(1795000000)
#define RECORDS 8

static char keys[] = "/tmp/test_rotation.XXXXXX";

/* The world; shared with children that crash. */
static struct fake {
	int64_t now, ttl, lifetime;
	const char *name, *role;
	const char *alias; /* another identity with the same key */
	char loaded[65]; /* what the signer has; "": it does not answer */
	char records[RECORDS][65]; /* what the DNS publishes */
	bool dns_dead, no_systemd, signer_bad, certbot;
	int restarts, reloads, flushes;
	int fuse; /* this many operations, then the program dies; -1: never */
} * fake;

/* ---- a program that dies ------------------------------------------------ */

/* What AddressSanitizer keeps of freed memory makes each of the thousand
 * forks slower, by default until it is 256 MiB. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

static bool armed;

static bool
burnt(void)
{
	return armed && fake->fuse > 0 && --fake->fuse == 0;
}

static void
die_if_burnt(void)
{
	if (burnt())
		_exit(99);
}

int
rename(const char *from, const char *to)
{
	int rc;

	die_if_burnt();
	rc = renameat(AT_FDCWD, from, AT_FDCWD, to);
	die_if_burnt();
	return rc;
}

int
unlink(const char *path)
{
	die_if_burnt();
	return unlinkat(AT_FDCWD, path, 0);
}

int
fsync(int fd)
{
	die_if_burnt();
	return (int)syscall(SYS_fsync, fd);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	if (burnt()) {
		syscall(SYS_write, fd, data, len / 2);
		_exit(99);
	}
	return syscall(SYS_write, fd, data, len);
}

/* ---- files -------------------------------------------------------------- */

static char *
at(const char *file)
{
	static char paths[4][256];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", keys, file);
	return path;
}

static char *
file_of(bool next, const char *end)
{
	char file[128];

	snprintf(file, sizeof(file), "%s%s%s", next ? "rotation/" : "",
	    fake->name, end);
	return at(file);
}

static bool
there(bool next, const char *end)
{
	return access(file_of(next, end), F_OK) == 0;
}

static const char *
hash_of(bool next, const char *end)
{
	static struct published_key key[2];

	memset(&key[next], 0, sizeof(key[next]));
	if (strcmp(end, ".csr") == 0)
		published_key_read_request(file_of(next, end), &key[next]);
	else
		published_key_read(file_of(next, end), &key[next]);
	return key[next].hash;
}

static void
put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	fputs(text, out);
	fclose(out);
}

/* Does the signer start with what there is? Its own code says. */
static bool
signer_starts(void)
{
	struct grip_identity shown = { .role = GRIP_ROLE_BROKER };
	struct key_files *files;
	char *error = NULL;
	EVP_PKEY *key;
	bool good;

	if (strcmp(fake->role, "agent") == 0)
		shown.role = GRIP_ROLE_AGENT;
	else if (strcmp(fake->role, "mailbox") == 0)
		shown.role = GRIP_ROLE_MAILBOX;
	shown.name = x_strdup(fake->name);
	files = key_files_open(keys, NULL, &error);
	key = key_files_read_key(files, fake->name, &error);
	good = key != NULL &&
	    key_files_read_chain(files, fake->name, key, &shown, &error) == 0;
	if (!good)
		printf("# %s\n", error);
	free(error);
	key_files_free_chain(&shown);
	free(shown.name);
	EVP_PKEY_free(key);
	key_files_close(&files);
	return good;
}

/* ---- programs ----------------------------------------------------------- */

/* keygen_main with its output. */
static char *
run_keygen(const char *const argv[], int *status_r)
{
	int saved[2] = { dup(1), dup(2) }, argc = 0;
	char *copy[16] = { NULL }, *text = x_calloc(1, 4096);
	FILE *out = tmpfile();

	for (; argv[argc + 1] != NULL; argc++)
		copy[argc] = x_strdup(argv[argc + 1]);
	fflush(stdout);
	dup2(fileno(out), 1);
	dup2(fileno(out), 2);
	*status_r = keygen_main(argc, copy);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	rewind(out);
	text[fread(text, 1, 4095, out)] = '\0';
	fclose(out);
	for (int i = 0; i < argc; i++)
		free(copy[i]);
	return text;
}

static char *
fake_run(void *arg, const char *const argv[], int *status_r)
{
	(void)arg;
	*status_r = 0;
	if (strcmp(argv[1], "keygen") == 0)
		return run_keygen(argv, status_r);
	if (strcmp(argv[0], "cmp") == 0) {
		*status_r = fake->certbot ? 0 : 1;
	} else if (strcmp(argv[1], "-n") == 0) {
		*status_r = fake->signer_bad ? EX_CONFIG : 0;
		return x_strdup("it is so\nand so\n");
	} else if (strcmp(argv[1], "is-active") == 0) {
		*status_r = fake->no_systemd ? 3 : 0;
	} else if (strcmp(argv[1], "restart") == 0) {
		fake->restarts++;
		snprintf(fake->loaded, sizeof(fake->loaded), "%s",
		    hash_of(false, ".crt"));
	} else if (strcmp(argv[1], "reload") == 0) {
		fake->reloads++;
	}
	return x_strdup("");
}

static cJSON *
identity(const char *name)
{
	cJSON *item = cJSON_CreateObject();

	json_add_string(item, "name", name);
	json_add_string(item, "role", fake->role);
	json_add_string(item, "file", fake->name);
	json_add_string(item, "key", fake->loaded);
	if (fake->lifetime != 0)
		json_add_integer(item, "lifetime", fake->lifetime);
	return item;
}

static cJSON *
identities(void)
{
	cJSON *list = cJSON_CreateArray();

	cJSON_AddItemToArray(list, identity(fake->name));
	if (fake->alias != NULL)
		cJSON_AddItemToArray(list, identity(fake->alias));
	return list;
}

static void
add_records(cJSON *answer)
{
	cJSON *list = cJSON_AddArrayToObject(answer, "records");
	char text[GRIP_RECORD_TEXT_SIZE];

	for (size_t i = 0; i < RECORDS; i++) {
		if (fake->records[i][0] == '\0')
			continue;
		published_key_text(fake->records[i], text);
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	}
}

static cJSON *
fake_ask(void *arg, const char *daemon, cJSON *request, char **error_r)
{
	const char *verb = json_string(request, "verb");
	cJSON *answer = cJSON_CreateObject();

	(void)arg;
	if ((strcmp(daemon, "gripd-sign") == 0 && fake->loaded[0] == '\0') ||
	    (strcmp(verb, "lookup") == 0 && fake->dns_dead)) {
		*error_r = x_strdup("no answer");
		cJSON_Delete(answer);
		answer = NULL;
	} else if (strcmp(verb, "identities") == 0) {
		json_add_item(answer, "identities", identities());
	} else if (strcmp(verb, "flush") == 0) {
		fake->flushes++;
		json_add_integer(answer, "flushed", 7);
	} else {
		char *owner = published_key_owner(fake->name);

		/* Whatever was asked leads to the key's own name. */
		json_add_string(answer, "target", owner);
		json_add_integer(answer, "ttl", fake->ttl);
		add_records(answer);
		free(owner);
	}
	cJSON_Delete(request);
	return answer;
}

static int64_t
fake_now(void *arg)
{
	(void)arg;
	return fake->now;
}

static const struct check_world world = {
	.now = fake_now,
	.ask = fake_ask,
	.run = fake_run,
};

/* ---- running ------------------------------------------------------------ */

static char said[8192]; /* by the last run, standard error first */

enum { FORCE = 1, LOST = 2 };

static int
rotate(int flags)
{
	cJSON *list = identities();
	struct rotation rotation = { .world = &world,
		.root = keys, /* has an etc/letsencrypt for one test */
		.keys = keys,
		.name = fake->name,
		.identities = list,
		.force = (flags & FORCE) != 0,
		.compromised = (flags & LOST) != 0 };
	int saved = dup(2), code;
	FILE *trouble = tmpfile();
	char *text = NULL;
	size_t len, n;

	rotation.out = open_memstream(&text, &len);
	dup2(fileno(trouble), 2);
	code = rotation_run(&rotation);
	dup2(saved, 2);
	close(saved);
	fclose(rotation.out);
	rewind(trouble);
	n = fread(said, 1, sizeof(said) / 2, trouble);
	fclose(trouble);
	snprintf(said + n, sizeof(said) - n, "%s", text);
	free(text);
	cJSON_Delete(list);
	return code;
}

#define CHECK_SAID(text) \
	CHECK_FOR(strstr(said, text) != NULL, "\"%s\" is not in:\n%s", text, \
	    said)

/* The text followed by a date. */
static void
check_said_date(const char *text, int64_t when)
{
	char date[CLOCK_TEXT_SIZE], whole[256];

	clock_format_internet(when, date);
	snprintf(whole, sizeof(whole), "%s%s", text, date);
	CHECK_SAID(whole);
}

static bool
published(const char *hash)
{
	for (size_t i = 0; i < RECORDS; i++)
		if (strcmp(fake->records[i], hash) == 0)
			return true;
	return false;
}

static void
publish(const char *hash)
{
	for (size_t i = 0; !published(hash) && i < RECORDS; i++)
		if (fake->records[i][0] == '\0') {
			strcpy(fake->records[i], hash);
			return;
		}
}

static void
drop(const char *hash)
{
	for (size_t i = 0; i < RECORDS; i++)
		if (strcmp(fake->records[i], hash) == 0)
			fake->records[i][0] = '\0';
}

static void
empty(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", keys);
	CHECK(system(command) == 0);
}

/* A new host with one identity. Its key is published and loaded. */
static void
begin(const char *name, const char *role)
{
	const char *argv[] = { "gripd", "keygen", "-d", keys, name, NULL };
	int status;

	empty();
	memset(fake, 0, sizeof(*fake));
	fake->now = START;
	fake->ttl = 60;
	fake->name = name;
	fake->role = role;
	fake->fuse = -1;
	free(run_keygen(argv, &status));
	CHECK(status == 0);
	strcpy(fake->loaded, hash_of(false, ".crt"));
	publish(fake->loaded);
}

/* ---- the way ------------------------------------------------------------ */

TEST(a_broker_all_the_way)
{
	char old[65], new[65];
	struct stat st;

	begin(BROKER, "broker");
	strcpy(old, fake->loaded);
	CHECK(rotate(0) == 0);
	strcpy(new, hash_of(true, ".crt"));
	CHECK(new[0] != '\0' && strcmp(old, new) != 0);
	CHECK_SAID(new);
	CHECK_SAID("    _cb.bar.test. IN TXT \"v=grip1; h=sha256; p=");
	CHECK_SAID("type this again");
	/* Again and again. */
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("does not publish the new key yet");
	CHECK_SAID(new);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_STRING(hash_of(true, ".crt"), new);
	/* Others may remember what was there before. */
	publish(new);
	CHECK(rotate(0) == 0);
	check_said_date("until\n", START + 60);
	fake->now += 59;
	CHECK(rotate(0) == 0);
	check_said_date("until\n", START + 60);
	CHECK_STRING(hash_of(false, ".crt"), old);
	fake->now++;
	CHECK(rotate(0) == 0);
	CHECK_STRING(hash_of(false, ".crt"), new);
	CHECK(!there(true, ".key") && !there(true, ".crt"));
	CHECK(stat(file_of(false, ".key"), &st) == 0 &&
	    (st.st_mode & 07777) == 0600 && st.st_mtime == fake->now);
	CHECK(signer_starts());
	CHECK(fake->restarts == 1 && fake->reloads == 0);
	check_said_date("tokens of the old key, until ",
	    START + 60 + 14 * DAY + 60);
	CHECK_SAID(old);
	/* It stands until then, and is missed. */
	fake->now = START + 60 + 14 * DAY + 59;
	CHECK(rotate(0) == 0);
	CHECK_SAID("keep the old record");
	drop(old);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("gone too early");
	publish(old);
	fake->now++;
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("drop the old record");
	CHECK_SAID(old);
	drop(old);
	CHECK(rotate(0) == 0);
	CHECK_SAID("the rotation is over");
	CHECK(!there(true, ".state"));
	CHECK(fake->restarts == 1);
	/* And the next one. */
	CHECK(rotate(0) == 0);
	CHECK_SAID("made a new key");
}

TEST(dates_are_those_of_the_role)
{
	static const struct {
		const char *name, *role;
		int64_t lifetime, want;
	} rows[] = {
		{ BROKER, "broker", 0, 14 * DAY + 60 },
		{ BROKER, "broker", 3 * DAY, 3 * DAY + 60 },
		{ BROKER, "broker", 99 * DAY, 14 * DAY + 60 },
		{ AGENT, "agent", 0, 360 },
		{ AGENT, "agent", 30, 90 },
		{ AGENT, "agent", 14 * DAY, 360 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].name, rows[i].role);
		fake->lifetime = rows[i].lifetime;
		CHECK(rotate(0) == 0);
		publish(hash_of(true, ".crt"));
		fake->ttl = 0;
		CHECK_FOR(rotate(0) == 0, "row %zu: %s", i, said);
		check_said_date("until ", START + rows[i].want);
	}
}

/* A record that vanishes again has to be waited for again. */
TEST(the_record_must_stay)
{
	char new[65];

	begin(AGENT, "agent");
	CHECK(rotate(0) == 0);
	strcpy(new, hash_of(true, ".crt"));
	publish(new);
	CHECK(rotate(0) == 0);
	fake->now += 100;
	drop(new);
	CHECK(rotate(0) == EX_TEMPFAIL);
	publish(new);
	CHECK(rotate(0) == 0);
	check_said_date("until\n", START + 160);
	CHECK_STRING(hash_of(true, ".crt"), new);
}

TEST(without_dns_it_waits_unless_forced)
{
	begin(BROKER, "broker");
	fake->dns_dead = true;
	CHECK(rotate(0) == 0);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("cannot see whether the new record is in the DNS");
	CHECK_SAID("--force");
	CHECK(rotate(FORCE) == 0);
	CHECK_SAID("keep the old record");
	CHECK(fake->restarts == 1);
	fake->now += 15 * DAY;
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("cannot see whether the DNS still has the old record");
	CHECK(rotate(FORCE) == 0);
	CHECK_SAID("the rotation is over");
}

TEST(forced_before_it_is_published)
{
	begin(BROKER, "broker");
	CHECK(rotate(0) == 0);
	CHECK(rotate(FORCE) == EX_TEMPFAIL);
	CHECK_SAID("publish the new key");
	CHECK_SAID(hash_of(false, ".crt"));
}

/* ---- the signer --------------------------------------------------------- */

TEST(without_systemd_it_says_what_to_restart)
{
	begin(BROKER, "broker");
	fake->no_systemd = true;
	fake->ttl = 0;
	CHECK(rotate(0) == 0);
	publish(hash_of(true, ".crt"));
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("the signer still has the old key");
	CHECK_SAID("restart gripd -r sign");
	CHECK(rotate(0) == EX_TEMPFAIL);
	/* It is down for a moment. */
	fake->loaded[0] = '\0';
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("does not answer");
	/* The dates count from when it has the new one. */
	fake->now += DAY;
	strcpy(fake->loaded, hash_of(false, ".crt"));
	CHECK(rotate(0) == 0);
	check_said_date("until ", START + DAY + 14 * DAY + 60);
	CHECK(fake->restarts == 0);
}

TEST(a_signer_that_would_not_start_is_not_touched)
{
	begin(BROKER, "broker");
	fake->signer_bad = true;
	CHECK(rotate(0) == EX_CONFIG);
	CHECK_SAID("finds fault with things as they are");
	CHECK_SAID("it is so");
	CHECK(!there(true, ".key"));
	fake->signer_bad = false;
	CHECK(rotate(0) == 0);
	publish(hash_of(true, ".crt"));
	fake->ttl = 0;
	fake->signer_bad = true;
	CHECK(rotate(0) == EX_CONFIG);
	CHECK(there(true, ".key") && fake->restarts == 0);
}

/* ---- several identities, mailboxes -------------------------------------- */

TEST(who_borrows_the_key_rotates_with_it)
{
	begin(BROKER, "broker");
	fake->alias = "_cb.customer.test";
	CHECK(rotate(0) == 0);
	/* The record is printed once, where the CNAME leads. */
	CHECK(strstr(strstr(said, " IN TXT ") + 1, " IN TXT ") == NULL);
	CHECK(strstr(said, "_cb.customer.test. IN TXT") == NULL);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("_cb.customer.test does not publish the new key yet (by its "
		   "CNAME)");
}

static EVP_PKEY *ca;

/* Signs the request as a CA would. */
static void
certify(const char *name, int64_t from, int64_t until)
{
	FILE *in = fopen(file_of(true, ".csr"), "r"), *out;
	X509_REQ *request = PEM_read_X509_REQ(in, NULL, NULL, NULL);
	X509 *x509 = X509_new();
	X509_NAME *issuer = X509_NAME_new();
	char names[128];
	X509_EXTENSION *extension;

	fclose(in);
	snprintf(names, sizeof(names), "DNS:%s", name);
	extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC,
	    (const unsigned char *)"CA", -1, -1, 0);
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_set_issuer_name(x509, issuer);
	X509_set_subject_name(x509, X509_REQ_get_subject_name(request));
	ASN1_TIME_set(X509_getm_notBefore(x509), from);
	ASN1_TIME_set(X509_getm_notAfter(x509), until);
	X509_set_pubkey(x509, X509_REQ_get0_pubkey(request));
	X509_add_ext(x509, extension, -1);
	X509_sign(x509, ca, EVP_sha256());
	out = fopen(file_of(true, ".crt"), "w");
	PEM_write_X509(out, x509);
	fclose(out);
	X509_EXTENSION_free(extension);
	X509_NAME_free(issuer);
	X509_REQ_free(request);
	X509_free(x509);
}

/* A mailbox whose certificate is a CA's. */
static void
begin_mailbox(void)
{
	const char *argv[] = { "gripd", "keygen", "-s", "-d", keys, MAILBOX,
		NULL };
	char *from[2], *to[2];
	int status;

	begin(MAILBOX, "mailbox");
	empty();
	drop(fake->loaded);
	free(run_keygen(argv, &status));
	/* Certified in rotation/, and moved. */
	CHECK(mkdir(at("rotation"), 0755) == 0);
	from[0] = x_strdup(file_of(false, ".csr"));
	to[0] = x_strdup(file_of(true, ".csr"));
	CHECK(rename(from[0], to[0]) == 0);
	certify(MAILBOX, START - DAY, START + 90 * DAY);
	CHECK(rename(to[0], from[0]) == 0);
	from[1] = x_strdup(file_of(true, ".crt"));
	to[1] = x_strdup(file_of(false, ".crt"));
	CHECK(rename(from[1], to[1]) == 0);
	for (int i = 0; i < 2; i++) {
		free(from[i]);
		free(to[i]);
	}
	strcpy(fake->loaded, hash_of(false, ".crt"));
	publish(fake->loaded);
	CHECK(signer_starts());
}

TEST(a_mailbox_waits_for_its_certificate)
{
	char old[65], new[65];

	begin_mailbox();
	strcpy(old, fake->loaded);
	CHECK(rotate(0) == 0);
	strcpy(new, hash_of(true, ".csr"));
	CHECK_SAID("    _rm.bar.test. IN TXT \"v=grip1");
	CHECK_SAID("rotation/mailbox.bar.test.csr");
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("the certificate is not there yet");
	put(file_of(true, ".crt"), "rubbish");
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("holds no certificate");
	certify("mailbox.foo.test", START - DAY, START + 90 * DAY);
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("has no subjectAltName DNS:mailbox.bar.test");
	certify(MAILBOX, START - 2 * DAY, START);
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("is valid no more");
	certify(MAILBOX, START + 5, START + DAY);
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("is valid only from");
	certify(MAILBOX, START - DAY, START + 90 * DAY);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("_rm.bar.test does not publish the new key yet");
	publish(new);
	fake->ttl = 0;
	/* A pin is not needed once nobody shows that key. */
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("drop the old record");
	CHECK(fake->restarts == 1 && fake->reloads == 1);
	CHECK_STRING(hash_of(false, ".crt"), new);
	CHECK_STRING(hash_of(false, ".csr"), new);
	CHECK(!there(true, ".csr"));
	CHECK(signer_starts());
	drop(old);
	CHECK(rotate(0) == 0);
	CHECK_SAID("the rotation is over");
}

TEST(the_certificate_of_another_key_is_refused)
{
	char *good;

	begin_mailbox();
	CHECK(rotate(0) == 0);
	good = x_strdup(file_of(false, ".crt"));
	CHECK(link(good, file_of(true, ".crt")) == 0);
	free(good);
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("is not for the new key");
}

TEST(a_mailbox_that_is_not_pinned_needs_no_record)
{
	begin_mailbox();
	drop(fake->loaded);
	CHECK(rotate(0) == 0);
	certify(MAILBOX, START - DAY, START + 90 * DAY);
	CHECK(rotate(0) == 0);
	CHECK_SAID("the rotation is over");
}

TEST(a_key_of_certbot_is_left_to_it)
{
	begin_mailbox();
	CHECK(mkdir(at("etc"), 0755) == 0 &&
	    mkdir(at("etc/letsencrypt"), 0755) == 0 &&
	    mkdir(at("etc/letsencrypt/live"), 0755) == 0 &&
	    mkdir(at("etc/letsencrypt/live/mail"), 0755) == 0);
	put(at("etc/letsencrypt/live/mail/privkey.pem"), "");
	fake->certbot = true;
	CHECK(rotate(0) == EX_UNAVAILABLE);
	CHECK_SAID("certbot renew --cert-name mail ");
	CHECK(!there(true, ".key"));
	/* Another key than certbot's. */
	fake->certbot = false;
	CHECK(rotate(0) == 0);
}

/* ---- compromised -------------------------------------------------------- */

TEST(a_lost_key_goes_at_once)
{
	char old[65], waiting[65], new[65];

	begin(BROKER, "broker");
	strcpy(old, fake->loaded);
	/* The next key lay beside it. */
	CHECK(rotate(0) == 0);
	strcpy(waiting, hash_of(true, ".crt"));
	publish(waiting);
	CHECK(rotate(LOST) == EX_TEMPFAIL);
	strcpy(new, hash_of(false, ".crt"));
	CHECK(strcmp(new, old) != 0 && strcmp(new, waiting) != 0);
	CHECK(fake->restarts == 1 && fake->flushes == 1);
	CHECK_SAID("drop from the DNS at once");
	CHECK_SAID(old);
	CHECK_SAID(waiting);
	CHECK_SAID("publish the new key");
	CHECK_SAID(new);
	CHECK_SAID("forgot 7 verdicts");
	CHECK_SAID("cargomailctl renotify --all");
	/* Typed again it makes no other one. */
	CHECK(rotate(LOST) == EX_TEMPFAIL);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_STRING(hash_of(false, ".crt"), new);
	publish(new);
	drop(old);
	CHECK(rotate(LOST) == EX_TEMPFAIL);
	drop(waiting);
	CHECK(rotate(0) == 0);
	CHECK_SAID("the rotation is over");
	CHECK_STRING(hash_of(false, ".crt"), new);
}

/* What was rotated in peace before stays until its date. */
TEST(a_loss_after_a_rotation)
{
	char first[65], second[65];

	begin(BROKER, "broker");
	fake->ttl = 0;
	strcpy(first, fake->loaded);
	CHECK(rotate(0) == 0);
	strcpy(second, hash_of(true, ".crt"));
	publish(second);
	CHECK(rotate(0) == 0);
	CHECK(rotate(LOST) == EX_TEMPFAIL);
	CHECK_SAID("keep the old record");
	publish(hash_of(false, ".crt"));
	drop(second);
	CHECK(rotate(0) == 0);
	CHECK_SAID("the record of the compromised key is gone");
	check_said_date("until ", START + 14 * DAY + 60);
	CHECK_SAID(first);
}

TEST(a_lost_mailbox_needs_a_certificate_first)
{
	begin_mailbox();
	fake->signer_bad = true; /* no reason to wait */
	CHECK(rotate(LOST) == EX_TEMPFAIL);
	CHECK_SAID("have its certificate revoked");
	CHECK_SAID(hash_of(true, ".csr"));
	certify(MAILBOX, START - DAY, START + 90 * DAY);
	CHECK(rotate(0) == EX_TEMPFAIL);
	CHECK_SAID("drop from the DNS at once");
	CHECK(fake->restarts == 1 && fake->reloads == 1);
}

/* ---- what is wrong ------------------------------------------------------ */

TEST(trouble_is_told)
{
	begin(BROKER, "broker");
	CHECK(unlink(file_of(false, ".key")) == 0);
	CHECK(rotate(0) == EX_NOINPUT);
	CHECK_SAID("_cb.bar.test.key: No such file");
	begin(BROKER, "broker");
	CHECK(rotate(0) == 0);
	publish(hash_of(true, ".crt"));
	fake->ttl = 0;
	CHECK(chown(file_of(true, ".key"), 12345, 0) == 0);
	CHECK(rotate(0) == EX_NOINPUT);
	CHECK_SAID("owned by uid 12345; do: chown root");
	CHECK(chown(file_of(true, ".key"), 0, 0) == 0);
	put(file_of(true, ".state"), "{\"version\":2}");
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("rotation/_cb.bar.test.state: not what this version");
	CHECK(unlink(file_of(true, ".state")) == 0);
	/* Its loss loses only the dates. */
	CHECK(rotate(0) == 0);
	put(file_of(false, ".crt"), "x");
	CHECK(rotate(0) == EX_NOINPUT);
	CHECK_SAID("_cb.bar.test.crt: holds no certificate");
	empty();
	put(at("rotation"), "");
	CHECK(rotate(0) == EX_DATAERR);
	CHECK_SAID("rotation/_cb.bar.test.state: Not a directory");
}

TEST(giving_up_is_removing_the_next_key)
{
	begin(BROKER, "broker");
	CHECK(rotate(0) == 0);
	CHECK(unlink(file_of(true, ".key")) == 0);
	CHECK(rotate(0) == 0);
	CHECK_SAID("made a new key");
	CHECK(signer_starts());
}

/* ---- crashes ------------------------------------------------------------ */

/* Runs it as a process; true if it was not killed by the fuse. */
static bool
rotate_mortal(int flags)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		armed = true;
		rotate(flags);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What an administrator does who reads what it says. */
static void
obey(void)
{
	struct rotation_state state;
	char *error = NULL;

	CHECK(rotation_state_read(keys, fake->name, &state, &error) == 0);
	if (there(true, ".csr") && !there(true, ".crt") &&
	    hash_of(true, ".csr")[0] != '\0' && there(true, ".key"))
		certify(MAILBOX, START - DAY, START + 90 * DAY);
	if (state.next[0] != '\0')
		publish(state.next);
	publish(hash_of(false, ".crt"));
	for (size_t i = 0; i < state.old_count; i++)
		if (state.old[i].since != 0 && fake->now >= state.old[i].until)
			drop(state.old[i].key);
	rotation_state_free(&state);
	fake->now += 15 * DAY;
}

static bool
is_over(const char *old)
{
	return !there(true, ".state") && !there(true, ".key") &&
	    strcmp(hash_of(false, ".crt"), old) != 0;
}

/* One way with one crash. True if the fuse was never burnt. */
static bool
go_on_after(int fuse, int flags)
{
	char old[65], first[65] = "";
	int runs = 0;

	strcpy(old, fake->loaded);
	fake->fuse = fuse;
	do {
		rotate_mortal(flags);
		CHECK_FOR(signer_starts(), "fuse %d, run %d", fuse, runs);
		/* A machine that starts again starts the signer. */
		if (!there(true, ".crt") || there(true, ".key"))
			strcpy(fake->loaded, hash_of(false, ".crt"));
		obey();
		if (first[0] == '\0' &&
		    strcmp(old, hash_of(false, ".crt")) != 0)
			strcpy(first, hash_of(false, ".crt"));
		flags = 0;
	} while (!is_over(old) && ++runs < 20);
	CHECK_FOR(runs < 20, "fuse %d: no end", fuse);
	/* One rotation, not two. */
	CHECK_FOR(strcmp(first, hash_of(false, ".crt")) == 0, "fuse %d", fuse);
	CHECK(!published(old));
	return fake->fuse > 0;
}

static void
crash_everywhere(void (*start)(void), int flags, const char *what)
{
	int fuse = 1;

	for (; fuse < 500; fuse++) {
		start();
		if (go_on_after(fuse, flags))
			break;
	}
	printf("# %s: %d places to die\n", what, fuse - 1);
	CHECK(fuse > 20 && fuse < 500);
}

static void
begin_broker(void)
{
	begin(BROKER, "broker");
}

TEST(a_crash_anywhere)
{
	crash_everywhere(begin_broker, 0, "broker");
	crash_everywhere(begin_mailbox, 0, "mailbox");
}

TEST(a_crash_anywhere_with_a_lost_key)
{
	crash_everywhere(begin_broker, LOST, "lost broker");
}

int
main(void)
{
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ca = EVP_EC_gen("P-256");
	if (geteuid() != 0 || mkdtemp(keys) == NULL) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	RUN(a_broker_all_the_way);
	RUN(dates_are_those_of_the_role);
	RUN(the_record_must_stay);
	RUN(without_dns_it_waits_unless_forced);
	RUN(forced_before_it_is_published);
	RUN(without_systemd_it_says_what_to_restart);
	RUN(a_signer_that_would_not_start_is_not_touched);
	RUN(who_borrows_the_key_rotates_with_it);
	RUN(a_mailbox_waits_for_its_certificate);
	RUN(the_certificate_of_another_key_is_refused);
	RUN(a_mailbox_that_is_not_pinned_needs_no_record);
	RUN(a_key_of_certbot_is_left_to_it);
	RUN(a_lost_key_goes_at_once);
	RUN(a_loss_after_a_rotation);
	RUN(a_lost_mailbox_needs_a_certificate_first);
	RUN(trouble_is_told);
	RUN(giving_up_is_removing_the_next_key);
	RUN(a_crash_anywhere);
	RUN(a_crash_anywhere_with_a_lost_key);
	empty();
	rmdir(keys);
	EVP_PKEY_free(ca);
	return test_done();
}

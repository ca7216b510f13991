/* SPDX-License-Identifier: ISC
 *
 * The checks, of a host that is made up: files below a directory, answers of
 * daemons, of Postfix and of other servers from here. In order at first; each
 * row of the table breaks one thing.
 */
#include "check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "broker_config.h"
#include "check_mail.h"
#include "encoding.h"
#include "gripd_config.h"
#include "grip_jwk.h"
#include "json_strict.h"
#include "mailboxd_config.h"
#include "memory.h"
#include "peer_list.h"
#include "test.h"
#include "tls_fixture.h"

#define BASE "/var/lib/cargomail"
#define KEYS "/etc/cargomail/keys"
#define OTHER "https://mailbox.insurance.test"

static const char *const names[] = { "_cb.bar.test", "_rra.bar.test",
	"mailbox.bar.test" };
static const char *const roles[] = { "broker", "agent", "mailbox" };

static char root[] = "/tmp/test_check.XXXXXX";
static struct tls_identity identities[3];
static char hashes[3][65];

/* The host, set anew before each row. */
static struct fake {
	int64_t now, date, space, until, attempt;
	const char *down; /* a daemon that does not answer */
	bool trusted, secure, dns_dead;
	const char *no_record; /* a name without any */
	bool odd_key; /* _cb publishes another */
	bool odd_identities; /* among those of the signer */
	const char *services, *options, *settings;
	int postconf, postfix, config; /* exit codes */
	const char *outside; /* what ssh prints */
	const char *agent;
	enum outcome other, by_ca, by_key;
	const char *word; /* of a failure */
	uid_t uid;
	const char *mails;
	/* Probe mail: what milters put on top of it at home and outside, what
	 * the broker thinks of the latter and of the forged one. */
	const char *signer, *results, *proof, *forged, *form;
	struct check_mail_reply inner, outer;
	bool lost, no_probe;
	char *seen; /* the message that the broker has, NULL */
	const char *verdict;
	bool no_postmaster;
	const char *queued; /* a queue with the probe, or another */
	int64_t arrival; /* of that */
	unsigned deleted; /* messages of the queue */
} fake;

static const char services[] = "smtp       inet  n - y - - smtpd -o x=y\n"
			       "submission inet  n - y - - smtpd\n"
			       "cargomail-cleanup unix n - y - 0 cleanup\n"
			       "cargomail  unix  - - y - 10 lmtp\n"
			       "cargomail-back unix n - y - 10 smtpd\n";
static const char options[] =
    "smtp/inet/cleanup_service_name = cargomail-cleanup\n"
    "cargomail-cleanup/unix/header_checks = "
    "regexp:/a,regexp:/etc/cargomail/postfix_header_checks\n"
    "cargomail/unix/disable_mime_output_conversion = yes\n"
    "cargomail/unix/lmtp_send_xforward_command = yes\n"
    "cargomail-back/unix/content_filter = \n"
    "cargomail-back/unix/receive_override_options = no_address_mappings,"
    "no_header_body_checks,no_milters\n";
static const char settings[] = "header_checks = regexp:/a\n"
			       "smtpd_milters = inet:127.0.0.1:8891\n"
			       "message_size_limit = 10240000\n"
			       "recipient_delimiter = +\n"
			       "myhostname = mx.bar.test\n"
			       "queue_directory = /var/spool/postfix\n"
			       "cleanup_service_name = cleanup\n";

/* ---- files -------------------------------------------------------------- */

static char *
at(const char *path)
{
	return x_asprintf("%s%s", root, path);
}

static void
make_parents(char *path)
{
	for (char *slash = path + strlen(root) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void
put(const char *path, const char *text, mode_t mode)
{
	char *full = at(path);
	FILE *out;

	make_parents(full);
	unlink(full);
	out = fopen(full, "w");
	fputs(text, out);
	fclose(out);
	chmod(full, mode);
	free(full);
}

static void
take(const char *path)
{
	char *full = at(path);

	unlink(full);
	free(full);
}

static void
put_socket(const char *path, mode_t mode)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *full = at(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	make_parents(full);
	unlink(full);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", full);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	chmod(full, mode);
	close(fd);
	free(full);
}

static void
put_certificate(size_t number, const char *file)
{
	BIO *pem = certificate_pem(&identities[number]);
	char *path = x_asprintf(KEYS "/%s.crt", file), *text, *copy;
	long len = BIO_get_mem_data(pem, &text);

	copy = x_strndup(text, (size_t)len);
	put(path, copy, 0644);
	free(copy);
	free(path);
	BIO_free(pem);
}

static void
put_sockets(void)
{
	size_t count;
	const struct peer_route *routes = peer_list(&count);

	for (size_t i = 0; i < count; i++) {
		char *path = x_asprintf(BASE "/%s%s",
		    peer_directory(routes[i].client), routes[i].socket);

		put_socket(path, 0600);
		free(path);
	}
	put_socket("/var/spool/postfix/cargomail/in.sock", 0600);
	put_socket("/proc/7/root/run/postfix/cargomail-back", 0666);
}

#define MANIFEST PREFIX "/share/cargomail/manifest/"
#define STORE BASE "/mailbox/store"
#define PROGRAM PREFIX "/sbin/broker"
#define DROP_IN "/etc/systemd/system/cargomail-gripd-sign.service.d/keys.conf"

static void
set_mode(const char *path, mode_t mode)
{
	char *full = at(path);

	chmod(full, mode);
	free(full);
}

/* Two packages; that of the client has nothing that is looked at. */
static void
put_manifest(void)
{
	put(STORE "/x", "", 0600);
	set_mode(STORE, 0700);
	put(PROGRAM, "", 0755);
	put(MANIFEST "cargomail-broker",
	    "file 0755 root " PROGRAM "\n"
	    "file 0644 root " MANIFEST "cargomail-broker\n"
	    "user cargomail-broker /x Cargo Broker\nfile\nfile 0644 root\n",
	    0644);
	put(MANIFEST "cargomail-mailboxd",
	    "dir 0700 cargomail-mailbox /var/lib/cargomail/mailbox/store\n",
	    0644);
}

static void
put_files(void)
{
	put("/etc/cargomail/gripd.conf", "", 0644);
	put("/etc/cargomail/retrievald.conf", "", 0644);
	put("/etc/cargomail/mailboxd.conf",
	    "server_names = mailbox.bar.test\nagent = _rra.bar.test\n", 0644);
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\nnew_key = 1\n", 0644);
	put("/etc/cargomail/policy",
	    "# who\n_cb.bar.test role=broker\n_rra.bar.test role=agent\n"
	    "mailbox.bar.test role=mailbox\n",
	    0644);
	put("/etc/cargomail/destinations",
	    "@bar.test * https://mailbox.bar.test # ours\n"
	    "bob@bar.test healthcare " OTHER "\n",
	    0644);
	put("/etc/cargomail/postfix_header_checks",
	    "/^X-O:/\tFILTER cargomail:unix:cargomail/in.sock\n", 0644);
	put("/etc/opendkim.conf",
	    "Mode sv\nAuthservID mx.bar.test\n"
	    "SignHeaders *,+Message-ID,+MIME-Version,+Content-Type\n",
	    0644);
	for (size_t i = 0; i < 3; i++) {
		char *path = x_asprintf(KEYS "/%s.key", names[i]);

		put(path, "secret", 0600);
		free(path);
		put_certificate(i, names[i]);
	}
	put_manifest();
	put_sockets();
}

/* ---- the world ----------------------------------------------------------- */

static int64_t
fake_now(void *arg)
{
	(void)arg;
	return fake.now;
}

/* Of a signer that was taken over. */
static void
add_odd_identities(cJSON *list)
{
	static const char *const odd[] = { "[]", "{\"name\":\"_cb.a.test\"}",
		"{\"role\":\"broker\",\"file\":\"_cb.a.test\"}",
		"{\"name\":\"\\u001b[2J\",\"role\":\"broker\","
		"\"file\":\"_cb.a.test\"}",
		"{\"name\":\"_cb.a.test\",\"role\":\"broker\","
		"\"file\":\"x; reboot\"}",
		"{\"name\":\"_cb.a.test\",\"role\":\"king\","
		"\"file\":\"_cb.a.test\"}",
		"{\"name\":\"_cb.a.test\",\"role\":\"broker\","
		"\"file\":\"_cb.a.test\",\"key\":\"\\u001b\"}" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		cJSON_AddItemToArray(list,
		    json_parse(odd[i], strlen(odd[i]), NULL));
}

static cJSON *
answer_identities(void)
{
	cJSON *answer = cJSON_CreateObject(), *item;
	cJSON *list = cJSON_AddArrayToObject(answer, "identities");

	if (fake.odd_identities)
		add_odd_identities(list);

	for (size_t i = 0; i < 3; i++) {
		item = cJSON_CreateObject();
		json_add_string(item, "name", names[i]);
		json_add_string(item, "role", roles[i]);
		json_add_string(item, "file", names[i]);
		json_add_string(item, "key", hashes[i]);
		if (fake.until >= 0)
			json_add_integer(item, "until", fake.until);
		cJSON_AddItemToArray(list, item);
	}
	return answer;
}

static cJSON *
answer_lookup(const char *name, const char *type, char **error_r)
{
	cJSON *answer, *list;
	char text[128] = "v=cargomail1";

	if (fake.dns_dead) {
		*error_r = x_strdup("no server answers");
		return NULL;
	}
	for (size_t i = 0; i < 3; i++)
		if (strcmp(name, i == 2 ? "_rm.bar.test" : names[i]) == 0)
			snprintf(text, sizeof(text), "v=grip1; h=sha256; p=%s",
			    hashes[i == 0 && fake.odd_key ? 1 : i]);
	if (strcmp(type, "TXT") != 0)
		strcpy(text, "192.0.2.1");
	answer = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(answer, "records");
	json_add_boolean(answer, "secure", fake.secure);
	if (fake.no_record == NULL || strcmp(fake.no_record, name) != 0)
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	return answer;
}

static cJSON *
answer_queue(void)
{
	cJSON *answer = cJSON_CreateObject(), *pull = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(answer, "pulls");

	json_add_integer(pull, "attempt", fake.attempt);
	json_add_string(pull, "origin", "https://mailbox.hospital.test");
	cJSON_AddItemToArray(list, pull);
	return answer;
}

#define SIGNED(fields, more) \
	"DKIM-Signature: v=1; d=bar.test; s=x; " more "h=From:" fields \
	";\r\n\tb=abcdefgh\r\n"
#define FIELDS "Message-ID:MIME-Version:Content-Type"

static cJSON *
answer_probe(const char *what)
{
	cJSON *answer;
	char *message;

	if (fake.no_probe)
		return NULL;
	answer = cJSON_CreateObject();
	if (strcmp(what, "begin") == 0)
		json_add_string(answer, "share", "AAAAAAAAAAAAAAAAAAAAAA");
	if (strcmp(what, "again") == 0)
		x_free(&fake.seen);
	if (strcmp(what, "look") != 0 || fake.seen == NULL)
		return answer;
	json_add_integer(answer, "arrivals", 1);
	json_add_integer(answer, "recipients", 1);
	json_add_string(answer, "proof", fake.verdict);
	json_add_string(answer, "proof_text", "so it is");
	json_add_string(answer, "form", fake.form);
	json_add_string(answer, "form_text", "it is odd");
	message = base64_format(fake.seen, strlen(fake.seen));
	json_add_string(answer, "message", message);
	free(message);
	return answer;
}

static void
fake_mail(void *arg, const struct check_mail *mail,
    struct check_mail_reply *reply_r)
{
	bool inner = strcmp(mail->address, "127.0.0.1") == 0;
	bool forged = memmem(mail->data, mail->len, "Zm9yZ2Vk", 8) != NULL;

	(void)arg;
	*reply_r = inner ? fake.inner : fake.outer;
	if (fake.no_postmaster && strcmp(mail->to, "postmaster") != 0) {
		reply_r->stage = CHECK_MAIL_RCPT;
		reply_r->code = 550;
	}
	if (reply_r->stage != CHECK_MAIL_DONE || fake.lost)
		return;
	x_free(&fake.seen);
	fake.seen = x_asprintf("Received: by x\r\n%s%.*s",
	    inner ? fake.signer : fake.results, (int)mail->len, mail->data);
	fake.verdict = inner || !forged ? fake.proof : fake.forged;
}

static void
fake_pause(void *arg, int ms)
{
	(void)arg;
	(void)ms;
}

static cJSON *
fake_ask(void *arg, const char *daemon, cJSON *request, char **error_r)
{
	const char *verb = json_string(request, "verb");
	cJSON *answer = NULL;

	(void)arg;
	*error_r = NULL;
	if (fake.down != NULL && strcmp(fake.down, daemon) == 0) {
		*error_r = x_strdup("Connection refused");
	} else if (strcmp(verb, "identities") == 0) {
		answer = answer_identities();
	} else if (strcmp(verb, "probe") == 0) {
		answer = answer_probe(json_string(request, "do"));
	} else if (strcmp(verb, "queue") == 0) {
		answer = answer_queue();
	} else if (strcmp(verb, "lookup") == 0) {
		answer = answer_lookup(json_string(request, "name"),
		    json_string(request, "type"), error_r);
	} else {
		answer = cJSON_CreateObject();
		json_add_integer(answer, "pid", 7);
		json_add_boolean(answer, "dnssec_trusted", fake.trusted);
	}
	cJSON_Delete(request);
	return answer;
}

static char *
fake_run(void *arg, const char *const argv[], int *status_r)
{
	(void)arg;
	*status_r = 0;
	if (strcmp(argv[0], "postsuper") == 0) {
		fake.deleted++;
		CHECK_STRING(argv[2], "4F");
		return x_strdup("");
	}
	if (strcmp(argv[0], "postqueue") == 0)
		return fake.queued == NULL ?
		    x_strdup(fake.mails) :
		    x_asprintf("{\"queue_id\":\"3F\"}\n{%s,"
			       "\"arrival_time\":%lld}\n",
			fake.queued, (long long)fake.arrival);
	if (strcmp(argv[0], "ssh") == 0)
		return x_strdup(fake.outside);
	if (strcmp(argv[0], "postfix") == 0) {
		*status_r = fake.postfix;
		return x_strdup("");
	}
	if (strcmp(argv[0], "postconf") == 0) {
		*status_r = fake.postconf;
		return x_strdup(fake.postconf != 0 ?
			"postconf: warning: unreasonable macro call "
			"nesting: \"header_checks\"\n" :
			strcmp(argv[1], "-M") == 0 ? fake.services :
			strcmp(argv[1], "-P") == 0 ? fake.options :
						     fake.settings);
	}
	*status_r = fake.config;
	return x_strdup(fake.config == 0 ? "" :
					   "- broker fatal detail=\"x.conf:3: "
					   "no_key: unknown key\" y\n");
}

static enum outcome
fake_fetch(void *arg, const struct check_fetch *fetch,
    struct check_reply *reply_r, struct reason *why)
{
	bool own = strstr(fetch->url, "mailbox.bar.test") != NULL;
	enum outcome outcome = !own  ? fake.other :
	    fetch->ca_bundle != NULL ? fake.by_ca :
				       fake.by_key;

	(void)arg;
	memset(reply_r, 0, sizeof(*reply_r));
	CHECK((fetch->ca_bundle == NULL) == (fetch->key != NULL));
	if (outcome != OUTCOME_OK)
		return reason_set(why, outcome, fake.word, "it %s", fake.word);
	reply_r->status = 200;
	reply_r->date = fake.date;
	strcpy(reply_r->agent, fake.agent);
	return OUTCOME_OK;
}

static int
fake_user(void *arg, const char *name, uid_t *uid_r)
{
	(void)arg;
	(void)name;
	*uid_r = fake.uid;
	return 0;
}

static int64_t
fake_space(void *arg, const char *path)
{
	(void)arg;
	return strcmp(path + strlen(root), STORE) == 0 ? fake.space : -1;
}

static const struct check_world world = {
	.now = fake_now,
	.ask = fake_ask,
	.run = fake_run,
	.fetch = fake_fetch,
	.mail = fake_mail,
	.pause = fake_pause,
	.user = fake_user,
	.space = fake_space,
};

/* ---- one run -------------------------------------------------------- */

struct said {
	char text[16384];
	size_t len;
};

static void
on_line(const struct check_line *line, void *arg)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	struct said *said = arg;

	CHECK_FOR(line->level == CHECK_OK ||
		(line->why != NULL && line->cure != NULL),
	    "%s: %s", line->subject, line->what);
	said->len += (size_t)snprintf(said->text + said->len,
	    sizeof(said->text) - said->len, "%s %s: %s: %s | %s\n",
	    levels[line->level], line->name, line->subject, line->what,
	    line->cure != NULL ? line->cure : "");
}

static int
run(const char *only, const char *peer, struct said *said)
{
	struct check check = { .world = &world, .root = root, .peer = peer };
	int worst;

	check.from = strcmp(fake.outside, "") != 0 ? "foo" : NULL;
	said->len = 0;
	said->text[0] = '\0';
	check_config_read(root, &check.config);
	worst = check_run(&check, only, on_line, said);
	check_close(&check);
	return worst;
}

static void
take_directory(const char *path)
{
	char *full = at(path);

	rmdir(full);
	free(full);
}

static void
reset(void)
{
	free(fake.seen);
	take("/run/systemd/system/x");
	take_directory("/run/systemd/system");
	take(KEYS "/_cb.bar.test.key/x");
	take_directory(KEYS "/_cb.bar.test.key");
	take(KEYS "/rotation/y.csr");
	take(KEYS "/y.crt");
	take(KEYS "/.y.crt");
	take(DROP_IN);
	fake = (struct fake){ .now = time(NULL),
		.trusted = true,
		.secure = true,
		.space = INT64_C(100) << 30,
		.services = services,
		.options = options,
		.settings = settings,
		.agent = "_rra.bar.test",
		.word = "connect",
		.uid = getuid(),
		.mails = "",
		.outside = "",
		.attempt = 1 };
	fake.signer = SIGNED(FIELDS, "");
	fake.results = "Authentication-Results: mx.bar.test; dkim=pass\r\n";
	fake.proof = fake.form = "ok";
	fake.forged = "result";
	fake.inner.stage = fake.outer.stage = CHECK_MAIL_DONE;
	fake.inner.code = fake.outer.code = 250;
	strcpy(fake.inner.queue_id, "4F");
	strcpy(fake.outer.queue_id, "5F");
	fake.date = fake.now - 1;
	fake.arrival = fake.now;
	fake.until = -1;
	put_files();
}

/* ---- tests ---------------------------------------------------------- */

TEST(a_host_in_order)
{
	struct said said;

	reset();
	CHECK_FOR(run(NULL, OTHER, &said) == CHECK_OK, "%s", said.text);
	CHECK(run("nothing", NULL, &said) == -1);
}

static void
now_ahead(void)
{
	fake.now += 100;
}
static void
now_behind(void)
{
	fake.now -= 30;
}
static void
now_empty(void)
{
	fake.now = 86400;
}
static void
config_bad(void)
{
	fake.config = 78;
}
static void
config_gone(void)
{
	take("/etc/cargomail/mailboxd.conf");
}
static void
broker_down(void)
{
	fake.down = "broker";
}
static void
signer_down(void)
{
	fake.down = "gripd-sign";
}
static void
identities_odd(void)
{
	fake.odd_identities = true;
}
/* The first word has no dot, so that it is no name. */
static void
policy_broken(void)
{
	signer_down();
	put("/etc/cargomail/policy",
	    "bar role=broker\n_cb.bar.test role=broker\n", 0644);
}
static void
resolve_down(void)
{
	fake.down = "gripd-resolve";
}
static void
mailboxd_down(void)
{
	fake.down = "mailboxd";
}
static void
dns_dead(void)
{
	fake.dns_dead = true;
}
static void
dns_insecure(void)
{
	fake.secure = false;
}
static void
dns_untrusted(void)
{
	fake.trusted = false;
}
static void
key_odd(void)
{
	fake.odd_key = true;
}
static void
no_cb(void)
{
	fake.no_record = "_cb.bar.test";
}
static void
no_rm(void)
{
	fake.no_record = "_rm.bar.test";
}
static void
no_marker(void)
{
	fake.no_record = "_cargomail.bar.test";
}
static void
no_host(void)
{
	fake.no_record = "mailbox.bar.test";
}
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
foreign(void)
{
	fake.uid = getuid() + 1;
}
static void
file_gone(void)
{
	take(PROGRAM);
}
static void
file_open(void)
{
	set_mode(PROGRAM, 0775);
}
static void
file_closed(void)
{
	set_mode(PROGRAM, 0700);
}
static void
room_open(void)
{
	set_mode(STORE, 0750);
}
static void
room_gone(void)
{
	put(MANIFEST "cargomail-broker", "dir 0755 root /none\n", 0644);
}
static void
room_file(void)
{
	put(MANIFEST "cargomail-broker", "dir 0755 root " PROGRAM "\n", 0644);
}
static void
no_manifest(void)
{
	take(MANIFEST "cargomail-broker");
	take(MANIFEST "cargomail-mailboxd");
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
static void
proxy(void)
{
	fake.by_key = OUTCOME_TEMPFAIL;
}
static void
no_ca(void)
{
	fake.by_ca = OUTCOME_TEMPFAIL;
	fake.word = "certificate";
}
static void
unreachable(void)
{
	fake.by_ca = fake.by_key = OUTCOME_TEMPFAIL;
}
static void
agent_odd(void)
{
	fake.agent = "_rra.x.test";
}
static void
agent_none(void)
{
	fake.agent = "";
}
static void
other_down(void)
{
	fake.other = OUTCOME_TEMPFAIL;
}
static void
socket_gone(void)
{
	take(BASE "/broker/run/sign.sock");
}
static void
socket_file(void)
{
	put(BASE "/broker/run/sign.sock", "", 0600);
}
static void
socket_open(void)
{
	put_socket(BASE "/mailbox/run/sign.sock", 0660);
}
static void
no_way_back(void)
{
	take("/proc/7/root/run/postfix/cargomail-back");
}
static void
postfix_down(void)
{
	fake.postfix = 1;
}
static void
postconf_bad(void)
{
	fake.postconf = 1;
}
static void
no_lines(void)
{
	fake.services = "smtp inet n - y - - smtpd\n";
}
static void
no_options(void)
{
	fake.options = "";
}
static void
no_header(void)
{
	fake.options = "smtp/inet/cleanup_service_name = cargomail-cleanup\n";
}
static void
more_tables(void)
{
	fake.settings = "header_checks = regexp:/b\nqueue_directory = "
			"/var/spool/postfix\n";
}
static void
delimiter(void)
{
	fake.settings = "recipient_delimiter = -\nqueue_directory = "
			"/var/spool/postfix\n";
}
static void
no_table(void)
{
	take("/etc/cargomail/postfix_header_checks");
}
static void
no_filter(void)
{
	put("/etc/cargomail/postfix_header_checks", "# FILTER x\n", 0644);
}
static void
elsewhere(void)
{
	put("/etc/cargomail/broker.conf", "listen = /run/in\n", 0644);
}
static void
out_elsewhere(void)
{
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\n"
	    "out_listen = /var/spool/postfix/cargomail/out.sock\n",
	    0644);
	fake.options = "submission/inet/content_filter = "
		       "cargomail-out:unix:other/out.sock\n";
}
static void
out_unheard(void)
{
	fake.options = "submission/inet/content_filter = "
		       "cargomail-out:unix:cargomail/out.sock\n";
}
static void
opendkim_name(void)
{
	put("/etc/opendkim.conf", "Mode v\nauthservid other.test\n", 0644);
}
static void
opendkim_mode(void)
{
	put("/etc/opendkim.conf", "Mode s\n", 0644);
}
static void
opendkim_fields(void)
{
	put("/etc/opendkim.conf", "Mode sv\nAuthservID mx.bar.test\n", 0644);
}
static void
no_milter(void)
{
	fake.settings = "";
}
static void
space_low(void)
{
	fake.space = 1 << 20;
}
static void
space_odd(void)
{
	fake.space = 3 << 29;
}
static void
space_none(void)
{
	fake.space = -1;
}
static void
pulls_old(void)
{
	fake.attempt = 9;
}
static void
mails_old(void)
{
	fake.mails = "{\"arrival_time\":1,\"recipients\":[{\"delay_reason\":"
		     "\"cargomail/in.sock: no\"}]}\n{\n";
}

static void
refuse_inner(enum check_mail_stage stage, int code, const char *text)
{
	fake.inner.stage = stage;
	fake.inner.code = code;
	strcpy(fake.inner.text, text);
}
static void
probe_none(void)
{
	fake.no_probe = true;
}
static void
probe_nobody(void)
{
	refuse_inner(CHECK_MAIL_CONNECT, 0, "Connection refused");
}
static void
probe_milter(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 451,
	    "4.7.1 Service unavailable - try again later");
}
static void
probe_grey(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 450, "4.2.0 Greylisted");
}
static void
probe_refused(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 550, "5.1.1 User unknown");
}
static void
probe_hangs(void)
{
	refuse_inner(CHECK_MAIL_GREETING, 0, "no reply");
}
static void
probe_lost(void)
{
	fake.lost = true;
}
#define QUEUED(id, sender, address) \
	"\"queue_id\":\"" id "\",\"sender\":\"" sender "\"," \
	"\"recipients\":[{\"address\":\"" address \
	"\",\"delay_reason\":\"no such socket\"}]"

static void
probe_queued(void)
{
	fake.lost = true;
	fake.queued = QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test");
}
static void
probe_changed(void)
{
	fake.form = "form";
}
static void
probe_outbound(void)
{
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\nout_listen = /x\n", 0644);
}
static void
probe_unsigned(void)
{
	probe_outbound();
	fake.signer = "";
}
static void
probe_unsigned_in(void)
{
	fake.signer = "";
	fake.proof = "result";
	fake.results = "Authentication-Results: mx.bar.test; dkim=none\r\n";
}
static void
probe_stranger(void)
{
	fake.signer = "DKIM-Signature: d=foo.test; h=From; b=x\r\n";
}
static void
probe_fields(void)
{
	fake.signer = SIGNED("Message-ID:Content-Type", "");
}
static void
probe_length(void)
{
	fake.signer = SIGNED(FIELDS, "l=9; ");
}
static void
judged(const char *proof, const char *results)
{
	fake.proof = proof;
	fake.results = results;
}
static void
probe_no_results(void)
{
	judged("result", "");
}
static void
probe_resigned(void)
{
	judged("result", SIGNED(FIELDS, ""));
}
static void
probe_name(void)
{
	judged("result", "Authentication-Results: other.test; dkim=pass\r\n");
}
static void
probe_order(void)
{
	judged("result",
	    "Authentication-Results: mx.bar.test; dmarc=pass\r\n"
	    "Authentication-Results: mx.bar.test; dkim=pass\r\n");
}
static void
probe_no_key(void)
{
	judged("result",
	    "Authentication-Results: mx.bar.test; dkim=permerror\r\n");
}
static void
probe_fail(void)
{
	judged("result", "Authentication-Results: mx.bar.test; dkim=fail\r\n");
}
static void
probe_no_dkim(void)
{
	judged("result", "Authentication-Results: mx.bar.test; spf=pass\r\n");
}
static void
probe_forged(void)
{
	fake.forged = "ok";
}
static void
probe_far(void)
{
	fake.outer.stage = CHECK_MAIL_CONNECT;
}
static void
probe_bare(void)
{
	fake.no_postmaster = true;
}
static void
probe_no_address(void)
{
	fake.no_record = "mx.bar.test";
}

static void
outside_good(void)
{
	fake.outside = "Warning: known hosts\n"
		       "{\"check\":\"peer\",\"level\":\"ok\","
		       "\"subject\":\"a\",\"what\":\"answers\"}\r\n";
}
static void
outside_closed(void)
{
	fake.outside = "{\"level\":\"fail\",\"subject\":\"a\","
		       "\"what\":\"closed\",\"do\":\"open it\"}\n";
}
static void
outside_refused(void)
{
	fake.outside = "root@foo: Permission denied (publickey).\n";
}
static void
outside_odd(void)
{
	fake.outside = "{\"level\":\"king\",\"subject\":\"a\","
		       "\"what\":\"b\"}\n[]\n7\n{\"level\":\"ok\"}\n";
}

TEST(each_fault_is_named)
{
	static const struct {
		void (*make)(void);
		const char *check, *level, *what, *cure;
	} rows[] = {
		{ now_ahead, "time", "fail", "101 s ahead of", "time daemon" },
		{ now_behind, "time", "warn", "29 s behind", "time daemon" },
		{ now_empty, "time", "fail", "1970-01-02", "set it" },
		{ config_bad, "configuration", "fail",
		    "broker: x.conf:3: no_key: unknown key |", "-n" },
		{ config_gone, "configuration", "fail", "mailboxd.conf is not",
		    "examples" },
		{ broker_down, "daemons", "fail", "broker: does not answer",
		    "journalctl" },
		{ file_gone, "files", "fail", "sbin/broker: No such file",
		    "--reinstall cargomail-broker" },
		{ file_open, "files", "fail", "open to others: mode 0775",
		    "chmod 0755" },
		{ file_closed, "files", "warn", "mode 0700; wanted: 0755",
		    "chmod 0755" },
		{ foreign, "files", "fail", "belongs to uid", "chown root:" },
		{ room_open, "files", "fail", "store: is open to others",
		    "chmod 0700" },
		{ room_gone, "files", "fail", "/none: No such file",
		    "systemd-tmpfiles" },
		{ room_file, "files", "fail", "is no directory",
		    "create-users" },
		{ no_manifest, "files", "warn", "manifest: is not there",
		    "install again" },
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
		{ identities_odd, "keys", "ok", "3 of 3", "" },
		{ policy_broken, "keys", "ok", "1 of 1", "" },
		{ socket_gone, "sockets", "fail", "No such file", "restart" },
		{ socket_file, "sockets", "fail", "is no socket", "restart" },
		{ socket_open, "sockets", "fail", "mode 0660", "chmod 600" },
		{ foreign, "sockets", "fail", "belongs to uid", "chown" },
		{ no_way_back, "sockets", "fail", "broker's room", "mount" },
		{ resolve_down, "resolver", "warn", "cannot be asked", "mend" },
		{ policy_broken, "resolver", "ok", "answers, and validates",
		    "" },
		{ dns_dead, "resolver", "fail", "no server answers",
		    "after a change: systemctl restart cargomail-gripd-res" },
		{ dns_insecure, "resolver", "warn", "validates nothing",
		    "then: systemctl restart cargomail-gripd-resolve" },
		{ dns_untrusted, "resolver", "warn", "not trusted",
		    "then: systemctl restart cargomail-gripd-resolve" },
		{ dns_dead, "dns", "fail", "no server answers", "dig" },
		{ key_odd, "dns", "fail", "_cb.bar.test: publishes another",
		    "publish: _cb.bar.test. IN TXT \"v=grip1;" },
		{ no_cb, "dns", "fail", "_cb.bar.test: has no record",
		    "publish" },
		{ no_rm, "dns", "warn", "_rm.bar.test: has no record",
		    "publish" },
		{ no_marker, "dns", "warn", "_cargomail.bar.test: has no",
		    "v=cargomail1" },
		{ no_host, "dns", "fail", "has no address", "IN A" },
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
		{ proxy, "public", "fail", "another key", "layer 4" },
		{ no_ca, "public", "warn", "not believed", "public CA" },
		{ unreachable, "public", "fail", "cannot be reached",
		    "port 443" },
		{ agent_odd, "public", "fail", "_rra.x.test", "restart" },
		{ other_down, "maps", "fail", "cannot be reached",
		    "destinations" },
		{ agent_none, "maps", "fail", "is no Resource Mailbox",
		    "correct" },
		{ other_down, "peer", "fail", "cannot be reached", "curl" },
		{ postfix_down, "postfix", "fail", "not running", "start" },
		{ postconf_bad, "postfix", "fail", "names itself",
		    "write out" },
		{ no_lines, "postfix", "fail", "is not in master.cf, but",
		    "postfix-setup" },
		{ no_header, "postfix", "fail", "among its header_checks",
		    "postfix-setup" },
		{ no_options, "postfix", "fail", "has not no_milters",
		    "postfix-setup" },
		{ more_tables, "postfix", "warn", "not all", "postfix-setup" },
		{ delimiter, "postfix", "warn", "\"-\" in Postfix",
		    "recipient_delimiter = -" },
		{ no_table, "postfix", "fail", "cannot be read", "cp " },
		{ no_filter, "postfix", "fail", "no FILTER", "cp " },
		{ elsewhere, "postfix", "fail", "listens at /run/in",
		    "\"listen\" of broker.conf and the FILTER lines" },
		{ out_elsewhere, "postfix", "fail",
		    "leads to /var/spool/postfix/other/out.sock",
		    "\"out_listen\" of broker.conf and content_filter" },
		{ out_unheard, "postfix", "fail",
		    "out.sock, but broker.conf has no out_listen",
		    "out_listen = /var/spool/postfix/cargomail/out.sock" },
		{ opendkim_name, "milters", "fail", "as other.test",
		    "authserv_ids = other.test" },
		{ opendkim_mode, "milters", "fail", "verifies nothing",
		    "Mode sv" },
		{ opendkim_fields, "milters", "warn", "does not sign",
		    "SignHeaders" },
		{ no_milter, "milters", "fail", "is empty", "OpenDKIM" },
		{ probe_none, "probe", "warn", "cannot be asked to look",
		    "restart cargomail-broker" },
		{ probe_nobody, "probe", "fail", "127.0.0.1 port 25: Conn",
		    "inet_interfaces" },
		{ probe_milter, "probe", "fail", "puts all mail off: 451",
		    "start that milter" },
		{ probe_grey, "probe", "warn", "is put off: 450", "pass" },
		{ probe_refused, "probe", "warn",
		    "postmaster@bar.test: 550 5.1.1", "aliases" },
		{ probe_hangs, "probe", "fail", "hangs up", "mail.log" },
		{ probe_lost, "probe", "fail", "(4F) and did not give it",
		    "postfix-setup && postfix reload" },
		{ probe_queued, "probe", "fail", "queue: no such socket",
		    "postqueue -f" },
		{ probe_changed, "probe", "fail", "changed on its way: it is",
		    "rewrites" },
		{ probe_unsigned, "probe", "fail", "is not signed by DKIM",
		    "Domain bar.test" },
		{ probe_unsigned_in, "probe", "ok", "is verified, by mx", "" },
		{ probe_stranger, "probe", "warn", "signed as foo.test only",
		    "sign as bar.test" },
		{ probe_fields, "probe", "warn", "cover MIME-Version |",
		    "SignHeaders" },
		{ probe_length, "probe", "warn", "(l=9)",
		    "MaximumSignedBytes" },
		{ probe_no_results, "probe", "fail", "nobody writes",
		    "AlwaysAddARHeader" },
		{ probe_resigned, "probe", "warn", "for its own",
		    "InternalHosts" },
		{ probe_name, "probe", "fail", "as other.test, which",
		    "authserv_ids = other.test" },
		{ probe_order, "probe", "fail", "has no dkim=; one below",
		    "AuthservID" },
		{ probe_no_key, "probe", "fail", "dkim=permerror",
		    "_domainkey.bar.test" },
		{ probe_fail, "probe", "fail", "dkim=fail", "testkey" },
		{ probe_no_dkim, "probe", "fail", "says dkim=nothing",
		    "smtpd_milters" },
		{ probe_forged, "probe", "fail", "are believed",
		    "KeepAuthResults" },
		{ probe_far, "probe", "warn", "nobody answers at 192.0.2.1",
		    "--from" },
		{ probe_bare, "probe", "ok", "from outside is believed", "" },
		{ probe_no_address, "probe", "warn", "has no address",
		    "myhostname" },
		{ space_low, "store", "fail", "less than", "make room" },
		{ space_odd, "store", "warn", "free; below", "enlarge" },
		{ space_none, "store", "fail", "is not there", "mount" },
		{ pulls_old, "queue", "warn", "1 of 1 have failed", "queue" },
		{ mailboxd_down, "queue", "warn",
		    "pulls: cannot be counted: Connection refused", "daemons" },
		{ mails_old, "queue", "warn", "1 messages have waited",
		    "mailq" },
		{ signer_down, "keys", "ok", "3 of 3", "" },
		{ outside_good, "outside", "ok", "from foo: a: answers", "" },
		{ outside_closed, "outside", "fail", "from foo: a: closed",
		    "open it" },
		{ outside_refused, "outside", "warn",
		    "cannot look: root@foo: Permission denied", "BatchMode" },
		{ outside_odd, "outside", "warn",
		    "cannot look: ", "BatchMode" },
	};
	struct said said;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *line;

		reset();
		rows[i].make();
		run(rows[i].check, OTHER, &said);
		line = strstr(said.text, rows[i].what);
		CHECK_FOR(line != NULL, "%s in: %s", rows[i].what, said.text);
		if (line == NULL)
			continue;
		CHECK_FOR(strstr(line, rows[i].cure) != NULL, "%s in: %s",
		    rows[i].cure, said.text);
		while (line > said.text && line[-1] != '\n')
			line--;
		CHECK_FOR(strncmp(line, rows[i].level, strlen(rows[i].level)) ==
			0,
		    "%s: %s", rows[i].level, said.text);
	}
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

/* What the queue holds under the id that the server told. */
TEST(only_the_probe_is_taken_out_of_the_queue)
{
	static const struct {
		const char *queued;
		int early; /* seconds that it came before the probe */
		bool bare; /* to "postmaster" */
		unsigned deleted;
		const char *what;
	} rows[] = {
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test"), 0,
		    false, 1, "postqueue -f\n" },
		{ QUEUED("4F", "nobody", "Postmaster@BAR.test"), 0, false, 1,
		    "postqueue -f\n" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@mx.bar.test"), 0,
		    true, 1, "postqueue -f\n" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@mx.bar.test"), 0,
		    false, 0, "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "MAILER-DAEMON", "bob@bar.test"), 0, true, 0,
		    "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "MAILER-DAEMON",
		      "postmaster@bar.test\"},{\"address\":\"bob@bar.test"),
		    0, false, 0, "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "alice@foo.test", "postmaster@bar.test"), 0,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test"), 1,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("5F", "MAILER-DAEMON", "postmaster@bar.test"), 0,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("", "MAILER-DAEMON", "postmaster@bar.test"), 0, false,
		    0, "did not give it to the broker" },
	};
	struct said said;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset();
		fake.lost = true;
		fake.settings = "empty_address_recipient = nobody\n"
				"myhostname = mx.bar.test\n";
		fake.queued = rows[i].queued;
		fake.arrival = fake.now - rows[i].early;
		fake.no_postmaster = rows[i].bare;
		run("probe", OTHER, &said);
		CHECK_FOR(fake.deleted == rows[i].deleted, "row %zu: %u", i,
		    fake.deleted);
		CHECK_FOR(strstr(said.text, rows[i].what) != NULL,
		    "row %zu: %s", i, said.text);
	}
}

static void
same_defaults(const struct config_key *ours, const struct config_key *theirs)
{
	for (; ours->name != NULL; ours++) {
		const struct config_key *key = theirs;

		while (key->name != NULL && strcmp(key->name, ours->name) != 0)
			key++;
		CHECK_FOR(key->name != NULL && key->type == ours->type, "%s",
		    ours->name);
		if (key->name != NULL && key->fallback != NULL)
			CHECK_STRING(ours->fallback, key->fallback);
	}
}

TEST(keys_are_the_daemons_own)
{
	same_defaults(check_config_gripd, gripd_config_keys);
	same_defaults(check_config_mailboxd, mailboxd_config_keys());
	same_defaults(check_config_broker, broker_config_keys);
}

static void
make_identities(void)
{
	for (size_t i = 0; i < 3; i++) {
		identities[i] =
		    make_identity((struct tls_recipe){ .kind = "P-256",
			.cn = names[i],
			.san = i == 2 ? "DNS:mailbox.bar.test" : NULL });
		X509_gmtime_adj(X509_getm_notAfter(identities[i].certificate),
		    40 * 86400);
		X509_sign(identities[i].certificate, identities[i].key,
		    EVP_sha256());
		grip_jwk_spki_hash(identities[i].key, hashes[i]);
	}
}

int
main(void)
{
	char *command;

	if (mkdtemp(root) == NULL)
		return 1;
	make_identities();
	RUN(a_host_in_order);
	RUN(each_fault_is_named);
	RUN(keys_that_fit_are_not_complained_of);
	RUN(only_the_probe_is_taken_out_of_the_queue);
	RUN(keys_are_the_daemons_own);
	for (size_t i = 0; i < 3; i++)
		free_identity(&identities[i]);
	command = x_asprintf("rm -rf %s", root);
	test_failures += system(command) != 0;
	free(command);
	return test_done();
}

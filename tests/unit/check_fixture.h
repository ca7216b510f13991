/* SPDX-License-Identifier: ISC
 *
 * A host that is made up, for the tests of cargomailctl check: files below a
 * directory, answers of daemons, of Postfix and of other servers from here. It
 * is in order until a test breaks one thing.
 */
#ifndef CHECK_FIXTURE_H
#define CHECK_FIXTURE_H

#include "check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check_mail.h"
#include "encoding.h"
#include "grip_jwk.h"
#include "json_strict.h"
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
	int64_t now, date, until, attempt;
	int64_t slow; /* seconds that an answer of a server takes */
	unsigned fetches;
	struct check_room room;
	bool no_room;
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

static inline char *
at(const char *path)
{
	return x_asprintf("%s%s", root, path);
}

static inline void
make_parents(char *path)
{
	for (char *slash = path + strlen(root) + 1;
	     (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static inline void
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

static inline void
take(const char *path)
{
	char *full = at(path);

	unlink(full);
	free(full);
}

static inline void
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

static inline void
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

static inline void
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

static inline void
set_mode(const char *path, mode_t mode)
{
	char *full = at(path);

	chmod(full, mode);
	free(full);
}

#define PLACEHOLDER_SCRIPT \
	"get(\"X-Origin-Resource-Mailbox-URL\") " \
	"get(\"X-Origin-Mailbox-Service-URL\")\n"

/* Two packages; that of the client has nothing that is looked at. */
static inline void
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

static inline void
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
	    "SignHeaders *,+Message-ID,+MIME-Version,+Content-Type\n"
	    "FinalPolicyScript /etc/policy.lua\n",
	    0644);
	put("/etc/policy.lua", PLACEHOLDER_SCRIPT, 0644);
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

static inline int64_t
fake_now(void *arg)
{
	(void)arg;
	return fake.now;
}

/* Of a signer that was taken over. */
static inline void
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

static inline cJSON *
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

static inline cJSON *
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

static inline cJSON *
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

static inline cJSON *
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

static inline void
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

static inline void
fake_pause(void *arg, int ms)
{
	(void)arg;
	(void)ms;
}

static inline cJSON *
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

static inline char *
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

static inline enum outcome
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
	/* Each takes its time, of both clocks. */
	fake.fetches++;
	fake.now += fake.slow;
	fake.date += fake.slow;
	reply_r->status = 200;
	reply_r->date = fake.date;
	strcpy(reply_r->agent, fake.agent);
	return OUTCOME_OK;
}

static inline int
fake_user(void *arg, const char *name, uid_t *uid_r)
{
	(void)arg;
	(void)name;
	*uid_r = fake.uid;
	return 0;
}

static inline int
fake_room(void *arg, const char *path, struct check_room *room_r)
{
	(void)arg;
	*room_r = fake.room;
	return strcmp(path + strlen(root), STORE) == 0 && !fake.no_room ? 0 :
									  -1;
}

static const struct check_world world = {
	.now = fake_now,
	.ask = fake_ask,
	.run = fake_run,
	.fetch = fake_fetch,
	.mail = fake_mail,
	.pause = fake_pause,
	.user = fake_user,
	.room = fake_room,
};

/* ---- one run -------------------------------------------------------- */

struct said {
	char text[16384];
	size_t len;
};

static inline void
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

static inline int
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

static inline void
take_directory(const char *path)
{
	char *full = at(path);

	rmdir(full);
	free(full);
}

static inline void
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
		.room = { INT64_C(100) << 30, INT64_MAX, false },
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

static inline void
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

/* ---- tables of faults ---------------------------------------------------- */

struct fault {
	void (*make)(void);
	const char *check, *level, *what, *cure;
};

/* Each, made by itself, is named on its level, with its cure. */
static inline void
check_faults(const struct fault *faults, size_t count)
{
	struct said said;

	for (size_t i = 0; i < count; i++) {
		const struct fault *fault = &faults[i];
		const char *line;

		reset();
		fault->make();
		run(fault->check, OTHER, &said);
		line = strstr(said.text, fault->what);
		CHECK_FOR(line != NULL, "%s in: %s", fault->what, said.text);
		if (line == NULL)
			continue;
		CHECK_FOR(strstr(line, fault->cure) != NULL, "%s in: %s",
		    fault->cure, said.text);
		while (line > said.text && line[-1] != '\n')
			line--;
		CHECK_FOR(strncmp(line, fault->level, strlen(fault->level)) ==
			0,
		    "%s: %s", fault->level, said.text);
	}
}

static inline int
host_begin(void)
{
	if (mkdtemp(root) == NULL)
		return -1;
	make_identities();
	return 0;
}

static inline void
host_end(void)
{
	char *command = x_asprintf("rm -rf %s", root);

	for (size_t i = 0; i < 3; i++)
		free_identity(&identities[i]);
	test_failures += system(command) != 0;
	free(command);
}

#endif

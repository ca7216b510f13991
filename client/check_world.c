/* SPDX-License-Identifier: ISC
 *
 * The host as it is. What comes back from daemons, programs and servers is
 * bounded; whoever prints it escapes it.
 */
#include "check_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_answer.h"
#include "check_mail.h"
#include "clock.h"
#include "control.h"
#include "http_client.h"
#include "json_strict.h"
#include "memory.h"

#define ASK_MS 8000 /* a daemon that is there answers within */
#define RUN_SECONDS 30
/* Of what a program prints, the rest is forgotten: some 50,000 messages of
 * Postfix's queue. */
#define RUN_MAX ((size_t)16 << 20)
#define FETCH_MS 15000

static int64_t
real_now(void *arg)
{
	(void)arg;
	return clock_now();
}

/* ---- daemons ----------------------------------------------------------- */

static cJSON *
real_ask(void *arg, const char *daemon, cJSON *request, char **error_r)
{
	int fd = control_connect(daemon, ASK_MS, error_r);
	cJSON *answer;

	(void)arg;
	if (fd == -1) {
		cJSON_Delete(request);
		return NULL;
	}
	answer = check_answer_read(fd, request, error_r);
	close(fd);
	return answer;
}

/* ---- programs ---------------------------------------------------------- */

static void
become(const char *const argv[], int out)
{
	char *copy[32] = { NULL };
	int null = open("/dev/null", O_RDONLY);
	const char *path;

	for (size_t i = 0; i < 31 && argv[i] != NULL; i++)
		copy[i] = x_strdup(argv[i]);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	signal(SIGPIPE, SIG_DFL);
	/* Postfix's commands, for who is not root. */
	path = getenv("PATH");
	setenv("PATH",
	    x_asprintf("%s:/usr/sbin:/sbin", path != NULL ? path : "/bin"), 1);
	setenv("LC_ALL", "C", 1);
	alarm(RUN_SECONDS);
	execvp(copy[0], copy);
	_exit(127);
}

static char *
real_run(void *arg, const char *const argv[], int *status_r)
{
	char *text = x_calloc(1, RUN_MAX), rest[4096];
	size_t len = 0;
	int pipes[2], status;
	ssize_t n;
	pid_t pid;

	(void)arg;
	*status_r = -1;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return text;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become(argv, pipes[1]);
	close(pipes[1]);
	while (len < RUN_MAX - 1 &&
	    (n = read(pipes[0], text + len, RUN_MAX - 1 - len)) > 0)
		len += (size_t)n;
	/* It is to end well: one that cannot write fails. */
	while (read(pipes[0], rest, sizeof(rest)) > 0)
		;
	close(pipes[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 127)
		*status_r = WEXITSTATUS(status);
	return text;
}

/* ---- servers ----------------------------------------------------------- */

struct fetching {
	const struct check_fetch *fetch;
};

/* Adds what gripd knows of one family. */
static void
add_addresses(const char *host, const char *type,
    struct http_client_addresses *addresses, char **error_r)
{
	cJSON *request = cJSON_CreateObject(), *answer;
	const cJSON *item;

	json_add_string(request, "verb", "lookup");
	json_add_string(request, "name", host);
	json_add_string(request, "type", type);
	free(*error_r);
	*error_r = NULL;
	answer = real_ask(NULL, "gripd-resolve", request, error_r);
	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		if (cJSON_IsString(item) &&
		    addresses->count < HTTP_CLIENT_ADDRESSES_MAX)
			snprintf(addresses->text[addresses->count++],
			    sizeof(addresses->text[0]), "%s",
			    cJSON_GetStringValue(item));
	}
	cJSON_Delete(answer);
}

static enum outcome
resolve(void *arg, const char *host, struct http_client_addresses *addresses_r,
    struct reason *why)
{
	char *error = NULL;

	(void)arg;
	memset(addresses_r, 0, sizeof(*addresses_r));
	addresses_r->ttl = 60;
	add_addresses(host, "A", addresses_r, &error);
	add_addresses(host, "AAAA", addresses_r, &error);
	if (addresses_r->count == 0)
		reason_set(why, OUTCOME_TEMPFAIL, "resolve", "%s: %s", host,
		    error != NULL ? error : "has no address");
	free(error);
	return addresses_r->count > 0 ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

static enum outcome
pin(void *arg, const char *host, struct http_client_pins *pins_r,
    struct reason *why)
{
	const struct fetching *fetching = arg;

	(void)host;
	(void)why;
	memset(pins_r, 0, sizeof(*pins_r));
	if (fetching->fetch->key != NULL &&
	    hex_parse(fetching->fetch->key, pins_r->spki_sha256[0],
		SHA256_LEN) == 0)
		pins_r->count = 1;
	return OUTCOME_OK;
}

static void
read_reply(const struct http_result *result, struct check_reply *reply_r)
{
	char date[64];
	const char *agent;
	cJSON *body;

	reply_r->status = result->status;
	if (http_result_header(result, "date", date, sizeof(date)) != NULL)
		clock_parse_mail(date, &reply_r->date);
	body =
	    json_parse((const char *)result->body.data, result->body.len, NULL);
	agent = json_string(body, "agent");
	if (agent != NULL)
		snprintf(reply_r->agent, sizeof(reply_r->agent), "%s", agent);
	cJSON_Delete(body);
}

static enum outcome
real_fetch(void *arg, const struct check_fetch *fetch,
    struct check_reply *reply_r, struct reason *why)
{
	struct fetching fetching = { fetch };
	struct http_client_trust *trust = NULL;
	struct http_client_options options = { .pins = pin,
		.resolve = resolve,
		.arg = &fetching,
		.connect_ms = FETCH_MS };
	const struct service_ports any = { 0 };
	struct http_call call = { .method = HTTP_GET,
		.url = fetch->url,
		.total_ms = FETCH_MS };
	struct http_client *client = NULL;
	struct http_result result;
	enum outcome outcome = OUTCOME_TEMPFAIL;

	(void)arg;
	memset(reply_r, 0, sizeof(*reply_r));
	http_result_init(&result);
	if (fetch->ca_bundle != NULL) {
		trust = http_client_trust_load(fetch->ca_bundle, why);
		if (trust == NULL)
			goto out;
	}
	options.trust = trust;
	options.ports = &any;
	client = http_client_new(&options, why);
	if (client == NULL)
		goto out;
	outcome = http_client_perform(client, &call, &result, why);
	if (outcome == OUTCOME_OK)
		read_reply(&result, reply_r);
out:
	http_client_free(&client);
	http_client_trust_free(&trust);
	http_result_free(&result);
	return outcome;
}

/* ---- the rest ---------------------------------------------------------- */

static void
real_mail(void *arg, const struct check_mail *mail,
    struct check_mail_reply *reply_r)
{
	(void)arg;
	check_mail_send(mail, reply_r);
}

static void
real_pause(void *arg, int ms)
{
	(void)arg;
	poll(NULL, 0, ms);
}

static int
real_user(void *arg, const char *name, uid_t *uid_r)
{
	const struct passwd *user = getpwnam(name);

	(void)arg;
	if (user == NULL)
		return -1;
	*uid_r = user->pw_uid;
	return 0;
}

static int
real_room(void *arg, const char *path, struct check_room *room_r)
{
	struct statvfs st;

	(void)arg;
	if (statvfs(path, &st) != 0)
		return -1;
	room_r->bytes = (int64_t)st.f_bavail * (int64_t)st.f_frsize;
	/* Some file systems do not count files. */
	room_r->files = st.f_files == 0 ? INT64_MAX : (int64_t)st.f_favail;
	room_r->read_only = (st.f_flag & ST_RDONLY) != 0;
	return 0;
}

const struct check_world check_world_real = {
	.now = real_now,
	.ask = real_ask,
	.run = real_run,
	.fetch = real_fetch,
	.mail = real_mail,
	.pause = real_pause,
	.user = real_user,
	.room = real_room,
};

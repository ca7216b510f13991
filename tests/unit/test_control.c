/* SPDX-License-Identifier: ISC
 *
 * The admin socket: a server in a child, real packets. Also the packet
 * functions that gripd's protocol stands on.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "json_strict.h"
#include "log.h"
#include "test.h"
#include "unix_socket.h"

static char test_path[] = "/tmp/control.XXXXXX";
static char test_socket[64];

static void
handle_echo(void *context, struct control_connection *connection,
    const cJSON *request)
{
	cJSON *answer = cJSON_CreateObject();

	(void)context;
	json_add_string(answer, "text", json_string(request, "text"));
	control_reply(connection, answer, 0);
	control_reply(connection, cJSON_CreateObject(), 1);
}

static struct control_connection *late;

static void
handle_later(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)context;
	(void)request;
	late = connection;
}

static void
answer_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (late != NULL)
		control_reply(late, cJSON_CreateObject(), 1);
	late = NULL;
}

/* More than a socket holds: the client has not begun to read. */
#define MANY 2000

static void
handle_many(void *context, struct control_connection *connection,
    const cJSON *request)
{
	static char filler[1001];
	cJSON *answer;
	int i;

	(void)context;
	(void)request;
	memset(filler, 'x', sizeof(filler) - 1);
	for (i = 0; i < MANY; i++) {
		answer = cJSON_CreateObject();
		json_add_integer(answer, "number", i);
		json_add_string(answer, "filler", filler);
		control_reply(connection, answer, i == MANY - 1);
	}
}

/* Answers nobody waits for, beyond what is kept. */
static void
handle_flood(void *context, struct control_connection *connection,
    const cJSON *request)
{
	char *filler = malloc(60001);
	cJSON *answer;
	size_t sent;

	(void)context;
	(void)request;
	memset(filler, 'x', 60000);
	filler[60000] = '\0';
	for (sent = 0; sent < CONTROL_WAITING_MAX + 1000000; sent += 60000) {
		answer = cJSON_CreateObject();
		json_add_string(answer, "filler", filler);
		control_reply(connection, answer, 0);
	}
	free(filler);
	control_reply(connection, cJSON_CreateObject(), 1);
}

static void
handle_measure(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const char *text = json_string(request, "text");
	cJSON *answer = cJSON_CreateObject();

	(void)context;
	json_add_integer(answer, "length",
	    text != NULL ? (int64_t)strlen(text) : -1);
	json_add_string(answer, "name", json_string(request, "name"));
	json_add_integer(answer, "members", cJSON_GetArraySize(request));
	control_reply(connection, answer, 1);
}

#define TEXT_MAX 200000

static const struct control_verb verbs[] = {
	{ "echo", handle_echo },
	{ "later", handle_later },
	{ "many", handle_many },
	{ "flood", handle_flood },
	{ "measure", handle_measure },
	{ NULL, NULL },
};

static pid_t
start_server(void)
{
	struct unix_socket_owner owner = { getuid(), getgid(), 0600 };
	int fd = unix_socket_listen(test_socket, SOCK_SEQPACKET, &owner);
	struct event_base *base;
	struct control *control;
	struct event *timer;
	struct timeval tick = { 0, 50000 };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	close(STDERR_FILENO);
	base = event_base_new();
	control = control_start(base, fd, verbs, NULL);
	control_set_text(control, "measure", TEXT_MAX);
	timer = event_new(base, -1, EV_PERSIST, answer_late, NULL);
	event_add(timer, &tick);
	event_base_dispatch(base);
	_exit(0);
}

static int
client(void)
{
	return unix_socket_connect(test_socket, SOCK_SEQPACKET, 5000);
}

static cJSON *
ask(int fd, const char *text)
{
	char *error = NULL;
	cJSON *answer =
	    control_ask(fd, json_parse(text, strlen(text), NULL), &error);

	free(error);
	return answer;
}

TEST(a_verb_answers_in_several_packets)
{
	int fd = client();
	cJSON *answer = ask(fd, "{\"verb\":\"echo\",\"text\":\"hello\"}");
	char *error = NULL;

	CHECK_STRING(json_string(answer, "text"), "hello");
	CHECK(json_boolean(answer, "last") == -1);
	cJSON_Delete(answer);
	answer = control_next(fd, &error);
	CHECK(json_boolean(answer, "last") == 1);
	cJSON_Delete(answer);
	close(fd);
}

TEST(an_unknown_verb_is_refused_and_the_connection_goes_on)
{
	int fd = client();
	cJSON *answer = ask(fd, "{\"verb\":\"ECHO\"}");

	CHECK_STRING(json_string(answer, "outcome"), "permfail");
	CHECK_STRING(json_string(answer, "detail"), "unknown verb");
	cJSON_Delete(answer);
	answer = ask(fd, "{\"verb\":\"echo\",\"text\":\"x\"}");
	CHECK(answer != NULL);
	cJSON_Delete(answer);
	close(fd);
}

TEST(garbage_drops_the_connection_not_the_daemon)
{
	static const char *const bad[] = { "{\"verb\":\"echo\"", "x", "[",
		"{\"verb\":\"echo\",\"verb\":\"later\"}" };
	char room[16];
	cJSON *answer;
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = client();
		CHECK(unix_socket_send(fd, bad[i], strlen(bad[i])) == 0);
		CHECK_FOR(unix_socket_receive(fd, room, sizeof(room)) <= 0,
		    "%s", bad[i]);
		close(fd);
	}
	fd = client();
	answer = ask(fd, "{\"verb\":\"echo\",\"text\":\"alive\"}");
	CHECK_STRING(json_string(answer, "text"), "alive");
	cJSON_Delete(answer);
	close(fd);
}

TEST(a_client_that_leaves_before_its_answer_harms_nobody)
{
	int fd = client();
	cJSON *answer;

	unix_socket_send(fd, "{\"verb\":\"later\"}", 16);
	close(fd);
	fd = client();
	answer = ask(fd, "{\"verb\":\"later\"}");
	CHECK(json_boolean(answer, "last") == 1);
	cJSON_Delete(answer);
	close(fd);
}

TEST(a_long_answer_waits_for_who_reads_it)
{
	char *error = NULL;
	int fd = client(), i;
	int64_t number;
	cJSON *answer = ask(fd, "{\"verb\":\"many\"}");

	for (i = 0; i < MANY && answer != NULL; i++) {
		CHECK(json_integer(answer, "number", 0, MANY, &number) == 0);
		CHECK_FOR(number == i, "packet %d", i);
		CHECK(json_boolean(answer, "last") == (i == MANY - 1 ? 1 : -1));
		cJSON_Delete(answer);
		answer = i < MANY - 1 ? control_next(fd, &error) : NULL;
	}
	CHECK(i == MANY);
	CHECK(error == NULL);
	answer = ask(fd, "{\"verb\":\"echo\",\"text\":\"again\"}");
	CHECK_STRING(json_string(answer, "text"), "again");
	cJSON_Delete(answer);
	close(fd);
}

TEST(who_never_reads_is_dropped_not_half_answered)
{
	char *error = NULL;
	int fd = client();
	cJSON *answer = ask(fd, "{\"verb\":\"flood\"}");

	while (answer != NULL) {
		CHECK(json_boolean(answer, "last") != 1);
		cJSON_Delete(answer);
		answer = control_next(fd, &error);
	}
	CHECK(error != NULL);
	free(error);
	close(fd);
	fd = client();
	answer = ask(fd, "{\"verb\":\"echo\",\"text\":\"alive\"}");
	CHECK_STRING(json_string(answer, "text"), "alive");
	cJSON_Delete(answer);
	close(fd);
}

/* A text of so many characters; the length that arrived, -1 for none. */
static int64_t
measure(const char *verb, size_t len)
{
	cJSON *request = cJSON_CreateObject(), *answer;
	char *text = malloc(len + 1), *error = NULL;
	int64_t length = -1, members = -1;
	int fd = client();

	memset(text, 'x', len);
	text[len] = '\0';
	json_add_string(request, "verb", verb);
	json_add_string(request, "name", "its own");
	answer = control_ask_text(fd, request, text, &error);
	if (answer != NULL) {
		CHECK(json_integer(answer, "length", 0, 1 << 30, &length) == 0);
		CHECK(json_integer(answer, "members", 0, 99, &members) == 0);
		CHECK(members == 3); /* verb, name, text */
		CHECK_STRING(json_string(answer, "name"), "its own");
	}
	cJSON_Delete(answer);
	free(error);
	free(text);
	close(fd);
	return length;
}

TEST(a_text_comes_in_packets_of_its_own)
{
	static const size_t lengths[] = { 0, 1, 47999, 48000, 48001, 96000,
		TEXT_MAX };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		CHECK_FOR(measure("measure", lengths[i]) == (int64_t)lengths[i],
		    "%zu", lengths[i]);
	CHECK(measure("measure", TEXT_MAX + 1) == -1);
	CHECK(measure("measure", 10 * TEXT_MAX) == -1);
	CHECK(measure("echo", 1) == -1); /* takes none */
	CHECK(measure("nothing", 1) == -1);
}

TEST(a_broken_text_drops_the_connection)
{
	static const char *const bad[] = { "{\"more\":true}", "{\"text\":1}",
		"{\"verb\":\"echo\"}", "x" };
	static const char first[] = "{\"verb\":\"measure\",\"more\":true}";
	char room[300];
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = client();
		CHECK(unix_socket_send(fd, first, strlen(first)) == 0);
		CHECK(unix_socket_send(fd, bad[i], strlen(bad[i])) == 0);
		CHECK_FOR(unix_socket_receive(fd, room, sizeof(room)) <= 0,
		    "%s", bad[i]);
		close(fd);
	}
}

TEST(a_packet_larger_than_the_room_is_an_error)
{
	char room[4];
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	CHECK(unix_socket_send(fds[0], "12345", 5) == 0);
	CHECK(unix_socket_receive(fds[1], room, 4) == -1);
	CHECK(errno == EMSGSIZE);
	CHECK(unix_socket_send(fds[0], "1234", 4) == 0);
	CHECK(unix_socket_receive(fds[1], room, 4) == 4);
	close(fds[0]);
	CHECK(unix_socket_receive(fds[1], room, 4) == 0);
	close(fds[1]);
}

TEST(only_a_stale_socket_is_replaced)
{
	struct unix_socket_owner owner = { getuid(), getgid(), 0600 };
	char path[80];
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s/file", test_path);
	file = fopen(path, "w");
	fclose(file);
	CHECK(unix_socket_listen(path, SOCK_STREAM, &owner) == -1);
	CHECK(errno == EEXIST);
	unlink(path);
	fd = unix_socket_listen(path, SOCK_STREAM, &owner);
	CHECK(fd != -1);
	CHECK(unix_socket_listen(path, SOCK_STREAM, &owner) == -1);
	CHECK(errno == EADDRINUSE);
	CHECK(unix_socket_listen(path, SOCK_SEQPACKET, &owner) == -1);
	CHECK(errno == EADDRINUSE);
	close(fd);
	fd = unix_socket_listen(path, SOCK_STREAM, &owner);
	CHECK(fd != -1);
	close(fd);
	unlink(path);
}

int
main(void)
{
	pid_t server;

	log_open("test", LOG_ERROR);
	if (mkdtemp(test_path) == NULL)
		return 1;
	snprintf(test_socket, sizeof(test_socket), "%s/x.sock", test_path);
	server = start_server();
	RUN(a_verb_answers_in_several_packets);
	RUN(an_unknown_verb_is_refused_and_the_connection_goes_on);
	RUN(garbage_drops_the_connection_not_the_daemon);
	RUN(a_client_that_leaves_before_its_answer_harms_nobody);
	RUN(a_long_answer_waits_for_who_reads_it);
	RUN(who_never_reads_is_dropped_not_half_answered);
	RUN(a_text_comes_in_packets_of_its_own);
	RUN(a_broken_text_drops_the_connection);
	RUN(a_packet_larger_than_the_room_is_an_error);
	RUN(only_a_stale_socket_is_replaced);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	unlink(test_socket);
	rmdir(test_path);
	return test_done();
}

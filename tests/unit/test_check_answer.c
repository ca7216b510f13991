/* SPDX-License-Identifier: ISC
 *
 * Answers of daemons that go on and on: joined as far as they are sane.
 */
#include "check_answer.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json_strict.h"
#include "memory.h"
#include "test.h"
#include "unix_socket.h"

/* A daemon that sends this packet so many times, and then `last`. */
static pid_t
start_daemon(int fds[2], const char *packet, int count, const char *last)
{
	char request[256];
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		close(fds[1]);
		return pid;
	}
	close(fds[0]);
	if (unix_socket_receive(fds[1], request, sizeof(request)) <= 0)
		_exit(1);
	for (int i = 0; i < count; i++)
		if (unix_socket_send(fds[1], packet, strlen(packet)) != 0)
			_exit(1);
	if (last != NULL)
		unix_socket_send(fds[1], last, strlen(last));
	_exit(0);
}

static cJSON *
ask(const char *packet, int count, const char *last, char **error_r)
{
	static const char request[] = "{\"verb\":\"queue\"}";
	int fds[2];
	pid_t pid = start_daemon(fds, packet, count, last);
	cJSON *answer;

	*error_r = NULL;
	answer = check_answer_read(fds[0],
	    json_parse(request, strlen(request), NULL), error_r);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return answer;
}

#define ITEMS_NONE "{\"outcome\":\"ok\",\"pid\":7}"
#define ITEMS "{\"outcome\":\"ok\",\"items\":[1,2],\"pid\":7}"

TEST(packets_are_joined)
{
	char *error;
	cJSON *answer = ask(ITEMS, 500,
	    "{\"outcome\":\"ok\",\"items\":[3],\"pid\":8,\"count\":4,"
	    "\"last\":true}",
	    &error);
	int64_t pid = 0, count = 0;

	CHECK_FOR(error == NULL, "%s", error);
	CHECK(cJSON_GetArraySize(json_array(answer, "items")) == 1001);
	CHECK(json_integer(answer, "pid", 0, 99, &pid) == 0 && pid == 7);
	CHECK(json_integer(answer, "count", 0, 99, &count) == 0 && count == 4);
	cJSON_Delete(answer);
	free(error);
}

TEST(half_an_answer_is_none)
{
	static const char *const ends[] = { NULL, "{", "[[1]]",
		"{\"outcome\":\"permfail\",\"detail\":\"no such thing\","
		"\"last\":true}" };
	static const char *const wants[] = { "closed", "expected", "no object",
		"no such thing" };
	cJSON *answer;
	char *error;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		answer = ask(ITEMS, 3, ends[i], &error);
		CHECK_FOR(answer == NULL, "%zu", i);
		CHECK_FOR(error != NULL && strstr(error, wants[i]) != NULL,
		    "%zu: %s", i, error != NULL ? error : "-");
		cJSON_Delete(answer);
		free(error);
	}
}

/* Too many packets, and too much in those that a packet holds. */
TEST(an_answer_that_is_too_long_is_refused)
{
	char *large = x_calloc(1, UNIX_PACKET_MAX), *error;
	const char *const packets[] = { "{\"items\":[]}", large };
	const int counts[] = { 1100, 40 };
	size_t len;
	cJSON *answer;

	len = (size_t)sprintf(large, "{\"items\":[0");
	while (len < UNIX_PACKET_MAX - 8)
		len += (size_t)sprintf(large + len, ",0");
	strcpy(large + len, "]}");
	for (size_t i = 0; i < 2; i++) {
		answer = ask(packets[i], counts[i], "{\"last\":true}", &error);
		CHECK_FOR(answer == NULL, "%zu", i);
		CHECK_FOR(error != NULL && strstr(error, "too long") != NULL,
		    "%zu: %s", i, error != NULL ? error : "-");
		cJSON_Delete(answer);
		free(error);
	}
	free(large);
}

/* A packet of so many members, arrays if `value` says so, of new names. */
static char *
members(int count, const char *value)
{
	char *packet = x_calloc(1, UNIX_PACKET_MAX);
	size_t len = (size_t)sprintf(packet, "{\"last\":true");

	for (int i = 0; i < count; i++)
		len += (size_t)sprintf(packet + len, ",\"m%d\":%s", i, value);
	strcpy(packet + len, "}");
	return packet;
}

TEST(members_may_be_many_but_not_arrays)
{
	static const struct {
		int count;
		const char *value;
		bool good;
	} rows[] = { { 4000, "7", true }, { 64, "[]", true },
		{ 65, "[]", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *packet = members(rows[i].count, rows[i].value), *error;
		cJSON *answer = ask(ITEMS_NONE, 2, packet, &error);

		CHECK_FOR((answer != NULL) == rows[i].good, "row %zu: %s", i,
		    error != NULL ? error : "-");
		CHECK_FOR(answer == NULL ||
			cJSON_GetArraySize(answer) > rows[i].count,
		    "row %zu", i);
		cJSON_Delete(answer);
		free(error);
		free(packet);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(packets_are_joined);
	RUN(half_an_answer_is_none);
	RUN(members_may_be_many_but_not_arrays);
	RUN(an_answer_that_is_too_long_is_refused);
	return test_done();
}

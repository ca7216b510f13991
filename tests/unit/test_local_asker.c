/* SPDX-License-Identifier: ISC
 *
 * The asker on an event loop, with a peer on the same loop that answers when
 * told to.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grip_protocol.h"
#include "json_strict.h"
#include "local_asker.h"
#include "log.h"
#include "unix_socket.h"

static struct event_base *base;
static char path[64];

static struct peer {
	int listener, fd, accepted;
	int64_t ids[5000]; /* of the requests that came */
	int count;
	bool mute; /* no hello */
	struct event *on_accept, *on_read;
} peer;

static int good, temporary, permanent;
static char last_word[32];

static void
finished(void *arg, enum outcome outcome, const cJSON *answer,
    const struct reason *why)
{
	(void)arg;
	good += outcome == OUTCOME_OK;
	temporary += outcome == OUTCOME_TEMPFAIL;
	permanent += outcome == OUTCOME_PERMFAIL;
	CHECK((answer != NULL) == (outcome == OUTCOME_OK));
	snprintf(last_word, sizeof(last_word), "%s", why->word);
}

static void
peer_send(const char *text)
{
	CHECK(unix_socket_send(peer.fd, text, strlen(text)) == 0);
}

static void
peer_answer(int64_t id, const char *outcome)
{
	char text[128];

	snprintf(text, sizeof(text),
	    "{\"id\":%lld,\"outcome\":\"%s\",\"reason\":\"time\"}",
	    (long long)id, outcome);
	peer_send(text);
}

static void
peer_drop(void)
{
	if (peer.on_read != NULL)
		event_free(peer.on_read);
	peer.on_read = NULL;
	if (peer.fd != -1)
		close(peer.fd);
	peer.fd = -1;
}

static void
peer_read(evutil_socket_t fd, short what, void *arg)
{
	static char packet[GRIP_PROTOCOL_PACKET_MAX];
	ssize_t n = unix_socket_receive(fd, packet, sizeof(packet));
	cJSON *json;

	(void)what;
	(void)arg;
	if (n <= 0) {
		peer_drop();
		return;
	}
	json = json_parse(packet, (size_t)n, NULL);
	if (json_string(json, "protocol") != NULL) {
		if (!peer.mute)
			peer_send("{\"protocol\":\"grip-resolve\","
				  "\"version\":1}");
	} else if (peer.count < 5000)
		json_integer(json, "id", 0, JSON_MAX_INTEGER,
		    &peer.ids[peer.count++]);
	cJSON_Delete(json);
}

static void
peer_accept(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	peer_drop();
	peer.fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	peer.accepted++;
	peer.on_read =
	    event_new(base, peer.fd, EV_READ | EV_PERSIST, peer_read, NULL);
	event_add(peer.on_read, NULL);
}

static void
peer_start(void)
{
	struct unix_socket_owner owner = { geteuid(), getegid(), 0600 };

	memset(&peer, 0, sizeof(peer));
	peer.fd = -1;
	peer.listener = unix_socket_listen(path, SOCK_SEQPACKET, &owner);
	peer.on_accept = event_new(base, peer.listener, EV_READ | EV_PERSIST,
	    peer_accept, NULL);
	event_add(peer.on_accept, NULL);
	good = temporary = permanent = 0;
	last_word[0] = '\0';
}

static void
peer_stop(void)
{
	peer_drop();
	event_free(peer.on_accept);
	close(peer.listener);
	unlink(path);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(int *)arg = 1;
}

/* Runs the loop until the condition holds, 3 s at most. */
#define RUN_UNTIL(condition) \
	do { \
		struct timeval limit = { 3, 0 }; \
		int over = 0; \
		struct event *tick = event_new(base, -1, 0, on_tick, &over); \
		event_add(tick, &limit); \
		while (!(condition) && !over) \
			event_base_loop(base, EVLOOP_ONCE); \
		event_free(tick); \
		CHECK(condition); \
	} while (0)

static uint64_t
ask(struct local_asker *asker, int timeout_ms)
{
	return local_asker_ask(asker, grip_protocol_keys("_rm.bar.test"),
	    timeout_ms, finished, NULL);
}

static struct local_asker *
start(void)
{
	peer_start();
	return local_asker_new(base, path, GRIP_PROTOCOL_RESOLVE);
}

TEST(answers_in_any_order)
{
	struct local_asker *asker = start();

	for (int i = 0; i < 3; i++)
		ask(asker, 2000);
	CHECK(good == 0); /* never from within the call */
	RUN_UNTIL(peer.count == 3);
	peer_answer(peer.ids[2], "ok");
	peer_answer(peer.ids[0], "permfail");
	peer_answer(peer.ids[1], "tempfail");
	RUN_UNTIL(good + temporary + permanent == 3);
	CHECK(good == 1 && temporary == 1 && permanent == 1);
	CHECK(peer.accepted == 1);
	local_asker_free(&asker);
	peer_stop();
}

TEST(a_lost_connection_fails_all_and_is_made_anew)
{
	struct local_asker *asker = start();

	for (int i = 0; i < 3; i++)
		ask(asker, 2000);
	RUN_UNTIL(peer.count == 3);
	peer_drop();
	RUN_UNTIL(temporary == 3);
	CHECK_STRING(last_word, "gripd");
	ask(asker, 2000);
	RUN_UNTIL(peer.count == 4);
	CHECK(peer.accepted == 2);
	peer_answer(peer.ids[3], "ok");
	RUN_UNTIL(good == 1);
	local_asker_free(&asker);
	peer_stop();
}

TEST(garbage_is_a_lost_connection)
{
	static const char *const rows[] = { "}{", "{}", "[1]",
		"{\"id\":1,\"outcome\":\"maybe\"}" };

	for (size_t i = 0; i < 4; i++) {
		struct local_asker *asker = start();

		ask(asker, 2000);
		ask(asker, 2000);
		RUN_UNTIL(peer.count == 2);
		peer_send(rows[i]);
		RUN_UNTIL(temporary == 2);
		CHECK_STRING(last_word, "protocol");
		local_asker_free(&asker);
		peer_stop();
	}
}

TEST(silence_times_out_and_the_late_answer_is_ignored)
{
	struct local_asker *asker = start();

	ask(asker, 50);
	RUN_UNTIL(peer.count == 1 && temporary == 1);
	CHECK_STRING(last_word, "gripd");
	peer_answer(peer.ids[0], "ok");
	ask(asker, 2000);
	RUN_UNTIL(peer.count == 2);
	peer_answer(peer.ids[1], "ok");
	RUN_UNTIL(good == 1);
	CHECK(temporary == 1 && peer.accepted == 1);
	local_asker_free(&asker);
	peer_stop();
}

TEST(no_hello_times_out)
{
	struct local_asker *asker = start();

	peer.mute = true;
	ask(asker, 50);
	RUN_UNTIL(temporary == 1);
	local_asker_free(&asker);
	peer_stop();
}

TEST(nobody_there)
{
	struct local_asker *asker =
	    local_asker_new(base, "/nonexistent/s", GRIP_PROTOCOL_RESOLVE);

	good = temporary = permanent = 0;
	ask(asker, 2000);
	CHECK(temporary == 0);
	RUN_UNTIL(temporary == 1);
	CHECK_STRING(last_word, "gripd");
	/* While it waits to try again requests wait with it, in their time. */
	ask(asker, 20);
	RUN_UNTIL(temporary == 2);
	local_asker_free(&asker);
}

TEST(cancelled_requests_stay_silent)
{
	struct local_asker *asker = start();
	uint64_t ids[2];

	ids[0] = ask(asker, 2000);
	ids[1] = ask(asker, 2000);
	RUN_UNTIL(peer.count == 2);
	local_asker_cancel(asker, ids[0]);
	local_asker_cancel(asker, ids[0]);
	local_asker_cancel(asker, 4711);
	peer_answer(peer.ids[0], "ok");
	peer_answer(peer.ids[1], "ok");
	RUN_UNTIL(good == 1);
	CHECK(temporary == 0);
	/* Also one whose failure is about to be told. */
	peer_drop();
	ids[0] = ask(asker, 2000);
	local_asker_cancel(asker, ids[0]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	CHECK(good == 1 && temporary == 0);
	local_asker_free(&asker);
	peer_stop();
}

TEST(too_many_are_refused_and_too_large_too)
{
	struct local_asker *asker = start();
	char *name = calloc(1, GRIP_PROTOCOL_PACKET_MAX + 1);

	memset(name, 'x', GRIP_PROTOCOL_PACKET_MAX);
	local_asker_ask(asker, grip_protocol_keys(name), 2000, finished, NULL);
	free(name);
	RUN_UNTIL(permanent == 1);
	CHECK_STRING(last_word, "form");
	peer.mute = true;
	for (int i = 0; i < LOCAL_ASKER_PENDING_MAX + 2; i++)
		ask(asker, 100000);
	CHECK(temporary == 0);
	RUN_UNTIL(temporary == 2);
	CHECK_STRING(last_word, "busy");
	local_asker_free(&asker); /* and nothing is told of the others */
	CHECK(temporary == 2);
	peer_stop();
}

/* More than a socket buffer holds: the rest goes when there is room. */
TEST(many_requests_at_once)
{
	struct local_asker *asker = start();

	for (int i = 0; i < 3000; i++)
		ask(asker, 20000);
	RUN_UNTIL(peer.count == 3000);
	for (int i = 0; i < 100; i++)
		peer_answer(peer.ids[i], "ok");
	RUN_UNTIL(good == 100);
	local_asker_free(&asker);
	peer_stop();
}

static void
ask_again(void *arg, enum outcome outcome, const cJSON *answer,
    const struct reason *why)
{
	finished(NULL, outcome, answer, why);
	ask(arg, 2000);
}

TEST(callbacks_may_ask_again)
{
	struct local_asker *asker = start();

	local_asker_ask(asker, grip_protocol_keys("_rm.bar.test"), 2000,
	    ask_again, asker);
	RUN_UNTIL(peer.count == 1);
	peer_answer(peer.ids[0], "ok");
	RUN_UNTIL(peer.count == 2);
	peer_answer(peer.ids[1], "ok");
	RUN_UNTIL(good == 2);
	/* Also out of a failure. */
	local_asker_ask(asker, grip_protocol_keys("_rm.bar.test"), 2000,
	    ask_again, asker);
	RUN_UNTIL(peer.count == 3);
	peer_drop();
	RUN_UNTIL(temporary == 1 && peer.count == 4);
	peer_answer(peer.ids[3], "ok");
	RUN_UNTIL(good == 3);
	local_asker_free(&asker);
	peer_stop();
}

int
main(void)
{
	log_open("test", LOG_ERROR + 1);
	snprintf(path, sizeof(path), "/tmp/test_local_asker.%d", getpid());
	base = event_base_new();
	RUN(answers_in_any_order);
	RUN(a_lost_connection_fails_all_and_is_made_anew);
	RUN(garbage_is_a_lost_connection);
	RUN(silence_times_out_and_the_late_answer_is_ignored);
	RUN(no_hello_times_out);
	RUN(nobody_there);
	RUN(cancelled_requests_stay_silent);
	RUN(too_many_are_refused_and_too_large_too);
	RUN(many_requests_at_once);
	RUN(callbacks_may_ask_again);
	event_base_free(base);
	return test_done();
}

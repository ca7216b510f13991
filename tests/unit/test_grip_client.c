/* SPDX-License-Identifier: ISC
 *
 * The blocking client against a peer in a child process that follows a
 * script: one letter a connection's packet.
 */
#include "test.h"

#include <time.h>

#include "clock.h"
#include "grip_client.h"
#include "json_strict.h"
#include "sign_fixture.h"

static char path[64];

/*
 * What the peer does with each packet, the hello included:
 *   H hello, G good answer, I answer with another id, X garbage, R refusal,
 *   S silence, C close, V hello of another version; "/" ends a connection
 *   after its letters and accepts the next.
 */
static void
peer_packet(int fd, char letter, const char *packet, size_t len)
{
	cJSON *request = json_parse(packet, len, NULL);
	char text[256] = "";
	int64_t id = 0;

	json_integer(request, "id", 0, JSON_MAX_INTEGER, &id);
	switch (letter) {
	case 'H':
		strcpy(text, "{\"protocol\":\"grip-resolve\",\"version\":1}");
		break;
	case 'V':
		strcpy(text, "{\"protocol\":\"grip-resolve\",\"version\":2}");
		break;
	case 'G':
	case 'I':
		snprintf(text, sizeof(text),
		    "{\"addresses\":[\"192.0.2.1\"],\"secure\":true,"
		    "\"ttl\":60,\"id\":%lld,\"outcome\":\"ok\"}",
		    (long long)(letter == 'G' ? id : id + 1));
		break;
	case 'R':
		snprintf(text, sizeof(text),
		    "{\"id\":%lld,\"outcome\":\"permfail\","
		    "\"reason\":\"published\",\"detail\":\"no\"}",
		    (long long)id);
		break;
	case 'X':
		strcpy(text, "}{");
		break;
	}
	cJSON_Delete(request);
	if (text[0] != '\0')
		unix_socket_send(fd, text, strlen(text));
}

static pid_t
peer(const char *script)
{
	struct unix_socket_owner owner = { 0, 0, 0600 };
	static char packet[GRIP_PROTOCOL_PACKET_MAX];
	int listener, fd;
	ssize_t n;
	pid_t pid;

	owner.uid = geteuid();
	owner.gid = getegid();
	listener = unix_socket_listen(path, SOCK_SEQPACKET, &owner);
	fcntl(listener, F_SETFL, 0);
	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		close(listener);
		return pid;
	}
	fd = accept(listener, NULL, NULL);
	for (; *script != '\0'; script++) {
		if (*script == '/' || *script == 'C') {
			close(fd);
			if (*script == '/')
				fd = accept(listener, NULL, NULL);
			continue;
		}
		n = unix_socket_receive(fd, packet, sizeof(packet));
		if (n > 0)
			peer_packet(fd, *script, packet, (size_t)n);
	}
	for (;;)
		pause();
}

/* Asks `count` times; the last outcome and reason. */
static enum outcome
ask(const char *script, int count, struct reason *why)
{
	struct grip_client *client =
	    grip_client_new(path, GRIP_PROTOCOL_RESOLVE, 200);
	struct grip_addresses addresses;
	enum outcome outcome = OUTCOME_OK;
	pid_t pid = peer(script);

	memset(why, 0, sizeof(*why));
	while (count-- > 0)
		outcome = grip_client_addresses(client, "mailbox.bar.test",
		    &addresses, why);
	CHECK(outcome != OUTCOME_OK ||
	    (addresses.count == 1 && addresses.secure));
	grip_client_free(&client);
	sign_fixture_stop(pid);
	return outcome;
}

TEST(what_the_peer_may_do)
{
	static const struct {
		const char *script;
		int count;
		enum outcome outcome;
		const char *word;
	} rows[] = {
		{ "HG", 1, OUTCOME_OK, "" },
		{ "HGGG", 3, OUTCOME_OK, "" },
		{ "HR", 1, OUTCOME_PERMFAIL, "published" },
		{ "HRG", 2, OUTCOME_OK, "" },
		{ "V", 1, OUTCOME_TEMPFAIL, "protocol" },
		{ "X", 1, OUTCOME_TEMPFAIL, "protocol" },
		{ "S", 1, OUTCOME_TEMPFAIL, "gripd" },
		{ "/", 1, OUTCOME_TEMPFAIL, "gripd" },
		{ "HS", 1, OUTCOME_TEMPFAIL, "gripd" },
		{ "HI", 1, OUTCOME_TEMPFAIL, "protocol" },
		{ "HX", 1, OUTCOME_TEMPFAIL, "protocol" },
		{ "H/", 1, OUTCOME_TEMPFAIL, "gripd" },
		/* After trouble the next request has a connection anew. */
		{ "HI/HG", 2, OUTCOME_OK, "" },
		{ "HX/HG", 2, OUTCOME_OK, "" },
		{ "HS/HG", 2, OUTCOME_OK, "" },
		/* A peer restarted between two requests is not noticed. */
		{ "HG/HG", 2, OUTCOME_OK, "" },
		{ "HG/HG/HG", 3, OUTCOME_OK, "" },
		/* But it is tried only once more. */
		{ "HG/H/", 2, OUTCOME_TEMPFAIL, "gripd" },
	};
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum outcome got = ask(rows[i].script, rows[i].count, &why);

		CHECK_FOR(got == rows[i].outcome, "%s: %s: %s", rows[i].script,
		    why.word, why.text);
		CHECK_FOR(strcmp(why.word, rows[i].word) == 0, "%s: %s",
		    rows[i].script, why.word);
	}
}

TEST(nobody_there_is_temporary)
{
	struct grip_client *client =
	    grip_client_new("/nonexistent/x.sock", GRIP_PROTOCOL_RESOLVE, 200);
	struct grip_keys keys;
	struct reason why;

	CHECK(grip_client_keys(client, "_rm.bar.test", &keys, &why) ==
	    OUTCOME_TEMPFAIL);
	CHECK_STRING(why.word, "gripd");
	CHECK_STRING(why.text,
	    "connect to /nonexistent/x.sock: No such file "
	    "or directory");
	/* Without a place for the reason too. */
	CHECK(grip_client_keys(client, "_rm.bar.test", &keys, NULL) ==
	    OUTCOME_TEMPFAIL);
	grip_client_free(&client);
}

TEST(a_request_too_large_is_not_sent)
{
	struct grip_client *client =
	    grip_client_new("/nonexistent/x.sock", GRIP_PROTOCOL_RESOLVE, 200);
	char *name = calloc(1, GRIP_PROTOCOL_PACKET_MAX + 1);
	struct grip_keys keys;
	struct reason why;

	memset(name, 'x', GRIP_PROTOCOL_PACKET_MAX);
	CHECK(grip_client_keys(client, name, &keys, &why) == OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "form");
	free(name);
	grip_client_free(&client);
}

/* ---- against the real signer ---- */

TEST(a_token_from_the_signer)
{
	static char aud[] = "mailbox.insurance.test", bob[] = "bob@bar.test";
	struct grip_claims claims = { .aud = aud, .mailbox = bob };
	struct grip_token *token = NULL;
	struct sign_fixture fixture;
	struct grip_client *client;
	char socket_path[96], *text = NULL;
	struct reason why;
	pid_t pid;

	static char id[] = "0123456789abcdef";

	claims.id = id;
	CHECK(sign_fixture_open(&fixture, "ed25519") == 0);
	pid = sign_fixture_start(&fixture, GRIP_ROLE_BROKER, socket_path);
	client = grip_client_new(socket_path, GRIP_PROTOCOL_SIGN, 5000);
	CHECK(grip_client_token(client, "_cb.bar.test", GRIP_RELEASE, &claims,
		  &text, &why) == OUTCOME_OK);
	CHECK(text != NULL &&
	    grip_token_parse(text, strlen(text), &token, &why) == OUTCOME_OK);
	if (token != NULL) {
		CHECK(grip_jws_verify(token->jws, token->key, &why) ==
		    OUTCOME_OK);
		CHECK_STRING(token->claims.iss, "_cb.bar.test");
		CHECK(token->claims.exp - token->claims.iat == 300);
	}
	grip_token_free(&token);
	free(text);
	CHECK(grip_client_token(client, "_cb.foo.test", GRIP_RELEASE, &claims,
		  &text, &why) == OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "unknown-identity");
	CHECK(text == NULL);
	grip_client_free(&client);
	sign_fixture_stop(pid);
	sign_fixture_close(&fixture);
}

/* Who serves others is not held up by each question to one that hangs. */
TEST(it_pauses_after_a_time_out)
{
	struct grip_client *client =
	    grip_client_new(path, GRIP_PROTOCOL_RESOLVE, 200);
	struct grip_addresses addresses;
	int64_t begun = clock_monotonic_ms();
	struct reason why;
	pid_t pid = peer("HS");

	grip_client_set_pause(client, 600000);
	for (int i = 0; i < 100; i++)
		CHECK(grip_client_addresses(client, "x.test", &addresses,
			  &why) == OUTCOME_TEMPFAIL);
	CHECK(reason_is(&why, "gripd"));
	CHECK(clock_monotonic_ms() - begun < 5000); /* not 20 s */
	grip_client_set_pause(client, 0);
	sign_fixture_stop(pid);
	grip_client_free(&client);
	/* And asks again behind it. */
	client = grip_client_new(path, GRIP_PROTOCOL_RESOLVE, 200);
	grip_client_set_pause(client, 1);
	pid = peer("HSS/HG"); /* the second sees the end */
	CHECK(grip_client_addresses(client, "x.test", &addresses, &why) ==
	    OUTCOME_TEMPFAIL);
	do
		CHECK(clock_monotonic_ms() - begun < 20000);
	while (grip_client_addresses(client, "x.test", &addresses, &why) !=
	    OUTCOME_OK);
	grip_client_free(&client);
	sign_fixture_stop(pid);
}

/* A child has a connection of its own: answers never go to the wrong one. */
TEST(a_fork_does_not_share_the_connection)
{
	struct grip_addresses addresses;
	struct grip_client *client;
	struct reason why;
	int status = 0;
	pid_t pid, child;

	client = grip_client_new(path, GRIP_PROTOCOL_RESOLVE, 500);
	/* The first connection stays open; the child's is the second. */
	pid = peer("HG");
	CHECK(grip_client_addresses(client, "x.test", &addresses, &why) ==
	    OUTCOME_OK);
	fflush(stdout);
	child = fork();
	if (child == 0) /* nobody says hello to a second one */
		_exit(grip_client_addresses(client, "x.test", &addresses,
			  &why) == OUTCOME_TEMPFAIL &&
			    strstr(why.text, "answer from") != NULL ?
			0 :
			1);
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	grip_client_free(&client);
	sign_fixture_stop(pid);
}

int
main(void)
{
	snprintf(path, sizeof(path), "/tmp/test_grip_client.%d", getpid());
	RUN(what_the_peer_may_do);
	RUN(nobody_there_is_temporary);
	RUN(a_request_too_large_is_not_sent);
	RUN(it_pauses_after_a_time_out);
	RUN(a_fork_does_not_share_the_connection);
	if (geteuid() == 0)
		RUN(a_token_from_the_signer);
	unlink(path);
	return test_done();
}

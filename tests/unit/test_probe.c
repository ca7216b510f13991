/* SPDX-License-Identifier: ISC
 *
 * Probe mail in the broker: what is expected is taken, once and for a time;
 * nothing else ever is.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "memory.h"
#include "test.h"

#define STRANGE "AAAAAAAAAAAAAAAAAAAAAA"

static char *ids_items[] = { "mx.bar.test" };
static const struct config_list ids = { ids_items, 1 };

/* A placeholder as Postfix hands it over, with a signature that passed. */
static char *
message_of(const char *share, const char *results)
{
	return x_asprintf("Authentication-Results: %s\r\n"
			  "DKIM-Signature: d=bar.test; b=x; "
			  "h=from:message-id:mime-version:"
			  "content-type\r\n"
			  "From: postmaster@bar.test\r\nMessage-ID: "
			  "<1@bar.test>\r\n"
			  "X-Origin-Resource-Mailbox-URL: "
			  "https://mailbox.bar.test; "
			  "share=%s\r\nMIME-Version: 1.0\r\n"
			  "Content-Type: multipart/mixed; "
			  "boundary=42\r\n\r\n--42\r\n"
			  "Content-Type: message/external-body; access-type="
			  "content-addressed-uri; hash-algorithm=sha256; "
			  "size=5; "
			  "expiration=\"Sat, 5 Dec 2026 14:05:01 +0000\"; "
			  "origin=\"https://mailbox.bar.test\"; "
			  "share=%s\r\n\r\n"
			  "Content-Type: text/plain\r\nContent-ID: "
			  "<2f77668a9dfbf8d5848b9"
			  "eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91>"
			  "\r\n\r\n--42--\r\n",
	    results, share, share);
}

#define PASS "mx.bar.test; dkim=pass header.d=bar.test"

static bool
take(struct probe *probe, int64_t now, const char *share, const char *results)
{
	struct envelope envelope = { 0 };
	struct smtp_command command = { .path = "postmaster@bar.test" };
	char *message = message_of(share, results);
	bool taken;

	envelope_add_recipient(&envelope, &command);
	taken =
	    probe_take(probe, now, &ids, &envelope, message, strlen(message));
	CHECK_STRING(envelope.recipients[0].reply,
	    taken ? "250 2.0.0 Seen" : "");
	envelope_reset(&envelope);
	free(message);
	return taken;
}

TEST(a_probe_is_seen)
{
	struct probe *probe = probe_new();
	char share[CARGO_SHARE_LEN + 1];
	static struct probe_sight sight;
	char *message;

	CHECK(probe_begin(probe, 100, share));
	CHECK(cargo_share_valid(share));
	CHECK(probe_look(probe, 100, share, &sight) && sight.arrivals == 0);
	CHECK(take(probe, 101, share, PASS));
	CHECK(probe_look(probe, 102, share, &sight));
	CHECK(sight.arrivals == 1 && sight.recipients == 1);
	CHECK_STRING(sight.proof, "ok");
	CHECK_STRING(sight.form, "ok");
	CHECK_STRING(sight.sender, "postmaster@bar.test");
	message = message_of(share, PASS);
	CHECK(sight.len == strlen(message) &&
	    memcmp(sight.message, message, sight.len) == 0);
	free(message);
	/* A second one is counted; what is told is the first. */
	CHECK(take(probe, 103, share, "mx.other.test; dkim=pass"));
	CHECK(probe_look(probe, 103, share, &sight) && sight.arrivals == 2);
	CHECK_STRING(sight.proof, "ok");
	CHECK(probe_again(probe, 103, share));
	CHECK(take(probe, 104, share, "mx.other.test; dkim=pass"));
	CHECK(probe_look(probe, 104, share, &sight) && sight.arrivals == 1);
	CHECK_STRING(sight.proof, "result");
	CHECK_STRING(sight.sender, "");
	CHECK(probe_end(probe, 104, share));
	CHECK(!probe_look(probe, 104, share, &sight));
	CHECK(!take(probe, 104, share, PASS));
	probe_free(&probe);
}

TEST(nothing_else_is_taken)
{
	struct probe *probe = probe_new();
	char share[CARGO_SHARE_LEN + 1], near[CARGO_SHARE_LEN + 1];
	static struct probe_sight sight;

	CHECK(!take(probe, 100, STRANGE, PASS));
	/* A slot that is free has no share. */
	CHECK(!take(probe, 100, "", PASS));
	CHECK(probe_begin(probe, 100, share));
	CHECK(!take(probe, 100, STRANGE, PASS));
	strcpy(near, share);
	near[3] = near[3] == 'A' ? 'B' : 'A';
	CHECK(!take(probe, 100, near, PASS));
	near[0] = '\0';
	CHECK(!probe_look(probe, 100, near, &sight));
	CHECK(!probe_look(probe, 100, STRANGE, &sight));
	CHECK(!probe_again(probe, 100, STRANGE));
	CHECK(!probe_end(probe, 100, STRANGE));
	CHECK(probe_look(probe, 100, share, &sight) && sight.arrivals == 0);
	probe_free(&probe);
}

TEST(it_ends_by_itself)
{
	struct probe *probe = probe_new();
	char share[CARGO_SHARE_LEN + 1];

	CHECK(probe_begin(probe, 100, share));
	CHECK(take(probe, 100 + PROBE_SECONDS - 1, share, PASS));
	CHECK(!take(probe, 100 + PROBE_SECONDS, share, PASS));
	probe_free(&probe);
}

TEST(few_at_a_time)
{
	struct probe *probe = probe_new();
	char shares[PROBE_SLOTS + 1][CARGO_SHARE_LEN + 1];

	for (int i = 0; i < PROBE_SLOTS; i++)
		CHECK(probe_begin(probe, 100, shares[i]));
	CHECK(!probe_begin(probe, 100, shares[PROBE_SLOTS]));
	for (int i = 0; i < PROBE_SLOTS; i++)
		CHECK(take(probe, 100, shares[i], PASS));
	CHECK(probe_begin(probe, 100 + PROBE_SECONDS, shares[PROBE_SLOTS]));
	probe_free(&probe);
}

/* What one process of a connection takes, the parent sees. */
TEST(processes_share_it)
{
	struct probe *probe = probe_new();
	char share[CARGO_SHARE_LEN + 1];
	static struct probe_sight sight;
	int status = -1;
	pid_t child;

	CHECK(probe_begin(probe, 100, share));
	child = fork();
	if (child == 0)
		_exit(take(probe, 100, share, PASS) ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(probe_look(probe, 100, share, &sight) && sight.arrivals == 1);
	probe_free(&probe);
}

/* More than is kept: the beginning is. */
TEST(a_long_one)
{
	struct probe *probe = probe_new();
	char share[CARGO_SHARE_LEN + 1], *pad = x_calloc(1, 40000);
	static struct probe_sight sight;
	char *results;

	memset(pad, 'x', 39999);
	CHECK(probe_begin(probe, 100, share));
	results = x_asprintf("%s; %s", PASS, pad);
	CHECK(take(probe, 100, share, results));
	CHECK(probe_look(probe, 100, share, &sight));
	CHECK(sight.len == PROBE_MESSAGE_MAX);
	free(results);
	free(pad);
	probe_free(&probe);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	RUN(a_probe_is_seen);
	RUN(nothing_else_is_taken);
	RUN(it_ends_by_itself);
	RUN(few_at_a_time);
	RUN(processes_share_it);
	RUN(a_long_one);
	return test_done();
}

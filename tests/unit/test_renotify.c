/* SPDX-License-Identifier: ISC
 *
 * A notification again: what agrees with the placeholder and with our map goes
 * out with the very claims of the first; nothing else does.
 */
#include <stdlib.h>

#include "clock.h"
#include "encoding.h"
#include "json_strict.h"
#include "log.h"
#include "renotify.h"
#include "test.h"

#define ID "41aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define NOW 1795914000
#define EXPIRES 1796479501 /* Sat, 5 Dec 2026 14:05:01 */
#define MESSAGE \
	"Authentication-Results: mx.bar.test; dkim=pass header.d=foo.test\r\n" \
	"From: alice@foo.test\r\nMessage-ID: <1@foo.test>\r\n" \
	"X-Origin-Resource-Mailbox-URL: https://mailbox.hospital.test; " \
	"share=" SHARE "\r\nX-Correspondence-Category: healthcare\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n--42\r\n" \
	"Content-Type: message/external-body; access-type=content-addressed-" \
	"uri; hash-algorithm=sha256; size=5; expiration=\"Sat, 5 Dec 2026 " \
	"14:05:01 +0000\"; origin=\"https://mailbox.hospital.test\"; " \
	"share=" SHARE "; category=healthcare\r\n\r\n" \
	"Content-Type: text/plain\r\nContent-ID: <" HASH ">\r\n\r\n--42--\r\n"

static const char map_text[] =
    "bob@bar.test healthcare https://mailbox.insurance.test\n"
    "bob@bar.test * https://mailbox.bar.test\n"
    "carol@bar.test personal https://mailbox.bar.test\n";

static struct {
	int calls;
	char said[600]; /* "mailbox<recipient@host" */
	enum outcome outcome;
} seen;

static enum outcome
fake_notify(struct notify *notify, const struct notify_message *message,
    const struct destination *destination, const char *recipient,
    struct notify_answer *answer_r, struct reason *why)
{
	(void)notify;
	seen.calls++;
	CHECK_STRING(message->sender, "alice@foo.test");
	CHECK_STRING(message->placeholder->share, SHARE);
	CHECK_STRING(message->known, ID);
	CHECK(message->len > 100);
	CHECK(message->expires <= EXPIRES);
	snprintf(seen.said, sizeof(seen.said), "%s<%s@%s %lld",
	    destination->mailbox, recipient, destination->url.host,
	    (long long)message->expires);
	if (seen.outcome != OUTCOME_OK)
		return reason_set(why, seen.outcome, "no-account", "no");
	strcpy(answer_r->message, ID);
	return OUTCOME_OK;
}

static cJSON *
request(const char *placeholder)
{
	cJSON *object = cJSON_CreateObject();
	char *text = base64_format(placeholder, strlen(placeholder));

	json_add_string(object, "verb", "renotify");
	json_add_string(object, "message", ID);
	json_add_string(object, "message_id", "1@foo.test");
	json_add_string(object, "sender", "alice@foo.test");
	json_add_string(object, "recipient", "robert@bar.test");
	json_add_string(object, "mailbox", "bob@bar.test");
	json_add_string(object, "broker", "_cb.bar.test");
	json_add_string(object, "origin", "https://mailbox.hospital.test");
	json_add_string(object, "share", SHARE);
	json_add_integer(object, "expires", EXPIRES - 100);
	json_add_string(object, "text", text);
	free(text);
	return object;
}

/* "ok" or the refusal's word; takes the request over. */
static const char *
run(cJSON *object, int64_t now)
{
	static struct broker_config config = { .recipient_delimiter =
						   (char *)"+",
		.destinations = (char *)"map" };

	struct renotify renotify = { .config = &config,
		.notify_send = fake_notify,
		.now = now };
	static struct reason why;
	struct destination destination;
	struct notify_answer answer;
	struct destination_map *map;
	enum outcome outcome;
	char *error = NULL;

	map = destination_map_parse("map", map_text, &service_ports_default,
	    &error);
	CHECK(map != NULL);
	renotify.map = map;
	seen.calls = 0;
	strcpy(seen.said, "");
	outcome = renotify_run(&renotify, object, &answer, &destination, &why);
	CHECK(why.outcome == outcome);
	if (outcome == OUTCOME_OK)
		CHECK_STRING(answer.message, ID);
	destination_map_free(&map);
	cJSON_Delete(object);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

/* The request with one member changed; NULL: left out. */
static const char *
changed(const char *name, const char *value)
{
	cJSON *object = request(MESSAGE);

	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (value != NULL)
		json_add_string(object, name, value);
	return run(object, NOW);
}

TEST(what_agrees_is_notified_again)
{
	seen.outcome = OUTCOME_OK;
	CHECK_STRING(run(request(MESSAGE), NOW), "ok");
	CHECK_STRING(seen.said,
	    "bob@bar.test<robert@bar.test@mailbox.insurance.test 1796479401");
	/* Spelled otherwise, the same. */
	CHECK_STRING(changed("mailbox", "BOB@Bar.Test"), "ok");
	CHECK_STRING(changed("sender", "Alice@FOO.test"), "ok");
}

TEST(what_the_mailbox_says_is_passed_on)
{
	seen.outcome = OUTCOME_PERMFAIL;
	CHECK_STRING(run(request(MESSAGE), NOW), "no-account");
	seen.outcome = OUTCOME_TEMPFAIL;
	CHECK_STRING(run(request(MESSAGE), NOW), "no-account");
	CHECK(seen.calls == 1);
	seen.outcome = OUTCOME_OK;
}

TEST(what_is_over_is_not_notified)
{
	CHECK_STRING(run(request(MESSAGE), EXPIRES - 101), "ok");
	CHECK_STRING(run(request(MESSAGE), EXPIRES - 100), "expired");
	CHECK(seen.calls == 0);
}

TEST(what_disagrees_is_refused)
{
	static const struct {
		const char *name, *value, *word;
	} rows[] = {
		{ "sender", "mallory@foo.test", "disagree" },
		{ "origin", "https://mailbox.evil.test", "disagree" },
		{ "share", "BBBBBBBBBBBBBBBBBBBBBA", "disagree" },
		{ "message_id", "2@foo.test", "disagree" },
		/* Another's account, another's mailbox, another's broker. */
		{ "mailbox", "carol@bar.test", "destination" },
		{ "mailbox", "dave@bar.test", "destination" },
		{ "mailbox", "bob+x@bar.test", "destination" },
		{ "mailbox", "bob@foo.test", "broker" },
		{ "recipient", "bob@foo.test", "broker" },
		{ "broker", "_cb.foo.test", "broker" },
		{ "broker", "bar.test", "broker" },
		{ "broker", "", "broker" },
		/* No request at all. */
		{ "mailbox", "bob", "request" },
		{ "sender", "", "request" },
		{ "recipient", "a b@bar.test", "request" },
		{ "text", "", "request" },
		{ "text", "====", "request" },
		{ "text", "aGVsbG8=", "form" },
		{ "expires", "1", "request" },
		{ "message", NULL, "request" },
		{ "message", "41aa", "request" },
		{ "message", "41aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", "request" },
		{ "share", NULL, "request" },
		{ "extra", "x", "request" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *word = changed(rows[i].name, rows[i].value);

		CHECK_FOR(strcmp(word, rows[i].word) == 0, "%s %s: %s",
		    rows[i].name, rows[i].value, word);
		CHECK_FOR(seen.calls == 0, "%s", rows[i].name);
	}
}

TEST(no_token_outlives_the_share)
{
	cJSON *object = request(MESSAGE);

	cJSON_DeleteItemFromObjectCaseSensitive(object, "expires");
	json_add_integer(object, "expires", EXPIRES + 1);
	CHECK_STRING(run(object, NOW), "disagree");
	CHECK(seen.calls == 0);
}

int
main(void)
{
	log_open("test", LOG_ERROR);
	RUN(what_agrees_is_notified_again);
	RUN(what_the_mailbox_says_is_passed_on);
	RUN(what_is_over_is_not_notified);
	RUN(what_disagrees_is_refused);
	RUN(no_token_outlives_the_share);
	return test_done();
}

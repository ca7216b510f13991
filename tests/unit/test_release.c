/* SPDX-License-Identifier: ISC
 *
 * The original in place of the placeholder, with a mailbox made of a table.
 */
#include <stdlib.h>

#include "cargo_original.h"
#include "encoding.h"
#include "log.h"
#include "memory.h"
#include "release.h"
#include "test.h"

#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define NOW 1795914000
#define MAILBOX "https://mailbox.bar.test"
#define TEXT "hello"
#define TEXT_HASH \
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define BODY(size, type) \
	"Content-Type: message/external-body; access-type=content-addressed-" \
	"uri; hash-algorithm=sha256; size=" size "; expiration=\"Sat, 5 Dec " \
	"2026 14:05:01 +0000\"; origin=\"https://mailbox.hospital.test\"; " \
	"share=" SHARE "\r\n\r\nContent-Type: " type \
	"\r\nContent-ID: <" TEXT_HASH ">\r\n\r\n"
#define MESSAGE(size, type) \
	"Received: x\r\nFrom: alice@foo.test\r\nMessage-ID: <1@foo.test>\r\n" \
	"X-Origin-Resource-Mailbox-URL: https://mailbox.hospital.test; " \
	"share=" SHARE "\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n--42\r\n" BODY( \
	    size, type) "--42--\r\n"

/* What the mailbox says and what it was asked. */
static struct {
	const char *wait, *fetch; /* "": yes; "+word": for good */
	const char *content;
	int64_t now;
	char asked[512];
	int fetched;
} box;

static enum outcome
say(const char *word, struct reason *why)
{
	if (word[0] == '\0')
		return OUTCOME_OK;
	if (word[0] == '+')
		return reason_set(why, OUTCOME_PERMFAIL, word + 1, "no");
	return reason_set(why, OUTCOME_TEMPFAIL, word, "not now");
}

static enum outcome
fake_wait(void *context, const struct release_place *place, int64_t seconds,
    struct reason *why)
{
	size_t used = strlen(box.asked);

	(void)context;
	snprintf(box.asked + used, sizeof(box.asked) - used, "%s:%lld ",
	    place->message, (long long)seconds);
	if (strcmp(place->message, "slow") == 0) {
		box.now += seconds;
		return say("pending", why);
	}
	return say(box.wait, why);
}

static enum outcome
fake_fetch(void *context, const struct release_place *place, const char *hash,
    int64_t seconds, struct spool *spool, struct reason *why)
{
	(void)context;
	(void)place;
	CHECK_STRING(hash, TEXT_HASH);
	CHECK(seconds > 0);
	box.fetched++;
	spool_add(spool, box.content, strlen(box.content));
	return say(box.fetch, why);
}

static int64_t
fake_now(void)
{
	return box.now;
}

static const struct release_source source = { fake_wait, fake_fetch };

struct world {
	struct broker_config config;
	struct release_options options;
	struct release *release;
	struct envelope envelope;
	struct cargo_placeholder *placeholder;
	const char *message;
};

static void
world_open(struct world *w, const char *settings, const char *message)
{
	char *error = NULL;
	struct reason why;

	memset(w, 0, sizeof(*w));
	memset(&box, 0, sizeof(box));
	box.wait = box.fetch = "";
	box.content = TEXT;
	box.now = NOW;
	if (config_file_parse("test", settings, strlen(settings),
		broker_config_keys, &w->config, &error) < 0)
		printf("# %s\n", error);
	w->options = (struct release_options){ &w->config, NULL, "/tmp",
		&source, NULL, fake_now };
	w->message = message;
	CHECK(cargo_placeholder_parse(message, strlen(message), &w->placeholder,
		  &why) == OUTCOME_OK);
	envelope_reset(&w->envelope);
}

static void
world_start(struct world *w, int64_t age)
{
	const struct release_message message = {
		.id = "4XyZ",
		.placeholder = w->placeholder,
		.data = w->message,
		.len = strlen(w->message),
		.began = NOW,
		.arrived = NOW - age,
	};

	w->release = release_new(&w->options, &message);
}

static void
world_add(struct world *w, const char *url, const char *id)
{
	struct notify_answer answer = { .release = true };
	struct destination destination = { .mailbox = "bob@bar.test" };
	struct smtp_command command;
	const char *line = "RCPT TO:<bob@bar.test>";

	CHECK(smtp_line_parse(line, strlen(line), &command) == NULL);
	CHECK(envelope_add_recipient(&w->envelope, &command) == 0);
	snprintf(destination.url.text, sizeof(destination.url.text), "%s", url);
	strcpy(answer.message, id);
	strcpy(w->envelope.recipients[w->envelope.count - 1].prepend,
	    CARGO_FIELD_DESTINATION ": " MAILBOX "\r\n");
	release_add(w->release, w->envelope.count - 1, &destination, &answer);
}

static void
world_close(struct world *w)
{
	release_free(&w->release);
	cargo_placeholder_free(&w->placeholder);
	envelope_reset(&w->envelope);
	config_file_free(broker_config_keys, &w->config);
}

#define SETTINGS "authserv_ids = x\nlocal_mailboxes = " MAILBOX "\n"
#define PLACEHOLDER CARGO_FIELD_DESTINATION ": " MAILBOX "\r\n"
#define GOOD MESSAGE("5", "application/octet-stream")

TEST(the_rebuilt_message_goes_in_place_of_the_placeholder)
{
	const struct delivery_form *form;
	struct world w;

	world_open(&w, SETTINGS, GOOD);
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	world_add(&w, MAILBOX, "M2");
	release_run(w.release, &w.envelope);
	CHECK_STRING(box.asked, "M1:60 M2:60 ");
	/* Fetched once: the hashes say that it is the same. */
	CHECK(box.fetched == 1);
	form = w.envelope.recipients[0].form;
	CHECK(form != NULL && form == w.envelope.recipients[1].form);
	CHECK(memmem(form->data, form->len, "aGVsbG8=", 8) != NULL);
	CHECK(memmem(form->data, form->len, "external-body", 13) == NULL);
	CHECK(memmem(form->data, form->len, "X-Origin", 8) == NULL);
	CHECK_STRING(w.envelope.recipients[0].prepend,
	    "X-Cargomail-Status: original\r\n");
	CHECK_STRING(w.envelope.recipients[0].reply, "");
	world_close(&w);
}

TEST(what_a_mailbox_or_a_resource_may_say)
{
	static const struct {
		const char *wait, *fetch, *content;
		int64_t age;
		char reply; /* '\0': none */
		const char *prepend; /* NULL: the original */
	} rows[] = {
		{ "", "", TEXT, 0, '\0', NULL },
		/* Done, though late: the better for it. */
		{ "", "", TEXT, 3600, '\0', NULL },
		{ "pending", "", TEXT, 0, '4', PLACEHOLDER },
		{ "unavailable", "", TEXT, 600, '4', PLACEHOLDER },
		{ "pending", "", TEXT, 601, '\0', PLACEHOLDER },
		/* The pull failed for good: the recipient is told. */
		{ "+revoked", "", TEXT, 0, '\0',
		    PLACEHOLDER "X-Cargomail-Status: failed; "
				"reason=revoked\r\n" },
		{ "+not-released", "", TEXT, 0, '\0', PLACEHOLDER },
		{ "", "connect", TEXT, 0, '4', PLACEHOLDER },
		{ "", "connect", TEXT, 601, '\0', PLACEHOLDER },
		{ "", "+not-found", "", 0, '\0', PLACEHOLDER },
		/* Bytes that are not what the hash and size say. */
		{ "", "", "HELLO", 0, '\0', PLACEHOLDER },
		{ "", "", "hell", 0, '\0', PLACEHOLDER },
		{ "", "", "hello!", 0, '\0', PLACEHOLDER },
	};
	const struct envelope_recipient *r;
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_open(&w, SETTINGS, GOOD);
		box.wait = rows[i].wait;
		box.fetch = rows[i].fetch;
		box.content = rows[i].content;
		world_start(&w, rows[i].age);
		world_add(&w, MAILBOX, "M1");
		release_run(w.release, &w.envelope);
		r = &w.envelope.recipients[0];
		CHECK_FOR((r->form != NULL) == (rows[i].prepend == NULL),
		    "row %zu", i);
		CHECK_FOR(r->reply[0] == rows[i].reply, "row %zu: %s", i,
		    r->reply);
		if (rows[i].prepend != NULL)
			CHECK_STRING(r->prepend, rows[i].prepend);
		CHECK_STRING(box.asked, rows[i].age > 600 ? "M1:0 " : "M1:60 ");
		world_close(&w);
	}
}

TEST(what_is_too_large_is_not_waited_for)
{
	static const struct {
		const char *settings, *url, *message, *asked;
		bool original;
	} rows[] = {
		{ SETTINGS "deliver_original_up_to = 0\n", MAILBOX, GOOD, "",
		    false },
		{ SETTINGS, "https://mailbox.insurance.test", GOOD, "", false },
		/* Counted as it goes: 8 bytes in base64. */
		{ SETTINGS "deliver_original_up_to = 8M\n", MAILBOX,
		    MESSAGE("6291457", "image/png"), "M1:60 ", false },
		{ SETTINGS "deliver_original_up_to = 8M\n", MAILBOX,
		    MESSAGE("6291460", "image/png"), "", false },
		{ SETTINGS "deliver_original_up_to = 8M\n", MAILBOX,
		    MESSAGE("8388608", "text/plain"), "M1:60 ", false },
		/* It fits, but for the header around it. */
		{ SETTINGS "deliver_original_up_to = 100\n", MAILBOX, GOOD,
		    "M1:60 ", false },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world_open(&w, rows[i].settings, rows[i].message);
		world_start(&w, 0);
		world_add(&w, rows[i].url, "M1");
		release_run(w.release, &w.envelope);
		CHECK_FOR(strcmp(box.asked, rows[i].asked) == 0, "row %zu: %s",
		    i, box.asked);
		CHECK_FOR(w.envelope.recipients[0].form == NULL, "row %zu", i);
		CHECK_STRING(w.envelope.recipients[0].reply, "");
		CHECK_STRING(w.envelope.recipients[0].prepend, PLACEHOLDER);
		world_close(&w);
	}
}

/* Here the original was another: a field is missing, or was added below. */
TEST(what_a_converter_took_apart_comes_back_exactly_or_not_at_all)
{
	static const char converted[] =
	    "Received: x\r\nFrom: alice@foo.test\r\n"
	    "Message-ID: <1@foo.test>\r\n"
	    "X-Origin-Resource-Mailbox-URL: https://mailbox.hospital.test; "
	    "share=" SHARE "\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=42\r\n\r\n--42\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Description: Cargomail note\r\n\r\nnote\r\n--42\r\n"
	    "Content-Original: message; order=k2m2; size=99; "
	    "sha256=" TEXT_HASH "\r\n" BODY("5", "text/plain") "--42--\r\n";
	struct cargo_original original;
	struct world w;

	world_open(&w, SETTINGS, converted);
	CHECK(cargo_original_find(w.placeholder, converted, &original) != 0);
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	release_run(w.release, &w.envelope);
	CHECK(box.fetched == 1);
	CHECK(w.envelope.recipients[0].form == NULL);
	CHECK_STRING(w.envelope.recipients[0].prepend, PLACEHOLDER);
	CHECK_STRING(w.envelope.recipients[0].reply, "");
	world_close(&w);
}

/* All wait at once, and never so long that Postfix hangs up. */
TEST(the_wait_is_one_for_all)
{
	struct world w;

	world_open(&w, SETTINGS, GOOD);
	world_start(&w, 0);
	world_add(&w, MAILBOX, "slow");
	world_add(&w, MAILBOX, "slow");
	world_add(&w, MAILBOX, "M3");
	release_run(w.release, &w.envelope);
	CHECK_STRING(box.asked, "slow:60 slow:0 M3:0 ");
	CHECK(w.envelope.recipients[0].reply[0] == '4');
	CHECK(w.envelope.recipients[1].reply[0] == '4');
	CHECK(w.envelope.recipients[2].form != NULL);
	world_close(&w);
	world_open(&w, SETTINGS, GOOD);
	world_start(&w, 0);
	box.now = NOW + 330; /* notifications took so long */
	world_add(&w, MAILBOX, "slow");
	world_add(&w, MAILBOX, "M2");
	release_run(w.release, &w.envelope);
	CHECK_STRING(box.asked, "slow:30 M2:0 ");
	CHECK(box.fetched == 0);
	CHECK(w.envelope.recipients[1].reply[0] == '4');
	world_close(&w);
}

TEST(a_broken_rebuild_is_tried_once)
{
	struct world w;

	world_open(&w, SETTINGS, GOOD);
	box.content = "HELLO";
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	world_add(&w, MAILBOX, "M2");
	release_run(w.release, &w.envelope);
	CHECK(box.fetched == 1);
	CHECK(w.envelope.recipients[1].form == NULL);
	CHECK_STRING(w.envelope.recipients[1].prepend, PLACEHOLDER);
	world_close(&w);
}

TEST(an_original_too_large_for_postfix_is_the_placeholder_again)
{
	struct envelope_recipient *list;
	struct world w;

	world_open(&w, SETTINGS, GOOD);
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	world_add(&w, MAILBOX, "M2");
	world_add(&w, MAILBOX, "M3");
	release_run(w.release, &w.envelope);
	list = w.envelope.recipients;
	strcpy(list[0].reply, "552 5.3.4 Message size exceeds fixed limit");
	strcpy(list[1].reply, "250 2.0.0 Ok");
	strcpy(list[2].reply, "550 5.1.1 Unknown");
	CHECK(release_again(w.release, &w.envelope));
	CHECK_STRING(list[0].reply, "");
	CHECK_STRING(list[0].prepend, PLACEHOLDER);
	CHECK(list[0].form == NULL);
	CHECK(list[1].reply[0] == '2' && list[2].reply[0] == '5');
	/* And not for ever. */
	strcpy(list[0].reply, "552 5.3.4 Message size exceeds fixed limit");
	CHECK(!release_again(w.release, &w.envelope));
	world_close(&w);
}

TEST(without_a_place_it_waits_a_moment)
{
	struct breaker *breaker = breaker_new(1, 60);
	struct world w;

	for (int i = 0; i < BREAKER_PLACES; i++)
		CHECK(breaker_hold(breaker));
	world_open(&w, SETTINGS, GOOD);
	w.options.breaker = breaker;
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	release_run(w.release, &w.envelope);
	CHECK_STRING(box.asked, "M1:5 ");
	CHECK(w.envelope.recipients[0].form != NULL);
	/* Nobody else's place was given up. */
	CHECK(!breaker_hold(breaker));
	world_close(&w);
	breaker_let_go(breaker);
	world_open(&w, SETTINGS, GOOD);
	w.options.breaker = breaker;
	world_start(&w, 0);
	world_add(&w, MAILBOX, "M1");
	release_run(w.release, &w.envelope);
	CHECK_STRING(box.asked, "M1:60 ");
	for (int i = 0; i < BREAKER_PLACES; i++)
		CHECK(breaker_hold(breaker));
	world_close(&w);
	breaker_free(&breaker);
}

int
main(void)
{
	log_open("test", LOG_ERROR);
	RUN(the_rebuilt_message_goes_in_place_of_the_placeholder);
	RUN(what_a_mailbox_or_a_resource_may_say);
	RUN(what_is_too_large_is_not_waited_for);
	RUN(what_a_converter_took_apart_comes_back_exactly_or_not_at_all);
	RUN(the_wait_is_one_for_all);
	RUN(a_broken_rebuild_is_tried_once);
	RUN(an_original_too_large_for_postfix_is_the_placeholder_again);
	RUN(without_a_place_it_waits_a_moment);
	return test_done();
}

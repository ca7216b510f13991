/* SPDX-License-Identifier: ISC
 *
 * The outbound step with an origin, a DNS, a destination and a Postfix made of
 * tables.
 */
#include <stdlib.h>

#include "legacy_message.h"
#include "log.h"
#include "memory.h"
#include "outbound.h"
#include "test.h"

#define NOW 1795914030 /* Sun, 29 Nov 2026 01:00:30 */
#define RECEIVED \
	"Received: from laptop (laptop.foo.test [192.0.2.7])\r\n" \
	"\tby mx.foo.test (Postfix) with ESMTPSA id 4XyZ;\r\n" \
	"\tSun, 29 Nov 2026 01:00:00 +0000\r\n"
#define HEADER \
	"From: alice@foo.test\r\nTo: bob@bar.test\r\nSubject: x\r\n" \
	"Message-ID: <1@foo.test>\r\nMIME-Version: 1.0\r\n"
#define PARTS \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n--42\r\n" \
	"Content-Type: text/plain\r\n\r\nDear Bob\r\n--42\r\n" \
	"Content-Type: application/pdf; name=a.pdf\r\n" \
	"Content-Disposition: attachment; filename=a.pdf\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n" \
	"--42--\r\n"
#define MAIL RECEIVED HEADER PARTS
#define HASH "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"

#define SETTINGS \
	"authserv_ids = mx.foo.test\nhostname = mx.foo.test\n" \
	"convert = attachments\n"
#define SMALL SETTINGS "legacy_limit = 100\n" /* smaller than MAIL */

static unsigned char secret[SHARE_SECRET_LEN];

/* What the fakes saw, and what they are to say. */
static struct {
	char said[8192]; /* "share(...) put(...) " */
	char sent[8192]; /* "placeholder|path,|" */
	char share[32]; /* the last share's id */
	char first[32]; /* and the first's */
	int64_t expires;
	const char *share_word; /* "": ok */
	const char *put_word;
	const char *web_word;
	unsigned revoked; /* names that are used up */
	bool temporary; /* of the words */
	const char *postfix; /* its reply */
	int64_t now;
	int64_t seconds; /* that the DNS takes */
	unsigned asked;
	bool quiet; /* many recipients: nothing is written down but "put" */
} seen;

static void
say(const char *before, const char *text, const char *after)
{
	char one[512];

	snprintf(one, sizeof(one), "%s%s%s", before, text, after);
	if (seen.quiet && strcmp(before, "put ") != 0)
		return;
	if (strlen(seen.said) + strlen(one) < sizeof(seen.said))
		strcat(seen.said, one);
}

static enum outcome
answer(const char *word, struct reason *why)
{
	if (word[0] == '\0')
		return OUTCOME_OK;
	return reason_set(why,
	    seen.temporary ? OUTCOME_TEMPFAIL : OUTCOME_PERMFAIL, word, "x");
}

static enum outcome
fake_put(struct origin *origin, const struct origin_share *share,
    const struct origin_resource *resource, struct reason *why)
{
	char data[64];
	ssize_t len = resource->read(resource->arg, data, sizeof(data));

	(void)origin;
	CHECK_STRING(share->user, "alice@foo.test");
	CHECK_STRING(resource->hash, HASH);
	CHECK_STRING(resource->name, "a.pdf");
	CHECK(resource->size == 11);
	CHECK(len == 11 && memcmp(data, "hello world", 11) == 0);
	say("put ", "", "");
	return answer(seen.put_word, why);
}

static enum outcome
fake_share(struct origin *origin, const struct origin_share *share,
    struct reason *why)
{
	(void)origin;
	CHECK_STRING(share->message, "1@foo.test");
	CHECK_STRING(share->url->text, "https://mailbox.hospital.test");
	CHECK(share->hash_count == 1);
	if (seen.first[0] == '\0')
		snprintf(seen.first, sizeof(seen.first), "%s", share->id);
	snprintf(seen.share, sizeof(seen.share), "%s", share->id);
	seen.expires = share->expires;
	if (seen.revoked > 0) {
		seen.revoked--;
		say("revoked ", "", "");
		return reason_set(why, OUTCOME_PERMFAIL, "revoked", "x");
	}
	say("share(", "", "");
	for (size_t i = 0; i < share->recipient_count; i++)
		say("", share->recipients[i], " ");
	for (size_t i = 0; i < share->page_count; i++) {
		CHECK(strlen(share->pages[i].key) == 64);
		say("page:", share->pages[i].recipient, " ");
	}
	say(") ", "", "");
	if (seen.share_word[0] == '\0' && strstr(seen.said, "put") == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found", "x");
	return answer(seen.share_word, why);
}

static enum outcome
fake_withdraw(struct origin *origin, const struct origin_share *share,
    struct reason *why)
{
	(void)origin;
	(void)why;
	CHECK_STRING(share->id, seen.share);
	say("withdraw ", "", "");
	return OUTCOME_OK;
}

static enum outcome
fake_web(struct origin *origin, const struct origin_share *share,
    char web_r[SERVICE_URL_SIZE], struct reason *why)
{
	(void)origin;
	(void)share;
	say("web ", "", "");
	strcpy(web_r, "https://web.hospital.test");
	return answer(seen.web_word, why);
}

static struct capability_answer
fake_ask(struct capability_cache *cache, const char *domain, int64_t now,
    const char *id)
{
	struct capability_answer reply = { .capability = CAPABILITY_NO };

	(void)cache;
	(void)id;
	CHECK(now == seen.now);
	seen.asked++;
	seen.now += seen.seconds;
	CHECK_FOR(strcmp(domain, "foo.test") != 0, "%s is our own", domain);
	if (strcmp(domain, "bar.test") == 0)
		reply.capability = CAPABILITY_YES;
	else if (strcmp(domain, "silent.test") == 0)
		reply.capability = CAPABILITY_UNKNOWN;
	return reply;
}

static enum outcome
fake_notify(struct notify *notify, const struct notify_message *message,
    const struct destination *destination, const char *recipient,
    struct notify_answer *answer_r, struct reason *why)
{
	(void)notify;
	(void)destination;
	(void)why;
	memset(answer_r, 0, sizeof(*answer_r));
	CHECK_STRING(message->sender, "alice@foo.test");
	say("notify(", recipient, ") ");
	return OUTCOME_OK;
}

/* What is it that is sent? */
static const char *
name_of(const struct smtp_client_message *message)
{
	static const char origin[] = "X-Origin-Resource-Mailbox-URL:";

	if (memmem(message->data, message->len, "/s/", 3) != NULL)
		return "page";
	if (memmem(message->data, message->len, origin, strlen(origin)) != NULL)
		return "placeholder";
	return "original";
}

static void
fake_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message)
{
	CHECK_STRING(options->server, "unix:/run/postfix/cargomail-sign");
	CHECK(strstr(message->prepend, "(Cargomail outbound)") != NULL);
	if (!seen.quiet) {
		strcat(seen.sent, name_of(message));
		strcat(seen.sent, "|");
	}
	for (size_t i = 0; i < message->count; i++) {
		struct envelope_recipient *r =
		    &message->envelope->recipients[message->recipients[i]];

		snprintf(r->reply, sizeof(r->reply), "%s", seen.postfix);
		if (seen.quiet)
			continue;
		strcat(seen.sent, r->path);
		strcat(seen.sent, " ");
	}
	if (!seen.quiet)
		strcat(seen.sent, "|");
}

static int64_t
fake_now(void)
{
	return seen.now;
}

struct world {
	struct broker_config config;
	struct recipient_step step;
	struct outbound outbound;
	struct destination_map *map, *origins;
	struct envelope envelope;
};

static struct destination_map *
read_map(const char *text)
{
	char *error = NULL;
	struct destination_map *map =
	    destination_map_parse("map", text, &service_ports_default, &error);

	CHECK(map != NULL);
	return map;
}

static void
world_open(struct world *w, const char *settings)
{
	char *error = NULL;

	memset(w, 0, sizeof(*w));
	memset(&seen, 0, sizeof(seen));
	seen.share_word = seen.put_word = seen.web_word = "";
	seen.postfix = "250 2.0.0 Ok: queued as X";
	seen.now = NOW;
	if (config_file_parse("test", settings, strlen(settings),
		broker_config_keys, &w->config, &error) < 0)
		printf("# %s\n", error);
	service_ports_parse("443", &w->config.outward.port_list);
	w->map = read_map("dora@foo.test * https://mailbox.foo.test\n");
	w->origins = read_map("@foo.test * https://mailbox.hospital.test\n"
			      "erin@foo.test * -\n");
	w->step = (struct recipient_step){ .config = &w->config,
		.map = w->map,
		.metrics = metrics_new("broker", broker_metrics, 0),
		.notify_send = fake_notify,
		.now = fake_now };
	w->outbound = (struct outbound){ .step = &w->step,
		.origins = w->origins,
		.secret = secret,
		.origin = { NULL, fake_put, fake_share, fake_withdraw,
		    fake_web },
		.ask = fake_ask,
		.smtp_send = fake_send };
}

static void
world_send(struct world *w, const char *message, const char *recipients)
{
	char *list = x_strdup(recipients), *rest = list, *word;
	struct smtp_command command;
	char line[512];

	envelope_reset(&w->envelope);
	snprintf(w->envelope.sender, sizeof(w->envelope.sender),
	    "alice@foo.test");
	envelope_set_forward(&w->envelope, "IDENT", "4XyZ");
	while ((word = strsep(&rest, " ")) != NULL) {
		snprintf(line, sizeof(line), "RCPT TO:<%s>", word);
		CHECK(smtp_line_parse(line, strlen(line), &command) == NULL);
		CHECK(envelope_add_recipient(&w->envelope, &command) == 0);
	}
	free(list);
	outbound_deliver(&w->outbound, &w->envelope, message, strlen(message));
	for (size_t i = 0; i < w->envelope.count; i++)
		CHECK(w->envelope.recipients[i].reply[0] != '\0');
}

static void
world_close(struct world *w)
{
	envelope_reset(&w->envelope);
	destination_map_free(&w->map);
	destination_map_free(&w->origins);
	metrics_free(&w->step.metrics);
	config_file_free(broker_config_keys, &w->config);
}

TEST(each_gets_what_he_can_open)
{
	static const struct {
		const char *settings, *to, *said, *sent, *reply;
	} table[] = {
		{ SETTINGS, "bob@bar.test",
		    "share(bob@bar.test ) put share(bob@bar.test ) ",
		    "placeholder|bob@bar.test |", "250" },
		{ SETTINGS, "Bob+x@bar.test dora@foo.test",
		    "share(bob+x@bar.test dora@foo.test ) put "
		    "share(bob+x@bar.test dora@foo.test ) "
		    "notify(dora@foo.test) ",
		    "placeholder|Bob+x@bar.test |placeholder|dora@foo.test |",
		    "250" },
		/* None of them can. */
		{ SETTINGS, "zoe@plain.test carol@foo.test y@silent.test", "",
		    "original|zoe@plain.test carol@foo.test y@silent.test |",
		    "250" },
		{ SETTINGS, "bob@bar.test zoe@plain.test",
		    "share(bob@bar.test ) put share(bob@bar.test ) ",
		    "placeholder|bob@bar.test |original|zoe@plain.test |",
		    "250" },
		/* And it is too large for them. */
		{ SMALL, "zoe@plain.test y@silent.test bob@bar.test",
		    "web share(bob@bar.test page:zoe@plain.test "
		    "page:y@silent.test ) put share(bob@bar.test "
		    "page:zoe@plain.test page:y@silent.test ) ",
		    "page|zoe@plain.test |page|y@silent.test |"
		    "placeholder|bob@bar.test |",
		    "250" },
		{ SMALL, "carol@foo.test",
		    "web share(page:carol@foo.test ) put "
		    "share(page:carol@foo.test ) ",
		    "page|carol@foo.test |", "250" },
		/* Not for a DNS that says nothing today. */
		{ SMALL "legacy = bounce\n", "y@silent.test", "", "",
		    "451 4.4.3" },
		{ SMALL "legacy = bounce\nnotify_give_up = 29s\n",
		    "y@silent.test", "", "", LEGACY_BOUNCE_STATUS },
		{ SMALL "legacy = bounce\n", "zoe@plain.test", "", "",
		    LEGACY_BOUNCE_STATUS },
		{ SMALL "legacy = bounce\n", "zoe@plain.test bob@bar.test",
		    "share(bob@bar.test ) put share(bob@bar.test ) ",
		    "placeholder|bob@bar.test |", LEGACY_BOUNCE_STATUS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct world w;

		world_open(&w, table[i].settings);
		world_send(&w, MAIL, table[i].to);
		CHECK_STRING(seen.said, table[i].said);
		CHECK_STRING(seen.sent, table[i].sent);
		CHECK_FOR(strncmp(w.envelope.recipients[0].reply,
			      table[i].reply, strlen(table[i].reply)) == 0,
		    "row %zu: %s", i, w.envelope.recipients[0].reply);
		world_close(&w);
	}
}

TEST(what_is_left_alone)
{
	static const struct {
		const char *settings, *message;
	} table[] = {
		{ SETTINGS, HEADER PARTS },
		{ SETTINGS, RECEIVED HEADER "List-Id: <x>\r\n" PARTS },
		{ SETTINGS, RECEIVED HEADER "\r\njust text\r\n" },
		{ SMALL, RECEIVED HEADER "\r\njust text\r\n" },
		{ SETTINGS "convert = none\n", MAIL },
		{ SETTINGS "convert = large\n", MAIL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char settings[512];
		struct world w;

		/* The later value counts, as the table has it. */
		snprintf(settings, sizeof(settings), "%s", table[i].settings);
		if (strstr(settings, "= none") || strstr(settings, "= large"))
			memmove(strstr(settings, "convert = attachments\n"),
			    strstr(settings, "convert = attachments\n") + 22,
			    strlen(
				strstr(settings, "convert = attachments\n")) -
				21);
		world_open(&w, settings);
		world_send(&w, table[i].message, "bob@bar.test");
		CHECK_STRING(seen.said, "");
		CHECK_FOR(strcmp(seen.sent, "original|bob@bar.test |") == 0,
		    "row %zu: %s", i, seen.sent);
		world_close(&w);
	}
}

/* Never a loss, and never a share without a message. */
TEST(when_the_origin_does_not_take_it)
{
	static const struct {
		const char *settings, *to, *share, *put, *web;
		bool temporary;
		const char *said, *sent, *reply;
	} table[] = {
		{ SETTINGS, "bob@bar.test", "unavailable", "", "", true,
		    "share(bob@bar.test ) withdraw ", "original|bob@bar.test |",
		    "250" },
		{ SETTINGS, "bob@bar.test zoe@plain.test", "not-enrolled", "",
		    "", false, "share(bob@bar.test ) ",
		    "original|bob@bar.test zoe@plain.test |", "250" },
		{ SETTINGS, "bob@bar.test", "", "quota", "", true,
		    "share(bob@bar.test ) put withdraw ",
		    "original|bob@bar.test |", "250" },
		{ SMALL, "bob@bar.test zoe@plain.test", "unavailable", "", "",
		    true,
		    "web share(bob@bar.test page:zoe@plain.test ) withdraw ",
		    "", "451 4.4.1" },
		{ SMALL, "bob@bar.test", "", "quota", "", true,
		    "share(bob@bar.test ) put withdraw ", "", "451 4.4.1" },
		{ SMALL, "bob@bar.test", "not-enrolled", "", "", false,
		    "share(bob@bar.test ) ", "", "451 4.4.1" },
		{ SMALL, "bob@bar.test zoe@plain.test", "", "", "unavailable",
		    true, "web ", "", "451 4.4.1" },
		/* No pages there: a bounce for her, nothing else changes. */
		{ SMALL, "zoe@plain.test bob@bar.test", "", "", "no-web", false,
		    "web share(bob@bar.test ) put share(bob@bar.test ) ",
		    "placeholder|bob@bar.test |", LEGACY_BOUNCE_STATUS },
		{ SMALL, "y@silent.test bob@bar.test", "", "", "no-web", false,
		    "web share(bob@bar.test ) put share(bob@bar.test ) ",
		    "placeholder|bob@bar.test |", "451 4.4.3" },
		{ SMALL, "zoe@plain.test", "", "", "no-web", false, "web ", "",
		    LEGACY_BOUNCE_STATUS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct world w;

		world_open(&w, table[i].settings);
		seen.share_word = table[i].share;
		seen.put_word = table[i].put;
		seen.web_word = table[i].web;
		seen.temporary = table[i].temporary;
		world_send(&w, MAIL, table[i].to);
		CHECK_FOR(strcmp(seen.said, table[i].said) == 0, "row %zu: %s",
		    i, seen.said);
		CHECK_FOR(strcmp(seen.sent, table[i].sent) == 0, "row %zu: %s",
		    i, seen.sent);
		CHECK_FOR(strncmp(w.envelope.recipients[0].reply,
			      table[i].reply, strlen(table[i].reply)) == 0,
		    "row %zu: %s", i, w.envelope.recipients[0].reply);
		world_close(&w);
	}
}

TEST(a_share_of_which_nobody_heard_is_withdrawn)
{
	static const char *const replies[] = { "451 4.3.0 x", "554 5.7.1 x" };

	for (size_t i = 0; i < 2; i++) {
		struct world w;

		world_open(&w, SETTINGS);
		seen.postfix = replies[i];
		world_send(&w, MAIL, "bob@bar.test zoe@plain.test");
		CHECK_STRING(seen.said,
		    "share(bob@bar.test ) put share(bob@bar.test ) withdraw ");
		CHECK_STRING(w.envelope.recipients[0].reply, replies[i]);
		world_close(&w);
	}
}

/* What Postfix may have, must stay good. */
TEST(a_share_of_which_somebody_may_have_heard_stays)
{
	struct world w;

	world_open(&w, SETTINGS);
	seen.postfix = ENVELOPE_LOST " x";
	world_send(&w, MAIL, "bob@bar.test zoe@plain.test");
	CHECK_STRING(seen.said,
	    "share(bob@bar.test ) put share(bob@bar.test ) ");
	world_close(&w);
}

TEST(the_same_message_meets_the_same_share)
{
	char share[32], other[32];
	int64_t expires;
	struct world w;

	world_open(&w, SETTINGS);
	world_send(&w, MAIL, "bob@bar.test dan@bar.test");
	strcpy(share, seen.share);
	expires = seen.expires;
	/* From when Postfix had it, not from now. */
	CHECK(expires == NOW - 30 + 14 * 86400 - 300);
	/* We died; Postfix comes again, in any order. */
	world_send(&w, MAIL, "dan@bar.test bob@bar.test");
	CHECK_STRING(seen.share, share);
	CHECK(seen.expires == expires);
	/* To somebody else, or another message. */
	world_send(&w, MAIL, "bob@bar.test");
	CHECK(strcmp(seen.share, share) != 0);
	strcpy(other, seen.share);
	world_send(&w, MAIL "epilogue\r\n", "bob@bar.test");
	CHECK(strcmp(seen.share, other) != 0);
	/* Who has the message and guesses its recipients cannot compute it. */
	secret[0] = 1;
	world_send(&w, MAIL, "bob@bar.test dan@bar.test");
	CHECK(strcmp(seen.share, share) != 0);
	secret[0] = 0;
	world_close(&w);
}

TEST(a_withdrawn_share_makes_place_for_another)
{
	char first[32];
	struct world w;

	world_open(&w, SETTINGS);
	seen.revoked = 2;
	world_send(&w, MAIL, "bob@bar.test");
	strcpy(first, seen.first);
	CHECK_STRING(seen.said,
	    "revoked revoked share(bob@bar.test ) put share(bob@bar.test ) ");
	CHECK(strcmp(seen.share, first) != 0);
	CHECK_STRING(seen.sent, "placeholder|bob@bar.test |");
	world_close(&w);
}

/* "a0@silent.test a1@silent.test ..."; free(). */
static char *
make_recipients(unsigned count, const char *domain)
{
	char *text = x_strdup("");

	for (unsigned i = 0; i < count; i++) {
		char *more =
		    x_asprintf("%s%sa%u@%s", text, i > 0 ? " " : "", i, domain);

		free(text);
		text = more;
	}
	return text;
}

TEST(silent_domains_do_not_hold_a_process)
{
	char *to = make_recipients(20, "silent.test");
	struct world w;

	world_open(&w, SMALL);
	seen.seconds = 10;
	world_send(&w, MAIL, to);
	CHECK(seen.asked == 6);
	CHECK(strstr(seen.sent, "page|a0@silent.test |") != NULL);
	CHECK(strstr(seen.sent, "page|a19@silent.test |") != NULL);
	world_close(&w);
	free(to);
}

TEST(too_many_for_a_share_come_again)
{
	static const char *const domains[] = { "bar.test", "plain.test" };

	for (size_t i = 0; i < 2; i++) {
		char *to =
		    make_recipients(CARGO_MAX_RECIPIENTS + 1, domains[i]);
		struct world w;

		world_open(&w, SMALL);
		seen.quiet = true;
		world_send(&w, MAIL, to);
		CHECK(w.envelope.recipients[0].reply[0] == '2');
		CHECK(
		    w.envelope.recipients[CARGO_MAX_RECIPIENTS - 1].reply[0] ==
		    '2');
		CHECK_FOR(strncmp(w.envelope.recipients[CARGO_MAX_RECIPIENTS]
				      .reply,
			      "451", 3) == 0,
		    "%s", domains[i]);
		world_close(&w);
		free(to);
	}
}

TEST(a_loop_ends)
{
	struct world w;

	world_open(&w, SETTINGS);
	world_send(&w,
	    RECEIVED "Received: by mx.foo.test (Cargomail outbound) with LMTP "
		     "id 1; x\r\n" HEADER PARTS,
	    "bob@bar.test");
	CHECK_STRING(seen.sent, "");
	CHECK(strncmp(w.envelope.recipients[0].reply, "554 5.4.6", 9) == 0);
	world_close(&w);
}

int
main(void)
{
	log_open("test", LOG_ERROR);
	RUN(each_gets_what_he_can_open);
	RUN(what_is_left_alone);
	RUN(when_the_origin_does_not_take_it);
	RUN(a_share_of_which_nobody_heard_is_withdrawn);
	RUN(a_share_of_which_somebody_may_have_heard_stays);
	RUN(the_same_message_meets_the_same_share);
	RUN(a_withdrawn_share_makes_place_for_another);
	RUN(silent_domains_do_not_hold_a_process);
	RUN(too_many_for_a_share_come_again);
	RUN(a_loop_ends);
	return test_done();
}

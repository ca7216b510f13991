/* SPDX-License-Identifier: ISC
 *
 * The inbound step with a destination and a Postfix made of tables.
 */
#include <stdlib.h>

#include "encoding.h"
#include "inbound.h"
#include "log.h"
#include "memory.h"
#include "test.h"

#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define HELLO_HASH \
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define NOW 1795914000 /* Sun, 29 Nov 2026 01:00:00 */
#define PROOF \
	"Authentication-Results: mx.bar.test; dkim=pass header.d=foo.test\r\n" \
	"DKIM-Signature: d=foo.test; b=x; h=from:message-id:mime-version:" \
	"content-type\r\n"
#define RECEIVED \
	"Received: from x by mx.bar.test (Postfix);\r\n\t" \
	"Sun, 29 Nov 2026 %s +0000\r\n"
#define MESSAGE(category) \
	"From: alice@foo.test\r\nMessage-ID: <1@foo.test>\r\n" \
	"X-Origin-Resource-Mailbox-URL: https://mailbox.hospital.test; " \
	"share=" SHARE "\r\nX-Correspondence-Category: " category "\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n--42\r\n" \
	"Content-Type: message/external-body; access-type=content-addressed-" \
	"uri; hash-algorithm=sha256; size=5; expiration=\"Sat, 5 Dec 2026 " \
	"14:05:01 +0000\"; origin=\"https://mailbox.hospital.test\"; " \
	"share=" SHARE "; category=healthcare\r\n\r\n" \
	"Content-Type: text/plain\r\nContent-ID: <" HASH ">\r\n\r\n--42--\r\n"

static const char map_text[] =
    "# comment\n"
    "bob@bar.test healthcare https://mailbox.insurance.test\n"
    "bob@bar.test * https://mailbox.bar.test\n"
    "carol@bar.test * https://mailbox.bar.test\n"
    "frank@bar.test personal https://mailbox.bar.test\n"
    "dave@bar.test * https://mailbox.down.test\n"
    "eve@bar.test * https://mailbox.no.test\n";

/* What the fakes saw. */
static struct {
	char notified[1024]; /* "mailbox<recipient@host " ... */
	char sent[4096]; /* "prepend|path,path|" ... */
	const char *postfix; /* its reply */
	int64_t now;
	bool released; /* what a destination says */
	int64_t waited; /* seconds for originals */
	int64_t slow; /* seconds that a notification takes */
} seen;

static enum outcome
fake_notify(struct notify *notify, const struct notify_message *message,
    const struct destination *destination, const char *recipient,
    struct notify_answer *answer_r, struct reason *why)
{
	char one[1024];

	(void)notify;
	seen.now += seen.slow;
	CHECK_STRING(message->sender, "alice@foo.test");
	CHECK(message->expires == 1796479501);
	snprintf(one, sizeof(one), "%s<%s@%s ", destination->mailbox, recipient,
	    destination->url.host);
	strcat(seen.notified, one);
	if (strstr(destination->url.host, "down") != NULL) {
		/* What it returns counts, not whose reason it passes on. */
		reason_set(why, OUTCOME_PERMFAIL, "connect", "down");
		return OUTCOME_TEMPFAIL;
	}
	if (strstr(destination->url.host, "no") != NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "no-account", "no");
	strcpy(answer_r->message, destination->mailbox[0] == 'b' ? "Mb" : "Mc");
	answer_r->release = seen.released;
	return OUTCOME_OK;
}

/* Bob's message is complete, Carol's is not. */
static enum outcome
fake_wait(void *context, const struct release_place *place, int64_t seconds,
    struct reason *why)
{
	(void)context;
	seen.waited += seconds;
	if (strcmp(place->message, "Mb") == 0)
		return OUTCOME_OK;
	return reason_set(why, OUTCOME_TEMPFAIL, "pending", "pending");
}

static enum outcome
fake_fetch(void *context, const struct release_place *place, const char *hash,
    int64_t seconds, struct spool *spool, struct reason *why)
{
	(void)context;
	(void)why;
	CHECK_STRING(place->message, "Mb");
	CHECK_STRING(hash, HELLO_HASH);
	CHECK(seconds > 0);
	spool_add(spool, "hello", 5);
	return OUTCOME_OK;
}

static const struct release_source fake_source = { fake_wait, fake_fetch };

static void
fake_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message)
{
	(void)options;
	strncat(seen.sent, message->prepend, strcspn(message->prepend, "\r"));
	strcat(seen.sent,
	    memmem(message->data, message->len, "hello", 5) ? "=original|" :
							      "|");
	for (size_t i = 0; i < message->count; i++) {
		struct envelope_recipient *r =
		    &message->envelope->recipients[message->recipients[i]];

		strcat(seen.sent, r->path);
		strcat(seen.sent, " ");
		snprintf(r->reply, sizeof(r->reply), "%s", seen.postfix);
	}
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
	struct inbound inbound;
	struct envelope envelope;
};

static void
world_open(struct world *w, const char *settings)
{
	struct destination_map *map;
	char *error = NULL;

	memset(w, 0, sizeof(*w));
	memset(&seen, 0, sizeof(seen));
	seen.now = NOW;
	seen.postfix = "250 2.0.0 Ok: queued as X";
	if (config_file_parse("test", settings, strlen(settings),
		broker_config_keys, &w->config, &error) < 0)
		printf("# %s\n", error);
	free(w->config.hostname);
	w->config.hostname = x_strdup("mx.bar.test");
	service_ports_parse("443", &w->config.outward.port_list);
	map = destination_map_parse("map", map_text,
	    &w->config.outward.port_list, &error);
	CHECK(map != NULL);
	w->step = (struct recipient_step){ .config = &w->config,
		.map = map,
		.metrics = metrics_new("broker", broker_metrics, 0),
		.notify_send = fake_notify,
		.now = fake_now,
		.release = { .config = &w->config,
		    .spool = "/tmp",
		    .source = &fake_source,
		    .now = fake_now } };
	w->inbound = (struct inbound){ &w->step, fake_send, NULL };
	envelope_reset(&w->envelope);
	envelope_set_forward(&w->envelope, "IDENT", "4XyZ");
}

static void
world_add(struct world *w, const char *line)
{
	struct smtp_command command;

	CHECK(smtp_line_parse(line, strlen(line), &command) == NULL);
	CHECK(envelope_add_recipient(&w->envelope, &command) == 0);
}

static void
world_deliver(struct world *w, const char *message)
{
	inbound_deliver(&w->inbound, &w->envelope, message, strlen(message));
	for (size_t i = 0; i < w->envelope.count; i++)
		CHECK(w->envelope.recipients[i].reply[0] != '\0');
}

static void
world_close(struct world *w)
{
	struct destination_map *map =
	    (struct destination_map *)(uintptr_t)w->step.map;

	envelope_reset(&w->envelope);
	destination_map_free(&map);
	metrics_free(&w->step.metrics);
	config_file_free(broker_config_keys, &w->config);
}

#define SETTINGS "authserv_ids = mx.bar.test\n"
#define GOOD PROOF MESSAGE("healthcare")
#define DESTINATION "X-Destination-Resource-Mailbox-URL: "

TEST(each_recipient_has_their_own_destination)
{
	struct world w;

	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<Bob+x@bar.test> ORCPT=rfc822;Bob+2Bx@bar.test");
	world_add(&w, "RCPT TO:<carol@bar.test>");
	world_add(&w, "RCPT TO:<bob@bar.test> ORCPT=rfc822;info@bar.test");
	world_add(&w, "RCPT TO:<stranger@else.test>");
	world_deliver(&w, GOOD);
	CHECK_STRING(seen.notified,
	    "bob@bar.test<bob+x@bar.test@mailbox.insurance.test "
	    "carol@bar.test<carol@bar.test@mailbox.bar.test "
	    "bob@bar.test<info@bar.test@mailbox.insurance.test ");
	CHECK_STRING(seen.sent,
	    DESTINATION
	    "https://mailbox.insurance.test|Bob+x@bar.test "
	    "bob@bar.test |" DESTINATION
	    "https://mailbox.bar.test|carol@bar.test |"
	    "Received: by mx.bar.test (Cargomail) with LMTP id 4XyZ;|"
	    "stranger@else.test |");
	CHECK_STRING(w.envelope.recipients[0].reply, seen.postfix);
	CHECK(metrics_get(w.step.metrics, BROKER_MESSAGES, "in") == 1);
	CHECK(
	    metrics_get(w.step.metrics, BROKER_NOTIFICATIONS, "accepted") == 3);
	CHECK(metrics_get(w.step.metrics, BROKER_RECIPIENTS, "delivered") == 4);
	CHECK(metrics_get(w.step.metrics, BROKER_LATENCY, "in") == 1);
	CHECK(metrics_get(w.step.metrics, BROKER_QUEUE_AGE, "in") == 1);
	world_close(&w);
}

/* Carol's share must not come to Bob because somebody wrote her name into
 * ORCPT; nor a name of another domain. */
TEST(orcpt_is_not_believed_for_an_account)
{
	struct world w;

	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test> ORCPT=rfc822;carol@bar.test");
	world_add(&w, "RCPT TO:<bob@bar.test> ORCPT=rfc822;x@else.test");
	/* An account, though not for this category. */
	world_add(&w, "RCPT TO:<bob@bar.test> ORCPT=rfc822;frank@bar.test");
	world_add(&w,
	    "RCPT TO:<bob@bar.test> "
	    "ORCPT=rfc822;frank+2Bx@bar.test");
	world_deliver(&w, GOOD);
	CHECK_STRING(seen.notified,
	    "bob@bar.test<bob@bar.test@mailbox.insurance.test "
	    "bob@bar.test<bob@bar.test@mailbox.insurance.test "
	    "bob@bar.test<bob@bar.test@mailbox.insurance.test "
	    "bob@bar.test<bob@bar.test@mailbox.insurance.test ");
	world_close(&w);
}

TEST(a_destination_that_says_no_or_nothing)
{
	struct world w;

	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<dave@bar.test>");
	world_add(&w, "RCPT TO:<eve@bar.test>");
	world_deliver(&w, GOOD);
	CHECK(strncmp(w.envelope.recipients[0].reply, "451 4.4.1", 9) == 0);
	CHECK(w.envelope.recipients[1].reply[0] == '2');
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: refused; reason=no-account|eve@bar.test |");
	CHECK(metrics_get(w.step.metrics, BROKER_REFUSALS, "no-account") == 1);
	CHECK(metrics_get(w.step.metrics, BROKER_REFUSALS, "other") == 0);
	CHECK(
	    metrics_get(w.step.metrics, BROKER_NOTIFICATIONS, "deferred") == 1);
	world_close(&w);
}

/* Before Postfix loses patience: what is delivered behind its back comes
 * twice. */
TEST(slow_destinations_leave_the_rest_for_later)
{
	struct world w;

	world_open(&w, SETTINGS);
	seen.slow = 110;
	for (int i = 0; i < 5; i++)
		world_add(&w, "RCPT TO:<carol@bar.test>");
	world_deliver(&w, GOOD);
	for (int i = 0; i < 5; i++)
		CHECK_FOR(w.envelope.recipients[i].reply[0] ==
			(i < 3 ? '2' : '4'),
		    "recipient %d", i);
	CHECK(seen.now - NOW == 330);
	world_close(&w);
}

TEST(after_give_up_it_is_delivered_all_the_same)
{
	static const struct {
		const char *time; /* of our Received; it is one o'clock */
		int seconds; /* later */
		char reply;
	} table[] = { { "00:59:00", 0, '4' }, { "00:00:00", 0, '4' },
		{ "23:59:00", 0, '4' }, { "rubbish", 0, '4' },
		{ "00:00:00", 1, '2' } };
	char message[4096];
	struct world w;

	for (int i = 0; i < 5; i++) {
		world_open(&w, SETTINGS "notify_give_up = 1h\n");
		seen.now += table[i].seconds;
		world_add(&w, "RCPT TO:<dave@bar.test>");
		snprintf(message, sizeof(message), RECEIVED "%s", table[i].time,
		    GOOD);
		world_deliver(&w, message);
		CHECK_FOR(w.envelope.recipients[0].reply[0] == table[i].reply,
		    "%s", table[i].time);
		CHECK_STRING(seen.sent,
		    i < 4 ? "" :
			    "X-Cargomail-Status: "
			    "unreachable|dave@bar.test |");
		world_close(&w);
	}
}

TEST(what_is_not_proven_is_delivered_with_a_status_or_rejected)
{
	struct world w;

	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, MESSAGE("healthcare"));
	CHECK_STRING(seen.notified, "");
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: unauthenticated; "
	    "reason=result|bob@bar.test |");
	world_close(&w);
	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, PROOF MESSAGE("personal"));
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: unauthenticated; "
	    "reason=disagree|bob@bar.test |");
	world_close(&w);
	world_open(&w, SETTINGS "unauthenticated = reject\n");
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, MESSAGE("healthcare"));
	CHECK_STRING(seen.sent, "");
	CHECK(strncmp(w.envelope.recipients[0].reply, "550 5.7.1", 9) == 0);
	world_close(&w);
}

TEST(an_origin_at_another_port_is_not_passed_on)
{
	char message[4096] = GOOD, *at;
	struct world w;

	/* The same length, in header and body. */
	while ((at = strstr(message, "hospital.test")) != NULL)
		memcpy(at, "hosp.test:222", 13);
	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, message);
	CHECK_STRING(seen.notified, "");
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: malformed; reason=origin|bob@bar.test |");
	world_close(&w);
}

TEST(an_expired_share_is_refused_without_asking)
{
	struct world w;

	world_open(&w, SETTINGS);
	seen.now = 1796479502;
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, GOOD);
	CHECK_STRING(seen.notified, "");
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: refused; reason=expired|bob@bar.test |");
	world_close(&w);
}

TEST(a_placeholder_over_a_limit_is_delivered_untouched)
{
	size_t len = CARGO_MAX_PLACEHOLDER + 1;
	char *message = malloc(len + 1);
	struct world w;

	memset(message, 'x', len);
	message[len] = '\0';
	memcpy(message, GOOD, strlen(GOOD));
	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, message);
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: limit; reason=limit|bob@bar.test |");
	world_close(&w);
	free(message);
}

/* Everybody in one transaction: the original, the placeholder, and later. */
TEST(recipients_differ_in_what_they_get)
{
	static const char settings[] =
	    SETTINGS "local_mailboxes = https://mailbox.bar.test, "
		     "https://mailbox.insurance.test\n";
	char message[4096] = GOOD, *at = strstr(message, HASH);
	struct world w;

	memcpy(at, HELLO_HASH, 64);
	world_open(&w, settings);
	seen.released = true;
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_add(&w, "RCPT TO:<carol@bar.test>");
	world_add(&w, "RCPT TO:<eve@bar.test>");
	world_deliver(&w, message);
	CHECK_STRING(seen.sent,
	    "X-Cargomail-Status: original=original|bob@bar.test |"
	    "X-Cargomail-Status: refused; reason=no-account|eve@bar.test |");
	CHECK(strncmp(w.envelope.recipients[1].reply, "451 4.2.0", 9) == 0);
	world_close(&w);
	/* What is not on this host is not asked for. */
	world_open(&w, SETTINGS "local_mailboxes = https://mailbox.bar.test\n");
	seen.released = true;
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, message);
	CHECK_STRING(seen.sent,
	    DESTINATION "https://mailbox.insurance.test|bob@bar.test |");
	CHECK(seen.waited == 0);
	world_close(&w);
}

TEST(a_loop_ends)
{
	char message[8192] = "";
	struct world w;

	for (int i = 0; i < 6; i++)
		strcat(message,
		    "Received: by mx.bar.test (Cargomail) with "
		    "LMTP id 1; Sun, 29 Nov 2026 00:00:00 +0000\r\n");
	strcat(message, GOOD);
	world_open(&w, SETTINGS);
	world_add(&w, "RCPT TO:<bob@bar.test>");
	world_deliver(&w, message);
	CHECK(strncmp(w.envelope.recipients[0].reply, "554 5.4.6", 9) == 0);
	world_close(&w);
}

int
main(void)
{
	log_open("test", LOG_ERROR);
	RUN(each_recipient_has_their_own_destination);
	RUN(orcpt_is_not_believed_for_an_account);
	RUN(a_destination_that_says_no_or_nothing);
	RUN(slow_destinations_leave_the_rest_for_later);
	RUN(after_give_up_it_is_delivered_all_the_same);
	RUN(what_is_not_proven_is_delivered_with_a_status_or_rejected);
	RUN(an_origin_at_another_port_is_not_passed_on);
	RUN(an_expired_share_is_refused_without_asking);
	RUN(a_placeholder_over_a_limit_is_delivered_untouched);
	RUN(recipients_differ_in_what_they_get);
	RUN(a_loop_ends);
	return test_done();
}

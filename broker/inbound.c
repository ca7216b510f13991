/* SPDX-License-Identifier: ISC
 *
 * The inbound step: see inbound.h.
 */
#include "inbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_notification.h"
#include "clock.h"
#include "log.h"
#include "mail_header.h"
#include "memory.h"
#include "sender_proof.h"
#include "service_url.h"

/* Received fields before it is a loop, as Postfix's hopcount_limit; and
 * passes through this very broker. */
#define HOPS_MAX 50
#define PASSES_MAX 5

/* Seconds for the notifications of one message. Postfix hangs up after 600
 * (lmtp_data_done_timeout) and would bring again what we deliver then. */
#define NOTIFY_SECONDS 300

/* One message on its way through. */
struct passage {
	struct inbound *inbound;
	struct envelope *envelope;
	const char *id; /* Postfix's queue id */
	const char *message;
	size_t len, header;
	int64_t now;
	bool late; /* past notify_give_up: it is delivered in any case */
	char sender[MAIL_ADDRESS_SIZE];
	struct cargo_placeholder *placeholder;
	char *body; /* of the notification */
	struct reason why;
};

/* ---- log --------------------------------------------------------------- */

static void
log_judgement(struct passage *passage, const char *verb)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, passage->id, verb);
	log_string(&line, LOG_KEY_SENDER,
	    passage->sender[0] != '\0' ? passage->sender :
					 passage->envelope->sender);
	log_number(&line, LOG_KEY_RECIPIENTS,
	    (int64_t)passage->envelope->count);
	log_number(&line, LOG_KEY_SIZE, (int64_t)passage->len);
	if (passage->placeholder != NULL) {
		const struct cargo_placeholder *p = passage->placeholder;

		log_string(&line, LOG_KEY_MESSAGE_ID, p->message_id);
		log_string(&line, LOG_KEY_ORIGIN, p->origin);
		log_string(&line, LOG_KEY_SHARE, p->share);
		if (p->category != NULL)
			log_string(&line, LOG_KEY_CATEGORY, p->category);
		log_number(&line, LOG_KEY_RESOURCES, (int64_t)p->count);
	} else
		log_reason(&line, &passage->why);
	log_end(&line);
}

static void
log_notified(const struct passage *passage, const char *recipient,
    const struct destination *destination, const struct reason *why)
{
	struct log_line line;

	log_begin(&line, why->outcome == OUTCOME_OK ? LOG_INFO : LOG_WARNING,
	    passage->id, "notify");
	log_string(&line, LOG_KEY_RECIPIENT, recipient);
	log_string(&line, LOG_KEY_MAILBOX, destination->mailbox);
	log_string(&line, LOG_KEY_DESTINATION, destination->url.text);
	log_reason(&line, why);
	log_end(&line);
}

static void
log_replies(const struct passage *passage)
{
	static const struct {
		char digit;
		const char *verb;
		enum log_level level;
		enum breaker_counter counter;
	} table[] = {
		{ '2', "delivered", LOG_INFO, BREAKER_DELIVERED },
		{ '4', "deferred", LOG_WARNING, BREAKER_DEFERRED },
		{ '5', "rejected", LOG_WARNING, BREAKER_REJECTED },
	};

	for (size_t i = 0; i < passage->envelope->count; i++) {
		const struct envelope_recipient *r =
		    &passage->envelope->recipients[i];
		const char *text;
		struct log_line line;
		bool more;
		int code = 0;

		smtp_line_parse_reply(r->reply, &code, &more, &text);
		for (size_t j = 0; j < 3; j++) {
			if (r->reply[0] != table[j].digit)
				continue;
			log_begin(&line, table[j].level, passage->id,
			    table[j].verb);
			log_string(&line, LOG_KEY_RECIPIENT, r->path);
			log_number(&line, LOG_KEY_STATUS, code);
			log_string(&line, LOG_KEY_DETAIL, r->reply);
			log_end(&line);
			breaker_count(passage->inbound->breaker,
			    table[j].counter);
		}
	}
}

/* ---- before anything --------------------------------------------------- */

/* A wrong configuration could send the message round for ever. */
static bool
is_loop(const struct passage *passage)
{
	char own[300];
	struct mail_field field;
	size_t at = 0, hops = 0, passes = 0;

	snprintf(own, sizeof(own), "by %s (Cargomail)",
	    passage->inbound->config->hostname);
	while (
	    mail_header_next(passage->message, passage->header, &at, &field)) {
		if (!mail_header_is(&field, "Received"))
			continue;
		hops++;
		passes += memmem(field.body, field.body_len, own,
			      strlen(own)) != NULL;
	}
	return hops > HOPS_MAX || passes > PASSES_MAX;
}

/* Since when the message is in our own Postfix: the date of the topmost
 * Received, which its smtpd wrote. */
static bool
is_late(const struct passage *passage)
{
	char *received =
	    mail_header_get(passage->message, passage->header, "Received");
	const char *date = received != NULL ? strrchr(received, ';') : NULL;
	int64_t since = passage->now;

	if (date == NULL ||
	    clock_parse_mail(date + 1 + strspn(date + 1, " "), &since) < 0)
		since = passage->now;
	free(received);
	return passage->now - since > passage->inbound->config->notify_give_up;
}

/* ---- judgement of the message ------------------------------------------ */

/* Writes the status line for everybody. */
static void
set_status(struct passage *passage, const char *status, const char *word)
{
	for (size_t i = 0; i < passage->envelope->count; i++)
		snprintf(passage->envelope->recipients[i].prepend,
		    ENVELOPE_PREPEND_SIZE,
		    CARGO_FIELD_STATUS ": %s; reason=%s\r\n", status, word);
}

/* The box died, or the like: Postfix tries again, for a while. */
static void
defer_all(struct passage *passage)
{
	if (passage->late)
		set_status(passage, "unread", passage->why.word);
	else
		envelope_reply_all(passage->envelope, "451 4.3.0",
		    "Cannot read this placeholder now");
}

static void
refuse_proof(struct passage *passage)
{
	struct inbound *inbound = passage->inbound;

	breaker_count(inbound->breaker, BREAKER_UNAUTHENTICATED);
	log_judgement(passage, "unauthenticated");
	set_status(passage, "unauthenticated", passage->why.word);
	if (inbound->config->unauthenticated == BROKER_UNAUTHENTICATED_REJECT)
		envelope_reply_all(passage->envelope, "550 5.7.1",
		    "The sender of this placeholder is not proven");
}

/* What of a placeholder that parses keeps us from acting on it; OK if
 * nothing does. */
static enum outcome
check_placeholder(const struct passage *passage, struct reason *why)
{
	const struct cargo_placeholder *p = passage->placeholder;
	struct service_url origin;

	if (p->message_id == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "Message-ID cannot be read");
	/* No agent would ever go there. */
	if (service_url_parse(p->origin,
		&passage->inbound->config->outward.port_list, &origin) < 0)
		return reason_set(why, OUTCOME_PERMFAIL, "origin",
		    "%s has a port that is not allowed", p->origin);
	return OUTCOME_OK;
}

static void
read_placeholder(struct passage *passage)
{
	if (passage->envelope->count > CARGO_MAX_RECIPIENTS)
		reason_set(&passage->why, OUTCOME_PERMFAIL, "limit",
		    "too many recipients");
	else if (cargo_placeholder_parse(passage->message, passage->len,
		     &passage->placeholder, &passage->why) == OUTCOME_OK &&
	    check_placeholder(passage, &passage->why) != OUTCOME_OK)
		cargo_placeholder_free(&passage->placeholder);
}

/* True if the message is a placeholder that is to be acted on. Otherwise
 * status lines or replies are set. */
static bool
judge(struct passage *passage)
{
	if (sender_proof_check(passage->message, passage->len,
		&passage->inbound->config->authserv_ids, passage->sender,
		&passage->why) != OUTCOME_OK) {
		refuse_proof(passage);
		return false;
	}
	read_placeholder(passage);
	if (passage->placeholder != NULL) {
		log_judgement(passage, "placeholder");
		return true;
	}
	if (reason_is(&passage->why, "disagree")) {
		refuse_proof(passage);
		return false;
	}
	log_judgement(passage, "untouched");
	if (passage->why.outcome == OUTCOME_TEMPFAIL)
		defer_all(passage);
	else if (reason_is(&passage->why, "limit"))
		set_status(passage, "limit", "limit");
	else
		set_status(passage, "malformed", passage->why.word);
	return false;
}

/* ---- recipients -------------------------------------------------------- */

/*
 * Whom the sender wrote to. ORCPT tells the alias, and anybody may write
 * anything there: it counts only if it lies in the domain that we speak for
 * and is nobody else's account.
 */
static void
find_recipient(const struct passage *passage,
    const struct envelope_recipient *r, const char *address,
    char recipient_r[MAIL_ADDRESS_SIZE])
{
	const struct inbound *inbound = passage->inbound;
	char original[MAIL_ADDRESS_SIZE];
	struct destination other;

	snprintf(recipient_r, MAIL_ADDRESS_SIZE, "%s", address);
	if (r->parameters.orcpt[0] == '\0' ||
	    mail_address_parse_orcpt(r->parameters.orcpt, original) < 0 ||
	    strcmp(original, address) == 0 ||
	    strcmp(mail_address_domain(original),
		mail_address_domain(address)) != 0 ||
	    destination_map_has(inbound->map, original,
		inbound->config->recipient_delimiter) ||
	    destination_map_find(inbound->map, original,
		inbound->config->recipient_delimiter,
		passage->placeholder->category, &other))
		return;
	snprintf(recipient_r, MAIL_ADDRESS_SIZE, "%s", original);
}

/* What the destination's answer means for this recipient. */
static void
conclude(const struct passage *passage, struct envelope_recipient *r,
    const struct destination *destination, const struct reason *why)
{
	struct breaker *breaker = passage->inbound->breaker;

	switch (why->outcome) {
	case OUTCOME_OK:
		breaker_count(breaker, BREAKER_NOTIFIED);
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_DESTINATION ": %s\r\n", destination->url.text);
		break;
	case OUTCOME_PERMFAIL:
		breaker_count(breaker, BREAKER_REFUSED);
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_STATUS ": refused; reason=%s\r\n", why->word);
		break;
	default:
		if (passage->late)
			snprintf(r->prepend, sizeof(r->prepend),
			    CARGO_FIELD_STATUS ": unreachable\r\n");
		else
			envelope_reply(r, "451 4.4.1",
			    "The resource mailbox cannot take it now");
	}
}

static void
serve_recipient(struct passage *passage, struct envelope_recipient *r)
{
	struct inbound *inbound = passage->inbound;
	const struct cargo_placeholder *p = passage->placeholder;
	char address[MAIL_ADDRESS_SIZE], recipient[MAIL_ADDRESS_SIZE];
	struct destination destination;
	struct reason why = { OUTCOME_OK, "", "" };
	int64_t longest = passage->now + CARGO_MAX_LIFETIME;
	struct notify_message message = {
		.placeholder = p,
		.sender = passage->sender,
		.body = passage->body,
		.len = strlen(passage->body),
		.expires = p->expires < longest ? p->expires : longest,
	};

	if (mail_address_normalise(r->path, address) < 0 ||
	    !destination_map_find(inbound->map, address,
		inbound->config->recipient_delimiter, p->category,
		&destination))
		return; /* delivered as it is: nobody here takes resources */
	find_recipient(passage, r, address, recipient);
	if (p->expires <= passage->now)
		reason_set(&why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	else
		why.outcome = inbound->notify_send(inbound->notify, &message,
		    &destination, recipient, &why);
	log_notified(passage, recipient, &destination, &why);
	conclude(passage, r, &destination, &why);
}

static void
serve_recipients(struct passage *passage)
{
	passage->body = cargo_notification_compose(passage->placeholder,
	    passage->message, passage->len);
	if (passage->body == NULL) {
		envelope_reply_all(passage->envelope, "451 4.3.0",
		    "Out of memory");
		return;
	}
	for (size_t i = 0; i < passage->envelope->count; i++)
		if (passage->inbound->now() - passage->now < NOTIFY_SECONDS)
			serve_recipient(passage,
			    &passage->envelope->recipients[i]);
		else /* it is their turn when the others are done */
			envelope_reply(&passage->envelope->recipients[i],
			    "451 4.4.1", "No time left for this recipient");
}

static void
deliver(struct passage *passage)
{
	const struct broker_config *config = passage->inbound->config;
	struct smtp_client_options options = {
		.server = config->reinject,
		.hostname = config->hostname,
		.timeout_ms = (int)config->smtp_timeout * 1000,
	};
	char date[CLOCK_TEXT_SIZE];
	char *trace;

	clock_format_mail(passage->now, date);
	trace = x_asprintf("Received: by %s (Cargomail) with LMTP id %s;\r\n"
			   "\t%s\r\n",
	    config->hostname, passage->id, date);
	delivery_run(&options, passage->inbound->smtp_send, passage->envelope,
	    trace, passage->message, passage->len);
	free(trace);
}

void
inbound_deliver(void *context, struct envelope *envelope, const char *message,
    size_t len)
{
	struct inbound *inbound = context;
	struct passage passage = {
		.inbound = inbound,
		.envelope = envelope,
		.id = envelope_id(envelope),
		.message = message,
		.len = len,
		.header = mail_header_length(message, len, NULL),
		.now = inbound->now(),
	};

	breaker_count(inbound->breaker, BREAKER_MESSAGES);
	passage.late = is_late(&passage);
	if (is_loop(&passage))
		envelope_reply_all(envelope, "554 5.4.6", "Mail loop");
	else {
		if (judge(&passage))
			serve_recipients(&passage);
		deliver(&passage);
	}
	log_replies(&passage);
	free(passage.body);
	cargo_placeholder_free(&passage.placeholder);
}

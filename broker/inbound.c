/* SPDX-License-Identifier: ISC
 *
 * The inbound step: see inbound.h.
 */
#include "inbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* One message on its way through. */
struct passage {
	struct inbound *inbound;
	struct envelope *envelope;
	const char *id; /* Postfix's queue id */
	const char *message;
	size_t len, header;
	int64_t now, arrived;
	char sender[MAIL_ADDRESS_SIZE];
	struct cargo_placeholder *placeholder;
	struct recipient_message step;
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

/* ---- before anything --------------------------------------------------- */

/* A wrong configuration could send the message round for ever. */
static bool
is_loop(const struct passage *passage)
{
	char own[300];
	struct mail_field field;
	size_t at = 0, hops = 0, passes = 0;

	snprintf(own, sizeof(own), "by %s (Cargomail)",
	    passage->inbound->step->config->hostname);
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
	const struct broker_config *config = passage->inbound->step->config;

	if (passage->now - passage->arrived > config->notify_give_up)
		set_status(passage, "unread", passage->why.word);
	else
		envelope_reply_all(passage->envelope, "451 4.3.0",
		    "Cannot read this placeholder now");
}

static void
refuse_proof(struct passage *passage)
{
	struct inbound *inbound = passage->inbound;

	metrics_count(inbound->step->metrics, BROKER_UNAUTHENTICATED, NULL);
	log_judgement(passage, "unauthenticated");
	set_status(passage, "unauthenticated", passage->why.word);
	if (inbound->step->config->unauthenticated ==
	    BROKER_UNAUTHENTICATED_REJECT)
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
		&passage->inbound->step->config->outward.port_list,
		&origin) < 0)
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
		&passage->inbound->step->config->authserv_ids, passage->sender,
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

static void
serve(struct passage *passage)
{
	passage->step = (struct recipient_message){
		.id = passage->id,
		.sender = passage->sender,
		.placeholder = passage->placeholder,
		.data = passage->message,
		.len = passage->len,
		.began = passage->now,
		.arrived = passage->arrived,
	};

	recipient_step_run(passage->inbound->step, &passage->step,
	    passage->envelope);
}

static void
deliver(struct passage *passage)
{
	const struct broker_config *config = passage->inbound->step->config;
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
	do
		delivery_run(&options, passage->inbound->smtp_send,
		    passage->envelope, trace, passage->message, passage->len);
	while (recipient_step_again(&passage->step, passage->envelope));
	recipient_step_end(&passage->step);
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
		.now = inbound->step->now(),
	};

	int64_t began = clock_monotonic_ms();

	if (inbound->probe != NULL &&
	    probe_take(inbound->probe, began / 1000,
		&inbound->step->config->authserv_ids, envelope, message, len)) {
		log_text(LOG_INFO, passage.id, "probe",
		    "seen for cargomailctl check, and gone");
		return;
	}
	metrics_count(inbound->step->metrics, BROKER_MESSAGES, "in");
	passage.arrived =
	    recipient_step_arrival(message, passage.header, passage.now);
	if (is_loop(&passage))
		envelope_reply_all(envelope, "554 5.4.6", "Mail loop");
	else {
		if (judge(&passage))
			serve(&passage);
		deliver(&passage);
	}
	recipient_step_log(inbound->step, envelope);
	recipient_step_measure(inbound->step, "in", began, passage.arrived);
	cargo_placeholder_free(&passage.placeholder);
}

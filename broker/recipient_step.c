/* SPDX-License-Identifier: ISC
 *
 * The step of each recipient: see recipient_step.h.
 */
#include "recipient_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_notification.h"
#include "clock.h"
#include "log.h"
#include "mail_header.h"
#include "memory.h"

/* Seconds for the notifications of one message. Postfix hangs up after 600
 * (lmtp_data_done_timeout) and would bring again what we deliver then. */
#define NOTIFY_SECONDS 300

/* One message under way. */
struct work {
	const struct recipient_step *step;
	struct recipient_message *message;
	bool late; /* past notify_give_up: it is delivered in any case */
	struct notify_message notice;
};

/* ---- log --------------------------------------------------------------- */

static void
log_notified(const struct work *work, const char *recipient,
    const struct destination *destination, const char *message,
    const struct reason *why)
{
	struct log_line line;

	log_begin(&line, why->outcome == OUTCOME_OK ? LOG_INFO : LOG_WARNING,
	    work->message->id, "notify");
	log_string(&line, LOG_KEY_RECIPIENT, recipient);
	log_string(&line, LOG_KEY_MAILBOX, destination->mailbox);
	log_string(&line, LOG_KEY_DESTINATION, destination->url.text);
	/* Under this id the destination's log goes on. */
	if (message[0] != '\0')
		log_string(&line, LOG_KEY_MESSAGE, message);
	log_reason(&line, why);
	log_end(&line);
}

static void
log_reply(const struct recipient_step *step, const char *id,
    const struct envelope_recipient *r)
{
	static const struct {
		char digit;
		const char *verb;
		enum log_level level;
	} table[] = {
		{ '2', "delivered", LOG_INFO },
		{ '4', "deferred", LOG_WARNING },
		{ '5', "rejected", LOG_WARNING },
	};
	struct log_line line;
	const char *text;
	bool more;
	int code = 0;

	smtp_line_parse_reply(r->reply, &code, &more, &text);
	for (size_t i = 0; i < 3; i++) {
		if (r->reply[0] != table[i].digit)
			continue;
		log_begin(&line, table[i].level, id, table[i].verb);
		log_string(&line, LOG_KEY_RECIPIENT, r->path);
		log_number(&line, LOG_KEY_STATUS, code);
		log_string(&line, LOG_KEY_DETAIL, r->reply);
		log_end(&line);
		metrics_count(step->metrics, BROKER_RECIPIENTS, table[i].verb);
	}
}

void
recipient_step_log(const struct recipient_step *step,
    const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->count; i++)
		log_reply(step, envelope_id(envelope),
		    &envelope->recipients[i]);
}

void
recipient_step_measure(const struct recipient_step *step, const char *direction,
    int64_t began, int64_t arrived)
{
	metrics_observe(step->metrics, BROKER_LATENCY, direction,
	    clock_monotonic_ms() - began);
	metrics_observe(step->metrics, BROKER_QUEUE_AGE, direction,
	    (step->now() - arrived) * 1000);
}

/* ---- who --------------------------------------------------------------- */

int64_t
recipient_step_arrival(const char *message, size_t header, int64_t now)
{
	char *received = mail_header_get(message, header, "Received");
	const char *date = received != NULL ? strrchr(received, ';') : NULL;
	int64_t since = now;

	if (date == NULL ||
	    clock_parse_mail(date + 1 + strspn(date + 1, " "), &since) < 0)
		since = now;
	free(received);
	return since;
}

static bool
find_destination(const struct recipient_step *step, const char *address,
    const char *category, struct destination *destination_r)
{
	return destination_map_find(step->map, address,
	    step->config->recipient_delimiter, category, destination_r);
}

bool
recipient_step_is_local(const struct recipient_step *step, const char *path,
    const char *category)
{
	char address[MAIL_ADDRESS_SIZE];
	struct destination destination;

	return mail_address_normalise(path, address) == 0 &&
	    find_destination(step, address, category, &destination);
}

/*
 * Whom the sender wrote to. ORCPT tells the alias, and anybody may write
 * anything there: it counts only if it lies in the domain that we speak for
 * and is nobody else's account.
 */
static void
find_recipient(const struct work *work, const struct envelope_recipient *r,
    const char *address, char recipient_r[MAIL_ADDRESS_SIZE])
{
	const struct recipient_step *step = work->step;
	char original[MAIL_ADDRESS_SIZE];
	struct destination other;

	snprintf(recipient_r, MAIL_ADDRESS_SIZE, "%s", address);
	if (r->parameters.orcpt[0] == '\0' ||
	    mail_address_parse_orcpt(r->parameters.orcpt, original) < 0 ||
	    strcmp(original, address) == 0 ||
	    strcmp(mail_address_domain(original),
		mail_address_domain(address)) != 0 ||
	    destination_map_has(step->map, original,
		step->config->recipient_delimiter) ||
	    find_destination(step, original,
		work->message->placeholder->category, &other))
		return;
	snprintf(recipient_r, MAIL_ADDRESS_SIZE, "%s", original);
}

/* ---- notification ------------------------------------------------------ */

/* What the destination's answer means for this recipient. */
static void
conclude(const struct work *work, struct envelope_recipient *r,
    const struct destination *destination, const struct reason *why)
{
	struct metrics *metrics = work->step->metrics;

	switch (why->outcome) {
	case OUTCOME_OK:
		metrics_count(metrics, BROKER_NOTIFICATIONS, "accepted");
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_DESTINATION ": %s\r\n", destination->url.text);
		break;
	case OUTCOME_PERMFAIL:
		metrics_count(metrics, BROKER_NOTIFICATIONS, "refused");
		metrics_count(metrics, BROKER_REFUSALS, why->word);
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_STATUS ": refused; reason=%s\r\n", why->word);
		break;
	default:
		metrics_count(metrics, BROKER_NOTIFICATIONS,
		    work->late ? "given-up" : "deferred");
		if (work->late)
			snprintf(r->prepend, sizeof(r->prepend),
			    CARGO_FIELD_STATUS ": unreachable\r\n");
		else
			envelope_reply(r, "451 4.4.1",
			    "The resource mailbox cannot take it now");
	}
}

static void
serve_recipient(struct work *work, struct envelope *envelope, size_t index)
{
	struct envelope_recipient *r = &envelope->recipients[index];
	const struct recipient_step *step = work->step;
	const struct cargo_placeholder *p = work->message->placeholder;
	char address[MAIL_ADDRESS_SIZE], recipient[MAIL_ADDRESS_SIZE];
	struct destination destination;
	struct notify_answer answer = { .message = "" };
	struct reason why = { OUTCOME_OK, "", "" };

	if (mail_address_normalise(r->path, address) < 0 ||
	    !find_destination(step, address, p->category, &destination))
		return; /* delivered as it is: nobody here takes resources */
	find_recipient(work, r, address, recipient);
	if (p->expires <= work->message->began)
		reason_set(&why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	else
		why.outcome = step->notify_send(step->notify, &work->notice,
		    &destination, recipient, &answer, &why);
	log_notified(work, recipient, &destination, answer.message, &why);
	conclude(work, r, &destination, &why);
	if (why.outcome == OUTCOME_OK && work->message->release != NULL)
		release_add(work->message->release, index, &destination,
		    &answer);
}

static bool
is_meant(const struct work *work, const struct envelope_recipient *r)
{
	return r->reply[0] == '\0' && r->form == work->message->form;
}

static void
serve_recipients(struct work *work, struct envelope *envelope)
{
	const struct recipient_step *step = work->step;

	for (size_t i = 0; i < envelope->count; i++) {
		struct envelope_recipient *r = &envelope->recipients[i];

		if (!is_meant(work, r))
			continue;
		if (step->now() - work->message->began < NOTIFY_SECONDS)
			serve_recipient(work, envelope, i);
		else /* it is their turn when the others are done */
			envelope_reply(r, "451 4.4.1",
			    "No time left for this recipient");
	}
}

static struct release *
new_release(const struct recipient_step *step,
    const struct recipient_message *message)
{
	const struct release_message copy = {
		.id = message->id,
		.placeholder = message->placeholder,
		.data = message->data,
		.len = message->len,
		.began = message->began,
		.arrived = message->arrived,
		.form = message->form,
	};

	return step->release.source != NULL ?
	    release_new(&step->release, &copy) :
	    NULL;
}

bool
recipient_step_again(struct recipient_message *message,
    struct envelope *envelope)
{
	return message->release != NULL &&
	    release_again(message->release, envelope);
}

void
recipient_step_end(struct recipient_message *message)
{
	release_free(&message->release);
}

void
recipient_step_run(const struct recipient_step *step,
    struct recipient_message *message, struct envelope *envelope)
{
	const struct cargo_placeholder *p = message->placeholder;
	int64_t longest = message->began + CARGO_MAX_LIFETIME;
	char *body = cargo_notification_compose(p, message->data, message->len);
	struct work work = { .step = step, .message = message };

	work.late =
	    message->began - message->arrived > step->config->notify_give_up;
	work.notice = (struct notify_message){
		.placeholder = p,
		.sender = message->sender,
		.body = body,
		.len = body != NULL ? strlen(body) : 0,
		.expires = p->expires < longest ? p->expires : longest,
		.queue_id = message->id,
	};
	for (size_t i = 0; body == NULL && i < envelope->count; i++)
		if (is_meant(&work, &envelope->recipients[i]))
			envelope_reply(&envelope->recipients[i], "451 4.3.0",
			    "Out of memory");
	message->release = new_release(step, message);
	if (body != NULL)
		serve_recipients(&work, envelope);
	if (message->release != NULL)
		release_run(message->release, envelope);
	free(body);
}

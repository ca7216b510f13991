/* SPDX-License-Identifier: ISC
 *
 * The outbound step: see outbound.h.
 */
#include "outbound.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "legacy_message.h"
#include "log.h"
#include "mail_header.h"
#include "memory.h"
#include "submission.h"

/* Clocks differ; a share of exactly 14 days could be seconds too long. */
#define EXPIRY_RESERVE 300

/* One message on its way through. */
struct passage {
	struct outbound *outbound;
	const struct broker_config *config;
	struct envelope *envelope;
	const char *id; /* Postfix's queue id */
	const char *message;
	size_t len, header;
	int64_t now, arrived;
	struct submission submission;
	struct service_url url; /* of the sender's mailbox */
	struct cargo_conversion *conversion;
	struct outbound_recipients recipients;
	struct outbound_share share;
	struct delivery_form form; /* the placeholder */
	struct cargo_placeholder *placeholder; /* for local recipients */
	struct recipient_message local;
	struct reason why;
};

/* ---- log --------------------------------------------------------------- */

static void
begin_line(const struct passage *passage, struct log_line *line,
    const char *verb)
{
	bool is_fine = passage->why.outcome != OUTCOME_TEMPFAIL;

	log_begin(line, is_fine ? LOG_INFO : LOG_WARNING, passage->id, verb);
}

/* Not converted, or not now, and why. */
static void
log_whole(const struct passage *passage, const char *verb)
{
	struct log_line line;

	begin_line(passage, &line, verb);
	log_string(&line, LOG_KEY_SENDER, passage->envelope->sender);
	log_number(&line, LOG_KEY_RECIPIENTS,
	    (int64_t)passage->envelope->count);
	log_number(&line, LOG_KEY_SIZE, (int64_t)passage->len);
	log_reason(&line, &passage->why);
	log_end(&line);
}

static void
log_convert(const struct passage *passage)
{
	size_t count = cargo_conversion_count(passage->conversion);
	struct log_line line;
	int64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes +=
		    cargo_conversion_resource(passage->conversion, i)->size;
	begin_line(passage, &line, "convert");
	log_string(&line, LOG_KEY_SENDER, passage->submission.sender);
	log_string(&line, LOG_KEY_MESSAGE_ID, passage->submission.message_id);
	log_number(&line, LOG_KEY_SIZE, (int64_t)passage->len);
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)count);
	log_number(&line, LOG_KEY_BYTES, bytes);
	log_end(&line);
}

/* What the origin said to the share, or to its end. */
static void
log_share(const struct passage *passage, const char *verb)
{
	const struct origin_share *share = &passage->share.share;
	struct log_line line;

	begin_line(passage, &line, verb);
	log_string(&line, LOG_KEY_ORIGIN, passage->url.text);
	log_string(&line, LOG_KEY_SHARE, share->id);
	log_number(&line, LOG_KEY_RECIPIENTS, (int64_t)share->recipient_count);
	log_number(&line, LOG_KEY_PAGES, (int64_t)share->page_count);
	log_reason(&line, &passage->why);
	log_end(&line);
}

/* ---- what cannot go on --------------------------------------------------- */

/* Everybody without a reply gets the message as it is. */
static void
keep(struct passage *passage)
{
	metrics_count(passage->outbound->step->metrics, BROKER_CONVERSIONS,
	    "kept");
	log_whole(passage, "kept");
}

/* Everybody without a reply is to be tried again. */
static void
postpone(struct passage *passage, const char *status, const char *text)
{
	metrics_count(passage->outbound->step->metrics, BROKER_CONVERSIONS,
	    "postponed");
	log_whole(passage, "postponed");
	envelope_reply_all(passage->envelope, status, text);
}

static bool
is_late(const struct passage *passage)
{
	return passage->now - passage->arrived >
	    passage->config->notify_give_up;
}

/* The box died, or the like: Postfix tries again, for a while. */
static void
keep_or_defer(struct passage *passage)
{
	if (passage->why.outcome == OUTCOME_TEMPFAIL && !is_late(passage))
		postpone(passage, "451 4.3.0",
		    "Cannot look at this message now");
	else
		keep(passage);
}

/* The sender's mailbox does not take it, or not now. What is small enough
 * goes without it; the rest waits until it does, or somebody mends it. */
static void
fall_back(struct passage *passage)
{
	if ((int64_t)passage->len <= passage->config->legacy_limit)
		keep(passage);
	else
		postpone(passage, "451 4.4.1",
		    "The sender's resource mailbox cannot take it now");
}

/* ---- judgement ----------------------------------------------------------- */

/* True if a user submitted this as himself and has a mailbox for it. */
static bool
is_suitable(struct passage *passage)
{
	struct submission *submission = &passage->submission;
	struct destination destination;

	if (submission_check(passage->message, passage->header,
		passage->envelope, submission, &passage->why) != OUTCOME_OK)
		return false;
	if (submission->placeholder)
		return true;
	if (passage->config->convert == CARGO_CONVERT_NONE)
		reason_set(&passage->why, OUTCOME_PERMFAIL, "off",
		    "convert = none");
	else if (!destination_map_find(passage->outbound->origins,
		     submission->sender, passage->config->recipient_delimiter,
		     submission->category[0] != '\0' ? submission->category :
						       NULL,
		     &destination))
		reason_set(&passage->why, OUTCOME_PERMFAIL, "origin",
		    "the sender has no mailbox in the map of origins");
	else {
		passage->url = destination.url;
		return true;
	}
	return false;
}

/* What is to become resources. No part is larger than the whole: most mail
 * is known without looking into it. */
static enum outcome
plan(struct passage *passage)
{
	const struct cargo_convert_options options = {
		.mode = (enum cargo_convert_mode)passage->config->convert,
		.threshold = passage->config->convert_threshold,
	};

	if (options.mode == CARGO_CONVERT_LARGE &&
	    (int64_t)passage->len <= options.threshold)
		return reason_set(&passage->why, OUTCOME_PERMFAIL, "nothing",
		    "smaller than the threshold");
	return cargo_convert_plan(passage->message, passage->len, &options,
	    &passage->conversion, &passage->why);
}

static void
sort_recipients(struct passage *passage)
{
	const char *category = passage->submission.category;
	const struct outbound_question question = {
		.step = passage->outbound->step,
		.capabilities = passage->outbound->capabilities,
		.ask = passage->outbound->ask,
		.category = category[0] != '\0' ? category : NULL,
		.size = (int64_t)passage->len,
		.late = is_late(passage),
		.own_domain = mail_address_domain(passage->submission.sender),
	};

	outbound_recipients_init(&passage->recipients, &question,
	    passage->envelope);
}

/* ---- the share ----------------------------------------------------------- */

/* Follows from the message, so that it is the same when Postfix brings it
 * again; unless that is long ago. */
static int64_t
find_expiry(const struct passage *passage)
{
	int64_t lifetime = passage->config->share_lifetime;

	if (lifetime > CARGO_MAX_LIFETIME - EXPIRY_RESERVE)
		lifetime = CARGO_MAX_LIFETIME - EXPIRY_RESERVE;
	if (passage->arrived <= passage->now &&
	    passage->now - passage->arrived <= lifetime / 2)
		return passage->arrived + lifetime;
	return passage->now + lifetime;
}

static void
prepare_share(struct passage *passage)
{
	const struct submission *submission = &passage->submission;
	const struct outbound_recipients *recipients = &passage->recipients;

	passage->share.share = (struct origin_share){
		.url = &passage->url,
		.user = submission->sender,
		.message = submission->message_id,
		.category = submission->category[0] != '\0' ?
		    submission->category :
		    NULL,
		.expires = find_expiry(passage),
		.recipients = recipients->shared,
		.recipient_count = recipients->shared_count,
		.pages = recipients->keys,
		.page_count = recipients->numbers[OUTBOUND_PAGE],
	};
	outbound_share_init(&passage->share, passage->outbound->secret,
	    passage->conversion, passage->message, passage->len);
}

/* Says no to those who get nothing of a message of this size, and puts off
 * those of whom that is not known yet, or who are too many at once. */
static void
refuse(struct passage *passage)
{
	const enum outbound_group *groups = passage->recipients.groups;
	char text[256];

	for (size_t i = 0; i < passage->envelope->count; i++) {
		struct envelope_recipient *r =
		    &passage->envelope->recipients[i];
		const char *at = strrchr(r->path, '@');

		if (groups[i] == OUTBOUND_LATER)
			envelope_reply(r, "451 4.4.3",
			    "Not known yet what this recipient can open");
		if (groups[i] != OUTBOUND_BOUNCE)
			continue;
		legacy_message_bounce(at != NULL ? at + 1 : r->path,
		    passage->config->legacy_limit, text);
		envelope_reply(r, LEGACY_BOUNCE_STATUS, text);
		metrics_count(passage->outbound->step->metrics,
		    BROKER_DOWNGRADES, "bounce");
	}
}

/* Where the pages are. Without any, who would get one gets a bounce. */
static enum outcome
find_web(struct passage *passage, char web_r[SERVICE_URL_SIZE])
{
	const struct outbound_origin *origin = &passage->outbound->origin;
	const struct origin_share share = { .url = &passage->url,
		.user = passage->submission.sender };
	enum outcome outcome;

	if (passage->recipients.numbers[OUTBOUND_PAGE] == 0)
		return OUTCOME_OK;
	outcome = origin->web(origin->origin, &share, web_r, &passage->why);
	if (outcome == OUTCOME_PERMFAIL) {
		outbound_recipients_drop_pages(&passage->recipients);
		outcome = OUTCOME_OK;
	}
	return outcome;
}

/* ---- what each gets ------------------------------------------------------ */

/* A message for each recipient who gets a page. */
static void
write_pages(struct passage *passage, const char *web)
{
	const struct outbound_recipients *recipients = &passage->recipients;
	struct legacy_message *legacy = NULL;
	size_t count = recipients->numbers[OUTBOUND_PAGE];

	if (count > 0)
		legacy_message_new(passage->share.placeholder,
		    passage->share.len, &legacy, &passage->why);
	for (size_t i = 0; i < count; i++) {
		struct outbound_page *page = &recipients->pages[i];
		struct envelope_recipient *r =
		    &passage->envelope->recipients[page->recipient];
		char *url =
		    x_asprintf("%s" CARGO_API_PAGE "%s", web, page->secret);

		if (legacy == NULL ||
		    legacy_message_compose(legacy, url, &page->message,
			&page->form.len, &passage->why) != OUTCOME_OK)
			envelope_reply(r, "451 4.3.0",
			    "Cannot write the message with the page now");
		else {
			page->form.data = page->message;
			r->form = &page->form;
			metrics_count(passage->outbound->step->metrics,
			    BROKER_DOWNGRADES, "page");
		}
		free(url);
	}
	legacy_message_free(&legacy);
}

static bool
is_open(const struct envelope_recipient *r, const struct delivery_form *form)
{
	return r->form == form && r->reply[0] == '\0';
}

/* True if a recipient of this form may be of our own domains. */
static bool
has_local(const struct passage *passage, const struct delivery_form *form)
{
	for (size_t i = 0; i < passage->envelope->count; i++) {
		const struct envelope_recipient *r =
		    &passage->envelope->recipients[i];
		char address[MAIL_ADDRESS_SIZE];

		if (is_open(r, form) &&
		    mail_address_normalise(r->path, address) == 0 &&
		    destination_map_has_domain(passage->outbound->step->map,
			mail_address_domain(address)))
			return true;
	}
	return false;
}

/* Users of our own domains: their mail does not come by port 25, so their
 * mailboxes are told from here. `form` is the placeholder's. */
static void
serve_local(struct passage *passage, const char *data, size_t len,
    const struct delivery_form *form)
{
	const struct recipient_step *step = passage->outbound->step;
	enum outcome outcome;

	if (!has_local(passage, form))
		return;
	outcome = cargo_placeholder_parse(data, len, &passage->placeholder,
	    &passage->why);
	if (outcome == OUTCOME_OK && passage->placeholder->message_id != NULL) {
		passage->local = (struct recipient_message){
			.id = passage->id,
			.sender = passage->submission.sender,
			.placeholder = passage->placeholder,
			.data = data,
			.len = len,
			.began = step->now(),
			.arrived = passage->arrived,
			.form = form,
		};
		recipient_step_run(step, &passage->local, passage->envelope);
	}
	for (size_t i = 0; i < passage->envelope->count; i++)
		if (outcome == OUTCOME_TEMPFAIL && !is_late(passage) &&
		    is_open(&passage->envelope->recipients[i], form))
			envelope_reply(&passage->envelope->recipients[i],
			    "451 4.3.0", "Cannot read this placeholder now");
}

static void
give_forms(struct passage *passage, const char *web)
{
	passage->form.data = passage->share.placeholder;
	passage->form.len = passage->share.len;
	for (size_t i = 0; i < passage->envelope->count; i++)
		if (passage->recipients.groups[i] == OUTBOUND_PLACEHOLDER)
			passage->envelope->recipients[i].form = &passage->form;
	write_pages(passage, web);
	serve_local(passage, passage->form.data, passage->form.len,
	    &passage->form);
}

/* ---- the whole ----------------------------------------------------------- */

/* Makes the share, and gives everybody his form. */
static void
share(struct passage *passage, const char *web)
{
	bool is_refused = true;

	log_convert(passage);
	prepare_share(passage);
	passage->why.outcome = outbound_share_make(&passage->share,
	    &passage->outbound->origin, &is_refused, &passage->why);
	if (passage->why.outcome == OUTCOME_OK) {
		log_share(passage, "shared");
		metrics_count(passage->outbound->step->metrics,
		    BROKER_CONVERSIONS, "converted");
		give_forms(passage, web);
	} else if (is_refused)
		fall_back(passage);
	else
		keep_or_defer(passage);
}

static void
convert(struct passage *passage)
{
	const size_t *numbers = passage->recipients.numbers;
	char web[SERVICE_URL_SIZE] = "";

	if (plan(passage) != OUTCOME_OK) {
		keep_or_defer(passage);
		return;
	}
	sort_recipients(passage);
	if (find_web(passage, web) != OUTCOME_OK) {
		refuse(passage);
		fall_back(passage);
		return;
	}
	refuse(passage);
	if (numbers[OUTBOUND_PLACEHOLDER] + numbers[OUTBOUND_PAGE] > 0) {
		share(passage, web);
		return;
	}
	reason_set(&passage->why, OUTCOME_PERMFAIL, "recipients",
	    "nobody's domain is known to have Cargomail");
	keep(passage);
}

/* Has this recipient heard of the share, or perhaps heard? Who waits for the
 * pull of what was announced, has; and of a connection that was lost nobody
 * knows. Postfix comes again then, and the same share is found. */
static bool
may_have_heard(const struct envelope_recipient *r)
{
	return r->form != NULL &&
	    (r->reply[0] == '2' || strncmp(r->reply, "451 4.2.0", 9) == 0 ||
		strncmp(r->reply, ENVELOPE_LOST, strlen(ENVELOPE_LOST)) == 0);
}

/* Nobody will ever ask for a share of which nobody heard. */
static void
withdraw_unused(struct passage *passage)
{
	const struct outbound_origin *origin = &passage->outbound->origin;

	if (!passage->share.stands)
		return;
	for (size_t i = 0; i < passage->envelope->count; i++)
		if (may_have_heard(&passage->envelope->recipients[i]))
			return;
	passage->why.outcome = origin->withdraw(origin->origin,
	    &passage->share.share, &passage->why);
	metrics_count(passage->outbound->step->metrics, BROKER_WITHDRAWN, NULL);
	log_share(passage, "withdrawn");
}

static void
deliver(struct passage *passage)
{
	const struct broker_config *config = passage->config;
	const struct smtp_client_options options = {
		.server = config->reinject_out,
		.hostname = config->hostname,
		.timeout_ms = (int)config->smtp_timeout * 1000,
	};
	char *trace =
	    submission_trace(config->hostname, passage->id, passage->now);

	do
		delivery_run(&options, passage->outbound->smtp_send,
		    passage->envelope, trace, passage->message, passage->len);
	while (recipient_step_again(&passage->local, passage->envelope));
	free(trace);
}

static void
serve(struct passage *passage)
{
	if (!is_suitable(passage))
		keep(passage);
	else if (passage->submission.placeholder)
		serve_local(passage, passage->message, passage->len, NULL);
	else
		convert(passage);
	deliver(passage);
	withdraw_unused(passage);
}

void
outbound_deliver(void *context, struct envelope *envelope, const char *message,
    size_t len)
{
	struct outbound *outbound = context;
	const struct recipient_step *step = outbound->step;
	struct passage passage = {
		.outbound = outbound,
		.config = step->config,
		.envelope = envelope,
		.id = envelope_id(envelope),
		.message = message,
		.len = len,
		.header = mail_header_length(message, len, NULL),
		.now = step->now(),
	};

	int64_t began = clock_monotonic_ms();

	metrics_count(step->metrics, BROKER_MESSAGES, "out");
	passage.arrived =
	    recipient_step_arrival(message, passage.header, passage.now);
	if (submission_is_loop(message, passage.header, step->config->hostname))
		envelope_reply_all(envelope, "554 5.4.6", "Mail loop");
	else
		serve(&passage);
	recipient_step_log(step, envelope);
	recipient_step_measure(step, "out", began, passage.arrived);
	recipient_step_end(&passage.local);
	cargo_placeholder_free(&passage.placeholder);
	outbound_share_free(&passage.share);
	outbound_recipients_free(&passage.recipients);
	cargo_conversion_free(&passage.conversion);
	submission_free(&passage.submission);
}

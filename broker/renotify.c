/* SPDX-License-Identifier: ISC
 *
 * One notification again. See renotify.h.
 */
#include "renotify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_metrics.h"
#include "cargo_notification.h"
#include "encoding.h"
#include "json_strict.h"
#include "log.h"
#include "mail_address.h"
#include "mail_header.h"

#define MESSAGE_LEN 32 /* hex digits of an id at a mailbox of ours */

/* What is asked for; text is the request's. */
struct wish {
	const char *message, *message_id, *broker, *origin, *share;
	char sender[MAIL_ADDRESS_SIZE], recipient[MAIL_ADDRESS_SIZE],
	    mailbox[MAIL_ADDRESS_SIZE];
	int64_t expires;
	char *data; /* the placeholder, owned */
	size_t len;
};

static bool
take_address(const cJSON *request, const char *name,
    char normal_r[MAIL_ADDRESS_SIZE])
{
	const char *text = json_string(request, name);

	return text != NULL && mail_address_normalise(text, normal_r) == 0;
}

static enum outcome
read_wish(const cJSON *request, struct wish *wish, struct reason *why)
{
	static const char *const members[] = { "verb", "message", "message_id",
		"sender", "recipient", "mailbox", "broker", "origin", "share",
		"expires", "text", NULL };
	const char *text = json_string(request, "text");

	wish->message = json_string(request, "message");
	wish->message_id = json_string(request, "message_id");
	wish->broker = json_string(request, "broker");
	wish->origin = json_string(request, "origin");
	wish->share = json_string(request, "share");
	if (!json_members_exact(request, members) || text == NULL ||
	    wish->message == NULL || wish->message_id == NULL ||
	    wish->broker == NULL || wish->origin == NULL ||
	    wish->share == NULL ||
	    !take_address(request, "sender", wish->sender) ||
	    !take_address(request, "recipient", wish->recipient) ||
	    !take_address(request, "mailbox", wish->mailbox) ||
	    json_integer(request, "expires", 0, JSON_MAX_INTEGER,
		&wish->expires) == -1)
		return reason_set(why, OUTCOME_PERMFAIL, "request",
		    "this is no notice that a mailbox handed out");
	wish->data = base64_parse(text, strlen(text), &wish->len);
	if (strspn(wish->message, "0123456789abcdef") != MESSAGE_LEN ||
	    strlen(wish->message) != MESSAGE_LEN)
		return reason_set(why, OUTCOME_PERMFAIL, "request",
		    "message: %d hex digits", MESSAGE_LEN);
	if (wish->data == NULL || wish->len == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "request",
		    "the placeholder is not base64");
	return OUTCOME_OK;
}

/* The placeholder must say the same. Its signature was looked at when it came;
 * what it says of origin, share and end is all that a token gives away. */
static enum outcome
compare(const struct wish *wish, const struct cargo_placeholder *placeholder,
    struct reason *why)
{
	size_t header = mail_header_length(wish->data, wish->len, NULL);
	char sender[MAIL_ADDRESS_SIZE] = "";
	const char *what = NULL;

	(void)mail_header_from(wish->data, header, sender);
	if (strcmp(sender, wish->sender) != 0)
		what = "sender";
	else if (strcmp(placeholder->origin, wish->origin) != 0)
		what = "origin";
	else if (strcmp(placeholder->share, wish->share) != 0)
		what = "share";
	else if (placeholder->message_id == NULL ||
	    strcmp(placeholder->message_id, wish->message_id) != 0)
		what = "Message-ID";
	else if (placeholder->expires < wish->expires)
		what = "end of the share";
	if (what == NULL)
		return OUTCOME_OK;
	return reason_set(why, OUTCOME_PERMFAIL, "disagree",
	    "the placeholder has another %s", what);
}

/* It is one of ours, and our map leads to a mailbox for it. */
static enum outcome
find_destination(const struct renotify *renotify, const struct wish *wish,
    const char *category, struct destination *destination_r, struct reason *why)
{
	const char *domain = mail_address_domain(wish->mailbox);

	if (strncmp(wish->broker, "_cb.", 4) != 0 ||
	    strcmp(wish->broker + 4, domain) != 0 ||
	    strcmp(mail_address_domain(wish->recipient), domain) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "broker",
		    "%s does not speak for %s", wish->broker, wish->mailbox);
	if (!destination_map_find(renotify->map, wish->mailbox,
		renotify->config->recipient_delimiter, category,
		destination_r) ||
	    strcmp(destination_r->mailbox, wish->mailbox) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "destination",
		    "%s has no Resource Mailbox in %s", wish->mailbox,
		    renotify->config->destinations);
	return OUTCOME_OK;
}

static enum outcome
send_notice(const struct renotify *renotify, const struct wish *wish,
    const struct cargo_placeholder *placeholder,
    const struct destination *destination, struct notify_answer *answer_r,
    struct reason *why)
{
	char *body =
	    cargo_notification_compose(placeholder, wish->data, wish->len);
	const struct notify_message message = {
		.placeholder = placeholder,
		.sender = wish->sender,
		.body = body,
		.len = body != NULL ? strlen(body) : 0,
		.expires = wish->expires,
		.known = wish->message,
	};
	enum outcome outcome;

	outcome = body == NULL ?
	    reason_set(why, OUTCOME_TEMPFAIL, "memory", "out of memory") :
	    renotify->notify_send(renotify->notify, &message, destination,
		wish->recipient, answer_r, why);
	free(body);
	return outcome;
}

static enum outcome
renotify_wish(const struct renotify *renotify, const struct wish *wish,
    struct notify_answer *answer_r, struct destination *destination_r,
    struct reason *why)
{
	struct cargo_placeholder *placeholder = NULL;
	enum outcome outcome;

	if (wish->expires <= renotify->now)
		return reason_set(why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	outcome =
	    cargo_placeholder_parse(wish->data, wish->len, &placeholder, why);
	if (outcome == OUTCOME_OK)
		outcome = compare(wish, placeholder, why);
	if (outcome == OUTCOME_OK)
		outcome = find_destination(renotify, wish,
		    placeholder->category, destination_r, why);
	if (outcome == OUTCOME_OK)
		outcome = send_notice(renotify, wish, placeholder,
		    destination_r, answer_r, why);
	cargo_placeholder_free(&placeholder);
	return outcome;
}

static void
log_renotified(const struct renotify *renotify, const struct wish *wish,
    const struct destination *destination, const struct reason *why)
{
	struct log_line line;

	metrics_count(renotify->metrics, BROKER_NOTIFICATIONS,
	    why->outcome == OUTCOME_OK		 ? "accepted" :
		why->outcome == OUTCOME_PERMFAIL ? "refused" :
						   "deferred");
	log_begin(&line, why->outcome == OUTCOME_OK ? LOG_INFO : LOG_WARNING,
	    wish->message, "renotify");
	log_string(&line, LOG_KEY_RECIPIENT, wish->recipient);
	log_string(&line, LOG_KEY_MAILBOX, wish->mailbox);
	log_string(&line, LOG_KEY_DESTINATION, destination->url.text);
	log_reason(&line, why);
	log_end(&line);
}

enum outcome
renotify_run(const struct renotify *renotify, const cJSON *request,
    struct notify_answer *answer_r, struct destination *destination_r,
    struct reason *why)
{
	struct wish wish = { .message = NULL };
	enum outcome outcome;

	memset(answer_r, 0, sizeof(*answer_r));
	memset(destination_r, 0, sizeof(*destination_r));
	*why = (struct reason){ OUTCOME_OK, "", "" };
	outcome = read_wish(request, &wish, why);
	if (outcome == OUTCOME_OK) {
		outcome = renotify_wish(renotify, &wish, answer_r,
		    destination_r, why);
		why->outcome = outcome;
		log_renotified(renotify, &wish, destination_r, why);
	}
	free(wish.data);
	return outcome;
}

/* SPDX-License-Identifier: ISC
 *
 * Grouping of recipients: see delivery.h.
 */
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* What is NULL in a form is as it is for those who have none. */
static const struct delivery_form as_it_came;

static const struct delivery_form *
form_of(const struct envelope_recipient *r)
{
	return r->form != NULL ? r->form : &as_it_came;
}

static bool
is_alike(const struct envelope_recipient *a, const struct envelope_recipient *b)
{
	return a->form == b->form && strcmp(a->prepend, b->prepend) == 0;
}

/* The open recipients who get the same as the first of them, which is
 * returned; -1 if all have their reply. */
static long
next_group(const struct envelope *envelope, size_t *group, size_t *count_r)
{
	long first = -1;

	*count_r = 0;
	for (size_t i = 0; i < envelope->count; i++) {
		const struct envelope_recipient *r = &envelope->recipients[i];

		if (r->reply[0] != '\0')
			continue;
		if (first < 0)
			first = (long)i;
		if (is_alike(r, &envelope->recipients[first]))
			group[(*count_r)++] = i;
	}
	return first;
}

/* One re-injection. A reply is due in any case, else there is no end. */
static void
send_group(const struct smtp_client_options *options, delivery_send *send,
    struct smtp_client_message *message)
{
	struct envelope_recipient *all = message->envelope->recipients;
	const struct envelope_recipient *first = &all[message->recipients[0]];
	const struct delivery_form *form = form_of(first);
	struct smtp_client_options way = *options;
	struct smtp_client_message one = *message;
	const char *trace = message->prepend;
	char *prepend = x_asprintf("%s%s%s", first->prepend,
	    form->prepend != NULL ? form->prepend : "", trace);

	one.prepend = prepend;
	if (form->server != NULL)
		way.server = form->server;
	if (form->data != NULL) {
		one.data = form->data;
		one.len = form->len;
		one.other = true;
	}
	send(&way, &one);
	free(prepend);
	for (size_t i = 0; i < one.count; i++)
		if (all[one.recipients[i]].reply[0] == '\0')
			envelope_reply(&all[one.recipients[i]], "451 4.3.0",
			    "No reply");
}

static bool
is_given_up(const struct envelope *envelope)
{
	return envelope->is_given_up != NULL &&
	    envelope->is_given_up(envelope->connection);
}

void
delivery_run(const struct smtp_client_options *options, delivery_send *send,
    struct envelope *envelope, const char *trace, const char *message,
    size_t len)
{
	size_t *group = x_calloc(envelope->count, sizeof(*group));
	struct smtp_client_message one = {
		.envelope = envelope,
		.recipients = group,
		.prepend = trace,
		.data = message,
		.len = len,
	};

	while (next_group(envelope, group, &one.count) >= 0)
		if (is_given_up(envelope))
			envelope_reply_all(envelope, ENVELOPE_LOST,
			    "Postfix did not wait");
		else
			send_group(options, send, &one);
	free(group);
}

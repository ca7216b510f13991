/* SPDX-License-Identifier: ISC
 *
 * The envelope of one message: see envelope.h.
 */
#include "envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

void
envelope_reset(struct envelope *envelope)
{
	free(envelope->recipients);
	envelope->recipients = NULL;
	envelope->count = 0;
	envelope->started = false;
	envelope->sender[0] = '\0';
	envelope->parameters = (struct smtp_parameters){ .size = -1 };
}

int
envelope_add_recipient(struct envelope *envelope,
    const struct smtp_command *command)
{
	struct envelope_recipient *recipient;

	if (envelope->count == ENVELOPE_MAX_RECIPIENTS)
		return -1;
	envelope->recipients = x_realloc(envelope->recipients,
	    (envelope->count + 1) * sizeof(*recipient));
	recipient = &envelope->recipients[envelope->count++];
	memset(recipient, 0, sizeof(*recipient));
	memcpy(recipient->path, command->path, sizeof(recipient->path));
	recipient->parameters = command->parameters;
	return 0;
}

void
envelope_set_forward(void *context, const char *name, const char *value)
{
	struct envelope *envelope = context;
	struct envelope_forward *forward;
	size_t i;

	for (i = 0; i < envelope->forward_count; i++)
		if (strcmp(envelope->forward[i].name, name) == 0)
			break;
	if (i == ENVELOPE_MAX_FORWARD ||
	    strlen(value) >= sizeof(forward->value))
		return;
	forward = &envelope->forward[i];
	snprintf(forward->name, sizeof(forward->name), "%s", name);
	snprintf(forward->value, sizeof(forward->value), "%s", value);
	if (i == envelope->forward_count)
		envelope->forward_count++;
}

const char *
envelope_id(const struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->forward_count; i++)
		if (strcmp(envelope->forward[i].name, "IDENT") == 0 &&
		    envelope->forward[i].value[0] != '[')
			return envelope->forward[i].value;
	return "-";
}

void
envelope_reply(struct envelope_recipient *recipient, const char *status,
    const char *text)
{
	snprintf(recipient->reply, sizeof(recipient->reply), "%s %s", status,
	    text);
	for (char *at = recipient->reply; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

void
envelope_reply_all(struct envelope *envelope, const char *status,
    const char *text)
{
	for (size_t i = 0; i < envelope->count; i++)
		if (envelope->recipients[i].reply[0] == '\0')
			envelope_reply(&envelope->recipients[i], status, text);
}

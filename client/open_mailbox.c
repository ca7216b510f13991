/* SPDX-License-Identifier: ISC
 *
 * Choosing a mailbox by a message's header.
 */
#include "open_mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_placeholder.h"
#include "mail_header.h"

/* The URL of the topmost destination field, under either name; NULL if
 * there is none. The caller frees. */
static char *
find_destination(const char *header, size_t len)
{
	struct mail_field field;
	size_t at = 0;
	char *value;

	while (mail_header_next(header, len, &at, &field)) {
		if (!mail_header_is(&field, CARGO_FIELD_DESTINATION) &&
		    !mail_header_is(&field, CARGO_FIELD_DESTINATION_LATER))
			continue;
		value = mail_header_unfold(&field);
		if (value != NULL)
			value[strcspn(value, "; \t")] = '\0';
		return value;
	}
	return NULL;
}

static enum outcome
refuse_undelivered(const char *header, size_t len, struct reason *why)
{
	char *status = mail_header_get(header, len, CARGO_FIELD_STATUS);

	if (status != NULL)
		reason_set(why, OUTCOME_PERMFAIL, "undelivered",
		    "no mailbox took it: %s", status);
	else
		reason_set(why, OUTCOME_PERMFAIL, "undelivered",
		    "no broker has given it to a mailbox of yours");
	free(status);
	return OUTCOME_PERMFAIL;
}

enum outcome
open_mailbox_choose(const struct client_config *config, const char *message,
    size_t len, const char *origin, const struct client_mailbox **mailbox_r,
    struct reason *why)
{
	size_t header_len = mail_header_length(message, len, NULL);
	char *url = find_destination(message, header_len);
	enum outcome outcome = OUTCOME_OK;

	if (url == NULL) {
		*mailbox_r = client_config_for_url(config, origin);
		if (*mailbox_r == NULL)
			outcome = refuse_undelivered(message, header_len, why);
		return outcome;
	}
	*mailbox_r = client_config_for_url(config, url);
	if (*mailbox_r == NULL)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "config",
		    "it is kept at %s, which is not in your configuration",
		    url);
	free(url);
	return outcome;
}

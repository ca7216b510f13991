/* SPDX-License-Identifier: ISC
 *
 * Placeholders: header fields, parameters, external bodies; what is accepted
 * is composed into a notification that reads back the same, and rebuilt from
 * nothing. The structure is parsed here, as the box would.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_notification.h"
#include "cargo_placeholder.h"
#include "mail_header.h"
#include "rebuild_nothing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(const struct cargo_placeholder *p, const char *message, size_t size)
{
	struct cargo_notification *n = NULL;
	char *body = cargo_notification_compose(p, message, size);
	bool exact;

	if (body == NULL ||
	    cargo_notification_parse(body, strlen(body), &n, NULL) !=
		OUTCOME_OK ||
	    cargo_notification_compare(n, p, NULL) != OUTCOME_OK)
		abort();
	cargo_notification_free(&n);
	free(body);
	cargo_rebuild(p, message, size, &rebuild_nothing, &exact, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cargo_placeholder *p = NULL;
	char sender[MAIL_ADDRESS_SIZE];
	char *message = malloc(size + 1);
	struct mime_parts parts;

	memcpy(message, data, size);
	message[size] = '\0';
	mail_header_from(message, size, sender);
	if (mime_box_parse(message, size, &parts, NULL) == OUTCOME_OK &&
	    cargo_placeholder_parse_parts(message, size, &parts, &p, NULL) ==
		OUTCOME_OK)
		use(p, message, size);
	cargo_placeholder_free(&p);
	free(message);
	return 0;
}

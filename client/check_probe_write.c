/* SPDX-License-Identifier: ISC
 *
 * The messages of a probe: as it is written, as it was signed, as a stranger
 * would forge it.
 */
#include "check_probe.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mail_header.h"
#include "memory.h"

static const char text[] =
    "This is a probe of \"cargomailctl check\". It should have ended at "
    "the broker\r\nand never arrived: run \"cargomailctl check\" on the "
    "mail host, it says why.\r\n";

enum outcome
check_probe_compose(const struct check_probe *probe, struct buffer *message,
    struct reason *why)
{
	const struct check_world *world = probe->check->world;
	struct cargo_draft_resource resource = {
		.hash = "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855",
		.size = 0,
		.type = "application/octet-stream",
		.name = "probe",
		.disposition = "attachment"
	};
	int64_t now = world->now(world->arg);
	char date[CLOCK_TEXT_SIZE];
	struct cargo_draft draft = { .origin = "https://probe.invalid",
		.share = probe->share,
		.expires = now + 3600,
		.inline_text = text,
		.resources = &resource,
		.count = 1 };
	enum outcome outcome;
	char *header, *whole;
	size_t len;

	clock_format_mail(now, date);
	header = x_asprintf("From: %s\r\nTo: %s\r\n"
			    "Subject: cargomailctl check\r\nDate: %s\r\n"
			    "Message-ID: <%s@%s>\r\n"
			    "Auto-Submitted: auto-generated\r\n",
	    probe->address, probe->address, date, probe->share, probe->domain);
	draft.header = header;
	outcome = cargo_placeholder_compose(&draft, &whole, &len, why);
	free(header);
	if (outcome == OUTCOME_OK) {
		buffer_add(message, whole, len);
		free(whole);
	}
	return outcome;
}

void
check_probe_strip(const struct check_sight *sight, struct buffer *out)
{
	struct mail_field field;
	size_t at = 0;

	while (mail_header_next(sight->message, sight->header, &at, &field))
		if (!mail_header_is(&field, "Received") &&
		    !mail_header_is(&field, "Return-Path") &&
		    !mail_header_is(&field, "Authentication-Results"))
			buffer_add(out, field.raw, field.raw_len);
	buffer_add(out, "\r\n", 2);
	buffer_add(out, sight->message + sight->header,
	    sight->len - sight->header);
}

void
check_probe_forge(const struct check_probe *probe, const struct buffer *message,
    struct buffer *out)
{
	const struct config_list *ids =
	    &probe->check->config.broker_keys.authserv_ids;
	char *line;

	for (size_t i = 0; i < ids->count; i++) {
		line = x_asprintf("Authentication-Results: %s;\r\n\tdkim=pass "
				  "header.d=%s header.s=probe "
				  "header.b=\"Zm9yZ2Vk\"\r\n",
		    ids->items[i], probe->domain);
		buffer_add(out, line, strlen(line));
		free(line);
	}
	line = x_asprintf("DKIM-Signature: v=1; a=rsa-sha256; "
			  "c=relaxed/simple; d=%s;\r\n"
			  "\ts=probe; "
			  "h=From:To:Subject:Date:Message-ID:MIME-Version:"
			  "Content-Type;\r\n\tbh="
			  "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZv"
			  "cmc=;\r\n\tb="
			  "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmc=\r\n",
	    probe->domain);
	buffer_add(out, line, strlen(line));
	free(line);
	buffer_add(out, message->data, message->len);
}

/* SPDX-License-Identifier: ISC
 *
 * LMTP: each line as a command, and all of it as a message, cut in two at
 * every length of its first byte; both ways must agree.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "lmtp_session.h"
#include "mail_address.h"
#include "smtp_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(void *context, const char *name, const char *value)
{
	(void)context;
	(void)name;
	(void)value;
}

static void
one_line(const char *line, size_t len)
{
	struct smtp_command command;
	char normal[MAIL_ADDRESS_SIZE], again[MAIL_ADDRESS_SIZE];
	const char *text;
	bool more;
	int code;

	smtp_line_parse_reply(line, &code, &more, &text);
	if (smtp_line_parse(line, len, &command) != NULL)
		return;
	if (command.verb == SMTP_XFORWARD)
		smtp_line_parse_xforward(command.argument, ignore, NULL);
	mail_address_parse_orcpt(command.parameters.orcpt, normal);
	if (mail_address_normalise(command.path, normal) == 0 &&
	    (mail_address_normalise(normal, again) < 0 ||
		strcmp(normal, again) != 0))
		abort();
}

static void
collect(void *context, const void *data, size_t len)
{
	buffer_add(context, data, len);
}

/* The message in one piece, or in two. */
static size_t
read_message(const char *data, size_t size, size_t cut, struct buffer *out)
{
	struct lmtp_data state = { .add = collect, .context = out };
	size_t used;
	int end;

	used = lmtp_data_read(&state, data, cut, &end);
	if (!end)
		used += lmtp_data_read(&state, data + cut, size - cut, &end);
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *line;
	struct buffer whole, parts;
	size_t cut = size > 0 ? data[0] % size : 0;

	memcpy(text, data, size);
	text[size] = '\0';
	buffer_init(&whole, size + 1);
	buffer_init(&parts, size + 1);
	if (read_message(text, size, size, &whole) !=
		read_message(text, size, cut, &parts) ||
	    strcmp(buffer_string(&whole), buffer_string(&parts)) != 0)
		abort();
	buffer_free(&whole);
	buffer_free(&parts);
	while ((line = strsep(&rest, "\n")) != NULL)
		one_line(line, strlen(line));
	free(text);
	return 0;
}

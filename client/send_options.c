/* SPDX-License-Identifier: ISC
 *
 * "--to a@x b@y --subject ..." takes every address up to the next option:
 * an argument that follows --to and holds an "@" is a recipient, any other
 * is the file with the text.
 */
#include "send_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cargo_placeholder.h"
#include "client.h"
#include "mail_address.h"
#include "memory.h"

static int
add_recipient(struct send_options *options, const char *address, size_t len)
{
	char *text = x_strndup(address, len);
	char normal[MAIL_ADDRESS_SIZE];
	size_t n = options->recipient_count;
	int code = 0;

	if (mail_address_normalise(text, normal) < 0)
		code = client_complain(EX_USAGE, "%s is no address", text);
	else if (n == CARGO_MAX_RECIPIENTS)
		code = client_complain(EX_USAGE, "more than %d recipients",
		    CARGO_MAX_RECIPIENTS);
	if (code != 0) {
		free(text);
		return code;
	}
	options->recipients =
	    x_realloc(options->recipients, (n + 1) * sizeof(char *));
	options->normal = x_realloc(options->normal, (n + 1) * sizeof(char *));
	options->recipients[n] = text;
	options->normal[n] = x_strdup(normal);
	options->recipient_count++;
	return 0;
}

/* "a@x, b@y" too. */
static int
add_recipients(struct send_options *options, const char *list)
{
	size_t len;
	int code = 0;

	for (; *list != '\0' && code == 0; list += len) {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len > 0)
			code = add_recipient(options, list, len);
	}
	return code;
}

static int
add_positional(struct send_options *options, char *argument, bool after_to)
{
	if (after_to && strchr(argument, '@') != NULL)
		return add_recipients(options, argument);
	if (options->body != NULL)
		return client_complain(EX_USAGE,
		    "%s: one file with the text "
		    "is enough; others go by --attach",
		    argument);
	options->body = argument;
	return 0;
}

static int
set_category(struct send_options *options, const char *category)
{
	if (!cargo_category_valid(category))
		return client_complain(EX_USAGE,
		    "category: a lower-case "
		    "word of at most %d characters",
		    CARGO_CATEGORY_MAX);
	options->category = category;
	return 0;
}

static int
set_expires(struct send_options *options, const char *days)
{
	char *end;
	long value = strtol(days, &end, 10);

	if (end == days || *end != '\0' || value < 1 || value > 14)
		return client_complain(EX_USAGE, "expires: 1 to 14 days");
	options->expires = value * 86400;
	return 0;
}

static int
take(struct send_options *options, int option, char *value, bool after_to)
{
	switch (option) {
	case 1:
		return add_positional(options, value, after_to);
	case 't':
		return add_recipients(options, value);
	case 's':
		options->subject = value;
		return 0;
	case 'c':
		return set_category(options, value);
	case 'e':
		return set_expires(options, value);
	case 'a':
		options->attachments[options->attachment_count++] = value;
		return 0;
	case 'h':
		options->html = value;
		return 0;
	case 'p':
		options->pictures[options->picture_count++] = value;
		return 0;
	case 'i':
		options->inline_text = true;
		return 0;
	default:
		return EX_USAGE;
	}
}

static int
check(const struct send_options *options)
{
	if (options->recipient_count == 0)
		return client_complain(EX_USAGE, "send: --to is missing");
	if (options->subject == NULL)
		return client_complain(EX_USAGE,
		    "send: --subject is "
		    "missing");
	if (options->picture_count > 0 && options->html == NULL)
		return client_complain(EX_USAGE,
		    "send: --inline without --html");
	if (options->html != NULL && options->inline_text)
		return client_complain(EX_USAGE,
		    "send: --html and --inline-text do not go together");
	if (options->body == NULL && options->html == NULL &&
	    options->attachment_count == 0)
		return client_complain(EX_USAGE,
		    "send: neither text nor "
		    "--attach");
	if (options->inline_text && options->body == NULL)
		return client_complain(EX_USAGE,
		    "send: --inline-text "
		    "without a text");
	if (options->inline_text && options->attachment_count == 0)
		return client_complain(EX_USAGE,
		    "send: nothing for a "
		    "mailbox: --inline-text without --attach is ordinary "
		    "mail");
	return 0;
}

int
send_options_parse(int argc, char **argv, struct send_options *options_r)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, 't' },
		{ "subject", required_argument, NULL, 's' },
		{ "category", required_argument, NULL, 'c' },
		{ "expires", required_argument, NULL, 'e' },
		{ "attach", required_argument, NULL, 'a' },
		{ "html", required_argument, NULL, 'h' },
		{ "inline", required_argument, NULL, 'p' },
		{ "inline-text", no_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	bool after_to = false;
	int option, code = 0, i;

	memset(options_r, 0, sizeof(*options_r));
	options_r->attachments = x_calloc((size_t)argc, sizeof(char *));
	options_r->pictures = x_calloc((size_t)argc, sizeof(char *));
	optind = 0;
	/* "-": arguments that are no options come in their place, as 1. */
	while (code == 0 &&
	    (option = getopt_long(argc, argv, "-t:s:c:e:a:", longs, NULL)) !=
		-1) {
		code = take(options_r, option, optarg, after_to);
		if (option != 1)
			after_to = option == 't';
	}
	for (i = optind; i < argc && code == 0; i++)
		code = add_positional(options_r, argv[i], false);
	return code != 0 ? code : check(options_r);
}

void
send_options_free(struct send_options *options)
{
	size_t i;

	for (i = 0; i < options->recipient_count; i++) {
		free(options->recipients[i]);
		free(options->normal[i]);
	}
	free(options->recipients);
	free(options->normal);
	free(options->attachments);
	free(options->pictures);
	memset(options, 0, sizeof(*options));
}

/* SPDX-License-Identifier: ISC
 *
 * Who gets which message by which service, with a Postfix that only writes
 * down what it is sent.
 */
#include "delivery.h"

#include <stdlib.h>

#include "test.h"

static char sent[4096]; /* "server|prepend|data|other|path path " ... */

static void
fake_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message)
{
	char one[1024];
	int len;

	len = snprintf(one, sizeof(one), "%s|%s|%.*s|%d|", options->server,
	    message->prepend, (int)message->len, message->data, message->other);
	for (size_t i = 0; i < message->count; i++) {
		struct envelope_recipient *r =
		    &message->envelope->recipients[message->recipients[i]];

		len += snprintf(one + len, sizeof(one) - (size_t)len, "%s ",
		    r->path);
		if (r->path[0] != '?') /* no reply at all */
			envelope_reply(r, "250 2.0.0", "ok");
	}
	strcat(sent, one);
	strcat(sent, "\n");
}

static void
run(struct envelope_recipient *recipients, size_t count)
{
	struct smtp_client_options options = { "in", "mx.foo.test", 1000 };
	struct envelope envelope = { .recipients = recipients, .count = count };

	sent[0] = '\0';
	delivery_run(&options, fake_send, &envelope, "T", "came", 4);
}

TEST(without_forms_header_lines_decide)
{
	struct envelope_recipient r[] = { { .path = "a" },
		{ .path = "b", .prepend = "X" }, { .path = "c" },
		{ .path = "d", .reply = "550 no" }, { .path = "?" } };

	run(r, 5);
	CHECK_STRING(sent, "in|T|came|0|a c ? \nin|XT|came|0|b \n");
	CHECK_STRING(r[3].reply, "550 no");
	CHECK(strncmp(r[4].reply, "451", 3) == 0);
}

TEST(each_form_goes_alone)
{
	struct delivery_form placeholder = { .data = "ph",
		.len = 2,
		.server = "out",
		.prepend = "F" };
	struct delivery_form plain = { .server = "out" };
	struct delivery_form pages[2] = { { .data = "p1", .len = 2 },
		{ .data = "p2", .len = 2 } };
	struct envelope_recipient r[] = {
		{ .path = "a", .form = &placeholder },
		{ .path = "b", .form = &pages[0] },
		{ .path = "c", .form = &plain },
		{ .path = "d", .form = &pages[1] },
		{ .path = "e", .form = &placeholder, .prepend = "X" },
		{ .path = "f", .form = &placeholder },
		{ .path = "g" },
	};

	run(r, 7);
	CHECK_STRING(sent,
	    "out|FT|ph|1|a f \nin|T|p1|1|b \nout|T|came|0|c \nin|T|p2|1|d \n"
	    "out|XFT|ph|1|e \nin|T|came|0|g \n");
}

static bool
hangs_up_later(void *connection)
{
	int *left = connection;

	return (*left)-- == 0;
}

TEST(nothing_goes_after_postfix_has_hung_up)
{
	struct smtp_client_options options = { "in", "mx.foo.test", 1000 };
	struct envelope_recipient r[] = { { .path = "a" },
		{ .path = "b", .prepend = "X" },
		{ .path = "c", .prepend = "Y" },
		{ .path = "d", .prepend = "Y", .reply = "550 no" } };
	int left = 1;
	struct envelope envelope = { .recipients = r,
		.count = 4,
		.is_given_up = hangs_up_later,
		.connection = &left };

	sent[0] = '\0';
	delivery_run(&options, fake_send, &envelope, "T", "came", 4);
	CHECK_STRING(sent, "in|T|came|0|a \n");
	CHECK_STRING(r[0].reply, "250 2.0.0 ok");
	CHECK(strncmp(r[1].reply, ENVELOPE_LOST, 9) == 0);
	CHECK(strncmp(r[2].reply, ENVELOPE_LOST, 9) == 0);
	CHECK_STRING(r[3].reply, "550 no");
}

int
main(void)
{
	RUN(without_forms_header_lines_decide);
	RUN(each_form_goes_alone);
	RUN(nothing_goes_after_postfix_has_hung_up);
	return test_done();
}

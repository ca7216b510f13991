/* SPDX-License-Identifier: ISC
 *
 * The MIME box: structure with raw offsets, and its bounds.
 */
#include "mime_box.h"
#include "test.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "buffer.h"
#include "clock.h"

static const char message[] =
    "From: a@foo.test\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=42\r\n\r\npreamble\r\n"
    "--42\r\nContent-Type: TEXT/plain\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "Content-Description: =?no-such-charset?Q?x?=\r\n\r\none\r\n"
    "--42\r\nContent-Type: multipart/alternative; boundary=\"4 3\"\r\n\r\n"
    "--4 3\r\n\r\ntwo\r\n"
    "--4 3\r\nContent-Type: text/html\r\n\r\nthree\r\n--4 3--\r\n"
    "--42\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\n\r\nfour\r\n"
    "--42\r\nContent-Type: message/external-body; access-type=x\r\n\r\n"
    "Content-ID: <five>\r\n\r\n"
    "--42--\r\nepilogue\r\n";

static const struct {
	int parent, depth;
	const char *type, *header, *body; /* how they begin */
} wanted[] = {
	{ -1, 0, "multipart/mixed", "From: a@foo", "preamble" },
	{ 0, 1, "text/plain", "Content-Type: TEXT", "one" },
	{ 0, 1, "multipart/alternative", "Content-Type: multipart/alt",
	    "--4 3" },
	{ 2, 2, "text/plain", "two", "two" },
	{ 2, 2, "text/html", "Content-Type: text/html", "three" },
	{ 0, 1, "message/rfc822", "Content-Type: message/rfc822",
	    "Subject: inner" },
	{ 5, 2, "text/plain", "Subject: inner", "four" },
	{ 0, 1, "message/external-body", "Content-Type: message/external",
	    "Content-ID: <five>" },
};

TEST(parts_come_with_raw_offsets)
{
	struct mime_parts parts;
	struct reason why = { OUTCOME_OK, "", "" };

	CHECK_FOR(mime_box_read(message, sizeof(message) - 1, &parts, &why) ==
		OUTCOME_OK,
	    "%s %s", why.word, why.text);
	CHECK(parts.count == 8);
	for (size_t i = 0; i < parts.count && i < 8; i++) {
		const struct mime_part *p = &parts.parts[i];

		CHECK_FOR(p->parent == wanted[i].parent &&
			p->depth == wanted[i].depth,
		    "%zu", i);
		CHECK_STRING(p->type, wanted[i].type);
		CHECK_FOR(strncmp(message + p->start, wanted[i].header,
			      strlen(wanted[i].header)) == 0,
		    "%zu: %.20s", i, message + p->start);
		CHECK_FOR(strncmp(message + p->body, wanted[i].body,
			      strlen(wanted[i].body)) == 0,
		    "%zu: %.20s", i, message + p->body);
	}
	CHECK(parts.parts[1].encoding == MIME_QUOTED_PRINTABLE);
	CHECK(parts.parts[1].end - parts.parts[1].body == 3);
	mime_parts_free(&parts);
}

/* `count` times the pieces, then the tail. */
static const char *
word_of(const char *each, unsigned count, bool numbered)
{
	struct buffer text;
	struct mime_parts parts;
	static struct reason why;

	buffer_init(&text, 64 << 20);
	for (unsigned i = 0; i < count; i++) {
		const char *mark = strchr(each, '%');

		if (!numbered) {
			buffer_add_string(&text, each);
			continue;
		}
		buffer_add_format(&text, "%.*s%u%s\r\n\r\n--%u\r\n",
		    (int)(mark - each), each, i, mark + 1, i);
	}
	memset(&why, 0, sizeof(why));
	mime_box_read(text.data, text.len, &parts, &why);
	mime_parts_free(&parts);
	buffer_free(&text);
	return why.word;
}

TEST(depth_is_bounded)
{
	static const char rfc822[] = "Content-Type: message/rfc822\r\n\r\n";
	static const char multi[] = "Content-Type: multipart/mixed; "
				    "boundary=%";
	int64_t start = clock_monotonic_ms();

	CHECK_STRING(word_of(rfc822, 40, false), "");
	CHECK_STRING(word_of(rfc822, 51, false), "limit");
	CHECK_STRING(word_of(rfc822, 30000, false), "limit");
	CHECK_STRING(word_of(multi, 40, true), "");
	CHECK_STRING(word_of(multi, 10000, true), "limit");
	CHECK(clock_monotonic_ms() - start < 5000);
}

TEST(the_number_of_parts_is_bounded)
{
	struct buffer text;

	for (unsigned count = 900; count <= 1100; count += 200) {
		struct mime_parts parts;
		struct reason why = { OUTCOME_OK, "", "" };

		buffer_init(&text, 1 << 20);
		buffer_add_string(&text,
		    "Content-Type: multipart/mixed;"
		    "\r\n BOUNDARY = \"x\"\r\n\r\n");
		for (unsigned i = 0; i < count; i++)
			buffer_add_string(&text, "--x\r\n\r\ny\r\n");
		mime_box_read(text.data, text.len, &parts, &why);
		CHECK_STRING(why.word, count > 1000 ? "limit" : "");
		mime_parts_free(&parts);
		buffer_free(&text);
	}
}

TEST(comments_do_not_hide_depth)
{
	static const char sly[] = "Content-Type: message(x) /rfc822\r\n\r\n";

	CHECK_STRING(word_of(sly, 60000, false), "limit");
}

TEST(without_a_box_it_is_a_temporary_failure)
{
	struct rlimit limit, none = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	CHECK_STRING(word_of("A: b\r\n\r\n", 1, false), "box");
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK_STRING(word_of("A: b\r\n\r\n", 1, false), "");
}

int
main(void)
{
	RUN(parts_come_with_raw_offsets);
	RUN(depth_is_bounded);
	RUN(the_number_of_parts_is_bounded);
	RUN(comments_do_not_hide_depth);
	RUN(without_a_box_it_is_a_temporary_failure);
	return test_done();
}

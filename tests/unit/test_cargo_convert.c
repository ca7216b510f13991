/* SPDX-License-Identifier: ISC
 *
 * Conversions: each message of the corpus, and mutations of it, is taken
 * apart and rebuilt; it comes back as it was or was left alone.
 */
#include "cargo_convert.h"
#include "test.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "buffer.h"
#include "cargo_rebuild.h"
#include "conversion_reader.h"
#include "memory.h"

#define CORPUS "tests/corpus/mail"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define MUTATIONS 4 /* of each message */

static const struct cargo_convert_target target = { "https://mailbox.foo.test",
	SHARE, "default", 1798765200 };
static const struct cargo_convert_options all = { CARGO_CONVERT_ALL, 0 };

enum result { RESULT_IDENTICAL, RESULT_ALONE, RESULT_WRONG };

/* ---- a recipient -------------------------------------------------------- */

/* What a recipient gets out of it. */
static bool
rebuild(const struct cargo_conversion *c, const char *message, size_t len,
    struct buffer *out_r)
{
	struct conversion_reader reader = { .conversion = c };
	struct cargo_rebuild_io io = { conversion_reader_read,
		conversion_reader_write, &reader };
	struct cargo_placeholder *p = NULL;
	struct reason why = { OUTCOME_OK, "", "" };
	struct mime_parts parts;
	bool exact = false;

	buffer_init(&reader.out, (size_t)1 << 30);
	/* In this process: the box was used by who proved it. */
	if (mime_box_parse(message, len, &parts, &why) == OUTCOME_OK &&
	    cargo_placeholder_parse_parts(message, len, &parts, &p, &why) ==
		OUTCOME_OK) {
		reader.placeholder = p;
		cargo_rebuild(p, message, len, &io, &exact, &why);
	}
	cargo_placeholder_free(&p);
	cargo_conversion_close(&reader.open);
	*out_r = reader.out;
	return exact;
}

/* ---- one message -------------------------------------------------------- */

static void
remove_cr(const char *text, size_t len, struct buffer *out)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			buffer_add(out, text + i, 1);
}

/* Fields on top, as transport adds them, and once more with bare LF, as a
 * mail store keeps it. */
static bool
is_rebuilt(const struct cargo_conversion *c, const char *placeholder,
    size_t placeholder_len, const char *message, size_t len)
{
	static const char top[] = "Received: from b by c\r\n";
	struct buffer moved, kept, wanted, out;
	bool good;

	buffer_init(&moved, (size_t)1 << 30);
	buffer_init(&kept, (size_t)1 << 30);
	buffer_init(&wanted, (size_t)1 << 30);
	buffer_add_format(&moved, "%s%s", top,
	    "X-Destination-Resource-Mailbox-URL: https://mailbox.bar.test\r\n"
	    "X-Cargomail-Status: unreachable\r\n");
	buffer_add(&moved, placeholder, placeholder_len);
	good = rebuild(c, moved.data, moved.len, &out) &&
	    out.len == sizeof(top) - 1 + len &&
	    memcmp(out.data, top, sizeof(top) - 1) == 0 &&
	    memcmp(out.data + sizeof(top) - 1, message, len) == 0;
	buffer_free(&out);
	remove_cr(placeholder, placeholder_len, &kept);
	remove_cr(message, len, &wanted);
	/* A CR before a line end cannot be told from one: then it may not be
	 * exact, but must not be said to be. */
	if (rebuild(c, kept.data, kept.len, &out))
		good = good && out.len == wanted.len &&
		    memcmp(out.data, wanted.data, wanted.len) == 0;
	else
		good = good && memchr(wanted.data, '\r', wanted.len) != NULL;
	buffer_free(&out);
	buffer_free(&moved);
	buffer_free(&kept);
	buffer_free(&wanted);
	return good;
}

/* A message with bare LF in a part cannot come back from a store that has
 * nothing else; SMTP carries none. */
static bool
has_bare_lf(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
			return true;
	return false;
}

static enum result
convert(const char *message, size_t len,
    const struct cargo_convert_options *options, struct reason *why)
{
	struct cargo_conversion *c;
	enum result result = RESULT_WRONG;
	char *placeholder = NULL;
	size_t placeholder_len;
	enum outcome outcome;

	outcome = cargo_convert_plan(message, len, options, &c, why);
	if (outcome != OUTCOME_OK)
		return outcome == OUTCOME_PERMFAIL ? RESULT_ALONE :
						     RESULT_WRONG;
	outcome = cargo_convert_compose(c, &target, &placeholder,
	    &placeholder_len, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    cargo_convert_prove(c, placeholder, placeholder_len, why);
	if (outcome == OUTCOME_PERMFAIL)
		result = RESULT_ALONE;
	else if (outcome == OUTCOME_OK &&
	    (has_bare_lf(message, len) ||
		is_rebuilt(c, placeholder, placeholder_len, message, len)))
		result = RESULT_IDENTICAL;
	free(placeholder);
	cargo_conversion_free(&c);
	return result;
}

/* ---- the corpus --------------------------------------------------------- */

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void
cut(struct buffer *b, size_t at, size_t len)
{
	memmove(b->data + at, b->data + at + len, b->len - at - len);
	b->len -= len;
}

/* Another message, always the same for the same number. */
static void
mutate(struct buffer *b, uint32_t *state)
{
	for (unsigned times = 1 + next_random(state) % 3; times > 0; times--) {
		size_t at = next_random(state) % b->len;
		size_t other = next_random(state) % b->len;
		size_t len = 1 + next_random(state) % 80;
		char line[2] = { '\r', '\n' };

		if (len > b->len - at)
			len = b->len - at;
		if (b->len < 64)
			return;
		switch (next_random(state) % 6) {
		case 0:
			b->data[at] = (char)next_random(state);
			break;
		case 1:
			cut(b, at, len < b->len / 2 ? len : 1);
			break;
		case 2: /* a line end goes, or comes */
			if (b->data[at] == '\n' && at > 0)
				cut(b, at - 1, 2);
			else
				memcpy(b->data + (at > 0 ? at - 1 : 0), line,
				    2);
			break;
		case 3: /* something stands twice */
			if (len <= b->len - other)
				memmove(b->data + at, b->data + other, len);
			break;
		case 4: /* no end */
			cut(b, b->len - len / 2 - 1, len / 2 + 1);
			break;
		default:
			b->data[at] = "=-\t .F\r:;\"A"[next_random(state) % 11];
		}
	}
}

static bool
read_file(const char *name, struct buffer *out)
{
	char *path = x_asprintf(CORPUS "/%s", name);
	FILE *file = fopen(path, "rb");
	char data[4096];
	size_t got;

	free(path);
	if (file == NULL)
		return false;
	while ((got = fread(data, 1, sizeof(data), file)) > 0)
		buffer_add(out, data, got);
	fclose(file);
	return true;
}

static void
count_result(const char *name, unsigned mutation, const struct buffer *message,
    unsigned counts[3])
{
	struct reason why = { OUTCOME_OK, "", "" };
	enum result result = convert(message->data, message->len, &all, &why);

	counts[result]++;
	CHECK_FOR(result != RESULT_WRONG, "%s, mutation %u: %s %s", name,
	    mutation, why.word, why.text);
	/* What is written for the tests goes, but where its name says no. */
	if (mutation == 0)
		CHECK_FOR(result ==
			(strncmp(name, "alone-", 6) == 0 ? RESULT_ALONE :
							   RESULT_IDENTICAL),
		    "%s: %s %s", name, why.word, why.text);
}

TEST(corpus_comes_back)
{
	struct dirent **names;
	int count = scandir(CORPUS, &names, NULL, alphasort);
	unsigned counts[3] = { 0 };
	uint32_t state = 20261123;

	CHECK(count > 0);
	for (int i = 0; i < count; i++) {
		struct buffer message, changed;

		buffer_init(&message, (size_t)1 << 20);
		buffer_init(&changed, (size_t)1 << 20);
		if (names[i]->d_name[0] != '.' &&
		    read_file(names[i]->d_name, &message)) {
			count_result(names[i]->d_name, 0, &message, counts);
			for (unsigned j = 1; j <= MUTATIONS; j++) {
				buffer_clear(&changed);
				buffer_add(&changed, message.data, message.len);
				mutate(&changed, &state);
				count_result(names[i]->d_name, j, &changed,
				    counts);
			}
		}
		buffer_free(&message);
		buffer_free(&changed);
		free(names[i]);
	}
	free(names);
	printf("# %u messages: %u identical, %u left alone, %u wrong\n",
	    counts[0] + counts[1] + counts[2], counts[RESULT_IDENTICAL],
	    counts[RESULT_ALONE], counts[RESULT_WRONG]);
	CHECK(counts[0] + counts[1] >= 200);
	CHECK(counts[RESULT_IDENTICAL] >= 100);
}

/* ---- what is taken ------------------------------------------------------ */

static void
fill(struct buffer *b, const char *text, unsigned count)
{
	while (count-- > 0)
		buffer_add_string(b, text);
}

/* A text, a small attachment, a named text and a large attachment. */
static void
conversion_reader_write_of_four(struct buffer *b)
{
	static const char line[] =
	    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJz"
	    "dHV2d3h5ejAx\r\n";

	buffer_init(b, (size_t)1 << 28);
	buffer_add_string(b,
	    "From: a@foo.test\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
	    "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
	    "--x\r\nContent-Type: image/png; name=a.png\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n");
	fill(b, line, 10);
	buffer_add_string(b,
	    "\r\n--x\r\nContent-Type: text/x-c; charset=us-ascii\r\n"
	    "Content-Disposition: inline; filename=a.c\r\n\r\nint a;\r\n"
	    "--x\r\nContent-Type: video/mp4\r\n"
	    "Content-Disposition: attachment; filename*=utf-8''%C3%A9.mp4\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n");
	fill(b, line, 2000);
	buffer_add_string(b, "\r\n--x--\r\n");
}

TEST(modes_take_what_they_say)
{
	static const struct {
		struct cargo_convert_options options;
		size_t count; /* 0: nothing */
	} rows[] = {
		{ { CARGO_CONVERT_NONE, 0 }, 0 },
		{ { CARGO_CONVERT_LARGE, 107999 }, 1 },
		{ { CARGO_CONVERT_LARGE, 108000 }, 0 }, /* not above */
		{ { CARGO_CONVERT_LARGE, 500 }, 2 },
		{ { CARGO_CONVERT_LARGE, 10000000 }, 0 },
		{ { CARGO_CONVERT_ATTACHMENTS, 0 }, 3 },
		{ { CARGO_CONVERT_ALL, 0 }, 4 },
	};
	struct buffer b;

	conversion_reader_write_of_four(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cargo_conversion *c;
		struct reason why = { OUTCOME_OK, "", "" };
		size_t count = 0;

		cargo_convert_plan(b.data, b.len, &rows[i].options, &c, &why);
		if (c != NULL)
			count = cargo_conversion_count(c);
		CHECK_FOR(count == rows[i].count, "%zu: %zu %s", i, count,
		    why.text);
		CHECK_FOR(count > 0 || reason_is(&why, "nothing"), "%zu", i);
		cargo_conversion_free(&c);
	}
	buffer_free(&b);
}

TEST(resources_say_what_they_are)
{
	struct cargo_conversion *c;
	const struct cargo_draft_resource *r;
	struct buffer b;

	conversion_reader_write_of_four(&b);
	CHECK(cargo_convert_plan(b.data, b.len, &all, &c, NULL) == OUTCOME_OK);
	CHECK(cargo_conversion_count(c) == 4);
	r = cargo_conversion_resource(c, 0);
	CHECK_STRING(r->type, "text/plain");
	CHECK(r->name == NULL && r->size == 5);
	r = cargo_conversion_resource(c, 2);
	CHECK_STRING(r->type, "text/x-c; charset=us-ascii");
	CHECK_STRING(r->name, "a.c");
	CHECK_STRING(r->disposition, "inline");
	r = cargo_conversion_resource(c, 3);
	CHECK_STRING(r->name, "\xc3\xa9.mp4");
	CHECK_STRING(r->disposition, "attachment");
	CHECK(r->size == 108000);
	cargo_conversion_free(&c);
	buffer_free(&b);
}

/* Half of it is below the threshold and goes for want of room. */
TEST(what_has_no_room_goes_as_well)
{
	struct cargo_convert_options options = { CARGO_CONVERT_LARGE, 1000000 };
	struct cargo_conversion *c;
	struct reason why = { OUTCOME_OK, "", "" };
	struct buffer b;

	buffer_init(&b, (size_t)1 << 28);
	buffer_add_string(&b,
	    "From: a@foo.test\r\nContent-Type: "
	    "multipart/mixed; boundary=x\r\n\r\n");
	for (unsigned i = 0; i < 4; i++) {
		buffer_add_format(&b, "--x\r\n\r\n%u", i);
		fill(&b, "a line of some text\r\n", i == 0 ? 60000 : 20000);
	}
	buffer_add_string(&b, "--x--\r\n");
	CHECK(cargo_convert_plan(b.data, b.len, &options, &c, &why) ==
	    OUTCOME_OK);
	CHECK_FOR(c != NULL && cargo_conversion_count(c) == 3, "%s", why.text);
	cargo_conversion_free(&c);
	CHECK(convert(b.data, b.len, &options, &why) == RESULT_IDENTICAL);
	buffer_free(&b);
}

/* ---- hostile placeholders ----------------------------------------------- */

TEST(false_originals_are_not_exact)
{
	static const struct {
		const char *old, *new;
	} rows[] = {
		{ "order=k1m2", "order=k9m2" },
		{ "order=k1m2", "order=k1m3" },
		{ "order=k1m2", "order=k1m1" },
		{ "order=k1m2", "order=m2k1" },
		{ "order=k1m2", "order=k1m99999999999" },
		{ "order=k1m2", "order=z1m2" },
		{ "order=k1m2", "order=k0m2" },
		{ "size=", "size=9" },
		{ "sha256=", "sha256=00" },
		{ "encoding=base64; line=72", "encoding=base64; line=4" },
		{ "encoding=base64; line=72", "encoding=base64; line=1" },
		{ "final=yes", "final=9" },
		{ "final=yes", "final=99" },
		{ "encoding=base64", "encoding=quoted-printable" },
		{ "encoding=8bit", "encoding=rot13" },
	};
	struct cargo_conversion *c;
	struct buffer b, changed, out;
	char *placeholder;
	size_t len;

	conversion_reader_write_of_four(&b);
	CHECK(cargo_convert_plan(b.data, b.len, &all, &c, NULL) == OUTCOME_OK);
	CHECK(cargo_convert_compose(c, &target, &placeholder, &len, NULL) ==
	    OUTCOME_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at =
		    memmem(placeholder, len, rows[i].old, strlen(rows[i].old));
		size_t before = at != NULL ? (size_t)(at - placeholder) : 0;
		size_t behind = before + strlen(rows[i].old);
		struct reason why = { OUTCOME_OK, "", "" };

		CHECK_FOR(at != NULL, "%zu", i);
		buffer_init(&changed, (size_t)1 << 20);
		buffer_add(&changed, placeholder, before);
		buffer_add_string(&changed, rows[i].new);
		buffer_add(&changed, placeholder + behind, len - behind);
		CHECK_FOR(!rebuild(c, changed.data, changed.len, &out), "%zu",
		    i);
		CHECK_FOR(out.len < 8 * b.len, "%zu", i);
		CHECK_FOR(cargo_convert_prove(c, changed.data, changed.len,
			      &why) == OUTCOME_PERMFAIL &&
			reason_is(&why, "differs"),
		    "%zu", i);
		buffer_free(&out);
		buffer_free(&changed);
	}
	free(placeholder);
	cargo_conversion_free(&c);
	buffer_free(&b);
}

int
main(void)
{
	RUN(modes_take_what_they_say);
	RUN(resources_say_what_they_are);
	RUN(what_has_no_room_goes_as_well);
	RUN(false_originals_are_not_exact);
	RUN(corpus_comes_back);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * What a hostile placeholder can bring back: MIME fields, and nothing of what
 * a reader or a filter believes.
 */
#include "cargo_original.h"

#include "buffer.h"
#include "cargo_rebuild.h"
#include "mime_box.h"
#include "test.h"

#define TEXT "hello"
#define TEXT_HASH \
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define ORIGIN "https://mailbox.evil.test"
#define HEADER \
	"Authentication-Results: mx.bar.test; dkim=pass header.d=evil.test" \
	"\r\nFrom: mallory@evil.test\r\nMessage-ID: <1@evil.test>\r\n" \
	"X-Origin-Resource-Mailbox-URL: " ORIGIN "; share=" SHARE \
	"\r\nMIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n"
#define NOTE \
	"--42\r\nContent-Type: text/plain\r\n" \
	"Content-Description: Cargomail note\r\n\r\nnote\r\n"
#define ORDER "Content-Original: message; order=%s; size=1; sha256=" TEXT_HASH
#define EXTERNAL \
	"Content-Type: message/external-body; access-type=content-addressed-" \
	"uri; hash-algorithm=sha256; size=5; expiration=\"Sat, 5 Dec " \
	"2026 14:05:01 +0000\"; origin=\"" ORIGIN "\"; share=" SHARE \
	"; encoding=identity\r\n\r\n"
/* A message of one part, and one of several. */
#define LEAF \
	HEADER NOTE "--42\r\n" ORDER "\r\n" EXTERNAL \
		    "%sContent-ID: <" TEXT_HASH ">\r\n\r\n--42--\r\n"
#define PARTS \
	HEADER NOTE "--42\r\n" ORDER "\r\n%sContent-Type: multipart/mixed; " \
		    "boundary=7\r\n\r\n--7\r\n" EXTERNAL \
		    "Content-ID: <" TEXT_HASH ">\r\n\r\n--7--\r\n--42--\r\n"

static ssize_t
read_resource(void *context, size_t index, void *data_r, size_t max)
{
	bool *done = context;

	(void)index;
	if (*done || max < strlen(TEXT))
		return 0;
	*done = true;
	memcpy(data_r, TEXT, strlen(TEXT));
	return (ssize_t)strlen(TEXT);
}

static struct buffer out;

static int
write_message(void *context, const void *data, size_t len)
{
	(void)context;
	return buffer_add(&out, data, len);
}

/* What cargo_original_find() says; `out` has what is rebuilt. */
static int
rebuild(bool leaf, const char *order, const char *fields)
{
	struct cargo_rebuild_io io = { read_resource, write_message, NULL };
	char message[4096];
	int len = leaf ?
	    snprintf(message, sizeof(message), LEAF, order, fields) :
	    snprintf(message, sizeof(message), PARTS, order, fields);
	struct cargo_placeholder *p = NULL;
	struct cargo_original original;
	struct mime_parts parts;
	struct reason why = { OUTCOME_OK, "", "" };
	bool done = false, exact;
	int found = -2;

	io.context = &done;
	buffer_init(&out, 65536);
	if (mime_box_parse(message, (size_t)len, &parts, &why) == OUTCOME_OK &&
	    cargo_placeholder_parse_parts(message, (size_t)len, &parts, &p,
		&why) == OUTCOME_OK) {
		found = cargo_original_find(p, message, &original);
		CHECK(cargo_rebuild(p, message, (size_t)len, &io, &exact,
			  &why) == OUTCOME_OK);
		/* Nobody's hash is right here. */
		CHECK(!exact);
	} else
		printf("# %s %s\n", why.word, why.text);
	cargo_placeholder_free(&p);
	return found;
}

/* In the header of what is rebuilt. */
static bool
header_has(const char *text)
{
	const char *all = buffer_string(&out), *end = strstr(all, "\r\n\r\n");

	return end != NULL &&
	    memmem(all, (size_t)(end - all), text, strlen(text)) != NULL;
}

TEST(only_mime_fields_come_back)
{
	static const struct {
		bool leaf;
		const char *order, *fields;
		int found;
	} table[] = {
		{ false, "k2m2", "MIME-Version: 1.0\r\n", 1 },
		{ false, "m2k2", "Content-Language: x\r\n", 1 },
		{ false, "m2k2", "X-Correspondence-Category: x\r\n", 1 },
		{ false, "m2k2", "From: ceo@bar.test\r\n", -1 },
		{ false, "m2k0", "Subject: y\r\n", -1 },
		{ false, "m2k2",
		    "Authentication-Results: mx.bar.test; dkim=pass\r\n", -1 },
		{ false, "m2k2", "X-Cargomail-Status: original\r\n", -1 },
		{ false, "m2k2",
		    "X-Destination-Resource-Mailbox-URL: " ORIGIN "\r\n", -1 },
		{ true, "k2m2",
		    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n", 1 },
		{ true, "m2k2",
		    "From: ceo@bar.test\r\nContent-Type: text/plain\r\n", -1 },
		{ true, "m2k2",
		    "X-Original-From: x\r\nContent-Type: text/plain\r\n", -1 },
		{ true, "m2k2",
		    "X-Original-Content-ID: <x>\r\nContent-Type: a/b\r\n", 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int found =
		    rebuild(table[i].leaf, table[i].order, table[i].fields);

		if (found != table[i].found)
			printf("# line %zu: %d\n", i, found);
		CHECK(found == table[i].found);
		CHECK(header_has("From: mallory@evil.test"));
		if (found == 1)
			CHECK(header_has("Content-Type: "));
		else
			CHECK(!header_has(table[i].fields));
		buffer_free(&out);
	}
}

int
main(void)
{
	RUN(only_mime_fields_come_back);
	return test_done();
}

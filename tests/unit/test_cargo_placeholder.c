/* SPDX-License-Identifier: ISC
 *
 * Placeholders: read liberally, written in one form, rebuilt exactly.
 */
#include <stdlib.h>

#include "cargo_notification.h"
#include "cargo_placeholder.h"
#include "cargo_rebuild.h"
#include "encoding.h"
#include "test.h"

#define H1 "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define DATE "Sat, 5 Dec 2026 14:05:01 +0000"

/* Pieces that the cases below vary. */
#define HEAD(fields) \
	"From: alice@foo.test\r\nMessage-ID: <1@foo.test>\r\n" fields \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\n"
#define ORIGIN(name) \
	name ": https://mailbox.hospital.test; share=" SHARE \
	     "; expiration=\"" DATE "\"\r\n"
#define GOOD \
	ORIGIN("X-Origin-Resource-Mailbox-URL") \
	"X-Correspondence-Category: healthcare\r\n"
#define NOTE \
	"--42\r\nContent-Type: text/plain; charset=utf-8\r\n" \
	"Content-Description: Cargomail note\r\n\r\nhello\r\n"
#define BODY(parameters, inner) \
	"--42\r\nContent-Type: message/external-body; " parameters \
	"\r\n\r\n" inner "\r\n\r\n"
#define PARAMETERS \
	"access-type=content-addressed-uri; hash-algorithm=sha256; size=5;" \
	"\r\n  expiration=\"" DATE "\"; origin=\"https://mailbox.hospital" \
	".test\"; share=" SHARE "; category=healthcare"
#define INNER \
	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Disposition: inline\r\nContent-ID: <" H1 ">"
#define END "--42--\r\n"

static enum outcome
parse(const char *text, struct cargo_placeholder **p, struct reason *why)
{
	why->word[0] = '\0';
	return cargo_placeholder_parse(text, strlen(text), p, why);
}

static const struct {
	const char *what;
	const char *message;
	const char *word; /* "" if it is good */
} cases[] = {
	{ "as in the design", HEAD(GOOD) NOTE BODY(PARAMETERS, INNER) END, "" },
	{ "no note", HEAD(GOOD) BODY(PARAMETERS, INNER) END, "" },
	{ "later field name",
	    HEAD(ORIGIN(
		"X-Origin-Mailbox-Service-URL") "X-Correspondence-Category: "
						"Healthcare\r\n")
		BODY(PARAMETERS, INNER) END,
	    "" },
	{ "x- and quotes everywhere",
	    HEAD(GOOD) BODY("access-type=\"x-content-addressed-uri\"; "
			    "hash-algorithm=\"SHA-256\"; size=\"5\"; "
			    "expiration=\"" DATE
			    "\"; origin=\"https://mailbox.hospital.test\"; "
			    "share=\"" SHARE
			    "\"; category=\"healthcare\"; unknown=parameter",
		INNER) END,
	    "" },
	{ "base64url digest",
	    HEAD(GOOD) BODY(PARAMETERS,
		"Content-Type: text/plain\r\n"
		"Content-ID: <L3dmip37-NWEi57rSnFFypTG7ZI25Kdz9tyvpRMrL5E>\r\n"
		"X-Future: kept") END,
	    "" },
	{ "no header field", HEAD("") BODY(PARAMETERS, INNER) END, "disagree" },
	{ "two origin fields", HEAD(GOOD GOOD) BODY(PARAMETERS, INNER) END,
	    "disagree" },
	{ "another origin in the header",
	    HEAD(
		"X-Origin-Resource-Mailbox-URL: https://evil.test; share=" SHARE
		"\r\nX-Correspondence-Category: healthcare\r\n")
		BODY(PARAMETERS, INNER) END,
	    "disagree" },
	{ "another share in the header",
	    HEAD("X-Origin-Resource-Mailbox-URL: https://mailbox.hospital."
		 "test; share=BAAAAAAAAAAAAAAAAAAAAA\r\n"
		 "X-Correspondence-Category: healthcare\r\n")
		BODY(PARAMETERS, INNER) END,
	    "disagree" },
	{ "another category in the header",
	    HEAD(ORIGIN(
		"X-Origin-Resource-Mailbox-URL") "X-Correspondence-Category: "
						 "personal\r\n")
		BODY(PARAMETERS, INNER) END,
	    "disagree" },
	{ "no category in the header",
	    HEAD(ORIGIN("X-Origin-Resource-Mailbox-URL"))
		BODY(PARAMETERS, INNER) END,
	    "disagree" },
	{ "bodies differ",
	    HEAD(GOOD) BODY(PARAMETERS, INNER)
		BODY("access-type=content-addressed-uri; hash-algorithm=sha256;"
		     " size=5; expiration=\"" DATE
		     "\"; origin=\"https://evil.test\";"
		     " share=" SHARE "; category=healthcare",
		    INNER) END,
	    "disagree" },
	{ "nothing of ours", HEAD(GOOD) NOTE END, "none" },
	{ "another kind of external body",
	    HEAD(GOOD) BODY("access-type=anon-ftp; site=foo.test", INNER) END,
	    "none" },
	{ "inside a forwarded message",
	    HEAD(GOOD) "--42\r\nContent-Type: message/rfc822\r\n\r\n"
		       "Content-Type: message/external-body; " PARAMETERS
		       "\r\n\r\n" INNER "\r\n" END,
	    "none" },
	{ "no hash",
	    HEAD(GOOD) BODY(PARAMETERS, "Content-Type: text/plain") END,
	    "form" },
	{ "two hashes",
	    HEAD(GOOD) BODY(PARAMETERS, INNER "\r\nContent-ID: <" H1 ">") END,
	    "form" },
	{ "open quote", HEAD(GOOD) BODY(PARAMETERS "; x=\"", INNER) END,
	    "form" },
	{ "size twice", HEAD(GOOD) BODY(PARAMETERS "; size=6", INNER) END,
	    "form" },
	{ "negative size",
	    HEAD(GOOD)
		BODY("access-type=content-addressed-"
		     "uri; hash-algorithm=sha256; size=-5; expiration=\"" DATE
		     "\"; "
		     "origin=\"https://mailbox.hospital.test\"; share=" SHARE
		     "; category=healthcare",
		    INNER) END,
	    "form" },
	{ "origin with a user",
	    HEAD(GOOD) BODY("access-type=content-"
			    "addressed-uri; hash-algorithm=sha256; size=5; "
			    "expiration=\"" DATE
			    "\"; origin=\"https://a:b@mailbox.hospital.test\"; "
			    "share=" SHARE "; category=healthcare",
		INNER) END,
	    "form" },
	{ "broken header", "From: a@foo.test\r\nrubbish\r\n\r\nx", "form" },
	{ "empty", "", "form" },
};

TEST(placeholders_are_read_liberally_and_must_agree)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cargo_placeholder *p = NULL;
		struct reason why;
		enum outcome outcome = parse(cases[i].message, &p, &why);

		CHECK_FOR(strcmp(why.word, cases[i].word) == 0,
		    "%s: got \"%s\" %s", cases[i].what, why.word, why.text);
		CHECK_FOR((outcome == OUTCOME_OK) == (p != NULL), "%s",
		    cases[i].what);
		if (p == NULL)
			continue;
		CHECK_FOR(p->count == 1 &&
			strcmp(p->resources[0].hash, H1) == 0 &&
			p->resources[0].size == 5,
		    "%s", cases[i].what);
		CHECK_STRING(p->origin, "https://mailbox.hospital.test");
		CHECK_STRING(p->category, "healthcare");
		CHECK(p->expires == 1796479501);
		CHECK_STRING(p->message_id, "1@foo.test");
		cargo_placeholder_free(&p);
	}
}

TEST(too_many_resources_are_refused)
{
	static const char one[] = BODY(PARAMETERS, INNER);
	size_t head = strlen(HEAD(GOOD)), len = strlen(one);

	for (unsigned count = 200; count <= 201; count++) {
		char *text = malloc(head + count * len + 100), *at = text;
		struct cargo_placeholder *p = NULL;
		struct reason why = { OUTCOME_OK, "", "" };

		at += sprintf(at, "%s", HEAD(GOOD));
		for (unsigned i = 0; i < count; i++, at += len)
			memcpy(at, one, len);
		strcpy(at, END);
		parse(text, &p, &why);
		CHECK_STRING(why.word, count > 200 ? "limit" : "");
		cargo_placeholder_free(&p);
		free(text);
	}
}

/* ---- writing and rebuilding -------------------------------------------- */

struct memory_io {
	const char *const *resources;
	size_t at[8];
	char out[8192];
	size_t len;
};

static ssize_t
memory_read(void *context, size_t index, void *data_r, size_t max)
{
	struct memory_io *io = context;
	const char *text = io->resources[index] + io->at[index];
	size_t len = strlen(text);

	if (max > 7)
		max = 7; /* in bits and pieces */
	if (len > max)
		len = max;
	memcpy(data_r, text, len);
	io->at[index] += len;
	return (ssize_t)len;
}

static int
memory_write(void *context, const void *data, size_t len)
{
	struct memory_io *io = context;

	if (io->len + len >= sizeof(io->out))
		return -1;
	memcpy(io->out + io->len, data, len);
	io->len += len;
	io->out[io->len] = '\0';
	return 0;
}

static enum outcome
rebuild(const char *message, const char *const *resources, struct memory_io *io,
    bool *exact_r, struct reason *why)
{
	struct cargo_rebuild_io calls = { memory_read, memory_write, io };
	struct cargo_placeholder *p;
	enum outcome outcome;

	*io = (struct memory_io){ .resources = resources };
	why->word[0] = '\0';
	outcome = cargo_placeholder_parse(message, strlen(message), &p, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome =
	    cargo_rebuild(p, message, strlen(message), &calls, exact_r, why);
	cargo_placeholder_free(&p);
	return outcome;
}

static const char *const contents[] = { "Dear Bob,\n\ncaf\xc3\xa9 = good \n",
	"binary\001bytes" };

static char *
compose(const char *name)
{
	char hashes[2][SHA256_HEX_SIZE];
	struct cargo_draft_resource resources[] = {
		{ hashes[0], (int64_t)strlen(contents[0]),
		    "text/plain; charset=utf-8", NULL, "inline" },
		{ hashes[1], (int64_t)strlen(contents[1]),
		    "application/octet-stream", name, "attachment" },
	};
	struct cargo_draft draft = {
		.header = "From: alice@foo.test\nTo: bob@bar.test\n"
			  "Subject: Your\n scan\nMessage-ID: <7@foo.test>\n",
		.origin = "https://mailbox.hospital.test",
		.share = SHARE,
		.category = "healthcare",
		.expires = 1796479501,
		.resources = resources,
		.count = 2,
	};
	struct reason why = { OUTCOME_OK, "", "" };
	char *message = NULL;
	size_t len;

	for (int i = 0; i < 2; i++)
		sha256_hex(contents[i], strlen(contents[i]), hashes[i]);
	cargo_placeholder_compose(&draft, &message, &len, &why);
	if (message == NULL)
		printf("# %s\n", why.text);
	return message;
}

TEST(what_is_written_can_be_read)
{
	static const char *const names[] = { "scan.bin", "a \"b\\c\".bin",
		"ber\xc3\xbchmt.bin", "x'%*;y", NULL };

	for (int i = 0; i < 5; i++) {
		char *message = compose(names[i]);
		struct cargo_placeholder *p = NULL;
		struct reason why;

		CHECK(message != NULL);
		CHECK_FOR(parse(message, &p, &why) == OUTCOME_OK, "%d: %s %s",
		    i, why.word, why.text);
		if (p != NULL) {
			CHECK(p->count == 2 && p->note == 1);
			CHECK(p->resources[0].name == NULL);
			CHECK_STRING(p->resources[0].type, "text/plain");
			CHECK_STRING(p->resources[1].disposition, "attachment");
			if (names[i] != NULL)
				CHECK_STRING(p->resources[1].name, names[i]);
		}
		cargo_placeholder_free(&p);
		free(message);
	}
}

/* Text, HTML and its picture, a file: as mail programs expect them. */
TEST(html_stands_with_its_pictures)
{
	static const char *const types[] = { "multipart/mixed", "text/plain",
		"multipart/alternative", "message/external-body",
		"multipart/related", "message/external-body",
		"message/external-body", "message/external-body" };
	struct cargo_draft_resource r[] = {
		{ H1, 5, "text/plain; charset=utf-8", NULL, "inline" },
		{ H1, 5, "text/html; charset=utf-8", NULL, "inline" },
		{ H1, 5, "image/png", "pic.png", "inline" },
		{ H1, 5, "video/mp4", "scan.mp4", "attachment" },
	};
	struct cargo_draft draft = { .header = "From: a@foo.test\n",
		.origin = "https://mailbox.hospital.test",
		.share = SHARE,
		.expires = 1780668301,
		.resources = r,
		.count = 4,
		.related_first = 1,
		.related_count = 2,
		.alternative = true };
	struct cargo_placeholder *p = NULL;
	struct reason why;
	char *message;
	size_t len;

	CHECK(cargo_placeholder_compose(&draft, &message, &len, &why) ==
	    OUTCOME_OK);
	CHECK_FOR(parse(message, &p, &why) == OUTCOME_OK, "%s", why.text);
	CHECK(
	    p != NULL && p->count == 4 && p->note == 1 && p->parts.count >= 8);
	for (size_t i = 0, n = 0; p != NULL && i < p->parts.count; i++) {
		/* Phantom bodies may be listed, too. */
		if (i > 0 &&
		    strcmp(p->parts.parts[p->parts.parts[i].parent].type,
			"message/external-body") == 0)
			continue;
		CHECK_STRING(p->parts.parts[i].type, n < 8 ? types[n] : "-");
		n++;
	}
	cargo_placeholder_free(&p);
	free(message);
	draft.related_count = 4;
	CHECK(cargo_placeholder_compose(&draft, &message, &len, &why) ==
	    OUTCOME_PERMFAIL);
}

TEST(a_bad_draft_is_refused)
{
	struct cargo_draft_resource resource = { H1, 5, "text/plain", NULL,
		"inline" };
	struct cargo_draft draft = { .header = "From: a@foo.test\n",
		.origin = "https://mailbox.hospital.test",
		.share = SHARE,
		.resources = &resource,
		.count = 1 };
	static const char *const headers[] = { "From: a@foo.test\n\n",
		"To: a@foo.test\n", "From: a@foo.test\nMIME-Version: 1.0\n",
		"From: a@foo.test\nContent-Type: text/plain\n",
		"From: a@foo.test\nx-cargomail-status: ok\n",
		"From: a@foo.test\nrubbish\n" };
	struct reason why;
	char *message;
	size_t len;

	CHECK(cargo_placeholder_compose(&draft, &message, &len, &why) ==
	    OUTCOME_OK);
	free(message);
	for (size_t i = 0; i < 6; i++) {
		draft.header = headers[i];
		CHECK_FOR(cargo_placeholder_compose(&draft, &message, &len,
			      &why) == OUTCOME_PERMFAIL,
		    "%s", headers[i]);
	}
	draft.header = "From: a@foo.test\n";
	resource.type = "text/plain\r\nX: y";
	CHECK(cargo_placeholder_compose(&draft, &message, &len, &why) ==
	    OUTCOME_PERMFAIL);
}

TEST(a_message_is_rebuilt_without_recipe)
{
	char *message = compose("scan.bin");
	struct memory_io io;
	struct reason why;
	bool exact = true;

	CHECK(rebuild(message, contents, &io, &exact, &why) == OUTCOME_OK);
	CHECK(!exact);
	CHECK(strstr(io.out, "X-Origin") == NULL);
	CHECK(strstr(io.out, "external-body") == NULL);
	CHECK(strstr(io.out, CARGO_NOTE_DESCRIPTION) == NULL);
	CHECK(strstr(io.out,
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\nDear Bob,\r\n\r\ncaf=C3=A9 =3D good=20\r\n") != NULL);
	CHECK(strstr(io.out,
		  "Content-Transfer-Encoding: base64\r\n"
		  "\r\nYmluYXJ5AWJ5dGVz\r\n--") != NULL);
	CHECK(strstr(io.out, "Subject: Your\r\n scan\r\n") != NULL);
	free(message);
}

TEST(wrong_bytes_are_noticed)
{
	static const char *const wrong[][2] = {
		{ "Dear Eve,\n\ncaf\xc3\xa9 = good \n", "binary\001bytes" },
		{ "Dear Bob,\n\ncaf\xc3\xa9 = good \n", "binary\001byte" },
		{ "Dear Bob,\n\ncaf\xc3\xa9 = good \nPS", "binary\001bytes" },
	};
	char *message = compose("scan.bin");

	for (int i = 0; i < 3; i++) {
		struct memory_io io;
		struct reason why;
		bool exact;

		CHECK(rebuild(message, wrong[i], &io, &exact, &why) ==
		    OUTCOME_PERMFAIL);
		CHECK_STRING(why.word, "digest");
	}
	free(message);
}

/* An original, and the placeholder that a converter makes of it. */
#define ORIGINAL(inner) \
	"From: alice@foo.test\r\nMessage-ID: <1@foo.test>\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=42\r\n\r\npreamble\r\n" inner \
	    END "epilogue\r\n"
#define CONVERTED(recipe) \
	HEAD(ORIGIN("X-Origin-Resource-Mailbox-URL")) \
	"preamble\r\n" BODY("access-type=content-addressed-uri; " \
			    "hash-algorithm=sha256; " \
			    "size=12; expiration=\"" DATE \
			    "\"; origin=\"https://mailbox.hospital" \
			    ".test\"; share=" SHARE "; " recipe, \
	    "CONTENT-type:text/plain\r\nContent-Transfer-Encoding:  " \
	    "BASE64\r\n" \
	    "Content-ID: <%s>") END "epilogue\r\n"
#define PART \
	"--42\r\nCONTENT-type:text/plain\r\n" \
	"Content-Transfer-Encoding:  BASE64\r\n\r\n"

TEST(a_message_is_rebuilt_exactly_with_a_recipe)
{
	static const struct {
		const char *converted, *original;
	} table[] = {
		{ CONVERTED("encoding=base64; line=8; eol=crlf; final=yes"),
		    ORIGINAL(PART "aGVsbG8g\r\nd29ybGQK\r\n\r\n") },
		{ CONVERTED("encoding=base64; line=76; eol=crlf; final=no"),
		    ORIGINAL(PART "aGVsbG8gd29ybGQK\r\n") },
		{ CONVERTED("encoding=7bit"),
		    ORIGINAL(PART "hello world\n\r\n") },
	};
	static const char *const resource[] = { "hello world\n" };
	char hash[SHA256_HEX_SIZE], message[4096];

	sha256_hex(resource[0], strlen(resource[0]), hash);
	for (size_t i = 0; i < 3; i++) {
		struct memory_io io;
		struct reason why;
		bool exact = false;
		const char *mark = strstr(table[i].converted, "%s");

		snprintf(message, sizeof(message), "%.*s%s%s",
		    (int)(mark - table[i].converted), table[i].converted, hash,
		    mark + 2);
		/* The empty line that BODY leaves behind the inner header is
		 * not part of the original. */
		CHECK_FOR(rebuild(message, resource, &io, &exact, &why) ==
			OUTCOME_OK,
		    "%zu: %s", i, why.text);
		CHECK(exact);
		CHECK_STRING(io.out, table[i].original);
	}
}

TEST(a_notification_says_what_the_placeholder_says)
{
	char *message = compose("ber\xc3\xbchmt.bin"), *body;
	struct cargo_notification *n = NULL;
	struct cargo_placeholder *p = NULL;
	struct reason why;

	CHECK(parse(message, &p, &why) == OUTCOME_OK);
	body = cargo_notification_compose(p, message, strlen(message));
	CHECK(cargo_notification_parse(body, strlen(body), &n, &why) ==
	    OUTCOME_OK);
	CHECK(n->count == 2 && n->placeholder_len == strlen(message) &&
	    memcmp(n->placeholder, message, n->placeholder_len) == 0);
	CHECK(cargo_notification_compare(n, p, &why) == OUTCOME_OK);
	n->resources[1].size++;
	CHECK(cargo_notification_compare(n, p, &why) == OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "disagree");
	n->resources[1].size--;
	free(n->category);
	n->category = NULL;
	CHECK(cargo_notification_compare(n, p, &why) == OUTCOME_PERMFAIL);
	cargo_notification_free(&n);
	cargo_placeholder_free(&p);
	free(body);
	free(message);
}

TEST(bad_notifications_are_refused)
{
	static const char *const bodies[] = { "", "{}", "[]",
		"{\"resources\":[],\"placeholder\":\"YQ==\"}",
		"{\"resources\":[{\"hash\":\"" H1 "\",\"size\":1}],"
		"\"placeholder\":\"YQ==\"}",
		"{\"resources\":[{\"hash\":\"" H1 "\",\"size\":1,\"type\":"
		"\"a/b\",\"extra\":1}],\"placeholder\":\"YQ==\"}",
		"{\"resources\":[{\"hash\":\"" H1 "\",\"size\":-1,\"type\":"
		"\"a/b\"}],\"placeholder\":\"YQ==\"}",
		"{\"resources\":[{\"hash\":\"" H1 "\",\"size\":1,\"type\":"
		"\"a/b\"}],\"placeholder\":\"?\"}",
		"{\"resources\":[{\"hash\":\"" H1 "\",\"size\":1,\"type\":"
		"\"a/b\"}],\"placeholder\":\"YQ==\",\"more\":1}" };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct cargo_notification *n = NULL;
		struct reason why;

		CHECK_FOR(cargo_notification_parse(bodies[i], strlen(bodies[i]),
			      &n, &why) == OUTCOME_PERMFAIL,
		    "%s", bodies[i]);
		CHECK(n == NULL);
	}
}

int
main(void)
{
	RUN(placeholders_are_read_liberally_and_must_agree);
	RUN(too_many_resources_are_refused);
	RUN(what_is_written_can_be_read);
	RUN(html_stands_with_its_pictures);
	RUN(a_bad_draft_is_refused);
	RUN(a_message_is_rebuilt_without_recipe);
	RUN(wrong_bytes_are_noticed);
	RUN(a_message_is_rebuilt_exactly_with_a_recipe);
	RUN(a_notification_says_what_the_placeholder_says);
	RUN(bad_notifications_are_refused);
	return test_done();
}

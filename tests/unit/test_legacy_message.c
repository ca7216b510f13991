/* SPDX-License-Identifier: ISC
 *
 * Messages with a note, out of messages that were really converted; what
 * comes out is read again by the MIME box.
 */
#include "legacy_message.h"

#include <stdlib.h>

#include "cargo_convert.h"
#include "memory.h"
#include "test.h"

#define PAGE \
	"https://web.hospital.test/s/" \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
#define HEAD \
	"From: Alice <alice@foo.test>\r\nTo: bob@bar.test,\r\n" \
	" carol@plain.test\r\nSubject: =?utf-8?Q?R=C3=B6ntgen?=\r\n" \
	"Date: Sun, 29 Nov 2026 01:00:00 +0000\r\nMessage-ID: " \
	"<1@foo.test>\r\n" \
	"References: <0@bar.test>\r\nBcc: dave@plain.test,\r\n " \
	"eve@bar.test\r\n" \
	"X-Correspondence-Category: personal\r\nMIME-Version: 1.0\r\n"
#define TEXT \
	"--a\r\nContent-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f" \
	"e, the text\r\n"
#define SCAN(boundary) \
	"--" boundary "\r\nContent-Type: video/mp4; name=scan.mp4\r\n" \
	"Content-Disposition: attachment; filename=scan.mp4\r\n" \
	"Content-Transfer-Encoding: base64\r\n\r\n" \
	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB" \
	"QUFBQUFBQUFB\r\nQUFBQUFBQUFB\r\n"
#define END "--a--\r\n"

static const struct cargo_convert_options files = { CARGO_CONVERT_ATTACHMENTS,
	0 };
static const struct cargo_convert_options everything = { CARGO_CONVERT_ALL, 0 };

/* The message that a recipient gets; free(). */
static char *
make(const char *message, const struct cargo_convert_options *options,
    const char *page, struct reason *why)
{
	static const struct cargo_convert_target target = {
		"https://mailbox.hospital.test", "AAAAAAAAAAAAAAAAAAAAAA",
		"personal", 1796479501
	};
	struct cargo_conversion *conversion = NULL;
	struct legacy_message *legacy = NULL;
	char *placeholder = NULL, *made = NULL;
	size_t len = 0;

	CHECK_FOR(cargo_convert_plan(message, strlen(message), options,
		      &conversion, why) == OUTCOME_OK &&
		cargo_convert_compose(conversion, &target, &placeholder, &len,
		    why) == OUTCOME_OK &&
		legacy_message_new(placeholder, len, &legacy, why) ==
		    OUTCOME_OK,
	    "%s %s", why->word, why->text);
	if (legacy != NULL &&
	    legacy_message_compose(legacy, page, &made, &len, why) ==
		OUTCOME_OK)
		CHECK(strlen(made) == len);
	legacy_message_free(&legacy);
	cargo_conversion_free(&conversion);
	free(placeholder);
	return made;
}

/* "multipart/mixed(text/plain text/plain)" */
static void
describe(const struct mime_parts *parts, int parent, char *text)
{
	for (size_t i = 0; i < parts->count; i++) {
		if (parts->parts[i].parent != parent)
			continue;
		if (text[0] != '\0' && text[strlen(text) - 1] != '(')
			strcat(text, " ");
		strcat(text, parts->parts[i].type);
		if (strncmp(parts->parts[i].type, "multipart/", 10) != 0)
			continue;
		strcat(text, "(");
		describe(parts, (int)i, text);
		strcat(text, ")");
	}
}

#define ALTERNATIVE \
	HEAD "Content-Type: multipart/alternative; boundary=a\r\n\r\n" \
	     "--a\r\nContent-Type: text/plain\r\n\r\nplain\r\n" \
	     "--a\r\nContent-Type: text/html\r\n\r\n<p>rich\r\n" END
#define SIGNED(type) \
	HEAD "Content-Type: " type "; boundary=s;\r\n protocol=x\r\n\r\n" \
	     "--s\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" TEXT \
		 SCAN("a") END \
	    "\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n" \
	    "-----BEGIN\r\n--s--\r\n"

static const struct {
	const char *what, *message;
	const struct cargo_convert_options *options;
	const char *structure;
} rows[] = {
	{ "text stays",
	    HEAD "Content-Type: multipart/mixed; boundary=a\r\n\r\n" TEXT SCAN(
		"a") END,
	    &files, "multipart/mixed(text/plain multipart/mixed(text/plain))" },
	{ "file first",
	    HEAD "Content-Type: multipart/mixed; boundary=a\r\n\r\n" SCAN("a")
		SCAN("a") TEXT SCAN("a") END,
	    &files, "multipart/mixed(text/plain multipart/mixed(text/plain))" },
	{ "files between",
	    HEAD "Content-Type: multipart/mixed; boundary=a\r\n\r\n" TEXT SCAN(
		"a") SCAN("a") TEXT SCAN("a") END,
	    &files,
	    "multipart/mixed(text/plain "
	    "multipart/mixed(text/plain text/plain))" },
	{ "nothing but files",
	    HEAD "Content-Type: multipart/mixed; boundary=a\r\n\r\n" SCAN("a")
		SCAN("a") END,
	    &files,
	    "multipart/mixed(text/plain "
	    "multipart/mixed(text/plain text/plain))" },
	{ "a leaf alone",
	    HEAD "Content-Type: video/mp4; name=scan.mp4\r\n"
		 "Content-Transfer-Encoding: base64\r\n\r\nQUFB\r\n",
	    &files, "multipart/mixed(text/plain)" },
	{ "alternatives keep their places", ALTERNATIVE, &everything,
	    "multipart/mixed(text/plain "
	    "multipart/alternative(text/plain text/plain))" },
	{ "a signature that cannot be verified", SIGNED("Multipart/SIGNED"),
	    &files,
	    "multipart/mixed(text/plain multipart/mixed("
	    "multipart/mixed(text/plain) text/plain))" },
	{ "nobody can decrypt", SIGNED("multipart/encrypted"), &files,
	    "multipart/mixed(text/plain multipart/mixed("
	    "multipart/mixed(text/plain) text/plain))" },
};

TEST(what_is_left_can_be_read)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reason why = { OUTCOME_OK, "", "" };
		char *made = make(rows[i].message, rows[i].options, PAGE, &why);
		struct mime_parts parts = { NULL, 0 };
		char structure[1000] = "";

		CHECK_FOR(made != NULL &&
			mime_box_read(made, strlen(made), &parts, &why) ==
			    OUTCOME_OK,
		    "%s: %s", rows[i].what, why.text);
		describe(&parts, -1, structure);
		CHECK_FOR(strcmp(structure, rows[i].structure) == 0, "%s: %s",
		    rows[i].what, structure);
		CHECK_FOR(made != NULL && strstr(made, "external-body") == NULL,
		    "%s", rows[i].what);
		mime_parts_free(&parts);
		free(made);
	}
}

/* Takes the soft line breaks of quoted-printable out, and "=3D". */
static void
unfold(char *text)
{
	char *out = text;

	for (; *text != '\0'; *out++ = *text++) {
		while (strncmp(text, "=\r\n", 3) == 0)
			text += 3;
		if (strncmp(text, "=3D", 3) == 0) {
			text += 2;
			*text = '=';
		}
	}
	*out = '\0';
}

TEST(header_and_note)
{
	static const char *const there[] = { "From: Alice <alice@foo.test>\r\n",
		"To: bob@bar.test,\r\n carol@plain.test\r\n",
		"Subject: =?utf-8?Q?R=C3=B6ntgen?=\r\n",
		"Date: Sun, 29 Nov 2026 01:00:00 +0000\r\n",
		"Message-ID: <1@foo.test>\r\n", "References: <0@bar.test>\r\n",
		"\r\nMIME-Version: 1.0\r\n", "scan.mp4", "66 bytes",
		/* in full, and until when */
		"fd8afe9151793a84a21af054ba985d1486a705561e2a50d4a50f814664f5e8"
		"06",
		"5 Dec 2026", PAGE,
		"Gr\xc3\xbc\xc3\x9f"
		"e, the text\r\n" };
	static const char *const gone[] = { "Bcc", "dave", "eve@",
		"X-Origin-Resource-Mailbox-URL", "Content-Original",
		"AAAAAAAAAAAAAAAAAAAAAA" };
	struct reason why;
	char *made = make(rows[0].message, &files, PAGE, &why);
	char *folded = made != NULL ? x_strdup(made) : NULL;

	CHECK(made != NULL);
	if (made == NULL)
		return;
	unfold(made);
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		CHECK_FOR(strstr(made, there[i]) != NULL ||
			strstr(folded, there[i]) != NULL,
		    "%s in\n%s", there[i], made);
	free(folded);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		CHECK_FOR(strstr(made, gone[i]) == NULL, "%s in\n%s", gone[i],
		    made);
	free(made);
}

TEST(each_page_is_one_message)
{
	struct reason why = { OUTCOME_OK, "", "" };
	char *one = make(rows[0].message, &files, PAGE "-uno", &why);
	char *other = make(rows[0].message, &files, PAGE "-dos", &why);

	CHECK(one != NULL && other != NULL);
	unfold(one);
	unfold(other);
	CHECK(strstr(one, "-dos") == NULL && strstr(other, "-uno") == NULL);
	free(one);
	free(other);
	CHECK(make(rows[0].message, &files, "https://x/\r\nBcc: y", &why) ==
	    NULL);
	CHECK(reason_is(&why, "form"));
	CHECK(make(rows[0].message, &files, "http://x.test/s/a", &why) == NULL);
}

TEST(what_is_no_placeholder_is_refused)
{
	struct legacy_message *legacy = NULL;
	struct reason why;

	CHECK(legacy_message_new("From: a@b\r\n\r\nx\r\n", 16, &legacy, &why) ==
	    OUTCOME_PERMFAIL);
	CHECK(legacy == NULL);
}

TEST(a_bounce_is_one_sentence)
{
	char text[256];

	legacy_message_bounce("plain.test", 25 << 20, text);
	CHECK_STRING(text,
	    "The message is too large: at most 25 MB can go to plain.test as "
	    "ordinary mail; please send its files in another way");
}

int
main(void)
{
	RUN(what_is_left_can_be_read);
	RUN(header_and_note);
	RUN(each_page_is_one_message);
	RUN(what_is_no_placeholder_is_refused);
	RUN(a_bounce_is_one_sentence);
	return test_done();
}

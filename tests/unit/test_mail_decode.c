/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings undone, in pieces of every size; layouts of
 * quoted-printable learned and refused; skeletons of large messages.
 */
#include "mail_decode.h"
#include "test.h"

#include <stdlib.h>

#include "buffer.h"
#include "mail_qp.h"
#include "mime_box.h"
#include "mime_skeleton.h"

/* Decodes with reads of `step` bytes; NULL for nonsense. */
static const char *
decode(enum mail_encode_kind kind, const char *text, size_t step)
{
	static char out[256];
	struct mail_decoder decoder;
	size_t len = 0;
	ssize_t got;

	mail_decoder_init(&decoder, kind, text, strlen(text));
	while ((got = mail_decoder_read(&decoder, out + len, step)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	return got == 0 ? out : "(bad)";
}

TEST(encodings_are_undone)
{
	static const struct {
		enum mail_encode_kind kind;
		const char *text, *wanted;
	} rows[] = {
		{ MAIL_ENCODE_BASE64, "", "" },
		{ MAIL_ENCODE_BASE64, "QUJD", "ABC" },
		{ MAIL_ENCODE_BASE64, "QUJDREU=\r\n", "ABCDE" },
		{ MAIL_ENCODE_BASE64, "QUJDRA==", "ABCD" },
		{ MAIL_ENCODE_BASE64, "Q\r\nUJ\r\nDR A=\r\n=\r\n", "ABCD" },
		{ MAIL_ENCODE_BASE64, "QUJDQUJDQUJDQUJD", "ABCABCABCABC" },
		{ MAIL_ENCODE_BASE64, "QUJ", "(bad)" },
		{ MAIL_ENCODE_BASE64, "QUJDRA=", "(bad)" },
		{ MAIL_ENCODE_BASE64, "QUJDRA==QUJD", "(bad)" },
		{ MAIL_ENCODE_BASE64, "QUJDRA===", "(bad)" },
		{ MAIL_ENCODE_BASE64, "QUJDREU==", "(bad)" },
		{ MAIL_ENCODE_BASE64, "Q===", "(bad)" },
		{ MAIL_ENCODE_BASE64, "QU-D", "(bad)" },
		{ MAIL_ENCODE_QUOTED_PRINTABLE, "a=3Db=\r\nc=3d=", "a=bc=" },
		{ MAIL_ENCODE_QUOTED_PRINTABLE, "a= \t\r\nb \r\n", "ab \r\n" },
		{ MAIL_ENCODE_QUOTED_PRINTABLE, "a=\nb", "ab" },
		{ MAIL_ENCODE_QUOTED_PRINTABLE, "a=3", "(bad)" },
		{ MAIL_ENCODE_QUOTED_PRINTABLE, "a=ZZ", "(bad)" },
		{ MAIL_ENCODE_IDENTITY, "a=3D\r\n", "a=3D\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 12; step++)
			CHECK_STRING(decode(rows[i].kind, rows[i].text, step),
			    rows[i].wanted);
}

TEST(spare_bits_are_told)
{
	struct mail_decoder decoder;
	char data[8];

	mail_decoder_init(&decoder, MAIL_ENCODE_BASE64, "QUI=", 4);
	CHECK(mail_decoder_read(&decoder, data, 8) == 2 && decoder.canonical);
	mail_decoder_init(&decoder, MAIL_ENCODE_BASE64, "QUJ=", 4);
	CHECK(mail_decoder_read(&decoder, data, 8) == 2 && !decoder.canonical);
}

TEST(layouts_are_learned)
{
	static const struct {
		const char *text;
		bool known;
	} rows[] = {
		{ "", true },
		{ "plain\r\n", true },
		{ "=3D", true },
		{ "caf=E9=20\r\n", true },
		{ "caf=e9 =\r\n=e9", true },
		{ "caf=e9 =E9", false },
		{ "bare\nline", false },
		{ "lone\rreturn", false },
		{ "8bit \xe9", false },
		{ "=2Edot\r\n.dot\r\n", false },
		{ "=2Edot\r\na.b\r\n", true },
		{ "=46rom x\r\nFoo\r\n", true },
		{ "=46ox x\r\nFoo\r\n", false },
		/* Behind a column, even before a line end. */
		{ "ten=3D=3D=\r\n\r\nmore=3D=3D=\r\nx\r\n", true },
		{ "ten=3D=3D=\r\n\r\nmor=3D=3D=\r\nx\r\n", true },
		{ "soft =\r\nbreaks at=\r\n will", false },
	};
	struct mail_qp_layout layout;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR((mail_qp_learn(rows[i].text, strlen(rows[i].text),
			       &layout) == 0) == rows[i].known,
		    "%zu", i);
}

/* ---- structure of what is larger than the box takes whole -------------- */

static void
fill(struct buffer *b, const char *line, unsigned count)
{
	while (count-- > 0)
		buffer_add_string(b, line);
}

TEST(large_messages_have_the_same_structure)
{
	struct mime_parts whole, parts;
	struct reason why = { OUTCOME_OK, "", "" };
	struct mime_skeleton skeleton;
	struct buffer b;

	buffer_init(&b, (size_t)1 << 28);
	buffer_add_string(&b,
	    "Content-Type: multipart/mixed; boundary=x\r\n"
	    "\r\npreamble\r\n--x\r\n\r\n");
	fill(&b, "--y\r\n\r\n\r\n", 2000);
	buffer_add_string(&b, "\r\n--x\r\nContent-Type: a/b\r\n\r\n");
	fill(&b, "YWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJj\r\n", 40000);
	buffer_add_string(&b, "\r\n--x\r\n\r\n");
	fill(&b, "\r\n", 600000);
	buffer_add_string(&b, "\r\n--x--\r\n");
	CHECK(b.len > 2 * MIME_MAX_WHOLE);
	CHECK(mime_skeleton_make(b.data, b.len, &skeleton) == NULL);
	CHECK(skeleton.len < 1300000); /* 600000 empty lines cannot be cut */
	mime_skeleton_free(&skeleton);
	CHECK(mime_box_parse(b.data, b.len, &whole, &why) == OUTCOME_OK);
	CHECK(mime_box_read(b.data, b.len, &parts, &why) == OUTCOME_OK);
	CHECK_FOR(parts.count == whole.count && parts.count == 4, "%zu %zu",
	    parts.count, whole.count);
	for (size_t i = 0; i < parts.count && i < whole.count; i++)
		CHECK_FOR(parts.parts[i].start == whole.parts[i].start &&
			parts.parts[i].body == whole.parts[i].body &&
			parts.parts[i].end == whole.parts[i].end,
		    "%zu", i);
	mime_parts_free(&whole);
	mime_parts_free(&parts);
	buffer_free(&b);
}

static const char *
refusal(const char *line, unsigned count)
{
	struct mime_parts parts;
	static struct reason why;
	struct buffer b;

	buffer_init(&b, (size_t)1 << 28);
	buffer_add_string(&b, "Content-Type: multipart/mixed; boundary=x\r\n");
	fill(&b, line, count);
	why = (struct reason){ OUTCOME_OK, "ok", "" };
	mime_box_read(b.data, b.len, &parts, &why);
	mime_parts_free(&parts);
	buffer_free(&b);
	return why.word;
}

TEST(monsters_are_refused)
{
	CHECK_STRING(refusal("X-Long: y\r\n", 2000000), "limit");
	CHECK_STRING(refusal("\r\n--x\r\n\r\n", 100000), "limit");
	CHECK_STRING(refusal("\r\n--x\r\nContent-Type: multipart/mixed; "
			     "boundary=x\r\n\r\n",
			 30000),
	    "limit");
}

int
main(void)
{
	RUN(encodings_are_undone);
	RUN(spare_bits_are_told);
	RUN(layouts_are_learned);
	RUN(large_messages_have_the_same_structure);
	RUN(monsters_are_refused);
	return test_done();
}

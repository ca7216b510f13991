/* SPDX-License-Identifier: ISC
 *
 * HTML with pictures: references of this message become file names, all
 * else stays as it is, and nothing gets out of its attribute.
 */
#include "html_view.h"
#include "test.h"

#define POLICY \
	"<meta http-equiv=\"Content-Security-Policy\" content=\"" \
	"default-src 'none'; img-src file: data:; style-src 'unsafe-inline'; " \
	"base-uri 'none'; form-action 'none'\">"

static const struct html_view_part parts[] = {
	{ "2f77", "a.png" },
	{ "pic 1@foo.test", "Bild \u00fc'\"><script>.png" },
	{ "colon", "javascript:alert(1)" },
};

static const struct {
	const char *html, *view; /* behind the policy */
	size_t replaced;
} cases[] = {
	{ "<img src=\"cid:2f77\">", "<img src=\"a.png\">", 1 },
	{ "<img src='CID:2f77'>", "<img src='a.png'>", 1 },
	{ "<img src=cid:2f77>", "<img src=a.png>", 1 },
	{ "<td style=\"background:url(cid:2f77)\">",
	    "<td style=\"background:url(a.png)\">", 1 },
	{ "<img src=\"cid:pic%201%40foo.test\">",
	    "<img src=\"Bild%20%C3%BC%27%22%3E%3Cscript%3E.png\">", 1 },
	{ "<a href=\"cid:colon\">", "<a href=\"javascript%3Aalert%281%29\">",
	    1 },
	{ "\"cid:2f77\"\"cid:2f77\"", "\"a.png\"\"a.png\"", 2 },
	{ "<img src=\"cid:2f7\">", "<img src=\"cid:2f7\">", 0 },
	{ "<img src=\"cid:2f778\">", "<img src=\"cid:2f778\">", 0 },
	{ "<img src=\"cid:2f77%00\">", "<img src=\"cid:2f77%00\">", 0 },
	{ "acid:2f77 xcid:2f77", "acid:2f77 xcid:2f77", 0 },
	{ "cid:", "cid:", 0 },
	{ "\"cid:2f77", "\"a.png", 1 },
	{ "<img src=\"http://evil.test/cid:2f77\">",
	    "<img src=\"http://evil.test/cid:2f77\">", 0 },
};

TEST(references_become_names)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;
		size_t replaced;

		buffer_init(&out, 10000);
		replaced = html_view_format(cases[i].html,
		    strlen(cases[i].html), NULL, parts, 3, &out);
		CHECK_FOR(replaced == cases[i].replaced, "%s", cases[i].html);
		CHECK(
		    strncmp(buffer_string(&out), POLICY, strlen(POLICY)) == 0);
		CHECK_STRING(buffer_string(&out) + strlen(POLICY),
		    cases[i].view);
		buffer_free(&out);
	}
}

TEST(the_policy_stands_behind_the_doctype)
{
	static const char html[] = "\n<!DOCTYPE html>\n<p>x";
	struct buffer out;

	buffer_init(&out, 10000);
	html_view_format(html, strlen(html), "iso-8859-1", parts, 3, &out);
	CHECK_STRING(buffer_string(&out),
	    "\n<!DOCTYPE html>" POLICY "<meta charset=\"iso-8859-1\">\n<p>x");
	buffer_clear(&out);
	html_view_format("x", 1, "\"><script>", parts, 3, &out);
	CHECK_STRING(buffer_string(&out), POLICY "x");
	buffer_free(&out);
}

TEST(pictures_get_their_hash)
{
	static const struct html_view_part hashes[] = { { "my pic.png",
	    "2f77" } };
	static const char html[] = "<img src=\"cid:my%20pic.png\"><b>cid:x";
	struct buffer out;

	buffer_init(&out, 10000);
	CHECK(html_view_name(html, strlen(html), hashes, 1, &out) == 1);
	CHECK_STRING(buffer_string(&out), "<img src=\"cid:2f77\"><b>cid:x");
	buffer_free(&out);
}

int
main(void)
{
	RUN(references_become_names);
	RUN(pictures_get_their_hash);
	RUN(the_policy_stands_behind_the_doctype);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * What providers do to placeholders: each row reads a message of
 * tests/corpus/mangled. The table of cargomail-protocol(7) has the same rows
 * (tests/tree/manuals compares); it names the second column.
 */
#include <stdlib.h>

#include "cargo_mangled.h"
#include "test.h"

#define FOLDER "tests/corpus/mangled/"
#define H1 "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define H2 "d534be826b3a5d1e0bc3a4e17ee2d5d14a4f9d4c7d5b6a9e8f7c6b5a43bfefbc"

/* `reader`: opened, partly, refused; `broker`: what the strict reader says,
 * "" if it takes all of it; `text`: what is said of a part, or of all. */
static const struct row {
	const char *name, *reader, *broker, *text;
} rows[] = {
	{ "attachment-no-hash", "partly", "one", "2: the hash is gone" },
	{ "attachment-octet-stream", "opened", "one", "" },
	{ "attachment-text", "opened", "none", "" },
	{ "attachment-type-only", "opened", "one", "" },
	{ "attachment-whole-part", "opened", "one", "" },
	{ "bodies-differ", "refused", "disagree",
	    "external bodies differ in origin, share, expiry or category" },
	{ "body-base64", "opened", "form", "" },
	{ "body-claims-base64", "opened", "form", "" },
	{ "body-quoted-printable", "opened", "form", "" },
	{ "boundary-lost", "refused", "none", "no external body of ours" },
	{ "boundary-replaced", "opened", "", "" },
	{ "category-differs", "refused", "disagree",
	    "header and body differ in origin, share or category" },
	{ "category-dropped", "opened", "disagree", "" },
	{ "disposition-changed", "opened", "", "" },
	{ "end-lost", "opened", "", "" },
	{ "fields-dropped", "opened", "disagree", "" },
	{ "flattened", "refused", "none", "no external body of ours" },
	{ "footer-added", "opened", "", "" },
	{ "forwarded", "opened", "none", "" },
	{ "forwarded-alone", "opened", "none", "" },
	{ "forwarded-base64", "opened", "none", "" },
	{ "forwarded-twice", "refused", "none",
	    "there is more than one placeholder in it: open each by itself" },
	{ "hash-case", "opened", "", "" },
	{ "hash-cut", "partly", "form", "3: Content-ID is no hash" },
	{ "hash-domain", "opened", "form", "" },
	{ "hash-escaped", "opened", "form", "" },
	{ "hash-folded", "opened", "form", "" },
	{ "hash-lost", "partly", "form", "3: the hash is gone" },
	{ "hash-no-brackets", "opened", "", "" },
	{ "hash-replaced", "partly", "form", "3: Content-ID is no hash" },
	{ "hash-twice", "partly", "form", "3: there are two Content-IDs" },
	{ "inner-joined", "opened", "form", "" },
	{ "inner-moved", "opened", "form", "" },
	{ "inner-type-lost", "opened", "", "" },
	{ "line-ends-cr", "opened", "none", "" },
	{ "line-ends-crcrlf", "opened", "form", "" },
	{ "line-ends-lf", "opened", "", "" },
	{ "mime-version-dropped", "opened", "", "" },
	{ "note-charset", "opened", "", "" },
	{ "note-description", "opened", "", "" },
	{ "note-dropped", "opened", "", "" },
	{ "note-html", "opened", "", "" },
	{ "origin-cut", "opened", "disagree", "" },
	{ "origin-differs", "refused", "disagree",
	    "header and body differ in origin, share or category" },
	{ "origin-dropped", "opened", "disagree", "" },
	{ "origin-lower-case", "opened", "", "" },
	{ "origin-twice", "refused", "disagree",
	    "not just one origin field, or two categories" },
	{ "parameters-added", "opened", "", "" },
	{ "parameters-case", "opened", "", "" },
	{ "parameters-comments", "opened", "", "" },
	{ "parameters-continued", "opened", "", "" },
	{ "parameters-cut", "opened", "form", "" },
	{ "parameters-folded", "opened", "", "" },
	{ "parameters-lost", "opened", "one", "" },
	{ "parameters-lost-and-header", "refused", "none",
	    "2: the origin is gone" },
	{ "parameters-one-line", "opened", "", "" },
	{ "parameters-quoted", "opened", "", "" },
	{ "parameters-reordered", "opened", "", "" },
	{ "parameters-twice", "partly", "form",
	    "2: its parameters cannot be read" },
	{ "root-alternative", "opened", "", "" },
	{ "root-base64", "opened", "none", "" },
	{ "root-quoted-printable", "opened", "form", "" },
	{ "root-related", "opened", "", "" },
	{ "root-text", "opened", "none", "" },
	{ "root-type-lost", "opened", "none", "" },
	{ "share-differs", "refused", "disagree",
	    "header and body differ in origin, share or category" },
	{ "share-lost", "refused", "form", "2: the share is gone" },
	{ "size-lost", "opened", "form", "" },
	{ "tabs", "opened", "", "" },
	{ "untouched", "opened", "", "" },
	{ "white-space-stripped", "opened", "", "" },
	{ "wrapped-multipart", "opened", "", "" },
};

static char *
read_file(const char *name, size_t *len_r)
{
	char path[200], *text = malloc(65536);
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	file = fopen(path, "r");
	CHECK_FOR(file != NULL, "%s", name);
	*len_r = file != NULL ? fread(text, 1, 65535, file) : 0;
	text[*len_r] = '\0';
	if (file != NULL)
		fclose(file);
	return text;
}

static const char *
strict_word(const char *message, size_t len)
{
	static struct reason why;
	struct cargo_placeholder *p;

	if (cargo_placeholder_parse(message, len, &p, &why) != OUTCOME_OK)
		return why.word;
	/* Some of it only: what was mangled is no external body to it. */
	snprintf(why.word, sizeof(why.word), "%s", p->count == 2 ? "" : "one");
	cargo_placeholder_free(&p);
	return why.word;
}

/* What was recognised is what was sent: never more, never something else. */
static void
check_resources(const struct row *row, const struct cargo_placeholder *p)
{
	CHECK_FOR(p->count == (row->reader[0] == 'o' ? 2u : 1u), "%s",
	    row->name);
	CHECK_FOR(strcmp(p->origin, "https://mailbox.hospital.test") == 0 &&
		strcmp(p->share, "6vF0cJr9yN2uTzq1W0bYQQ") == 0,
	    "%s", row->name);
	for (size_t i = 0; i < p->count; i++) {
		const struct cargo_resource *r = &p->resources[i];
		bool film = strcmp(r->hash, H2) == 0;

		CHECK_FOR(film || strcmp(r->hash, H1) == 0, "%s", row->name);
		CHECK_FOR(r->size == -1 || r->size == (film ? 87328426 : 5),
		    "%s: %lld", row->name, (long long)r->size);
		CHECK_FOR(!film || strcmp(r->name, "scan.mp4") == 0, "%s",
		    row->name);
	}
}

static void
check_row(const struct row *row)
{
	struct reason why = { OUTCOME_OK, "", "" };
	struct cargo_mangled mangled;
	char said[320];
	size_t len;
	char *message = read_file(row->name, &len);
	enum outcome outcome = cargo_mangled_read(message, len, &mangled, &why);
	const struct cargo_findings *findings = &mangled.findings;

	CHECK_FOR((outcome == OUTCOME_OK) == (row->reader[0] != 'r'),
	    "%s: %s %s", row->name, why.word, why.text);
	CHECK_FOR((mangled.placeholder != NULL) == (outcome == OUTCOME_OK),
	    "%s", row->name);
	if (mangled.placeholder != NULL)
		check_resources(row, mangled.placeholder);
	if (findings->count > 0)
		snprintf(said, sizeof(said), "%s: %s",
		    findings->items[0].number, findings->items[0].text);
	else
		snprintf(said, sizeof(said), "%s", why.text);
	CHECK_FOR(strcmp(said, row->text) == 0, "%s: \"%s\"", row->name, said);
	cargo_mangled_free(&mangled);
	CHECK_FOR(strcmp(strict_word(message, len), row->broker) == 0,
	    "%s: a broker says \"%s\"", row->name, strict_word(message, len));
	free(message);
}

TEST(each_row_of_the_table_is_true)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* What was not mangled is read as a broker reads it, byte for byte. */
TEST(what_is_whole_is_left_as_it_is)
{
	struct cargo_mangled mangled;
	size_t len;
	char *message = read_file("untouched", &len);

	CHECK(cargo_mangled_read(message, len, &mangled, NULL) == OUTCOME_OK);
	CHECK(!mangled.changed && mangled.findings.count == 0);
	CHECK(mangled.len == len && memcmp(mangled.message, message, len) == 0);
	cargo_mangled_free(&mangled);
	free(message);
}

/* Each byte of a message dropped, and each cut short: never a hash, a share
 * or an origin that was not sent. */
TEST(nothing_is_invented)
{
	struct cargo_placeholder *p;
	struct cargo_findings findings;
	struct mime_parts parts;
	size_t len, opened = 0;
	char *message = read_file("untouched", &len), *copy = malloc(len + 1);

	for (size_t at = 0; at < len; at++) {
		memcpy(copy, message, at);
		memcpy(copy + at, message + at + 1, len - at);
		if (mime_box_parse(copy, len - 1, &parts, NULL) != OUTCOME_OK ||
		    cargo_placeholder_parse_liberal(copy, len - 1, &parts,
			&findings, &p, NULL) != OUTCOME_OK)
			continue;
		opened++;
		for (size_t i = 0; i < p->count; i++)
			CHECK_FOR(strcmp(p->resources[i].hash, H1) == 0 ||
				strcmp(p->resources[i].hash, H2) == 0,
			    "without byte %zu", at);
		CHECK_FOR(strcmp(p->share, "6vF0cJr9yN2uTzq1W0bYQQ") == 0 &&
			strcmp(p->origin, "https://mailbox.hospital.test") == 0,
		    "without byte %zu: %s", at, p->share);
		cargo_placeholder_free(&p);
	}
	CHECK_FOR(opened > len / 2, "%zu of %zu", opened, len);
	free(copy);
	free(message);
}

TEST(limits_stay)
{
	size_t len = 3u * 1024 * 1024;
	char *message = malloc(len);
	struct cargo_mangled mangled;
	struct reason why = { OUTCOME_OK, "", "" };

	memset(message, 'a', len);
	CHECK(cargo_mangled_read(message, len, &mangled, &why) ==
	    OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "limit");
	cargo_mangled_free(&mangled);
	CHECK(
	    cargo_mangled_read(message, 0, &mangled, &why) == OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "form");
	cargo_mangled_free(&mangled);
	free(message);
}

int
main(void)
{
	RUN(each_row_of_the_table_is_true);
	RUN(what_is_whole_is_left_as_it_is);
	RUN(nothing_is_invented);
	RUN(limits_stay);
	return test_done();
}

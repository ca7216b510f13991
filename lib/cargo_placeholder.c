/* SPDX-License-Identifier: ISC
 *
 * Reading placeholders: see cargo_placeholder.h. The structure comes from
 * the MIME box; fields and parameters are read from the raw bytes here.
 */
#include "cargo_placeholder.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cargo_recipe.h"
#include "clock.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"
#include "service_url.h"

/* One external body while it is read. */
struct reading {
	const char *message;
	struct cargo_placeholder *placeholder;
	struct reason *why;
	const char *refusal; /* the last: a fixed text */
	/* Only for the reader's own program, NULL else: what could not be
	 * read, and what stands in for parameters that are gone. */
	struct cargo_findings *findings;
	struct common {
		char *origin, *share, *category; /* NULL: not known */
		int64_t expires; /* 0: not known */
	} instead;
};

static enum outcome
refuse(struct reading *reading, const char *word, const char *text)
{
	reading->refusal = text;
	return reason_set(reading->why, OUTCOME_PERMFAIL, word, "%s", text);
}

int
cargo_category_valid(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return len > 0 && len <= CARGO_CATEGORY_MAX && text[len] == '\0';
}

int
cargo_share_valid(const char *text)
{
	unsigned char id[16];
	size_t len;

	return strlen(text) == CARGO_SHARE_LEN &&
	    base64url_parse(text, CARGO_SHARE_LEN, id, sizeof(id), &len) == 0 &&
	    len == sizeof(id);
}

void
cargo_share_new(char share_r[CARGO_SHARE_LEN + 1])
{
	unsigned char id[16];

	randombytes_buf(id, sizeof(id));
	base64url_format(id, sizeof(id), share_r);
}

/* The category in lower case, or NULL if it is none. Owned by the caller. */
static char *
read_category(const char *text)
{
	char *category = x_strdup(text);

	for (char *at = category; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at += 32;
	if (cargo_category_valid(category))
		return category;
	free(category);
	return NULL;
}

/* "https://" + host + optional port; which ports are allowed is for those to
 * say who would connect. */
static bool
is_origin(const char *text)
{
	char host[SERVICE_HOST_SIZE];
	size_t len;

	if (strncmp(text, "https://", 8) != 0)
		return false;
	text += 8;
	len = strcspn(text, ":");
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!service_host_is_valid(host))
		return false;
	text += len;
	if (*text == '\0')
		return true;
	len = strspn(++text, "0123456789");
	return len > 0 && len <= 5 && text[len] == '\0' && text[0] != '0';
}

/* ---- one external body ------------------------------------------------- */

/* Takes off what providers put around a Content-ID: white space of a fold
 * within it, brackets that were escaped, "cid:", a domain. 64 hex digits are
 * nothing else than a hash. In place. */
static void
strip_id(char *id)
{
	static const char *const around[] = { "<", ">", "&lt;", "&gt;", "%3c",
		"%3e", "cid:", "\"", " " };
	char *to = id;

	for (const char *from = id; *from != '\0';) {
		size_t skip = 0;

		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
			if (strncasecmp(from, around[i], strlen(around[i])) ==
			    0)
				skip = strlen(around[i]);
		if (skip == 0)
			*to++ = *from++;
		from += skip;
	}
	*to = '\0';
	to = strchr(id, '@');
	if (to == id + SHA256_HEX_LEN)
		*to = '\0';
}

/* "<hash>" in hex or base64url, brackets optional. */
static int
read_hash(const char *id, char hash_r[SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_LEN];
	size_t len = strlen(id), digest_len;

	if (len >= 2 && id[0] == '<' && id[len - 1] == '>') {
		id++;
		len -= 2;
	}
	if (len == SHA256_HEX_LEN) {
		for (size_t i = 0; i < len; i++)
			hash_r[i] = id[i] >= 'A' && id[i] <= 'F' ?
			    (char)(id[i] + 32) :
			    id[i];
		hash_r[len] = '\0';
		return hex_is_sha256(hash_r) ? 0 : -1;
	}
	if (base64url_parse(id, len, digest, sizeof(digest), &digest_len) < 0 ||
	    digest_len != sizeof(digest))
		return -1;
	hex_format(digest, sizeof(digest), hash_r);
	return 0;
}

/* A hash that moved from the inner header to the part's own. */
static char *
outer_id(const struct reading *reading, const struct cargo_resource *resource)
{
	const struct mime_part *part =
	    &reading->placeholder->parts.parts[resource->part];
	const char *header = reading->message + part->start;
	size_t len = part->body - part->start;

	if (mail_header_find(header, len, "Content-ID", NULL) != 1)
		return NULL;
	return mail_header_get(header, len, "Content-ID");
}

/* Type, name and disposition out of the inner header. Only the hash is
 * demanded: the rest may be missing, or be something of the future. */
static enum outcome
read_inner(struct reading *reading, struct cargo_resource *resource)
{
	const char *inner = reading->message + resource->inner_start;
	struct mail_parameters list;
	char *text = mail_header_get(inner, resource->inner_len, "Content-ID");
	const char *name = NULL;
	int found;

	if (text == NULL && reading->findings != NULL)
		text = outer_id(reading, resource);
	if (text != NULL && reading->findings != NULL)
		strip_id(text);
	found = text != NULL ? read_hash(text, resource->hash) : -1;
	if (text == NULL)
		return refuse(reading, "form", "the hash is gone");
	free(text);
	if (found < 0)
		return refuse(reading, "form", "Content-ID is no hash");
	if (mail_header_find(inner, resource->inner_len, "Content-ID", NULL) >
	    1)
		return refuse(reading, "form", "there are two Content-IDs");
	text =
	    mail_header_get(inner, resource->inner_len, "Content-Disposition");
	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		resource->disposition =
		    mail_text_clean(list.value, strlen(list.value), 64);
		name = mail_parameters_get(&list, "filename");
		if (name != NULL && name[0] != '\0')
			resource->name =
			    mail_text_clean(name, strlen(name), CARGO_MAX_NAME);
		mail_parameters_free(&list);
	}
	free(text);
	text = mail_header_get(inner, resource->inner_len, "Content-Type");
	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		resource->type =
		    mail_text_clean(list.value, strlen(list.value), 127);
		name = mail_parameters_get(&list, "name");
		if (resource->name == NULL && name != NULL && name[0] != '\0')
			resource->name =
			    mail_text_clean(name, strlen(name), CARGO_MAX_NAME);
		mail_parameters_free(&list);
	}
	free(text);
	if (resource->type == NULL || strchr(resource->type, '/') == NULL) {
		free(resource->type);
		resource->type = x_strdup("application/octet-stream");
	}
	return OUTCOME_OK;
}

/* A parameter, or what stands in for it. */
static const char *
common_get(const struct mail_parameters *list, const char *name,
    const char *instead)
{
	const char *value = mail_parameters_get(list, name);

	return value != NULL ? value : instead;
}

/* Why the four cannot be read, NULL if they can. */
static const char *
read_common_values(const struct reading *reading,
    const struct mail_parameters *list, struct common *common_r)
{
	const struct common *instead = &reading->instead;
	const char *origin = common_get(list, "origin", instead->origin);
	const char *share = common_get(list, "share", instead->share);
	const char *date = mail_parameters_get(list, "expiration");
	const char *word = common_get(list, "category", instead->category);

	*common_r = (struct common){ .expires = instead->expires };
	if (origin == NULL)
		return "the origin is gone";
	if (!is_origin(origin))
		return "the origin is no URL of a mailbox";
	if (share == NULL)
		return "the share is gone";
	if (!cargo_share_valid(share))
		return "the share is none";
	if (date == NULL ? reading->findings == NULL :
			   clock_parse_mail(date, &common_r->expires) < 0)
		return "the expiration is gone or is no date";
	if (word != NULL && (common_r->category = read_category(word)) == NULL)
		return "the category is none";
	common_r->origin = x_strdup(origin);
	common_r->share = x_strdup(share);
	return NULL;
}

static void
common_free(struct common *common)
{
	free(common->origin);
	free(common->share);
	free(common->category);
	*common = (struct common){ .origin = NULL };
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Origin, share, expiry and category are those of the message: the first
 * external body sets them, the others must say the same. */
static enum outcome
read_common(struct reading *reading, const struct mail_parameters *list)
{
	struct cargo_placeholder *p = reading->placeholder;
	struct common common;
	const char *bad = read_common_values(reading, list, &common);
	bool same;

	if (bad != NULL)
		return refuse(reading, "form", bad);
	if (p->origin == NULL) {
		p->origin = common.origin;
		memcpy(p->share, common.share, sizeof(p->share));
		p->expires = common.expires;
		p->category = common.category;
		free(common.share);
		return OUTCOME_OK;
	}
	same = strcmp(p->origin, common.origin) == 0 &&
	    strcmp(p->share, common.share) == 0 &&
	    p->expires == common.expires &&
	    same_text(p->category, common.category);
	common_free(&common);
	return same ?
	    OUTCOME_OK :
	    refuse(reading, "disagree",
		"external bodies differ in origin, share, expiry or category");
}

/* The hash-algorithm; none at all is read over by the reader's program: there
 * is only one. */
static bool
is_algorithm(const struct reading *reading, const char *algorithm)
{
	if (algorithm == NULL)
		return reading->findings != NULL;
	return strcasecmp(algorithm, "sha256") == 0 ||
	    strcasecmp(algorithm, "sha-256") == 0;
}

static enum outcome
read_external_body(struct reading *reading, const struct mail_parameters *list,
    size_t index)
{
	struct cargo_placeholder *p = reading->placeholder;
	const struct mime_part *part = &p->parts.parts[index];
	const char *size = mail_parameters_get(list, "size");
	struct cargo_resource *resource;
	enum outcome outcome;

	if (p->count == CARGO_MAX_RESOURCES)
		return refuse(reading, "limit", "too many resources");
	if (!is_algorithm(reading, mail_parameters_get(list, "hash-algorithm")))
		return refuse(reading, "form", "unknown hash-algorithm");
	if (part->encoding == MIME_BASE64 ||
	    part->encoding == MIME_QUOTED_PRINTABLE)
		return refuse(reading, "form", "encoded external body");
	outcome = read_common(reading, list);
	if (outcome != OUTCOME_OK)
		return outcome;
	p->resources =
	    x_realloc(p->resources, (p->count + 1) * sizeof(*p->resources));
	resource = &p->resources[p->count++];
	*resource = (struct cargo_resource){
		.part = index,
		.inner_start = part->body,
		.inner_len = mail_header_length(reading->message + part->body,
		    part->end - part->body, NULL),
	};
	if (size == NULL && reading->findings != NULL)
		resource->size = -1;
	else if (cargo_number_read(size, CARGO_MAX_SIZE, &resource->size) < 0)
		return refuse(reading, "form", "the size is gone or is none");
	cargo_recipe_read(list, &resource->recipe);
	return read_inner(reading, resource);
}

/* Ours by the access type. There is none without one (RFC 2046, 5.2.3): the
 * reader's program takes it for one of ours that lost it. */
static bool
is_ours(const struct reading *reading, const struct mail_parameters *list)
{
	const char *access = mail_parameters_get(list, "access-type");

	if (access == NULL)
		return reading->findings != NULL;
	if (strncasecmp(access, "x-", 2) == 0)
		access += 2;
	return strcasecmp(access, "content-addressed-uri") == 0;
}

/* Looks at one part; one that is not ours is left alone. */
static enum outcome
read_part(struct reading *reading, size_t index)
{
	const struct mime_parts *parts = &reading->placeholder->parts;
	const struct mime_part *part = &parts->parts[index];
	const char *header = reading->message + part->start;
	size_t len = part->body - part->start;
	struct mail_parameters list;
	enum outcome outcome = OUTCOME_OK;
	char *text;
	int parsed;

	if (strcmp(part->type, "message/external-body") != 0 ||
	    mime_part_is_embedded(parts, index))
		return OUTCOME_OK;
	if (mail_header_find(header, len, "Content-Type", NULL) != 1)
		return refuse(reading, "form", "Content-Type not just once");
	text = mail_header_get(header, len, "Content-Type");
	parsed = mail_parameters_parse(text, &list);
	free(text);
	if (parsed < 0)
		return refuse(reading, "form", "its parameters cannot be read");
	if (is_ours(reading, &list))
		outcome = read_external_body(reading, &list, index);
	mail_parameters_free(&list);
	return outcome;
}

/* ---- for the reader's own program -------------------------------------- */

/* "1.3": which child of which child. */
static void
format_number(const struct mime_parts *parts, size_t index, char number_r[32])
{
	char tail[32] = "";

	snprintf(number_r, 32, "%s", parts->parts[index].parent < 0 ? "1" : "");
	while (parts->parts[index].parent >= 0) {
		int parent = parts->parts[index].parent;
		unsigned rank = 0;

		for (size_t i = 0; i <= index; i++)
			rank += parts->parts[i].parent == parent;
		memcpy(tail, number_r, sizeof(tail));
		snprintf(number_r, 32, "%u%s%.20s", rank,
		    tail[0] != '\0' ? "." : "", tail);
		index = (size_t)parent;
	}
}

static void
resource_free(struct cargo_resource *resource)
{
	free(resource->type);
	free(resource->name);
	free(resource->disposition);
}

/* A part that cannot be read becomes a finding, the others are read on. */
static enum outcome
note_finding(struct reading *reading, size_t index, const char *text)
{
	struct cargo_placeholder *p = reading->placeholder;
	struct cargo_findings *findings = reading->findings;
	struct cargo_finding *finding;

	if (p->count > 0 && p->resources[p->count - 1].part == index)
		resource_free(&p->resources[--p->count]);
	if (findings->count < CARGO_MAX_FINDINGS) {
		finding = &findings->items[findings->count++];
		finding->text = text;
		format_number(&p->parts, index, finding->number);
	}
	return OUTCOME_OK;
}

/* ---- the message ------------------------------------------------------- */

/* The origin field, whichever its spelling; *count_r: how many there are.
 * Owned by the caller. */
static char *
get_origin_field(const char *message, size_t len, size_t *count_r)
{
	char *text = mail_header_get(message, len, CARGO_FIELD_ORIGIN);

	*count_r = mail_header_find(message, len, CARGO_FIELD_ORIGIN, NULL) +
	    mail_header_find(message, len, CARGO_FIELD_ORIGIN_LATER, NULL);
	if (text == NULL)
		text = mail_header_get(message, len, CARGO_FIELD_ORIGIN_LATER);
	return text;
}

/* The fields that made Postfix select the message: nobody signed them. The
 * reader's program gets by without them, or without a part of them. */
static enum outcome
compare_header(struct reading *reading, size_t len)
{
	const struct cargo_placeholder *p = reading->placeholder;
	bool liberal = reading->findings != NULL;
	const char *message = reading->message, *share;
	struct mail_parameters list;
	char *text, *category;
	size_t count;
	bool same;

	text = get_origin_field(message, len, &count);
	if (count > 1 || (count == 0 && !liberal) ||
	    mail_header_find(message, len, CARGO_FIELD_CATEGORY, NULL) > 1) {
		free(text);
		return refuse(reading, "disagree",
		    "not just one origin field, or two categories");
	}
	if (text != NULL && mail_parameters_parse(text, &list) < 0) {
		free(text);
		return refuse(reading, "form", "bad origin field");
	}
	same = true;
	if (text != NULL) {
		share = mail_parameters_get(&list, "share");
		same = strcmp(list.value, p->origin) == 0 &&
		    (share != NULL ? strcmp(share, p->share) == 0 : liberal);
		mail_parameters_free(&list);
		free(text);
	}
	text = mail_header_get(message, len, CARGO_FIELD_CATEGORY);
	category = text != NULL ? read_category(text) : NULL;
	if (text != NULL || !liberal)
		same = same && (text == NULL || category != NULL) &&
		    same_text(category, p->category);
	free(text);
	free(category);
	return same ?
	    OUTCOME_OK :
	    refuse(reading, "disagree",
		"header and body differ in origin, share or category");
}

/* What stands in for lost parameters: of the header field. Taken as it is,
 * since all of it is looked at again where it is used. */
static void
learn_from_header(struct reading *reading, size_t len)
{
	struct common *instead = &reading->instead;
	struct mail_parameters list;
	const char *value;
	size_t count;
	char *text = get_origin_field(reading->message, len, &count);

	if (text == NULL || count > 1 ||
	    mail_parameters_parse(text, &list) < 0) {
		free(text);
		return;
	}
	free(text);
	instead->origin = x_strdup(list.value);
	if ((value = mail_parameters_get(&list, "share")) != NULL)
		instead->share = x_strdup(value);
	if ((value = mail_parameters_get(&list, "expiration")) == NULL ||
	    clock_parse_mail(value, &instead->expires) < 0)
		instead->expires = 0;
	mail_parameters_free(&list);
	instead->category =
	    mail_header_get(reading->message, len, CARGO_FIELD_CATEGORY);
}

/* And what the header has not, of the first part that has it. */
static void
learn_from_part(struct reading *reading, size_t index)
{
	const struct mime_part *part =
	    &reading->placeholder->parts.parts[index];
	struct common *instead = &reading->instead, common;
	struct mail_parameters list;
	char *text;

	if (strcmp(part->type, "message/external-body") != 0 ||
	    mime_part_is_embedded(&reading->placeholder->parts, index))
		return;
	text = mail_header_get(reading->message + part->start,
	    part->body - part->start, "Content-Type");
	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		if (is_ours(reading, &list) &&
		    read_common_values(reading, &list, &common) == NULL) {
			common_free(instead);
			*instead = common;
		}
		mail_parameters_free(&list);
	}
	free(text);
}

/* Part 1 behind the top multipart, marked as ours, an external body next or
 * a multipart that holds it. */
static int
find_note(const struct cargo_placeholder *p, const char *message)
{
	const struct mime_part *note = &p->parts.parts[1];
	char *text;
	bool ours;

	if (p->parts.count < 3 || strcmp(note->type, "text/plain") != 0 ||
	    note->parent != 0 || note[1].parent != 0 ||
	    p->resources[0].part < 2 ||
	    p->parts.parts[p->resources[0].part].end > note[1].end)
		return -1;
	text = mail_header_get(message + note->start, note->body - note->start,
	    "Content-Description");
	ours = text != NULL && strcasecmp(text, CARGO_NOTE_DESCRIPTION) == 0;
	free(text);
	return ours ? 1 : -1;
}

static enum outcome
read_parts(struct reading *reading)
{
	struct cargo_placeholder *p = reading->placeholder;
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; outcome == OUTCOME_OK && i < p->parts.count; i++) {
		outcome = read_part(reading, i);
		if (outcome == OUTCOME_PERMFAIL && reading->findings != NULL &&
		    strcmp(reading->why->word, "form") == 0)
			outcome = note_finding(reading, i, reading->refusal);
	}
	if (outcome != OUTCOME_OK || p->count > 0)
		return outcome;
	if (reading->findings != NULL && reading->findings->count > 0)
		return refuse(reading, "form",
		    "no external body that can be read");
	return refuse(reading, "none", "no external body of ours");
}

static enum outcome
parse(struct reading *reading, size_t len, struct mime_parts *parts,
    struct cargo_placeholder **placeholder_r)
{
	struct cargo_placeholder *p = x_calloc(1, sizeof(*p));
	enum outcome outcome = OUTCOME_OK;
	size_t header;
	bool broken;

	reading->placeholder = p;
	p->parts = *parts;
	*parts = (struct mime_parts){ .parts = NULL };
	p->note = -1;
	*placeholder_r = NULL;
	header = mail_header_length(reading->message, len, &broken);
	if (len > CARGO_MAX_PLACEHOLDER)
		outcome = refuse(reading, "limit", "placeholder too large");
	else if (broken)
		outcome = refuse(reading, "form", "broken header");
	if (outcome == OUTCOME_OK && reading->findings != NULL) {
		learn_from_header(reading, header);
		for (size_t i = 0;
		     i < p->parts.count && reading->instead.share == NULL; i++)
			learn_from_part(reading, i);
	}
	if (outcome == OUTCOME_OK)
		outcome = read_parts(reading);
	if (outcome == OUTCOME_OK)
		outcome = compare_header(reading, header);
	common_free(&reading->instead);
	if (outcome != OUTCOME_OK) {
		cargo_placeholder_free(&p);
		return outcome;
	}
	p->message_id = mail_header_message_id(reading->message, header);
	p->note = find_note(p, reading->message);
	*placeholder_r = p;
	return OUTCOME_OK;
}

enum outcome
cargo_placeholder_parse_parts(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_placeholder **placeholder_r,
    struct reason *why)
{
	struct reading reading = { .message = message, .why = why };

	return parse(&reading, len, parts, placeholder_r);
}

enum outcome
cargo_placeholder_parse_liberal(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_findings *findings_r,
    struct cargo_placeholder **placeholder_r, struct reason *why)
{
	struct reason local;
	struct reading reading = { .message = message,
		.why = why != NULL ? why : &local,
		.findings = findings_r };

	findings_r->count = 0;
	return parse(&reading, len, parts, placeholder_r);
}

enum outcome
cargo_placeholder_parse(const char *message, size_t len,
    struct cargo_placeholder **placeholder_r, struct reason *why)
{
	struct mime_parts parts;
	enum outcome outcome;

	*placeholder_r = NULL;
	if (len > CARGO_MAX_PLACEHOLDER)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "placeholder too large");
	outcome = mime_box_read(message, len, &parts, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	return cargo_placeholder_parse_parts(message, len, &parts,
	    placeholder_r, why);
}

void
cargo_placeholder_free(struct cargo_placeholder **placeholder)
{
	struct cargo_placeholder *p = *placeholder;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		resource_free(&p->resources[i]);
	free(p->resources);
	mime_parts_free(&p->parts);
	free(p->origin);
	free(p->category);
	free(p->message_id);
	free(p);
	*placeholder = NULL;
}

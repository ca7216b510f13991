/* SPDX-License-Identifier: ISC
 *
 * Reading placeholders: see cargo_placeholder.h. The structure comes from
 * the MIME box; fields and parameters are read from the raw bytes here.
 */
#include "cargo_placeholder.h"

#include <sodium.h>
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
};

static enum outcome
refuse(struct reading *reading, const char *word, const char *text)
{
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

/* Type, name and disposition out of the inner header. Only the hash is
 * demanded: the rest may be missing, or be something of the future. */
static enum outcome
read_inner(struct reading *reading, struct cargo_resource *resource)
{
	const char *inner = reading->message + resource->inner_start;
	struct mail_parameters list;
	char *text = mail_header_get(inner, resource->inner_len, "Content-ID");
	const char *name = NULL;
	int found = text != NULL ? read_hash(text, resource->hash) : -1;

	free(text);
	if (found < 0 ||
	    mail_header_find(inner, resource->inner_len, "Content-ID", NULL) !=
		1)
		return refuse(reading, "form", "Content-ID is no hash");
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

/* Origin, share, expiry and category are those of the message: the first
 * external body sets them, the others must say the same. */
static enum outcome
read_common(struct reading *reading, const struct mail_parameters *list)
{
	struct cargo_placeholder *p = reading->placeholder;
	const char *origin = mail_parameters_get(list, "origin");
	const char *share = mail_parameters_get(list, "share");
	const char *date = mail_parameters_get(list, "expiration");
	const char *word = mail_parameters_get(list, "category");
	char *category = word != NULL ? read_category(word) : NULL;
	bool same;
	int64_t expires;

	if (origin == NULL || !is_origin(origin) || share == NULL ||
	    !cargo_share_valid(share) || date == NULL ||
	    clock_parse_mail(date, &expires) < 0 ||
	    (word != NULL && category == NULL)) {
		free(category);
		return refuse(reading, "form",
		    "external body without a good "
		    "origin, share, expiration or category");
	}
	if (p->count == 0) {
		p->origin = x_strdup(origin);
		memcpy(p->share, share, sizeof(p->share));
		p->expires = expires;
		p->category = category;
		return OUTCOME_OK;
	}
	same = strcmp(p->origin, origin) == 0 && strcmp(p->share, share) == 0 &&
	    p->expires == expires &&
	    (category == NULL) == (p->category == NULL) &&
	    (category == NULL || strcmp(category, p->category) == 0);
	free(category);
	return same ?
	    OUTCOME_OK :
	    refuse(reading, "disagree",
		"external bodies differ in origin, share, expiry or category");
}

static enum outcome
read_external_body(struct reading *reading, const struct mail_parameters *list,
    size_t index)
{
	struct cargo_placeholder *p = reading->placeholder;
	const struct mime_part *part = &p->parts.parts[index];
	const char *algorithm = mail_parameters_get(list, "hash-algorithm");
	struct cargo_resource *resource;
	enum outcome outcome;

	if (p->count == CARGO_MAX_RESOURCES)
		return refuse(reading, "limit", "too many resources");
	if (algorithm == NULL ||
	    (strcasecmp(algorithm, "sha256") != 0 &&
		strcasecmp(algorithm, "sha-256") != 0))
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
	if (cargo_number_read(mail_parameters_get(list, "size"), CARGO_MAX_SIZE,
		&resource->size) < 0)
		return refuse(reading, "form", "external body without size");
	cargo_recipe_read(list, &resource->recipe);
	return read_inner(reading, resource);
}

/* Inside an embedded message it is the matter of that message. */
static bool
is_embedded(const struct mime_parts *parts, size_t index)
{
	int parent = parts->parts[index].parent;

	for (; parent >= 0; parent = parts->parts[parent].parent)
		if (strncmp(parts->parts[parent].type, "message/", 8) == 0)
			return true;
	return false;
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
	const char *access = NULL;
	enum outcome outcome = OUTCOME_OK;
	char *text;
	int parsed;

	if (strcmp(part->type, "message/external-body") != 0 ||
	    is_embedded(parts, index))
		return OUTCOME_OK;
	if (mail_header_find(header, len, "Content-Type", NULL) != 1)
		return refuse(reading, "form", "Content-Type not just once");
	text = mail_header_get(header, len, "Content-Type");
	parsed = mail_parameters_parse(text, &list);
	free(text);
	if (parsed < 0)
		return refuse(reading, "form", "bad external body");
	access = mail_parameters_get(&list, "access-type");
	if (access != NULL && strncasecmp(access, "x-", 2) == 0)
		access += 2;
	if (access != NULL && strcasecmp(access, "content-addressed-uri") == 0)
		outcome = read_external_body(reading, &list, index);
	mail_parameters_free(&list);
	return outcome;
}

/* ---- the message ------------------------------------------------------- */

/* The fields that made Postfix select the message: nobody signed them. */
static enum outcome
compare_header(struct reading *reading, size_t len)
{
	const struct cargo_placeholder *p = reading->placeholder;
	const char *message = reading->message;
	struct mail_parameters list;
	char *text, *category;
	const char *share;
	bool same;

	if (mail_header_find(message, len, CARGO_FIELD_ORIGIN, NULL) +
		    mail_header_find(message, len, CARGO_FIELD_ORIGIN_LATER,
			NULL) !=
		1 ||
	    mail_header_find(message, len, CARGO_FIELD_CATEGORY, NULL) > 1)
		return refuse(reading, "disagree",
		    "not just one origin field, or two categories");
	text = mail_header_get(message, len, CARGO_FIELD_ORIGIN);
	if (text == NULL)
		text = mail_header_get(message, len, CARGO_FIELD_ORIGIN_LATER);
	if (mail_parameters_parse(text, &list) < 0) {
		free(text);
		return refuse(reading, "form", "bad origin field");
	}
	free(text);
	share = mail_parameters_get(&list, "share");
	same = strcmp(list.value, p->origin) == 0 && share != NULL &&
	    strcmp(share, p->share) == 0;
	mail_parameters_free(&list);
	text = mail_header_get(message, len, CARGO_FIELD_CATEGORY);
	category = text != NULL ? read_category(text) : NULL;
	same = same && (text == NULL) == (p->category == NULL) &&
	    (text == NULL ||
		(category != NULL && strcmp(category, p->category) == 0));
	free(text);
	free(category);
	return same ?
	    OUTCOME_OK :
	    refuse(reading, "disagree",
		"header and body differ in origin, share or category");
}

/* Part 1 behind the top multipart, marked as ours, an external body next. */
static int
find_note(const struct cargo_placeholder *p, const char *message)
{
	const struct mime_part *note = &p->parts.parts[1];
	char *text;
	bool ours;

	if (p->parts.count < 3 || strcmp(note->type, "text/plain") != 0 ||
	    note->parent != 0 || p->resources[0].part != 2 ||
	    note[1].parent != 0)
		return -1;
	text = mail_header_get(message + note->start, note->body - note->start,
	    "Content-Description");
	ours = text != NULL && strcasecmp(text, CARGO_NOTE_DESCRIPTION) == 0;
	free(text);
	return ours ? 1 : -1;
}

enum outcome
cargo_placeholder_parse_parts(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_placeholder **placeholder_r,
    struct reason *why)
{
	struct cargo_placeholder *p = x_calloc(1, sizeof(*p));
	struct reading reading = { message, p, why };
	enum outcome outcome = OUTCOME_OK;
	size_t header;
	bool broken;

	p->parts = *parts;
	*parts = (struct mime_parts){ .parts = NULL };
	p->note = -1;
	*placeholder_r = NULL;
	header = mail_header_length(message, len, &broken);
	if (len > CARGO_MAX_PLACEHOLDER)
		outcome = refuse(&reading, "limit", "placeholder too large");
	else if (broken)
		outcome = refuse(&reading, "form", "broken header");
	for (size_t i = 0; outcome == OUTCOME_OK && i < p->parts.count; i++)
		outcome = read_part(&reading, i);
	if (outcome == OUTCOME_OK && p->count == 0)
		outcome = refuse(&reading, "none", "no external body of ours");
	if (outcome == OUTCOME_OK)
		outcome = compare_header(&reading, header);
	if (outcome != OUTCOME_OK) {
		cargo_placeholder_free(&p);
		return outcome;
	}
	p->message_id = mail_header_message_id(message, header);
	p->note = find_note(p, message);
	*placeholder_r = p;
	return OUTCOME_OK;
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
	for (size_t i = 0; i < p->count; i++) {
		free(p->resources[i].type);
		free(p->resources[i].name);
		free(p->resources[i].disposition);
	}
	free(p->resources);
	mime_parts_free(&p->parts);
	free(p->origin);
	free(p->category);
	free(p->message_id);
	free(p);
	*placeholder = NULL;
}

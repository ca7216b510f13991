/* SPDX-License-Identifier: ISC
 *
 * One external body of a placeholder: its parameters, and the header that it
 * holds in the place of a body.
 */
#include "cargo_placeholder_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cargo_recipe.h"
#include "clock.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"
#include "service_url.h"

/* The category in lower case, or NULL if it is none. Owned by the caller. */
char *
placeholder_read_category(const char *text)
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
outer_id(const struct placeholder_reading *reading,
    const struct cargo_resource *resource)
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
read_inner(struct placeholder_reading *reading, struct cargo_resource *resource)
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
		return placeholder_refuse(reading, "form", "the hash is gone");
	free(text);
	if (found < 0)
		return placeholder_refuse(reading, "form",
		    "Content-ID is no hash");
	if (mail_header_find(inner, resource->inner_len, "Content-ID", NULL) >
	    1)
		return placeholder_refuse(reading, "form",
		    "there are two Content-IDs");
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
const char *
placeholder_read_common(const struct placeholder_reading *reading,
    const struct mail_parameters *list, struct placeholder_common *common_r)
{
	const struct placeholder_common *instead = &reading->instead;
	const char *origin = common_get(list, "origin", instead->origin);
	const char *share = common_get(list, "share", instead->share);
	const char *date = mail_parameters_get(list, "expiration");
	const char *word = common_get(list, "category", instead->category);

	*common_r = (struct placeholder_common){ .expires = instead->expires };
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
	if (word != NULL &&
	    (common_r->category = placeholder_read_category(word)) == NULL)
		return "the category is none";
	common_r->origin = x_strdup(origin);
	common_r->share = x_strdup(share);
	return NULL;
}

void
placeholder_common_free(struct placeholder_common *common)
{
	free(common->origin);
	free(common->share);
	free(common->category);
	*common = (struct placeholder_common){ .origin = NULL };
}

bool
placeholder_same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Origin, share, expiry and category are those of the message: the first
 * external body sets them, the others must say the same. */
static enum outcome
read_common(struct placeholder_reading *reading,
    const struct mail_parameters *list)
{
	struct cargo_placeholder *p = reading->placeholder;
	struct placeholder_common common;
	const char *bad = placeholder_read_common(reading, list, &common);
	bool same;

	if (bad != NULL)
		return placeholder_refuse(reading, "form", bad);
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
	    placeholder_same_text(p->category, common.category);
	placeholder_common_free(&common);
	return same ?
	    OUTCOME_OK :
	    placeholder_refuse(reading, "disagree",
		"external bodies differ in origin, share, expiry or category");
}

/* The hash-algorithm; none at all is read over by the reader's program: there
 * is only one. */
static bool
is_algorithm(const struct placeholder_reading *reading, const char *algorithm)
{
	if (algorithm == NULL)
		return reading->findings != NULL;
	return strcasecmp(algorithm, "sha256") == 0 ||
	    strcasecmp(algorithm, "sha-256") == 0;
}

static enum outcome
read_external_body(struct placeholder_reading *reading,
    const struct mail_parameters *list, size_t index)
{
	struct cargo_placeholder *p = reading->placeholder;
	const struct mime_part *part = &p->parts.parts[index];
	const char *size = mail_parameters_get(list, "size");
	struct cargo_resource *resource;
	enum outcome outcome;

	if (p->count == CARGO_MAX_RESOURCES)
		return placeholder_refuse(reading, "limit",
		    "too many resources");
	if (!is_algorithm(reading, mail_parameters_get(list, "hash-algorithm")))
		return placeholder_refuse(reading, "form",
		    "unknown hash-algorithm");
	if (part->encoding == MIME_BASE64 ||
	    part->encoding == MIME_QUOTED_PRINTABLE)
		return placeholder_refuse(reading, "form",
		    "encoded external body");
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
		return placeholder_refuse(reading, "form",
		    "the size is gone or is none");
	cargo_recipe_read(list, &resource->recipe);
	return read_inner(reading, resource);
}

/* Ours by the access type. There is none without one (RFC 2046, 5.2.3): the
 * reader's program takes it for one of ours that lost it. */
bool
placeholder_is_ours(const struct placeholder_reading *reading,
    const struct mail_parameters *list)
{
	const char *access = mail_parameters_get(list, "access-type");

	if (access == NULL)
		return reading->findings != NULL;
	if (strncasecmp(access, "x-", 2) == 0)
		access += 2;
	return strcasecmp(access, "content-addressed-uri") == 0;
}

/* Looks at one part; one that is not ours is left alone. */
enum outcome
placeholder_read_part(struct placeholder_reading *reading, size_t index)
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
		return placeholder_refuse(reading, "form",
		    "Content-Type not just once");
	text = mail_header_get(header, len, "Content-Type");
	parsed = mail_parameters_parse(text, &list);
	free(text);
	if (parsed < 0)
		return placeholder_refuse(reading, "form",
		    "its parameters cannot be read");
	if (placeholder_is_ours(reading, &list))
		outcome = read_external_body(reading, &list, index);
	mail_parameters_free(&list);
	return outcome;
}

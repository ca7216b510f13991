/* SPDX-License-Identifier: ISC
 *
 * What people and programs read of the parts that become resources: media
 * type, name, disposition. Out of fields that strangers wrote.
 */
#include <stdlib.h>
#include <string.h>

#include "cargo_convert_private.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"

static bool
is_token(const char *text)
{
	return text[0] != '\0' &&
	    text[strspn(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789!#$&+-.^_")] == '\0';
}

/* "type/subtype", with a charset if it has one. */
static char *
read_type(const struct mail_parameters *list)
{
	const char *slash = strchr(list->value, '/');
	const char *charset = mail_parameters_get(list, "charset");
	char *type;
	bool good;

	if (slash == NULL || strlen(list->value) > 127 || !is_token(slash + 1))
		return NULL;
	type = x_strndup(list->value, (size_t)(slash - list->value));
	good = is_token(type);
	free(type);
	if (!good)
		return NULL;
	if (charset == NULL || strlen(charset) > 40 || !is_token(charset))
		return x_strdup(list->value);
	return x_asprintf("%s; charset=%s", list->value, charset);
}

static void
read_name(const struct mail_parameters *list, const char *parameter,
    char **name_r)
{
	const char *name = mail_parameters_get(list, parameter);

	if (*name_r == NULL && name != NULL && name[0] != '\0')
		*name_r = mail_text_clean(name, strlen(name), CARGO_MAX_NAME);
}

static void
describe(const struct cargo_conversion *c, const struct convert_part *part,
    struct convert_resource *resource)
{
	const char *header = c->message + part->start;
	size_t len = part->body - part->start;
	struct mail_parameters list;
	char *text = mail_header_get(header, len, "Content-Disposition");

	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		if (strcmp(list.value, "attachment") == 0)
			resource->disposition = x_strdup("attachment");
		read_name(&list, "filename", &resource->name);
		mail_parameters_free(&list);
	}
	free(text);
	text = mail_header_get(header, len, "Content-Type");
	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		resource->type = read_type(&list);
		read_name(&list, "name", &resource->name);
		mail_parameters_free(&list);
	}
	if (resource->type == NULL)
		resource->type = x_strdup(
		    text == NULL ? "text/plain" : "application/octet-stream");
	if (resource->disposition == NULL)
		resource->disposition = x_strdup("inline");
	free(text);
}

static bool
is_known(const struct cargo_conversion *c, const char *hash)
{
	for (size_t i = 0; i < c->resource_count; i++)
		if (strcmp(c->resources[i].hash, hash) == 0)
			return true;
	return false;
}

void
convert_resources_find(struct cargo_conversion *conversion)
{
	struct cargo_conversion *c = conversion;

	c->resources = x_calloc(c->part_count, sizeof(*c->resources));
	for (size_t i = 0; i < c->part_count; i++) {
		const struct convert_part *part = &c->parts[i];
		struct convert_resource *r = &c->resources[c->resource_count];

		if (is_known(c, part->hash))
			continue;
		c->resource_count++;
		r->part = part;
		memcpy(r->hash, part->hash, sizeof(r->hash));
		describe(c, part, r);
		r->draft = (struct cargo_draft_resource){ r->hash, part->size,
			r->type, r->name, r->disposition };
	}
}

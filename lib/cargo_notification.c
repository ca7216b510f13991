/* SPDX-License-Identifier: ISC
 *
 * The body of a notification: see cargo_notification.h.
 */
#include "cargo_notification.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"

static cJSON *
compose_resource(const struct cargo_resource *resource)
{
	cJSON *item = cJSON_CreateObject();

	if (item == NULL || json_add_string(item, "hash", resource->hash) < 0 ||
	    json_add_integer(item, "size", resource->size) < 0 ||
	    json_add_string(item, "type", resource->type) < 0 ||
	    (resource->name != NULL &&
		json_add_string(item, "name", resource->name) < 0)) {
		cJSON_Delete(item);
		return NULL;
	}
	return item;
}

char *
cargo_notification_compose(const struct cargo_placeholder *placeholder,
    const char *message, size_t len)
{
	cJSON *body = cJSON_CreateObject();
	cJSON *list = cJSON_CreateArray();
	char *bytes = base64_format(message, len), *text = NULL;

	if (bytes == NULL || json_add_item(body, "resources", list) < 0)
		goto out;
	for (size_t i = 0; i < placeholder->count; i++) {
		cJSON *item = compose_resource(&placeholder->resources[i]);

		if (item == NULL || !cJSON_AddItemToArray(list, item))
			goto out;
	}
	if ((placeholder->category != NULL &&
		json_add_string(body, "category", placeholder->category) < 0) ||
	    json_add_string(body, "placeholder", bytes) < 0)
		goto out;
	text = json_format(body);
out:
	cJSON_Delete(body);
	free(bytes);
	return text;
}

static enum outcome
refuse(struct reason *why, const char *word, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, word, "%s", text);
}

static enum outcome
parse_resource(const cJSON *item, struct cargo_notified *resource,
    struct reason *why)
{
	static const char *const names[] = { "hash", "size", "type", "name",
		NULL };
	const char *hash = json_string(item, "hash");
	const char *type = json_string(item, "type");
	const char *name = json_string(item, "name");
	const char *unknown = "";

	if (!json_members_known(item, names, &unknown))
		return refuse(why, "form", "unknown member in a resource");
	if (hash == NULL || !hex_is_sha256(hash) || type == NULL ||
	    strlen(type) > 127 ||
	    json_integer(item, "size", 0, CARGO_MAX_SIZE, &resource->size) <
		0 ||
	    (name == NULL &&
		cJSON_GetObjectItemCaseSensitive(item, "name") != NULL) ||
	    (name != NULL && strlen(name) > CARGO_MAX_NAME))
		return refuse(why, "form", "bad resource");
	memcpy(resource->hash, hash, sizeof(resource->hash));
	resource->type = x_strdup(type);
	resource->name = name != NULL ? x_strdup(name) : NULL;
	return OUTCOME_OK;
}

static enum outcome
parse_members(const cJSON *body, struct cargo_notification *n,
    struct reason *why)
{
	const cJSON *list = json_array(body, "resources"), *item;
	const char *bytes = json_string(body, "placeholder");
	const char *category = json_string(body, "category");

	if (list == NULL || !cJSON_IsArray(list) || bytes == NULL)
		return refuse(why, "form", "resources or placeholder missing");
	if (cJSON_GetArraySize(list) < 1 ||
	    cJSON_GetArraySize(list) > CARGO_MAX_RESOURCES)
		return refuse(why, "limit", "1 to 200 resources, please");
	if (category != NULL && !cargo_category_valid(category))
		return refuse(why, "form", "bad category");
	n->category = category != NULL ? x_strdup(category) : NULL;
	n->resources = x_calloc(CARGO_MAX_RESOURCES, sizeof(*n->resources));
	cJSON_ArrayForEach(item, list)
	{
		enum outcome outcome =
		    parse_resource(item, &n->resources[n->count++], why);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	n->placeholder =
	    base64_parse(bytes, strlen(bytes), &n->placeholder_len);
	if (n->placeholder == NULL)
		return refuse(why, "form", "placeholder is no base64");
	if (n->placeholder_len > CARGO_MAX_PLACEHOLDER)
		return refuse(why, "limit", "placeholder too large");
	return OUTCOME_OK;
}

enum outcome
cargo_notification_parse(const char *body, size_t len,
    struct cargo_notification **notification_r, struct reason *why)
{
	static const char *const names[] = { "category", "resources",
		"placeholder", NULL };
	const char *error = NULL;
	struct cargo_notification *n;
	enum outcome outcome;
	cJSON *json;

	*notification_r = NULL;
	if (len > CARGO_MAX_NOTIFICATION)
		return refuse(why, "limit", "notification too large");
	json = json_parse(body, len, &error);
	if (json == NULL)
		return refuse(why, "form", error);
	n = x_calloc(1, sizeof(*n));
	if (!json_members_known(json, names, &error))
		outcome = refuse(why, "form", "unknown member");
	else
		outcome = parse_members(json, n, why);
	cJSON_Delete(json);
	if (outcome != OUTCOME_OK)
		cargo_notification_free(&n);
	*notification_r = n;
	return outcome;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

enum outcome
cargo_notification_compare(const struct cargo_notification *notification,
    const struct cargo_placeholder *placeholder, struct reason *why)
{
	bool same = notification->count == placeholder->count &&
	    same_text(notification->category, placeholder->category);

	for (size_t i = 0; same && i < placeholder->count; i++) {
		const struct cargo_notified *a = &notification->resources[i];
		const struct cargo_resource *b = &placeholder->resources[i];

		same = strcmp(a->hash, b->hash) == 0 && a->size == b->size &&
		    same_text(a->type, b->type) && same_text(a->name, b->name);
	}
	return same ?
	    OUTCOME_OK :
	    refuse(why, "disagree",
		"resources or category differ from those of the placeholder");
}

void
cargo_notification_free(struct cargo_notification **notification)
{
	struct cargo_notification *n = *notification;

	if (n == NULL)
		return;
	for (size_t i = 0; i < n->count; i++) {
		free(n->resources[i].type);
		free(n->resources[i].name);
	}
	free(n->resources);
	free(n->category);
	free(n->placeholder);
	free(n);
	*notification = NULL;
}

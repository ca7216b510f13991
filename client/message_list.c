/* SPDX-License-Identifier: ISC
 *
 * Listings of a mailbox.
 */
#include "message_list.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "cargo_placeholder.h"
#include "json_strict.h"
#include "memory.h"

#define MAX_MESSAGES 100000

static enum outcome
refuse(struct reason *why, const char *what)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "protocol",
	    "the mailbox's list: %s", what);
}

/* Only what is surely under way is waited for. */
static enum message_state
parse_state(const char *status)
{
	if (strcmp(status, "pending") == 0)
		return MESSAGE_PENDING;
	return strcmp(status, "stored") == 0 ? MESSAGE_STORED : MESSAGE_FAILED;
}

int
message_id_is_valid(const char *id)
{
	size_t len = strspn(id, "0123456789abcdef");

	return len > 0 && len < SHA256_HEX_LEN && id[len] == '\0';
}

static char *
copy_string(const cJSON *json, const char *name)
{
	const char *value = json_string(json, name);

	return value != NULL ? x_strdup(value) : NULL;
}

static char *
copy_text(const cJSON *json, const char *name)
{
	const char *value = json_string(json, name);

	return x_strdup(value != NULL ? value : "");
}

static enum outcome
parse_resource(const cJSON *json, struct message_resource *resource,
    struct reason *why)
{
	const char *hash = json_string(json, "hash");

	if (hash == NULL || !hex_is_sha256(hash))
		return refuse(why, "hash of a resource");
	memcpy(resource->hash, hash, SHA256_HEX_SIZE);
	if (json_integer(json, "size", 0, CARGO_MAX_SIZE, &resource->size) < 0)
		return refuse(why, "size of a resource");
	resource->type = copy_string(json, "type");
	resource->name = copy_string(json, "name");
	resource->problem = copy_string(json, "problem");
	resource->status = copy_text(json, "state");
	resource->state = parse_state(resource->status);
	return OUTCOME_OK;
}

static enum outcome
parse_resources(const cJSON *list, struct message *message, struct reason *why)
{
	const cJSON *item;
	int count = cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list) || count > 2 * CARGO_MAX_RESOURCES)
		return refuse(why, "resources");
	message->resources =
	    x_calloc((size_t)count + 1, sizeof(*message->resources));
	cJSON_ArrayForEach(item, list)
	{
		if (parse_resource(item, &message->resources[message->count],
			why) != OUTCOME_OK)
			return OUTCOME_TEMPFAIL;
		/* What the account sent it holds: there is nothing to wait
		 * for. */
		if (message->out)
			message->resources[message->count].state =
			    MESSAGE_STORED;
		message->count++;
	}
	return OUTCOME_OK;
}

/* "bob@bar.test", or "bob@bar.test and 49 more" of what was sent. */
static char *
copy_recipient(const cJSON *json)
{
	const cJSON *list = json_array(json, "recipients");
	const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(list, 0));
	int64_t count;

	if (first == NULL)
		return copy_text(json, "recipient");
	if (json_integer(json, "recipient_count", 2, CARGO_MAX_RECIPIENTS,
		&count) < 0)
		return x_strdup(first);
	return x_asprintf("%s and %d more", first, (int)count - 1);
}

static enum outcome
parse_message(const cJSON *json, struct message *message, struct reason *why)
{
	const char *direction = json_string(json, "direction");
	const char *id = json_string(json, "id");

	if (id == NULL)
		return refuse(why, "message without id");
	message->id = x_strdup(id);
	message->sender = copy_text(json, "sender");
	message->recipient = copy_recipient(json);
	message->share = copy_text(json, "share");
	message->origin = copy_text(json, "origin");
	message->category = copy_text(json, "category");
	message->status = copy_text(json, "state");
	message->out = direction != NULL && strcmp(direction, "out") == 0;
	if (json_integer(json, "time", 0, JSON_MAX_INTEGER, &message->time) < 0)
		return refuse(why, "time of a message");
	if (parse_resources(json_array(json, "resources"), message, why) !=
	    OUTCOME_OK)
		return OUTCOME_TEMPFAIL;
	return OUTCOME_OK;
}

/* Room for one more, zeroed. */
static struct message *
append(struct message_list *list)
{
	struct message *message;

	list->items =
	    x_realloc(list->items, (list->count + 1) * sizeof(*list->items));
	message = &list->items[list->count++];
	memset(message, 0, sizeof(*message));
	return message;
}

enum outcome
message_list_parse(const cJSON *page, struct message_list *list, char **next_r,
    struct reason *why)
{
	const cJSON *messages = json_array(page, "messages"), *item;

	*next_r = NULL;
	if (messages == NULL)
		return refuse(why, "no messages member");
	cJSON_ArrayForEach(item, messages)
	{
		if (list->count == MAX_MESSAGES)
			return refuse(why, "too long");
		if (parse_message(item, append(list), why) != OUTCOME_OK)
			return OUTCOME_TEMPFAIL;
	}
	*next_r = copy_string(page, "next");
	if (*next_r != NULL &&
	    (*next_r)[strspn(*next_r, "0123456789abcdef")] != '\0') {
		x_free(next_r);
		return refuse(why, "next page");
	}
	return OUTCOME_OK;
}

static enum outcome
fetch_page(struct session *session, const char *path, struct message_list *list,
    char **next_r, struct reason *why)
{
	cJSON *page = NULL;
	enum outcome outcome;

	*next_r = NULL;
	outcome = session_json(session, HTTP_GET, path, NULL, &page, why);
	if (outcome == OUTCOME_OK)
		outcome = message_list_parse(page, list, next_r, why);
	cJSON_Delete(page);
	return outcome;
}

enum outcome
message_list_fetch(struct session *session, struct message_list *list_r,
    struct reason *why)
{
	char *path = x_strdup(CARGO_API_MESSAGES), *next;
	enum outcome outcome;

	memset(list_r, 0, sizeof(*list_r));
	do {
		outcome = fetch_page(session, path, list_r, &next, why);
		free(path);
		path = next == NULL ?
		    NULL :
		    x_asprintf(CARGO_API_MESSAGES "?after=%s", next);
		free(next);
	} while (path != NULL && outcome == OUTCOME_OK);
	free(path);
	if (outcome != OUTCOME_OK)
		message_list_free(list_r);
	return outcome;
}

enum outcome
message_list_fetch_share(struct session *session, const char *share, int wait,
    struct message_list *list_r, struct reason *why)
{
	char *path =
	    x_asprintf(CARGO_API_MESSAGES "?share=%s&wait=%d", share, wait);
	enum outcome outcome;
	char *next;

	memset(list_r, 0, sizeof(*list_r));
	outcome = fetch_page(session, path, list_r, &next, why);
	free(next);
	free(path);
	if (outcome != OUTCOME_OK)
		message_list_free(list_r);
	return outcome;
}

enum outcome
message_list_fetch_one(struct session *session, const char *id,
    struct message_list *list_r, struct reason *why)
{
	char *path = x_asprintf(CARGO_API_MESSAGE "%s", id);
	cJSON *json = NULL;
	enum outcome outcome;

	memset(list_r, 0, sizeof(*list_r));
	outcome = session_json(session, HTTP_GET, path, NULL, &json, why);
	if (outcome == OUTCOME_OK)
		outcome = parse_message(json, append(list_r), why);
	cJSON_Delete(json);
	free(path);
	if (outcome != OUTCOME_OK)
		message_list_free(list_r);
	return outcome;
}

static void
free_message(struct message *message)
{
	size_t i;

	for (i = 0; message->resources != NULL && i <= message->count; i++) {
		free(message->resources[i].type);
		free(message->resources[i].name);
		free(message->resources[i].problem);
		free(message->resources[i].status);
	}
	free(message->resources);
	free(message->id);
	free(message->sender);
	free(message->recipient);
	free(message->share);
	free(message->origin);
	free(message->category);
	free(message->status);
}

void
message_list_free(struct message_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free_message(&list->items[i]);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

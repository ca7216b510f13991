/* SPDX-License-Identifier: ISC
 *
 * The body of PUT /v1/shares/<id>: {"message", "recipients", "resources",
 * "category", "expires", "pages"}. Hostile, through json_strict.
 */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "cargo_placeholder.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "share_store.h"

#define MESSAGE_ID_MAX 998 /* RFC 5322: a line */

static const char *const members[] = { "message", "recipients", "resources",
	"category", "expires", "pages", NULL };

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
compare_hashes(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum outcome
malformed(struct reason *why, const char *what)
{
	return reason_set(why, OUTCOME_PERMFAIL, "malformed", "%s", what);
}

static enum outcome
parse_recipients(const cJSON *list, struct share *share, struct reason *why)
{
	int count = cJSON_GetArraySize(list);
	char normal[MAIL_ADDRESS_SIZE];
	const cJSON *item;
	size_t i, kept = 0;

	if (list == NULL || (count == 0 && share->page_count == 0))
		return malformed(why, "recipients: an array of addresses");
	if (count > CARGO_API_RECIPIENTS_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "too-large",
		    "more than %d recipients", CARGO_API_RECIPIENTS_MAX);
	share->recipients = x_calloc((size_t)count + 1, sizeof(char *));
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) ||
		    mail_address_normalise(item->valuestring, normal) == -1)
			return malformed(why, "recipients: not an address");
		share->recipients[share->recipient_count++] = x_strdup(normal);
	}
	qsort(share->recipients, share->recipient_count, sizeof(char *),
	    compare_texts);
	for (i = 0; i < share->recipient_count; i++)
		if (kept > 0 &&
		    strcmp(share->recipients[i], share->recipients[kept - 1]) ==
			0)
			free(share->recipients[i]);
		else
			share->recipients[kept++] = share->recipients[i];
	share->recipient_count = kept;
	return OUTCOME_OK;
}

static enum outcome
parse_resources(const cJSON *list, struct share *share, struct reason *why)
{
	int count = cJSON_GetArraySize(list);
	const cJSON *item;
	size_t i, kept = 0;

	if (list == NULL || count == 0)
		return malformed(why, "resources: an array of hashes");
	if (count > CARGO_API_RESOURCES_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "too-large",
		    "more than %d resources", CARGO_API_RESOURCES_MAX);
	share->hashes = x_calloc((size_t)count, SHA256_HEX_SIZE);
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || !hex_is_sha256(item->valuestring))
			return malformed(why, "resources: not a hash");
		strcpy(share->hashes[share->hash_count++], item->valuestring);
	}
	qsort(share->hashes, share->hash_count, SHA256_HEX_SIZE,
	    compare_hashes);
	for (i = 0; i < share->hash_count; i++)
		if (kept == 0 ||
		    strcmp(share->hashes[i], share->hashes[kept - 1]) != 0)
			memmove(share->hashes[kept++], share->hashes[i],
			    SHA256_HEX_SIZE);
	share->hash_count = kept;
	return OUTCOME_OK;
}

/* ---- pages --------------------------------------------------------------- */

static int
compare_pages(const void *a, const void *b)
{
	const struct share_page *one = a, *other = b;

	return strcmp(one->key, other->key);
}

static enum outcome
parse_page(const cJSON *item, struct share *share, struct reason *why)
{
	static const char *const names[] = { "recipient", "key", NULL };
	const char *recipient = json_string(item, "recipient");
	const char *key = json_string(item, "key");
	char normal[MAIL_ADDRESS_SIZE];
	struct share_page *page;

	if (!cJSON_IsObject(item) || !json_members_known(item, names, NULL) ||
	    recipient == NULL || key == NULL || !hex_is_sha256(key) ||
	    mail_address_normalise(recipient, normal) == -1)
		return malformed(why, "pages: recipient and key (a SHA-256)");
	page = &share->pages[share->page_count++];
	page->recipient = x_strdup(normal);
	strcpy(page->key, key);
	return OUTCOME_OK;
}

/* One key opens the page of one recipient; said twice it counts once. */
static enum outcome
sort_pages(struct share *share, struct reason *why)
{
	size_t i, kept = 0;
	bool clash = false;

	qsort(share->pages, share->page_count, sizeof(*share->pages),
	    compare_pages);
	for (i = 0; i < share->page_count; i++) {
		if (kept == 0 ||
		    strcmp(share->pages[i].key, share->pages[kept - 1].key) !=
			0) {
			share->pages[kept++] = share->pages[i];
			continue;
		}
		clash = clash ||
		    strcmp(share->pages[i].recipient,
			share->pages[kept - 1].recipient) != 0;
		free(share->pages[i].recipient);
	}
	share->page_count = kept;
	return clash ? malformed(why, "pages: one key for two recipients") :
		       OUTCOME_OK;
}

static enum outcome
parse_pages(const cJSON *body, struct share *share, struct reason *why)
{
	const cJSON *list = json_array(body, "pages"), *item;
	int count = cJSON_GetArraySize(list);

	if (cJSON_GetObjectItemCaseSensitive(body, "pages") == NULL)
		return OUTCOME_OK;
	if (list == NULL)
		return malformed(why, "pages: an array");
	if (count > CARGO_API_PAGES_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "too-large",
		    "more than %d pages", CARGO_API_PAGES_MAX);
	share->pages = x_calloc((size_t)count + 1, sizeof(*share->pages));
	cJSON_ArrayForEach(item, list)
	{
		if (parse_page(item, share, why) != OUTCOME_OK)
			return OUTCOME_PERMFAIL;
	}
	return sort_pages(share, why);
}

/* ---- the whole ----------------------------------------------------------- */

/* What makes two shares the same. */
static void
digest_content(struct share *share)
{
	struct buffer text;
	size_t i;

	buffer_init(&text, 1024 * 1024);
	buffer_add_format(&text, "%s\n%s\n%lld\n%s\n", share->message,
	    share->category != NULL ? share->category : "",
	    (long long)share->expires, share->broker);
	for (i = 0; i < share->recipient_count; i++)
		buffer_add_format(&text, "to %s\n", share->recipients[i]);
	for (i = 0; i < share->hash_count; i++)
		buffer_add_format(&text, "%s\n", share->hashes[i]);
	sha256_hex(text.data, text.len, share->content);
	buffer_free(&text);
}

enum outcome
share_parse(const cJSON *body, struct share *share, struct reason *why)
{
	const char *message = json_string(body, "message");
	const char *category = json_string(body, "category");
	enum outcome outcome;

	if (!json_members_known(body, members, NULL))
		return malformed(why, "a member that is not known");
	if (message == NULL || *message == '\0' ||
	    strlen(message) > MESSAGE_ID_MAX)
		return malformed(why, "message: a Message-ID");
	if (category != NULL && *category == '\0')
		category = NULL;
	if (category != NULL && !cargo_category_valid(category))
		return malformed(why, "category: a lower-case token");
	if (json_integer(body, "expires", share->now + 1,
		share->now + CARGO_API_SHARE_SECONDS_MAX + 60,
		&share->expires) == -1)
		return malformed(why, "expires: within the next 14 days");
	share->message = x_strdup(message);
	share->category = category != NULL ? x_strdup(category) : NULL;
	outcome = parse_pages(body, share, why);
	if (outcome == OUTCOME_OK)
		outcome = parse_recipients(json_array(body, "recipients"),
		    share, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    parse_resources(json_array(body, "resources"), share, why);
	if (outcome == OUTCOME_OK)
		digest_content(share);
	return outcome;
}

void
share_free(struct share *share)
{
	size_t i;

	if (share == NULL)
		return;
	for (i = 0; i < share->recipient_count; i++)
		free(share->recipients[i]);
	free(share->recipients);
	for (i = 0; i < share->page_count; i++)
		free(share->pages[i].recipient);
	free(share->pages);
	free(share->hashes);
	free(share->message);
	free(share->category);
	free(share);
}

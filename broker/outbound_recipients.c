/* SPDX-License-Identifier: ISC
 *
 * Sorting recipients: see outbound_recipients.h.
 */
#include "outbound_recipients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "encoding.h"
#include "memory.h"

#define SECRET_BYTES 32

/* ---- groups ------------------------------------------------------------- */

/* What who cannot open a placeholder gets. */
static enum outbound_group
find_legacy_group(const struct outbound_question *question)
{
	const struct broker_config *config = question->step->config;

	if (question->size <= config->legacy_limit)
		return OUTBOUND_ORIGINAL;
	return config->legacy == BROKER_LEGACY_PAGE ? OUTBOUND_PAGE :
						      OUTBOUND_BOUNCE;
}

/* Of our own domains the map knows it all: whoever has no destination there
 * cannot open a placeholder, whatever the domain says of itself. */
static bool
is_own_domain(const struct outbound_question *question, const char *domain)
{
	return strcmp(domain, question->own_domain) == 0 ||
	    destination_map_has_domain(question->step->map, domain);
}

static enum outbound_group
find_group(const struct outbound_question *question, const char *path,
    const char *id)
{
	char address[MAIL_ADDRESS_SIZE];
	const char *domain;

	if (recipient_step_is_local(question->step, path, question->category))
		return OUTBOUND_PLACEHOLDER;
	if (mail_address_normalise(path, address) < 0)
		return find_legacy_group(question);
	domain = mail_address_domain(address);
	if (!is_own_domain(question, domain) &&
	    question->ask(question->capabilities, domain, question->step->now(),
			id)
		    .capability == CAPABILITY_YES)
		return OUTBOUND_PLACEHOLDER;
	return find_legacy_group(question);
}

/* ---- whom to share with -------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The other end knows a recipient by the address of RCPT, or, where that is
 * one of its aliases' targets, by ORCPT (see recipient_step.c): both belong to
 * the share, if they are of one domain.
 */
static void
add_shared(struct outbound_recipients *recipients,
    const struct envelope_recipient *r)
{
	char address[MAIL_ADDRESS_SIZE], original[MAIL_ADDRESS_SIZE];

	if (mail_address_normalise(r->path, address) < 0)
		return;
	recipients->shared[recipients->shared_count++] = x_strdup(address);
	if (r->parameters.orcpt[0] != '\0' &&
	    mail_address_parse_orcpt(r->parameters.orcpt, original) == 0 &&
	    strcmp(mail_address_domain(original),
		mail_address_domain(address)) == 0)
		recipients->shared[recipients->shared_count++] =
		    x_strdup(original);
}

static void
sort_shared(struct outbound_recipients *recipients)
{
	char **shared = recipients->shared;
	size_t kept = 0;

	qsort(shared, recipients->shared_count, sizeof(*shared), compare);
	for (size_t i = 0; i < recipients->shared_count; i++)
		if (kept > 0 && strcmp(shared[i], shared[kept - 1]) == 0)
			free(shared[i]);
		else
			shared[kept++] = shared[i];
	recipients->shared_count = kept;
}

/* ---- pages --------------------------------------------------------------- */

static void
add_page(struct outbound_recipients *recipients,
    const struct envelope_recipient *r, size_t index)
{
	size_t number = recipients->numbers[OUTBOUND_PAGE];
	struct outbound_page *page = &recipients->pages[number];
	struct origin_page *key = &recipients->keys[number];
	unsigned char secret[SECRET_BYTES];

	recipients->page_room++;
	page->recipient = index;
	randombytes_buf(secret, sizeof(secret));
	base64url_format(secret, sizeof(secret), page->secret);
	sodium_memzero(secret, sizeof(secret));
	mail_address_normalise(r->path, page->address);
	key->recipient = page->address;
	sha256_hex(page->secret, strlen(page->secret), key->key);
}

void
outbound_recipients_init(struct outbound_recipients *recipients,
    const struct outbound_question *question, const struct envelope *envelope)
{
	size_t count = envelope->count;

	memset(recipients, 0, sizeof(*recipients));
	recipients->groups = x_calloc(count, sizeof(*recipients->groups));
	recipients->shared = x_calloc(2 * count, sizeof(char *));
	recipients->pages = x_calloc(count, sizeof(*recipients->pages));
	recipients->keys = x_calloc(count, sizeof(*recipients->keys));
	for (size_t i = 0; i < count; i++) {
		const struct envelope_recipient *r = &envelope->recipients[i];
		enum outbound_group group =
		    find_group(question, r->path, envelope_id(envelope));
		char address[MAIL_ADDRESS_SIZE];

		/* A page is somebody's, by an address. */
		if (group == OUTBOUND_PAGE &&
		    mail_address_normalise(r->path, address) < 0)
			group = OUTBOUND_BOUNCE;
		if (group == OUTBOUND_PLACEHOLDER)
			add_shared(recipients, r);
		if (group == OUTBOUND_PAGE)
			add_page(recipients, r, i);
		recipients->groups[i] = group;
		recipients->numbers[group]++;
	}
	sort_shared(recipients);
}

void
outbound_recipients_drop_pages(struct outbound_recipients *recipients)
{
	size_t *numbers = recipients->numbers;

	for (size_t i = 0; i < numbers[OUTBOUND_PAGE]; i++)
		recipients->groups[recipients->pages[i].recipient] =
		    OUTBOUND_BOUNCE;
	numbers[OUTBOUND_BOUNCE] += numbers[OUTBOUND_PAGE];
	numbers[OUTBOUND_PAGE] = 0;
}

void
outbound_recipients_free(struct outbound_recipients *recipients)
{
	for (size_t i = 0; i < recipients->shared_count; i++)
		free(recipients->shared[i]);
	for (size_t i = 0; i < recipients->page_room; i++)
		free(recipients->pages[i].message);
	free(recipients->groups);
	free(recipients->shared);
	free(recipients->pages);
	free(recipients->keys);
	memset(recipients, 0, sizeof(*recipients));
}

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

/* For all questions about one message. Postfix waits much longer, but what
 * may be resolved in a moment need not hold a process. */
#define ASK_SECONDS 60

/* ---- groups ------------------------------------------------------------- */

/* What is asked about one message. */
struct sorting {
	const struct outbound_question *question;
	struct outbound_recipients *recipients;
	const char *id;
	int64_t began;
};

/* Of our own domains the map knows it all: whoever has no destination there
 * cannot open a placeholder, whatever the domain says of itself. */
static bool
is_own_domain(const struct outbound_question *question, const char *domain)
{
	return strcmp(domain, question->own_domain) == 0 ||
	    destination_map_has_domain(question->step->map, domain);
}

static enum capability
find_capability(const struct sorting *sorting, const char *path)
{
	const struct outbound_question *question = sorting->question;
	const struct recipient_step *step = question->step;
	char address[MAIL_ADDRESS_SIZE];
	const char *domain;

	if (recipient_step_is_local(step, path, question->category))
		return CAPABILITY_YES;
	if (mail_address_normalise(path, address) < 0)
		return CAPABILITY_NO;
	domain = mail_address_domain(address);
	if (is_own_domain(question, domain))
		return CAPABILITY_NO;
	if (step->now() - sorting->began >= ASK_SECONDS)
		return CAPABILITY_UNKNOWN;
	return question
	    ->ask(question->capabilities, domain, step->now(), sorting->id)
	    .capability;
}

static enum outbound_group
find_group(const struct sorting *sorting, enum capability capability,
    enum outbound_group instead)
{
	const struct outbound_question *question = sorting->question;
	const struct broker_config *config = question->step->config;
	const struct outbound_recipients *recipients = sorting->recipients;

	if (capability == CAPABILITY_YES)
		return recipients->shared_count < CARGO_MAX_RECIPIENTS ?
		    OUTBOUND_PLACEHOLDER :
		    OUTBOUND_LATER;
	if (question->size <= config->legacy_limit)
		return OUTBOUND_ORIGINAL;
	if (config->legacy != BROKER_LEGACY_PAGE)
		return instead;
	return recipients->numbers[OUTBOUND_PAGE] < CARGO_API_PAGES_MAX ?
	    OUTBOUND_PAGE :
	    OUTBOUND_LATER;
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
	if (recipients->shared_count < CARGO_MAX_RECIPIENTS &&
	    r->parameters.orcpt[0] != '\0' &&
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
    const struct envelope_recipient *r, size_t index,
    enum outbound_group instead)
{
	size_t number = recipients->numbers[OUTBOUND_PAGE];
	struct outbound_page *page = &recipients->pages[number];
	struct origin_page *key = &recipients->keys[number];
	unsigned char secret[SECRET_BYTES];

	recipients->page_room++;
	page->recipient = index;
	page->instead = instead;
	randombytes_buf(secret, sizeof(secret));
	base64url_format(secret, sizeof(secret), page->secret);
	sodium_memzero(secret, sizeof(secret));
	mail_address_normalise(r->path, page->address);
	key->recipient = page->address;
	sha256_hex(page->secret, strlen(page->secret), key->key);
}

static void
add_recipient(const struct sorting *sorting, const struct envelope_recipient *r,
    size_t index)
{
	struct outbound_recipients *recipients = sorting->recipients;
	enum capability capability = find_capability(sorting, r->path);
	enum outbound_group instead =
	    capability == CAPABILITY_UNKNOWN && !sorting->question->late ?
	    OUTBOUND_LATER :
	    OUTBOUND_BOUNCE;
	enum outbound_group group = find_group(sorting, capability, instead);
	char address[MAIL_ADDRESS_SIZE];

	/* A page is somebody's, by an address. */
	if (group == OUTBOUND_PAGE &&
	    mail_address_normalise(r->path, address) < 0)
		group = OUTBOUND_BOUNCE;
	if (group == OUTBOUND_PLACEHOLDER)
		add_shared(recipients, r);
	if (group == OUTBOUND_PAGE)
		add_page(recipients, r, index, instead);
	recipients->groups[index] = group;
	recipients->numbers[group]++;
}

void
outbound_recipients_init(struct outbound_recipients *recipients,
    const struct outbound_question *question, const struct envelope *envelope)
{
	const struct sorting sorting = { question, recipients,
		envelope_id(envelope), question->step->now() };
	size_t count = envelope->count;

	memset(recipients, 0, sizeof(*recipients));
	recipients->groups = x_calloc(count, sizeof(*recipients->groups));
	recipients->shared = x_calloc(2 * count, sizeof(char *));
	recipients->pages = x_calloc(count, sizeof(*recipients->pages));
	recipients->keys = x_calloc(count, sizeof(*recipients->keys));
	for (size_t i = 0; i < count; i++)
		add_recipient(&sorting, &envelope->recipients[i], i);
	sort_shared(recipients);
}

void
outbound_recipients_drop_pages(struct outbound_recipients *recipients)
{
	size_t *numbers = recipients->numbers;

	for (size_t i = 0; i < numbers[OUTBOUND_PAGE]; i++) {
		const struct outbound_page *page = &recipients->pages[i];

		recipients->groups[page->recipient] = page->instead;
		numbers[page->instead]++;
	}
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

/* SPDX-License-Identifier: ISC
 *
 * Who of the recipients of a submitted message gets what: the placeholder
 * who can open it, the original whoever cannot and for whom it is small
 * enough, else a page of their own or a bounce.
 */
#ifndef OUTBOUND_RECIPIENTS_H
#define OUTBOUND_RECIPIENTS_H

#include <stdint.h>

#include "capability.h"
#include "cargo_api.h"
#include "envelope.h"
#include "origin.h"
#include "recipient_step.h"

enum outbound_group {
	OUTBOUND_ORIGINAL,
	OUTBOUND_PLACEHOLDER,
	OUTBOUND_PAGE,
	OUTBOUND_BOUNCE,
	OUTBOUND_LATER, /* Postfix is to bring them again */
	OUTBOUND_GROUPS
};

#define OUTBOUND_SECRET_SIZE (CARGO_API_PAGE_SECRET_LEN + 1)

/* The page of one recipient, and the message that tells of it. */
struct outbound_page {
	size_t recipient; /* index in the envelope */
	enum outbound_group instead; /* without pages: BOUNCE or LATER */
	char address[MAIL_ADDRESS_SIZE];
	char secret[OUTBOUND_SECRET_SIZE];
	char *message;
	struct delivery_form form;
};

struct outbound_recipients {
	enum outbound_group *groups; /* one for each of the envelope */
	size_t numbers[OUTBOUND_GROUPS];
	/* Whom to share with, as each will be known at the other end: normal
	 * form, sorted, each once. */
	char **shared;
	size_t shared_count;
	/* In the order of the envelope, keys for the origin. */
	size_t page_room; /* how many were made */
	struct outbound_page *pages;
	struct origin_page *keys;
};

/* What is asked about a domain; capability_find but in tests. */
typedef struct capability_answer outbound_ask(struct capability_cache *cache,
    const char *domain, int64_t now, const char *id);

struct outbound_question {
	const struct recipient_step *step;
	struct capability_cache *capabilities;
	outbound_ask *ask;
	const char *category; /* NULL if none */
	int64_t size; /* of the original */
	bool late; /* it waited long enough for what is not known */
	const char *own_domain; /* the sender's */
};

/*
 * Sorts the recipients of the envelope, makes secrets. Asking takes a minute
 * at most: domains that are left then count as unknown. Nobody gets a bounce
 * because a domain is unknown until it is late. More than a share can have
 * are put off, too: the others are done when they come again.
 */
void outbound_recipients_init(struct outbound_recipients *recipients,
    const struct outbound_question *question, const struct envelope *envelope);
/* There are no pages after all. */
void outbound_recipients_drop_pages(struct outbound_recipients *recipients);

void outbound_recipients_free(struct outbound_recipients *recipients);

#endif

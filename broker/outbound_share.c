/* SPDX-License-Identifier: ISC
 *
 * The share of a converted message: see outbound_share.h.
 */
#include "outbound_share.h"

#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "log.h"
#include "memory.h"

/* Names of a message's share; one is used up each time that Postfix did not
 * take the placeholder. Five days of trying again come to about a hundred. */
#define NAMES_MAX 200

#define SHARE_BYTES 16 /* of the hash */

/* ---- its name ----------------------------------------------------------- */

static void
add(EVP_MD_CTX *name, const void *data, size_t len)
{
	if (EVP_DigestUpdate(name, data, len) != 1)
		log_panic("cannot hash");
}

/* With its NUL, so that no two lists look alike. */
static void
add_text(EVP_MD_CTX *name, const char *text)
{
	add(name, text, strlen(text) + 1);
}

/* Begins with what all its names have in common. */
static EVP_MD_CTX *
begin_name(const struct origin_share *share,
    const unsigned char secret[SHARE_SECRET_LEN], const char *message,
    size_t len)
{
	EVP_MD_CTX *name = EVP_MD_CTX_new();

	if (name == NULL || EVP_DigestInit_ex(name, EVP_sha256(), NULL) != 1)
		log_panic("cannot hash");
	add_text(name, "cargomail share");
	add(name, secret, SHARE_SECRET_LEN);
	add(name, message, len);
	for (size_t i = 0; i < share->recipient_count; i++)
		add_text(name, share->recipients[i]);
	add_text(name, "");
	for (size_t i = 0; i < share->page_count; i++)
		add_text(name, share->pages[i].recipient);
	return name;
}

static void
set_name(struct outbound_share *share, unsigned attempt)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *name = EVP_MD_CTX_new();
	unsigned char number[] = { (unsigned char)(attempt >> 8),
		(unsigned char)attempt };

	if (name == NULL || EVP_MD_CTX_copy_ex(name, share->name) != 1)
		log_panic("cannot hash");
	add(name, number, sizeof(number));
	if (EVP_DigestFinal_ex(name, hash, NULL) != 1)
		log_panic("cannot hash");
	EVP_MD_CTX_free(name);
	base64url_format(hash, SHARE_BYTES, share->id);
}

void
outbound_share_init(struct outbound_share *share,
    const unsigned char secret[SHARE_SECRET_LEN],
    const struct cargo_conversion *conversion, const char *message, size_t len)
{
	size_t count = cargo_conversion_count(conversion);

	share->conversion = conversion;
	share->name = begin_name(&share->share, secret, message, len);
	share->hashes = x_calloc(count, sizeof(*share->hashes));
	for (size_t i = 0; i < count; i++)
		share->hashes[i] =
		    cargo_conversion_resource(conversion, i)->hash;
	share->share.hashes = share->hashes;
	share->share.hash_count = count;
	share->share.id = share->id;
}

void
outbound_share_free(struct outbound_share *share)
{
	EVP_MD_CTX_free(share->name);
	share->name = NULL;
	x_free(&share->hashes);
	x_free(&share->placeholder);
}

/* ---- its making --------------------------------------------------------- */

/* The placeholder that speaks of it, for certain the one and only message
 * that its reader will make of it. */
static enum outcome
compose(struct outbound_share *share, struct reason *why)
{
	const struct cargo_convert_target target = {
		.origin = share->share.url->text,
		.share = share->id,
		.category = share->share.category,
		.expires = share->share.expires,
	};
	enum outcome outcome;

	x_free(&share->placeholder);
	outcome = cargo_convert_compose(share->conversion, &target,
	    &share->placeholder, &share->len, why);
	if (outcome == OUTCOME_OK)
		outcome = cargo_convert_prove(share->conversion,
		    share->placeholder, share->len, why);
	return outcome;
}

static ssize_t
read_resource(void *arg, void *data_r, size_t max)
{
	return cargo_conversion_read(arg, data_r, max);
}

static enum outcome
put_resources(const struct outbound_share *share,
    const struct outbound_origin *origin, struct reason *why)
{
	size_t count = cargo_conversion_count(share->conversion);
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
		const struct cargo_draft_resource *draft =
		    cargo_conversion_resource(share->conversion, i);
		struct cargo_conversion_reader *reader =
		    cargo_conversion_open(share->conversion, i);
		struct origin_resource resource = {
			.hash = draft->hash,
			.size = draft->size,
			.type = draft->type,
			.name = draft->name,
			.read = read_resource,
			.arg = reader,
		};

		outcome =
		    origin->put(origin->origin, &share->share, &resource, why);
		cargo_conversion_close(&reader);
	}
	return outcome;
}

/* Under the name that is set. */
static enum outcome
share_resources(struct outbound_share *share,
    const struct outbound_origin *origin, struct reason *why)
{
	enum outcome outcome;

	outcome = origin->share(origin->origin, &share->share, why);
	if (outcome != OUTCOME_PERMFAIL || !reason_is(why, "not-found"))
		return outcome;
	outcome = put_resources(share, origin, why);
	if (outcome == OUTCOME_OK)
		outcome = origin->share(origin->origin, &share->share, why);
	return outcome;
}

/* What may have been made though we do not know it. */
static void
give_up(struct outbound_share *share, const struct outbound_origin *origin)
{
	struct reason ignored;

	origin->withdraw(origin->origin, &share->share, &ignored);
}

enum outcome
outbound_share_make(struct outbound_share *share,
    const struct outbound_origin *origin, bool *is_refused_r,
    struct reason *why)
{
	enum outcome outcome;

	for (unsigned attempt = 0; attempt < NAMES_MAX; attempt++) {
		*is_refused_r = false;
		set_name(share, attempt);
		outcome = compose(share, why);
		if (outcome != OUTCOME_OK)
			return outcome;
		*is_refused_r = true;
		outcome = share_resources(share, origin, why);
		share->stands = outcome == OUTCOME_OK;
		if (share->stands)
			return outcome;
		if (outcome == OUTCOME_TEMPFAIL)
			give_up(share, origin);
		if (outcome == OUTCOME_TEMPFAIL ||
		    !(reason_is(why, "revoked") || reason_is(why, "conflict")))
			return outcome;
	}
	return reason_set(why, OUTCOME_TEMPFAIL, "revoked",
	    "too many shares of this message were withdrawn");
}

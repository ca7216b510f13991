/* SPDX-License-Identifier: ISC
 *
 * The signer's identities for the administrator. Hashes of keys are told, and
 * names of files; nothing of a private key.
 */
#include "sign_admin.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "clock.h"
#include "grip_jwk.h"
#include "json_strict.h"
#include "outcome.h"

#define LINE_MARKS 8 /* quotes, colon and comma of a member */

/* When the leaf ends; 0 if it cannot be told. */
static int64_t
not_after(const struct grip_identity *shown)
{
	const unsigned char *at = shown->chain[0].der;
	struct tm tm;
	int64_t when = 0;
	X509 *leaf;

	if (shown->chain_count == 0)
		return 0;
	leaf = d2i_X509(NULL, &at, (long)shown->chain[0].len);
	if (leaf != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) == 1)
		when = timegm(&tm);
	X509_free(leaf);
	return when;
}

/* Nobody looks at the dates of brokers' and agents' certificates; those of
 * mailboxes and web hosts are a CA's. */
int64_t
sign_admin_expiry(const struct sign_ring *ring)
{
	int64_t first = 0, end;

	for (size_t i = 0; i < ring->policy.count; i++) {
		const struct sign_identity *item = &ring->items[i];

		if (item->shown.role != GRIP_ROLE_MAILBOX &&
		    item->shown.role != GRIP_ROLE_WEB)
			continue;
		end = not_after(&item->shown);
		if (end != 0 && (first == 0 || end < first))
			first = end;
	}
	return first;
}

/* ---- status ------------------------------------------------------------- */

static cJSON *
new_packet(void)
{
	cJSON *packet = cJSON_CreateObject();

	json_add_string(packet, "outcome", outcome_name(OUTCOME_OK));
	return packet;
}

/* "broker key=<hash> until=<date>"; the bytes that it takes. */
static size_t
add_line(cJSON *packet, const struct sign_identity *identity)
{
	char hash[65] = "", until[CLOCK_TEXT_SIZE], text[192];

	grip_jwk_spki_hash(identity->key, hash);
	clock_format_internet(not_after(&identity->shown), until);
	snprintf(text, sizeof(text), "%s key=%s until=%s",
	    grip_role_name(identity->shown.role), hash,
	    identity->missing == NULL ? until : "-");
	json_add_string(packet, identity->shown.name, text);
	return strlen(identity->shown.name) + strlen(text) + LINE_MARKS;
}

void
sign_admin_status(const struct sign_ring *ring, cJSON *status,
    struct control_connection *connection)
{
	cJSON *packet = status;
	size_t bytes = 0;

	for (size_t i = 0; i < ring->policy.count; i++) {
		if (bytes > CONTROL_ITEMS_MAX) {
			control_reply(connection, packet, 0);
			packet = new_packet();
			bytes = 0;
		}
		bytes += add_line(packet, &ring->items[i]);
	}
	control_reply(connection, packet, 1);
}

/* ---- identities --------------------------------------------------------- */

/* How long a token of this identity may live; 0 if it issues none. */
static int64_t
lifetime(const struct sign_identity *identity)
{
	int64_t longest = identity->shown.role == GRIP_ROLE_BROKER ?
	    GRIP_LIFETIME_NOTIFY :
	    identity->shown.role == GRIP_ROLE_AGENT ? GRIP_LIFETIME_SHORT :
						      0;

	return identity->policy->lifetime < longest ?
	    identity->policy->lifetime :
	    longest;
}

static cJSON *
describe(const struct sign_identity *identity)
{
	cJSON *item = cJSON_CreateObject();
	char hash[65] = "";

	grip_jwk_spki_hash(identity->key, hash);
	json_add_string(item, "name", identity->shown.name);
	json_add_string(item, "role", grip_role_name(identity->shown.role));
	json_add_string(item, "key", hash);
	json_add_string(item, "file", identity->policy->key);
	json_add_integer(item, "until", not_after(&identity->shown));
	json_add_integer(item, "lifetime", lifetime(identity));
	return item;
}

void
sign_admin_identities(const struct sign_ring *ring,
    struct control_connection *connection)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < ring->policy.count; i++)
		cJSON_AddItemToArray(list, describe(&ring->items[i]));
	control_reply_items(connection, "identities", list);
	control_reply(connection, new_packet(), 1);
}

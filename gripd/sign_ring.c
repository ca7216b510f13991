/* SPDX-License-Identifier: ISC
 *
 * The signer's identities. Two that name the same key hold it twice; that is
 * rare and costs little.
 */
#include "sign_ring.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memory.h"

/* Preparing costs as much as a third of a signature: once is enough. */
EVP_MD_CTX *
sign_ring_prepare(EVP_PKEY *key)
{
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
	EVP_MD_CTX *ready = EVP_MD_CTX_new();

	if (ready == NULL ||
	    EVP_DigestSignInit_ex(ready, NULL, digest, NULL, NULL, key, NULL) !=
		1)
		log_panic("a key that cannot sign");
	return ready;
}

static int
sign_ring_add(struct sign_ring *ring, size_t number, char **error_r)
{
	const struct sign_policy_identity *policy = &ring->policy.items[number];
	struct sign_identity *identity = &ring->items[number];

	identity->policy = policy;
	identity->shown.name = policy->name;
	identity->shown.role = policy->role;
	identity->key = key_files_read_key(ring->files, policy->key, error_r);
	if (identity->key == NULL)
		return -1;
	identity->ready = sign_ring_prepare(identity->key);
	key_files_read_chain(ring->files, policy->key, identity->key,
	    &identity->shown, &identity->missing);
	return 0;
}

struct sign_ring *
sign_ring_open(const char *policy, const char *keys, const char *credentials,
    char **error_r)
{
	struct sign_ring *ring = x_calloc(1, sizeof(*ring));
	int rc;

	rc = sign_policy_read(policy, &ring->policy, error_r);
	if (rc == 0) {
		ring->files = key_files_open(keys, credentials, error_r);
		rc = ring->files != NULL ? 0 : -1;
	}
	if (rc == 0)
		ring->items =
		    x_calloc(ring->policy.count, sizeof(*ring->items));
	for (size_t i = 0; rc == 0 && i < ring->policy.count; i++)
		rc = sign_ring_add(ring, i, error_r);
	if (rc != 0)
		sign_ring_close(&ring);
	return ring;
}

size_t
sign_ring_reload(struct sign_ring *ring)
{
	struct sign_identity *identity;
	struct log_line line;
	size_t kept = 0;
	char *error;

	for (size_t i = 0; i < ring->policy.count; i++) {
		identity = &ring->items[i];
		if (key_files_read_chain(ring->files, identity->policy->key,
			identity->key, &identity->shown, &error) == 0) {
			x_free(&identity->missing);
			continue;
		}
		log_begin(&line, LOG_ERROR, "-", "reload");
		log_string(&line, LOG_KEY_IDENTITY, identity->shown.name);
		log_string(&line, LOG_KEY_DETAIL, error);
		log_end(&line);
		free(error);
		kept++;
	}
	return kept;
}

bool
sign_ring_may(enum grip_role caller, enum grip_role role)
{
	return role == caller ||
	    (caller == GRIP_ROLE_MAILBOX && role == GRIP_ROLE_WEB);
}

const struct sign_identity *
sign_ring_find(const struct sign_ring *ring, const char *name,
    enum grip_role caller)
{
	for (size_t i = 0; i < ring->policy.count; i++)
		if (sign_ring_may(caller, ring->items[i].shown.role) &&
		    strcmp(ring->items[i].shown.name, name) == 0)
			return &ring->items[i];
	return NULL;
}

void
sign_ring_close(struct sign_ring **ring)
{
	if (*ring == NULL)
		return;
	for (size_t i = 0; (*ring)->items != NULL && i < (*ring)->policy.count;
	     i++) {
		EVP_MD_CTX_free((*ring)->items[i].ready);
		EVP_PKEY_free((*ring)->items[i].key);
		key_files_free_chain(&(*ring)->items[i].shown);
		free((*ring)->items[i].missing);
	}
	free((*ring)->items);
	key_files_close(&(*ring)->files);
	sign_policy_free(&(*ring)->policy);
	x_free(ring);
}

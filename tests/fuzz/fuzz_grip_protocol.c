/* SPDX-License-Identifier: ISC
 *
 * gripd's local protocols, both directions: any packet to the signer in each
 * role, to the request parser of the resolver, and as an answer to a client.
 * The signer must never sign anything but its own tokens and handshakes of
 * the caller's side, so what it signs is looked at again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>

#include "grip_protocol.h"
#include "json_strict.h"
#include "log.h"
#include "sign_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NOW 1700000000

static const char policy[] = "_cb.bar.test role=broker\n"
			     "_rra.insurance.test role=agent\n"
			     "mailbox.insurance.test role=mailbox\n";

static struct sign_ring *
make_ring(void)
{
	struct sign_ring *ring = calloc(1, sizeof(*ring));
	char *error;

	if (sign_policy_parse("policy", policy, strlen(policy), &ring->policy,
		&error) != 0)
		abort();
	ring->items = calloc(ring->policy.count, sizeof(*ring->items));
	for (size_t i = 0; i < ring->policy.count; i++) {
		struct sign_identity *identity = &ring->items[i];

		identity->policy = &ring->policy.items[i];
		identity->shown.name = identity->policy->name;
		identity->shown.role = identity->policy->role;
		identity->shown.chain_count = 1;
		identity->shown.chain[0].der = (uint8_t *)strdup("leaf");
		identity->shown.chain[0].len = 4;
		identity->key = i == 1 ?
		    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
		    EVP_EC_gen("P-256");
		identity->ready = sign_ring_prepare(identity->key);
	}
	return ring;
}

/* A token that came out parses and is by the caller's own identity. */
static void
check_token(enum grip_role role, const char *text)
{
	static const char *const names[] = { "_cb.bar.test",
		"_rra.insurance.test", "" };
	struct grip_token *token = NULL;

	if (grip_token_parse(text, strlen(text), &token, NULL) != OUTCOME_OK ||
	    strcmp(token->claims.iss, names[role]) != 0 ||
	    token->claims.iat != NOW || token->claims.exp <= NOW)
		abort();
	grip_token_free(&token);
}

static void
ask_signer(const struct sign_ring *ring, const uint8_t *data, size_t len)
{

	for (int role = 0; role <= GRIP_ROLE_MAILBOX; role++) {
		struct sign_caller caller = { ring, role, "fuzz", NULL };
		char *answer = sign_answer(&caller, data, len, NOW);
		cJSON *json = NULL;
		struct reason why;
		int64_t id;

		if (answer == NULL)
			continue;
		if (grip_protocol_answer_parse(answer, strlen(answer), &id,
			&json, &why) != 0)
			abort();
		if (json_string(json, "token") != NULL)
			check_token(role, json_string(json, "token"));
		cJSON_Delete(json);
		free(answer);
	}
}

static void
read_answer(const uint8_t *data, size_t len)
{
	struct grip_identities *list;
	struct grip_addresses addresses;
	struct grip_verdict verdict;
	struct grip_capability capability;
	struct grip_keys keys;
	cJSON *json = NULL;
	struct reason why;
	int64_t id;
	bool more;

	if (grip_protocol_answer_parse(data, len, &id, &json, &why) != 0)
		return;
	list = calloc(1, sizeof(*list));
	grip_protocol_identities_parse(json, list, &more, &why);
	grip_identities_free(&list);
	if (grip_protocol_verdict_parse(json, &verdict, &why) == OUTCOME_OK)
		grip_verdict_free(&verdict);
	grip_protocol_addresses_parse(json, &addresses, &why);
	grip_protocol_keys_parse(json, &keys, &why);
	grip_protocol_cargomail_parse(json, &capability, &why);
	cJSON_Delete(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sign_ring *ring;
	struct grip_protocol_request request;
	struct reason why;

	if (ring == NULL) {
		log_open("fuzz", LOG_ERROR + 1);
		ring = make_ring();
	}
	ask_signer(ring, data, len);
	grip_protocol_hello_parse(GRIP_PROTOCOL_SIGN, data, len, &why);
	if (grip_protocol_request_parse(GRIP_PROTOCOL_RESOLVE, data, len,
		&request, &why) == OUTCOME_OK)
		grip_protocol_request_free(&request);
	read_answer(data, len);
	return 0;
}

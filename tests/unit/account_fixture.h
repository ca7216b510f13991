/* SPDX-License-Identifier: ISC
 *
 * An account in the store of a fixture: its address, the same with "alias."
 * before it, 10,000 bytes.
 */
#ifndef ACCOUNT_FIXTURE_H
#define ACCOUNT_FIXTURE_H

#include "account.h"
#include "store_fixture.h"
#include "test.h"

/* `broker` may put and share for it; NULL: nobody may. */
static inline void
fixture_account(struct store_fixture *fixture, const char *address,
    const char *broker, int64_t now, char id_r[STORE_ID_SIZE])
{
	struct account_new new = { .address_count = 2,
		.quota = 10000,
		.now = now };
	cJSON *brokers = cJSON_CreateArray();

	store_id_new(new.id);
	strcpy(new.addresses[0], address);
	snprintf(new.addresses[1], sizeof(new.addresses[1]), "alias.%s",
	    address);
	strcpy(new.hash, "none");
	if (broker != NULL)
		cJSON_AddItemToArray(brokers, cJSON_CreateString(broker));
	new.brokers = brokers;
	CHECK(store_run(fixture->store, account_add, &new, &fixture->why) ==
	    OUTCOME_OK);
	strcpy(id_r, new.id);
	cJSON_Delete(brokers);
}

#endif

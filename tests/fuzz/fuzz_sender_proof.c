/* SPDX-License-Identifier: ISC
 *
 * The proof of the sender: Authentication-Results, DKIM-Signature and From
 * as a stranger may write them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sender_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char id[] = "mx.bar.test", *ids[] = { id };
	struct config_list list = { ids, 1 };
	char sender[MAIL_ADDRESS_SIZE];

	sender_proof_check((const char *)data, size, &list, sender, NULL);
	return 0;
}

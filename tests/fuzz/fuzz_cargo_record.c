/* SPDX-License-Identifier: ISC
 *
 * TXT records of Cargomail, from exactly sized memory; what is one has the
 * version in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (cargo_record_is(data, size) &&
	    memmem(data, size, "cargomail1", 10) == NULL)
		abort();
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * The DNS record by which a mail domain says that its inbound mail passes a
 * Cargo Broker, a TXT at _cargomail.<domain>:
 *
 *   v=cargomail1
 *
 * Reads hostile text. Fuzzed by fuzz_cargo_record.
 */
#ifndef CARGO_RECORD_H
#define CARGO_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#define CARGO_RECORD_LABEL "_cargomail."

/* `text` is the joined strings of one TXT record, which need no NUL. True if
 * it is such a record: "v" comes first and once, and what follows are tags,
 * which are ignored. */
bool cargo_record_is(const void *text, size_t len);

#endif

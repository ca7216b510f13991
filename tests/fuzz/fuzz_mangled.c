/* SPDX-License-Identifier: ISC
 *
 * Mangled placeholders: what is undone, and what is read over. Whatever a
 * broker takes, the reader takes too, and sees the same in it. The structure
 * is told by the box's child, as always.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_mangled.h"
#include "rebuild_nothing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct cargo_mangled *mangled)
{
	const struct cargo_placeholder *p = mangled->placeholder;
	bool exact;

	for (size_t i = 0; i < p->count; i++) {
		const struct cargo_resource *r = &p->resources[i];

		if (!hex_is_sha256(r->hash) || r->size < -1 ||
		    r->inner_start + r->inner_len > mangled->len)
			abort();
	}
	if (!cargo_share_valid(p->share))
		abort();
	cargo_rebuild(p, mangled->message, mangled->len, &rebuild_nothing,
	    &exact, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *message = (const char *)data;
	struct cargo_placeholder *p = NULL;
	struct cargo_mangled mangled;

	if (cargo_mangled_read(message, size, &mangled, NULL) == OUTCOME_OK)
		check(&mangled);
	if (!mangled.changed &&
	    cargo_placeholder_parse(message, size, &p, NULL) == OUTCOME_OK &&
	    (mangled.placeholder == NULL ||
		mangled.placeholder->count < p->count ||
		strcmp(mangled.placeholder->share, p->share) != 0 ||
		strcmp(mangled.placeholder->origin, p->origin) != 0))
		abort();
	cargo_placeholder_free(&p);
	cargo_mangled_free(&mangled);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * The record of a domain with Cargomail: see cargo_record.h.
 */
#include "cargo_record.h"

#include "tag_list.h"

bool
cargo_record_is(const void *text, size_t len)
{
	struct tag_span rest, tag, value;
	int more;

	if (!tag_list_open(text, len, "cargomail1", &rest))
		return false;
	while ((more = tag_list_next(&rest, &tag, &value)) == 1)
		if (tag_list_is(tag, "v"))
			return false;
	return more == 0;
}

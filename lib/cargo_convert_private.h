/* SPDX-License-Identifier: ISC
 *
 * What the modules of cargo_convert share; see cargo_convert.h.
 */
#ifndef CARGO_CONVERT_PRIVATE_H
#define CARGO_CONVERT_PRIVATE_H

#include <stdbool.h>

#include "cargo_convert.h"

/* A part that goes: bytes [start, end) of the message, its header first,
 * its content from `body` on. */
struct convert_part {
	size_t start, body, end;
	char type[64];
	enum mime_encoding encoding;
	bool wanted; /* by the mode; others go only for want of room */
	bool taken;
	struct cargo_recipe recipe;
	int64_t size; /* decoded */
	char hash[SHA256_HEX_SIZE];
};

struct convert_resource {
	struct cargo_draft_resource draft; /* points to what follows */
	char hash[SHA256_HEX_SIZE];
	char *type, *name, *disposition;
	const struct convert_part *part; /* the first that has it */
};

struct cargo_conversion {
	const char *message;
	size_t len;
	size_t header; /* bytes of the header, empty line included */
	bool leaf; /* the message has one part, and that goes */
	bool eight_bit; /* what stays is not ASCII */
	struct convert_part *parts; /* in the order of the message */
	size_t part_count;
	struct convert_resource *resources; /* no hash stands twice */
	size_t resource_count;
	char hash[SHA256_HEX_SIZE]; /* of the whole message */
};

/* cargo_convert_parts.c: fills `parts` with those that the options select
 * and that can be made again. OK, PERMFAIL or TEMPFAIL as the plan. */
enum outcome convert_parts_select(struct cargo_conversion *conversion,
    const struct cargo_convert_options *options, struct reason *why);

/* cargo_convert_text.c: the resources of the parts, with what people read of
 * them. */
void convert_resources_find(struct cargo_conversion *conversion);

#endif

/* SPDX-License-Identifier: ISC
 *
 * A recipient who has a placeholder and the resources of its conversion, for
 * cargo_rebuild: what comes out is in `out`.
 */
#ifndef CONVERSION_READER_H
#define CONVERSION_READER_H

#include <string.h>
#include <sys/types.h>

#include "buffer.h"
#include "cargo_convert.h"
#include "cargo_placeholder.h"

struct conversion_reader {
	const struct cargo_conversion *conversion;
	const struct cargo_placeholder *placeholder;
	struct cargo_conversion_reader *open;
	size_t index;
	struct buffer out;
};

/* The two of struct cargo_rebuild_io. */
static ssize_t
conversion_reader_read(void *context, size_t index, void *data_r, size_t max)
{
	struct conversion_reader *r = context;
	size_t count = cargo_conversion_count(r->conversion);

	for (size_t i = 0; i < count && (r->open == NULL || r->index != index);
	     i++)
		if (strcmp(cargo_conversion_resource(r->conversion, i)->hash,
			r->placeholder->resources[index].hash) == 0) {
			cargo_conversion_close(&r->open);
			r->open = cargo_conversion_open(r->conversion, i);
			r->index = index;
		}
	return r->open != NULL ? cargo_conversion_read(r->open, data_r, max) :
				 -1;
}

static int
conversion_reader_write(void *context, const void *data, size_t len)
{
	return buffer_add(&((struct conversion_reader *)context)->out, data,
	    len);
}

#endif

/* SPDX-License-Identifier: ISC
 *
 * For cargo_rebuild: all resources are empty, and nobody reads the message.
 */
#ifndef REBUILD_NOTHING_H
#define REBUILD_NOTHING_H

#include "cargo_rebuild.h"

static ssize_t
read_nothing(void *context, size_t index, void *data_r, size_t max)
{
	(void)context;
	(void)index;
	(void)data_r;
	(void)max;
	return 0;
}

static int
write_nowhere(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	(void)len;
	return 0;
}

static const struct cargo_rebuild_io rebuild_nothing = { read_nothing,
	write_nowhere, NULL };

#endif

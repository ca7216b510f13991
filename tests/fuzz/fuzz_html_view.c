/* SPDX-License-Identifier: ISC
 *
 * HTML with references to pictures: bounded, whatever stands in it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "html_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is added is bounded by what is replaced. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct html_view_part parts[] = { { "a", "\"<>" },
		{ "b@c", "x" } };
	struct buffer out;
	size_t replaced;

	buffer_init(&out, 1 << 24);
	replaced =
	    html_view_format((const char *)data, size, "utf-8", parts, 2, &out);
	if (out.len > size + 400 + 9 * replaced)
		abort();
	buffer_free(&out);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Messages are taken apart and put together: what was proved is rebuilt to
 * the very message by a reader who has only the placeholder and the
 * resources. The structure is parsed in a child, as ever, for the plan.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "cargo_convert.h"
#include "cargo_rebuild.h"
#include "conversion_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
rebuild(const struct cargo_conversion *c, const char *placeholder, size_t len,
    const uint8_t *data, size_t size)
{
	struct conversion_reader r = { .conversion = c };
	struct cargo_rebuild_io io = { conversion_reader_read,
		conversion_reader_write, &r };
	struct cargo_placeholder *p;
	struct mime_parts parts;
	bool exact = false;

	buffer_init(&r.out, (size_t)1 << 28);
	if (mime_box_parse(placeholder, len, &parts, NULL) != OUTCOME_OK ||
	    cargo_placeholder_parse_parts(placeholder, len, &parts, &p, NULL) !=
		OUTCOME_OK)
		abort();
	r.placeholder = p;
	if (cargo_rebuild(p, placeholder, len, &io, &exact, NULL) !=
		OUTCOME_OK ||
	    !exact || r.out.len != size || memcmp(r.out.data, data, size) != 0)
		abort();
	cargo_conversion_close(&r.open);
	cargo_placeholder_free(&p);
	buffer_free(&r.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cargo_convert_target target = {
		"https://mailbox.foo.test", "AAAAAAAAAAAAAAAAAAAAAA", NULL,
		1798765200
	};
	struct cargo_convert_options options = { CARGO_CONVERT_ALL, 16 };
	struct cargo_conversion *c;
	char *placeholder = NULL;
	size_t len;

	if (size > 0)
		options.mode = CARGO_CONVERT_LARGE +
		    (enum cargo_convert_mode)(data[0] % 3);
	if (cargo_convert_plan((const char *)data, size, &options, &c, NULL) !=
	    OUTCOME_OK)
		return 0;
	if (cargo_convert_compose(c, &target, &placeholder, &len, NULL) ==
		OUTCOME_OK &&
	    cargo_convert_prove(c, placeholder, len, NULL) == OUTCOME_OK)
		rebuild(c, placeholder, len, data, size);
	free(placeholder);
	cargo_conversion_free(&c);
	return 0;
}

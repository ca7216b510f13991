/* SPDX-License-Identifier: ISC
 *
 * Decoders, in reads of odd sizes; a recipe that was learned from a text
 * makes that very text again, and reads back from its parameters.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_recipe.h"
#include "mail_decode.h"
#include "mail_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	const char *text;
	size_t len, at;
};

static int
compare(void *context, const void *data, size_t len)
{
	struct sink *sink = context;

	if (len > sink->len - sink->at ||
	    memcmp(sink->text + sink->at, data, len) != 0)
		return -1;
	sink->at += len;
	return 0;
}

/* Decoded size, -1 for nonsense; encoded again if there is an encoder. */
static int64_t
run(const char *text, size_t len, struct mail_encoder *encoder,
    enum mail_encode_kind kind, bool *canonical_r)
{
	struct mail_decoder decoder;
	char buffer[997];
	int64_t size = 0;
	ssize_t got;

	mail_decoder_init(&decoder, kind, text, len);
	while ((got = mail_decoder_read(&decoder, buffer,
		    1 + len % sizeof(buffer))) > 0) {
		size += got;
		if (encoder != NULL &&
		    mail_encoder_add(encoder, buffer, (size_t)got) < 0)
			return -2;
	}
	if (encoder != NULL && mail_encoder_end(encoder) < 0)
		return -2;
	*canonical_r = decoder.canonical;
	return got < 0 ? -1 : size;
}

/* Written as parameters and read again. */
static void
read_back(struct cargo_recipe *recipe, enum mime_encoding encoding)
{
	struct mail_parameters list;
	struct buffer out;

	buffer_init(&out, 65536);
	buffer_add_string(&out, "a/b");
	cargo_recipe_format(recipe, encoding, &out);
	for (char *at = out.data; *at != '\0'; at++)
		if (*at == '\r' || *at == '\n')
			*at = ' ';
	if (mail_parameters_parse(out.data, &list) < 0)
		abort();
	cargo_recipe_read(&list, recipe);
	if (recipe->encoding == CARGO_RECIPE_NONE)
		abort();
	mail_parameters_free(&list);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mime_encoding encodings[] = { MIME_BASE64,
		MIME_QUOTED_PRINTABLE, MIME_8BIT };
	struct cargo_recipe recipe;
	enum mime_encoding encoding;
	struct sink sink = { NULL, 0, 0 };
	struct mail_encoder encoder = { .eol = "\r\n",
		.write = compare,
		.context = &sink };
	bool canonical = false;
	int64_t learned, found;

	if (size == 0)
		return 0;
	encoding = encodings[data[0] % 3];
	sink.text = (const char *)data + 1;
	sink.len = size - 1;
	if (cargo_recipe_learn(sink.text, sink.len, encoding, &recipe,
		&learned) < 0) {
		run(sink.text, sink.len, NULL,
		    (enum mail_encode_kind)(data[0] % 3), &canonical);
		return 0;
	}
	read_back(&recipe, encoding);
	found = run(sink.text, sink.len, NULL, cargo_recipe_kind(&recipe),
	    &canonical);
	if (recipe.encoding == CARGO_RECIPE_BASE64 &&
	    (found != learned || !canonical))
		return 0; /* is found out before it is used */
	encoder.kind = recipe.encoding == CARGO_RECIPE_BASE64 ?
	    MAIL_ENCODE_BASE64 :
	    recipe.encoding == CARGO_RECIPE_IDENTITY ? MAIL_ENCODE_IDENTITY :
						       MAIL_ENCODE_LAYOUT;
	encoder.line = recipe.line;
	encoder.final = recipe.final;
	encoder.layout = &recipe.layout;
	found = run(sink.text, sink.len, &encoder, cargo_recipe_kind(&recipe),
	    &canonical);
	if (found < 0 || sink.at != sink.len)
		abort();
	return 0;
}

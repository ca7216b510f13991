/* SPDX-License-Identifier: ISC
 *
 * What the signer takes for a TLS 1.3 CertificateVerify.
 */
#include "test.h"

#include "handshake_content.h"

#define SERVER "TLS 1.3, server CertificateVerify"
#define CLIENT "TLS 1.3, client CertificateVerify"

struct content {
	unsigned char bytes[256];
	size_t len;
};

static struct content
make(const char *context, size_t hash_len)
{
	struct content content;

	memset(&content, 0xa5, sizeof(content));
	memset(content.bytes, ' ', 64);
	memcpy(content.bytes + 64, context, strlen(context) + 1);
	content.len = 64 + strlen(context) + 1 + hash_len;
	return content;
}

static enum handshake_side
side(const struct content *content)
{
	return handshake_content_side(content->bytes, content->len);
}

TEST(both_sides_with_both_hashes)
{
	static const struct {
		const char *context;
		size_t hash_len;
		enum handshake_side side;
	} rows[] = {
		{ SERVER, 32, HANDSHAKE_SERVER },
		{ SERVER, 48, HANDSHAKE_SERVER },
		{ CLIENT, 32, HANDSHAKE_CLIENT },
		{ CLIENT, 48, HANDSHAKE_CLIENT },
		{ SERVER, 0, HANDSHAKE_NONE },
		{ SERVER, 31, HANDSHAKE_NONE },
		{ SERVER, 33, HANDSHAKE_NONE },
		{ CLIENT, 47, HANDSHAKE_NONE },
		{ CLIENT, 49, HANDSHAKE_NONE },
		{ CLIENT, 64, HANDSHAKE_NONE },
		{ "TLS 1.3, Server CertificateVerify", 32, HANDSHAKE_NONE },
		{ "TLS 1.2, server CertificateVerify", 32, HANDSHAKE_NONE },
		{ "", 32, HANDSHAKE_NONE },
		{ "TLS 1.3, server CertificateVerif", 33, HANDSHAKE_NONE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct content content =
		    make(rows[i].context, rows[i].hash_len);

		CHECK_FOR(side(&content) == rows[i].side, "row %zu", i);
	}
}

/* Every byte before the hash counts. */
TEST(any_other_byte_spoils_it)
{
	for (size_t i = 0; i < 98; i++) {
		struct content content = make(SERVER, 32);

		content.bytes[i] ^= 1;
		CHECK_FOR(side(&content) == HANDSHAKE_NONE, "byte %zu", i);
	}
}

TEST(no_signing_input_of_a_token)
{
	struct content content;

	/* Of the right length, and with the context in its place. */
	content = make(CLIENT, 32);
	memset(content.bytes, 'A', 64);
	CHECK(side(&content) == HANDSHAKE_NONE);
	memset(content.bytes, 'A', sizeof(content.bytes));
	content.bytes[40] = '.';
	CHECK(side(&content) == HANDSHAKE_NONE);
	content.len = 0;
	CHECK(side(&content) == HANDSHAKE_NONE);
}

int
main(void)
{
	RUN(both_sides_with_both_hashes);
	RUN(any_other_byte_spoils_it);
	RUN(no_signing_input_of_a_token);
	return test_done();
}

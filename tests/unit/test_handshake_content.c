/* SPDX-License-Identifier: ISC
 *
 * What the signer takes for a TLS 1.3 CertificateVerify, and for a TLS 1.2
 * ServerKeyExchange.
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

/* Two randoms, then `params`, then a point: its length without the mark. */
static struct content
exchange(const unsigned char *params, size_t params_len, size_t point_len)
{
	struct content content;

	memset(&content, 0xa5, sizeof(content));
	memcpy(content.bytes + 64, params, params_len);
	content.len = 64 + params_len + point_len;
	return content;
}

static bool
is_exchange(const struct content *content)
{
	return handshake_content_is_key_exchange(content->bytes, content->len);
}

static const unsigned char p256[] = { 3, 0, 0x17, 65, 4 };
static const unsigned char x25519[] = { 3, 0, 0x1d, 32 };

TEST(two_shapes_of_a_key_exchange)
{
	static const struct {
		unsigned char params[5];
		size_t params_len, point_len;
		bool good;
	} rows[] = {
		{ { 3, 0, 0x17, 65, 4 }, 5, 64, true },
		{ { 3, 0, 0x1d, 32 }, 4, 32, true },
		{ { 3, 0, 0x17, 65, 4 }, 5, 63, false },
		{ { 3, 0, 0x17, 65, 4 }, 5, 65, false },
		{ { 3, 0, 0x17, 65, 4 }, 5, 0, false },
		{ { 3, 0, 0x17, 33, 2 }, 5, 32, false }, /* compressed */
		{ { 3, 0, 0x17, 65, 6 }, 5, 64, false }, /* hybrid */
		{ { 3, 0, 0x18, 97, 4 }, 5, 96, false }, /* P-384 */
		{ { 3, 0, 0x1e, 56 }, 4, 56, false }, /* X448 */
		{ { 1, 0, 0x17, 65, 4 }, 5, 64, false }, /* explicit_prime */
		{ { 3, 0, 0x1d, 32 }, 4, 31, false },
		{ { 3, 0, 0x1d, 32 }, 4, 33, false },
		{ { 3, 0, 0x1d, 33 }, 4, 33, false },
		{ { 3, 0, 0x1d, 65, 4 }, 5, 64, false },
		{ { 3 }, 1, 0, false },
		{ { 3 }, 0, 0, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct content content = exchange(rows[i].params,
		    rows[i].params_len, rows[i].point_len);

		CHECK_FOR(is_exchange(&content) == rows[i].good, "row %zu", i);
		CHECK_FOR(side(&content) == HANDSHAKE_NONE, "row %zu", i);
	}
}

/* Randoms that the caller chose to look like the other kind. */
TEST(the_two_versions_never_meet)
{
	struct content content = make(SERVER, 32);
	size_t lengths[] = { 100, 130, 133, 146 };

	for (size_t i = 0; i < 4; i++) {
		content.len = lengths[i];
		CHECK_FOR(!is_exchange(&content), "%zu", lengths[i]);
	}
	content = exchange(p256, sizeof(p256), 64);
	memset(content.bytes, ' ', 64);
	CHECK(is_exchange(&content));
	for (size_t i = 0; i <= content.len; i++) {
		struct content part = content;

		part.len = i;
		CHECK_FOR(side(&part) == HANDSHAKE_NONE, "%zu", i);
	}
	content = exchange(x25519, sizeof(x25519), 32);
	for (size_t i = 64; i < 68; i++) {
		struct content other = content;

		other.bytes[i] ^= 1;
		CHECK_FOR(!is_exchange(&other), "byte %zu", i);
	}
}

int
main(void)
{
	RUN(both_sides_with_both_hashes);
	RUN(any_other_byte_spoils_it);
	RUN(no_signing_input_of_a_token);
	RUN(two_shapes_of_a_key_exchange);
	RUN(the_two_versions_never_meet);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * Keys in another process: whole TLS 1.3 handshakes with client certificate,
 * in memory, both ends' keys at a signer; and what such a key must not do.
 */
#include "test.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include "grip_client.h"
#include "grip_remote_key.h"
#include "sign_fixture.h"

struct end {
	char path[96];
	pid_t pid;
	struct grip_client *signer;
	X509 *certificate;
	EVP_PKEY *key;
	SSL_CTX *context;
	SSL *ssl;
};

static int
accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void
end_open(struct end *end, const struct sign_fixture *fixture,
    enum grip_role role)
{
	struct grip_identities *identities = NULL;
	const struct grip_identity *identity;
	const unsigned char *der;
	struct reason why;

	memset(end, 0, sizeof(*end));
	end->pid = sign_fixture_start(fixture, role, end->path);
	end->signer = grip_client_new(end->path, GRIP_PROTOCOL_SIGN, 5000);
	CHECK(grip_client_identities(end->signer, &identities, &why) ==
	    OUTCOME_OK);
	CHECK(identities != NULL &&
	    identities->count == (role == GRIP_ROLE_MAILBOX ? 2 : 1));
	identity = grip_identities_find_role(identities, role);
	CHECK(identity != NULL);
	der = identity->chain[0].der;
	end->certificate = d2i_X509(NULL, &der, (long)identity->chain[0].len);
	end->key =
	    grip_remote_key_new(end->certificate, identity->name, end->signer);
	CHECK(end->key != NULL);
	grip_identities_free(&identities);
	end->context =
	    SSL_CTX_new(role == GRIP_ROLE_MAILBOX ? TLS_server_method() :
						    TLS_client_method());
	SSL_CTX_set_min_proto_version(end->context, TLS1_3_VERSION);
	SSL_CTX_set_verify(end->context,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	CHECK(SSL_CTX_use_certificate(end->context, end->certificate) == 1);
	CHECK(SSL_CTX_use_PrivateKey(end->context, end->key) == 1);
	CHECK(SSL_CTX_check_private_key(end->context) == 1);
	end->ssl = SSL_new(end->context);
}

static void
end_close(struct end *end)
{
	SSL_free(end->ssl);
	SSL_CTX_free(end->context);
	EVP_PKEY_free(end->key);
	X509_free(end->certificate);
	grip_client_free(&end->signer);
	if (end->pid > 0)
		sign_fixture_stop(end->pid);
}

/* 1 when both sides are through, else 0. */
static int
handshake(SSL *server, SSL *client)
{
	BIO *one, *other;
	int s = 0, c = 0;

	BIO_new_bio_pair(&one, 0, &other, 0);
	SSL_set_bio(server, one, one);
	SSL_set_bio(client, other, other);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 20 && (s != 1 || c != 1); i++) {
		c = SSL_do_handshake(client);
		s = SSL_do_handshake(server);
	}
	return s == 1 && c == 1;
}

static void
check_handshake(const char *type)
{
	struct sign_fixture fixture;
	struct end server, client;
	X509 *peer;

	CHECK(sign_fixture_open(&fixture, type) == 0);
	end_open(&server, &fixture, GRIP_ROLE_MAILBOX);
	end_open(&client, &fixture, GRIP_ROLE_AGENT);
	CHECK(handshake(server.ssl, client.ssl) == 1);
	CHECK(SSL_version(client.ssl) == TLS1_3_VERSION);
	peer = SSL_get1_peer_certificate(server.ssl);
	CHECK(peer != NULL && X509_cmp(peer, client.certificate) == 0);
	X509_free(peer);
	end_close(&client);
	end_close(&server);
	sign_fixture_close(&fixture);
}

TEST(p256_handshake_on_both_sides)
{
	check_handshake("p256");
}

TEST(ed25519_handshake_on_both_sides)
{
	check_handshake("ed25519");
}

/* TLS 1.2 with the mailbox's signer: 1 if the handshake ends well. */
static int
old_handshake(const struct sign_fixture *fixture, enum grip_role role)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	struct grip_identities *list = NULL;
	const struct grip_identity *identity;
	struct end end;
	struct reason why;
	const unsigned char *der;
	X509 *certificate;
	EVP_PKEY *key;
	SSL *c, *s;
	int rc;

	end_open(&end, fixture, GRIP_ROLE_MAILBOX);
	CHECK(grip_client_identities(end.signer, &list, &why) == OUTCOME_OK);
	identity = grip_identities_find_role(list, role);
	der = identity->chain[0].der;
	certificate = d2i_X509(NULL, &der, (long)identity->chain[0].len);
	key = grip_remote_key_new(certificate, identity->name, end.signer);
	CHECK(SSL_CTX_use_certificate(server, certificate) == 1 &&
	    SSL_CTX_use_PrivateKey(server, key) == 1);
	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	SSL_CTX_set1_groups_list(server, "X25519:P-256");
	s = SSL_new(server);
	c = SSL_new(client);
	rc = handshake(s, c);
	ERR_clear_error();
	SSL_free(s);
	SSL_free(c);
	EVP_PKEY_free(key);
	X509_free(certificate);
	grip_identities_free(&list);
	end_close(&end);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return rc;
}

TEST(tls_1_2_with_the_key_of_a_web_host_alone)
{
	struct sign_fixture fixture;

	CHECK(sign_fixture_open(&fixture, "p256") == 0);
	CHECK(old_handshake(&fixture, GRIP_ROLE_WEB) == 1);
	CHECK(old_handshake(&fixture, GRIP_ROLE_MAILBOX) == 0);
	sign_fixture_close(&fixture);
}

TEST(init_twice_does_no_harm)
{
	EVP_PKEY *own;

	CHECK(grip_remote_key_init() == 0);
	CHECK(grip_remote_key_init() == 0);
	/* Ordinary keys are still the default provider's. */
	own = EVP_EC_gen("P-256");
	CHECK(own != NULL);
	CHECK_STRING(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(own)),
	    "default");
	EVP_PKEY_free(own);
}

static int
digest_sign(EVP_PKEY *key, const void *data, size_t len)
{
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[256];
	size_t size = sizeof(signature);
	int rc;

	rc =
	    EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, key, NULL);
	if (rc == 1)
		rc = EVP_DigestSign(context, signature, &size, data, len);
	EVP_MD_CTX_free(context);
	return rc;
}

/* A key of each type is no oracle, whichever way it is asked. */
static void
check_no_oracle(const char *type)
{
	static const char jws[] =
	    "eyJ0eXAiOiJncmlwLWdldCtqd3QiLCJhbGciOiJFUzI1NiJ9."
	    "eyJpc3MiOiJfcnJhLmluc3VyYW5jZS50ZXN0In0";
	unsigned char signature[256], digest[32] = { 1 };
	size_t size = sizeof(signature);
	struct sign_fixture fixture;
	const char *detail = "";
	int flags = 0;
	struct end client;
	EVP_PKEY_CTX *raw;
	EVP_MD_CTX *stream;

	CHECK(sign_fixture_open(&fixture, type) == 0);
	end_open(&client, &fixture, GRIP_ROLE_AGENT);
	/* A token's signing input as if it were a handshake. */
	CHECK(digest_sign(client.key, jws, strlen(jws)) != 1);
	/* What gripd said goes up through OpenSSL's errors. */
	ERR_peek_last_error_data(&detail, &flags);
	CHECK((flags & ERR_TXT_STRING) != 0 &&
	    strstr(detail, "gripd: content:") != NULL);
	/* A digest of the caller's choice. */
	raw = EVP_PKEY_CTX_new_from_pkey(NULL, client.key, NULL);
	CHECK(EVP_PKEY_sign_init(raw) != 1 ||
	    EVP_PKEY_sign(raw, signature, &size, digest, 32) != 1);
	EVP_PKEY_CTX_free(raw);
	/* Piece by piece. */
	stream = EVP_MD_CTX_new();
	CHECK(EVP_DigestSignInit_ex(stream, NULL,
		  strcmp(type, "p256") == 0 ? "SHA256" : NULL, NULL, NULL,
		  client.key, NULL) == 1);
	CHECK(EVP_DigestSignUpdate(stream, jws, 5) != 1);
	EVP_MD_CTX_free(stream);
	/* Another digest. */
	stream = EVP_MD_CTX_new();
	CHECK(EVP_DigestSignInit_ex(stream, NULL, "SHA512", NULL, NULL,
		  client.key, NULL) != 1);
	EVP_MD_CTX_free(stream);
	/* The private half does not leave as PEM either. */
	CHECK(i2d_PrivateKey(client.key, NULL) <= 0);
	ERR_clear_error();
	end_close(&client);
	sign_fixture_close(&fixture);
}

TEST(p256_key_is_no_oracle)
{
	check_no_oracle("p256");
}

TEST(ed25519_key_is_no_oracle)
{
	check_no_oracle("ed25519");
}

/* An agent's key does not work as a server, nor a mailbox's as a client. */
TEST(side_of_the_handshake_is_the_roles)
{
	struct sign_fixture fixture;
	struct end server, client;

	CHECK(sign_fixture_open(&fixture, "p256") == 0);
	end_open(&server, &fixture, GRIP_ROLE_MAILBOX);
	end_open(&client, &fixture, GRIP_ROLE_AGENT);
	SSL_use_certificate(server.ssl, client.certificate);
	SSL_use_PrivateKey(server.ssl, client.key);
	CHECK(handshake(server.ssl, client.ssl) == 0);
	ERR_clear_error();
	end_close(&client);
	end_close(&server);
	sign_fixture_close(&fixture);
}

TEST(handshake_fails_when_the_signer_is_gone)
{
	struct sign_fixture fixture;
	struct end server, client;

	CHECK(sign_fixture_open(&fixture, "p256") == 0);
	end_open(&server, &fixture, GRIP_ROLE_MAILBOX);
	end_open(&client, &fixture, GRIP_ROLE_AGENT);
	sign_fixture_stop(server.pid);
	server.pid = -1;
	unlink(server.path);
	CHECK(handshake(server.ssl, client.ssl) == 0);
	ERR_clear_error();
	end_close(&client);
	end_close(&server);
	sign_fixture_close(&fixture);
}

TEST(other_kinds_of_keys_are_refused)
{
	X509 *certificate = X509_new();
	EVP_PKEY *keys[] = { EVP_EC_gen("P-384"), EVP_RSA_gen(2048) };

	for (size_t i = 0; i < 2; i++) {
		X509_set_pubkey(certificate, keys[i]);
		CHECK_FOR(grip_remote_key_new(certificate, "x", NULL) == NULL,
		    "key %zu", i);
		EVP_PKEY_free(keys[i]);
	}
	X509_free(certificate);
}

int
main(void)
{
	if (geteuid() != 0) {
		printf("1..0 # skip: needs root\n");
		return 0;
	}
	if (grip_remote_key_init() != 0)
		return 1;
	RUN(tls_1_2_with_the_key_of_a_web_host_alone);
	RUN(init_twice_does_no_harm);
	RUN(p256_handshake_on_both_sides);
	RUN(ed25519_handshake_on_both_sides);
	RUN(p256_key_is_no_oracle);
	RUN(ed25519_key_is_no_oracle);
	RUN(side_of_the_handshake_is_the_roles);
	RUN(handshake_fails_when_the_signer_is_gone);
	RUN(other_kinds_of_keys_are_refused);
	return test_done();
}

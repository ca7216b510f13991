/* SPDX-License-Identifier: ISC
 *
 * The HTTP server from outside, by a client that knows no manners.
 */
#include <openssl/err.h>

#include "clock.h"
#include "http_fixture.h"
#include "test.h"

static struct fixture fixture;
static struct tls_identity server_a, server_b, people, p256, ed25519, p384, rsa,
    expired;

/* ---- a client ---------------------------------------------------------- */

struct peer {
	int fd;
	SSL *ssl;
	SSL_CTX *ctx;
	char data[65536];
	size_t len; /* read and not used */
};

static int
dial(const char *path)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(fixture.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(path != NULL ? AF_UNIX : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { 10, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (path != NULL) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
		if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
			abort();
	} else if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0) {
		abort();
	}
	return fd;
}

static void
open_local(struct peer *p)
{
	memset(p, 0, sizeof(*p));
	p->fd = dial(fixture.socket);
}

/* 1 if the handshake went through, as far as the client can tell. */
static int
start_tls(struct peer *p, const char *name, const struct tls_identity *id)
{
	p->ctx = SSL_CTX_new(TLS_client_method());
	if (id != NULL) {
		SSL_CTX_use_certificate(p->ctx, id->certificate);
		SSL_CTX_use_PrivateKey(p->ctx, id->key);
	}
	p->ssl = SSL_new(p->ctx);
	if (name != NULL)
		SSL_set_tlsext_host_name(p->ssl, name);
	SSL_set_fd(p->ssl, p->fd);
	return SSL_connect(p->ssl);
}

static int
open_tls(struct peer *p, const char *name, const struct tls_identity *id)
{
	memset(p, 0, sizeof(*p));
	p->fd = dial(NULL);
	return start_tls(p, name, id);
}

static void
close_peer(struct peer *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	close(p->fd);
}

/* False if the server had closed. */
static bool
say(struct peer *p, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = p->ssl != NULL ? SSL_write(p->ssl, data, (int)len) :
				     send(p->fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
ask(struct peer *p, const char *text)
{
	return say(p, text, strlen(text));
}

static ssize_t
hear(struct peer *p)
{
	ssize_t n;
	char *to = p->data + p->len;
	size_t room = sizeof(p->data) - 1 - p->len;

	n = p->ssl != NULL ? SSL_read(p->ssl, to, (int)room) :
			     recv(p->fd, to, room, 0);
	if (n > 0)
		p->len += (size_t)n;
	p->data[p->len] = '\0';
	return n;
}

struct answer {
	unsigned status; /* 0: none came */
	int64_t size;
	bool close;
	char head[2048];
	char body[1024]; /* its beginning */
	char hash[SHA256_HEX_SIZE];
};

static void
use(struct peer *p, size_t len)
{
	memmove(p->data, p->data + len, p->len - len);
	p->len -= len;
}

/* Reads one whole response. */
static struct answer
answer(struct peer *p, bool head_only)
{
	struct answer a = { 0 };
	uint8_t hash[SHA256_LEN];
	crypto_hash_sha256_state sha;
	int64_t left;
	char *end, *field;
	size_t n;

	while ((end = memmem(p->data, p->len, "\r\n\r\n", 4)) == NULL)
		if (hear(p) <= 0)
			return a;
	n = (size_t)(end + 4 - p->data);
	snprintf(a.head, sizeof(a.head), "%.*s", (int)n, p->data);
	use(p, n);
	field = strstr(a.head, "Content-Length: ");
	a.size = left = field != NULL ? atoll(field + 16) : 0;
	a.close = strstr(a.head, "Connection: close\r\n") != NULL;
	crypto_hash_sha256_init(&sha);
	while (!head_only && left > 0) {
		if (p->len == 0 && hear(p) <= 0)
			return a;
		n = (int64_t)p->len < left ? p->len : (size_t)left;
		if (left == a.size)
			snprintf(a.body, sizeof(a.body), "%.*s", (int)n,
			    p->data);
		crypto_hash_sha256_update(&sha, (uint8_t *)p->data, n);
		use(p, n);
		left -= (int64_t)n;
	}
	crypto_hash_sha256_final(&sha, hash);
	hex_format(hash, sizeof(hash), a.hash);
	a.status = (unsigned)atoi(a.head + 9);
	return a;
}

#define REQUEST(line, fields) \
	line " HTTP/1.1\r\nHost: a.foo.test\r\n" fields "\r\n"

static struct answer
call(struct peer *p, const char *request)
{
	ask(p, request);
	return answer(p, false);
}

/* True if the server closed; false if it said something or is silent. */
static bool
is_closed(struct peer *p)
{
	return p->len == 0 && hear(p) == 0;
}

/* SHA-256 of a part of the fixture's file. */
static void
file_hash(int64_t offset, int64_t len, char *hash_r)
{
	char path[64], *data = malloc((size_t)len);
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", fixture.directory);
	file = fopen(path, "r");
	fseek(file, offset, SEEK_SET);
	if (fread(data, 1, (size_t)len, file) != (size_t)len)
		abort();
	fclose(file);
	sha256_hex(data, (size_t)len, hash_r);
	free(data);
}

/* Waits until the counters say so: the server saw what the client did. */
static bool
counts_become(const char *text)
{
	int64_t end = clock_monotonic_ms() + 5000;
	struct answer a;
	struct peer p;

	do {
		open_local(&p);
		a = call(&p, REQUEST("GET /counts", ""));
		close_peer(&p);
		if (strstr(a.body, text) != NULL)
			return true;
	} while (clock_monotonic_ms() < end);
	printf("# counts: %s\n", a.body);
	return false;
}

/* ---- the tests --------------------------------------------------------- */

TEST(serves_over_tls_and_unix)
{
	struct answer a;
	struct peer p;
	int i;

	for (i = 0; i < 2; i++) {
		if (i == 0)
			CHECK(open_tls(&p, "a.foo.test", &p256) == 1);
		else
			open_local(&p);
		a = call(&p, REQUEST("GET /hello", ""));
		CHECK(a.status == 200 && !a.close);
		CHECK_STRING(a.body, "hello");
		CHECK(strstr(a.head, "\r\nDate: ") != NULL);
		/* The same connection goes on. */
		a = call(&p, REQUEST("GET /later", ""));
		CHECK_STRING(a.body, "later");
		a = call(&p, REQUEST("GET /empty", ""));
		CHECK(a.status == 204);
		CHECK(strstr(a.head, "Content-Length") == NULL);
		ask(&p, REQUEST("HEAD /hello", ""));
		a = answer(&p, true);
		CHECK(a.status == 200 && a.size == 5);
		a = call(&p, REQUEST("GET /large", ""));
		CHECK(a.status == 200 && a.size == 3 * 1024 * 1024);
		a = call(&p, REQUEST("GET /hello", "Connection: close\r\n"));
		CHECK(a.status == 200 && a.close);
		CHECK(is_closed(&p));
		close_peer(&p);
	}
}

TEST(knows_who_asks)
{
	struct answer a;
	struct peer p;

	open_tls(&p, "a.foo.test", &p256);
	a = call(&p, REQUEST("GET /who", ""));
	CHECK_STRING(a.body,
	    "door=1 name=a.foo.test certificate=1 "
	    "client=127.0.0.1: nth=1 cookie=no");
	a = call(&p, REQUEST("GET /who", ""));
	CHECK(strstr(a.body, "nth=2") != NULL);
	close_peer(&p);
	open_tls(&p, "b.foo.test", NULL);
	a = call(&p, "GET /who HTTP/1.1\r\nHost: B.foo.test:443\r\n\r\n");
	CHECK(strstr(a.body, "name=b.foo.test certificate=0") != NULL);
	close_peer(&p);
	open_local(&p);
	a = call(&p, "GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CHECK_STRING(a.body,
	    "door=2 name=localhost certificate=0 "
	    "client=unix nth=1 cookie=no");
	close_peer(&p);
}

TEST(chooses_the_certificate_by_name)
{
	struct answer a;
	struct peer p;
	X509 *seen;

	CHECK(open_tls(&p, "B.FOO.test", &ed25519) == 1);
	seen = SSL_get0_peer_certificate(p.ssl);
	CHECK(seen != NULL && X509_cmp(seen, server_b.certificate) == 0);
	/* Another name than the handshake's is another server. */
	a = call(&p, REQUEST("GET /hello", ""));
	CHECK(a.status == 421 && a.close);
	CHECK(strstr(a.body, "\"/problems/misdirected\"") != NULL);
	close_peer(&p);
	/* Without SNI the first answers, and Host may be any of ours. */
	CHECK(open_tls(&p, NULL, &p256) == 1);
	seen = SSL_get0_peer_certificate(p.ssl);
	CHECK(seen != NULL && X509_cmp(seen, server_a.certificate) == 0);
	a = call(&p, REQUEST("GET /hello", ""));
	CHECK(a.status == 200);
	a = call(&p, "GET /hello HTTP/1.1\r\nHost: evil.test\r\n\r\n");
	CHECK(a.status == 421);
	close_peer(&p);
	CHECK(open_tls(&p, "evil.test", &p256) != 1);
	close_peer(&p);
	/* The name for people asks for no certificate. */
	CHECK(open_tls(&p, "www.foo.test", &p256) == 1);
	a = call(&p, "GET /who HTTP/1.1\r\nHost: www.foo.test\r\n\r\n");
	CHECK(strstr(a.body, "certificate=0") != NULL);
	close_peer(&p);
}

/* In TLS 1.3 the client learns of a refusal by its first read. */
TEST(accepts_two_kinds_of_client_keys)
{
	static const struct {
		const struct tls_identity *id;
		bool good;
	} table[] = {
		{ NULL, true },
		{ &p256, true },
		{ &ed25519, true },
		{ &expired, true },
		{ &p384, false },
		{ &rsa, false },
	};
	struct answer a;
	struct peer p;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		open_tls(&p, "a.foo.test", table[i].id);
		a = call(&p, REQUEST("GET /hello", ""));
		CHECK_FOR((a.status == 200) == table[i].good, "row %zu", i);
		if (!table[i].good)
			CHECK(ERR_GET_REASON(ERR_peek_last_error()) ==
			    SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE);
		ERR_clear_error();
		close_peer(&p);
	}
}

TEST(speaks_tls_1_3_alone_and_resumes_nothing)
{
	static const unsigned char h2[] = "\2h2";
	struct answer a;
	struct peer p = { .fd = dial(NULL) };

	p.ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(p.ctx, TLS1_2_VERSION);
	p.ssl = SSL_new(p.ctx);
	SSL_set_tlsext_host_name(p.ssl, "a.foo.test");
	SSL_set_fd(p.ssl, p.fd);
	CHECK(SSL_connect(p.ssl) != 1);
	close_peer(&p);
	open_tls(&p, "a.foo.test", NULL);
	a = call(&p, REQUEST("GET /hello", ""));
	CHECK(a.status == 200);
	CHECK(!SSL_SESSION_is_resumable(SSL_get0_session(p.ssl)));
	CHECK(strcmp(SSL_get_cipher(p.ssl), "TLS_AES_128_GCM_SHA256") == 0);
	close_peer(&p);
	/* A client that wants HTTP/2 alone is at the wrong door. */
	memset(&p, 0, sizeof(p));
	p.fd = dial(NULL);
	p.ctx = SSL_CTX_new(TLS_client_method());
	p.ssl = SSL_new(p.ctx);
	SSL_set_tlsext_host_name(p.ssl, "a.foo.test");
	SSL_set_alpn_protos(p.ssl, h2, sizeof(h2) - 1);
	SSL_set_fd(p.ssl, p.fd);
	CHECK(SSL_connect(p.ssl) != 1);
	close_peer(&p);
}

/* TLS 1.2 is for browsers that name a host for browsers, and its weak parts
 * are for nobody. */
TEST(speaks_tls_1_2_with_browsers_alone)
{
	static const struct {
		const char *name, *ciphers, *groups;
		bool good;
	} table[] = {
		{ "www.foo.test", NULL, NULL, true },
		{ "www.foo.test", NULL, "X25519:P-256", true },
		{ "www.foo.test", NULL, "P-256", true },
		{ "www.foo.test", "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, true },
		{ "www.foo.test", "ECDHE-ECDSA-AES128-SHA256", NULL, false },
		{ "www.foo.test", "ECDHE-ECDSA-AES128-SHA", NULL, false },
		{ "www.foo.test", "ECDHE-RSA-AES128-GCM-SHA256", NULL, false },
		{ "www.foo.test", NULL, "P-384", false },
		{ "a.foo.test", NULL, NULL, false },
		{ "b.foo.test", NULL, NULL, false },
		{ "evil.test", NULL, NULL, false },
		{ NULL, NULL, NULL, false },
	};
	struct answer a;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct peer p = { .fd = dial(NULL) };

		p.ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_max_proto_version(p.ctx, TLS1_2_VERSION);
		if (table[i].ciphers != NULL)
			SSL_CTX_set_cipher_list(p.ctx, table[i].ciphers);
		if (table[i].groups != NULL)
			SSL_CTX_set1_groups_list(p.ctx, table[i].groups);
		p.ssl = SSL_new(p.ctx);
		if (table[i].name != NULL)
			SSL_set_tlsext_host_name(p.ssl, table[i].name);
		SSL_set_fd(p.ssl, p.fd);
		CHECK_FOR((SSL_connect(p.ssl) == 1) == table[i].good, "row %zu",
		    i);
		if (table[i].good) {
			a = call(&p,
			    "GET /who HTTP/1.1\r\n"
			    "Host: www.foo.test\r\n\r\n");
			CHECK(strstr(a.body, "certificate=0") != NULL);
			CHECK(SSL_version(p.ssl) == TLS1_2_VERSION);
			CHECK(!SSL_session_reused(p.ssl) &&
			    !SSL_SESSION_has_ticket(SSL_get0_session(p.ssl)));
			a = call(&p, REQUEST("GET /hello", ""));
			CHECK_FOR(a.status == 421, "row %zu", i);
		}
		close_peer(&p);
		ERR_clear_error();
	}
}

TEST(sends_files_and_ranges)
{
	char want[SHA256_HEX_SIZE];
	struct answer a;
	struct peer p;
	int i;

	for (i = 0; i < 2; i++) {
		if (i == 0)
			open_tls(&p, "a.foo.test", &p256);
		else
			open_local(&p);
		a = call(&p, REQUEST("GET /file", ""));
		file_hash(0, FIXTURE_FILE_SIZE, want);
		CHECK(a.status == 200 && a.size == FIXTURE_FILE_SIZE);
		CHECK_STRING(a.hash, want);
		a = call(&p,
		    REQUEST("GET /file", "Range: bytes=4090-5000\r\n"));
		file_hash(4090, 911, want);
		CHECK(a.status == 206 && a.size == 911);
		CHECK_STRING(a.hash, want);
		a = call(&p,
		    REQUEST("GET /file", "Range: bytes=100000-200000\r\n"));
		file_hash(100000, 100001, want);
		CHECK_STRING(a.hash, want);
		ask(&p, REQUEST("HEAD /file", ""));
		a = answer(&p, true);
		CHECK(a.status == 200 && a.size == FIXTURE_FILE_SIZE);
		/* A file that ends too early ends the connection. */
		a = call(&p, REQUEST("GET /short", ""));
		CHECK(a.status == 0 && a.size > FIXTURE_FILE_SIZE);
		close_peer(&p);
	}
}

static char *
make_body(size_t len, char hash_r[SHA256_HEX_SIZE])
{
	char *body = malloc(len);
	size_t i;

	for (i = 0; i < len; i++)
		body[i] = (char)(i * 31 >> 3);
	sha256_hex(body, len, hash_r);
	return body;
}

TEST(takes_bodies)
{
	static const char *const routes_to[] = { "put", "slow" };
	size_t len = 3 * 1024 * 1024 + 17;
	char want[SHA256_HEX_SIZE], head[256];
	char *body = make_body(len, want);
	struct answer a;
	struct peer p;
	int i;

	for (i = 0; i < 4; i++) {
		if (i < 2)
			open_tls(&p, "a.foo.test", &p256);
		else
			open_local(&p);
		snprintf(head, sizeof(head),
		    REQUEST("PUT /%s", "Content-Length: %zu\r\n"),
		    routes_to[i % 2], len);
		ask(&p, head);
		CHECK(say(&p, body, len));
		a = answer(&p, false);
		CHECK(a.status == 201 && !a.close);
		CHECK_STRING(a.body, want);
		/* Gathered; and the next request comes with the body. */
		a = call(&p,
		    REQUEST("POST /echo",
			"Content-Length: 5\r\n") "12345" REQUEST("GET /hello",
			""));
		CHECK_STRING(a.body, "12345");
		a = answer(&p, false);
		CHECK_STRING(a.body, "hello");
		/* No body at all is one too. */
		a = call(&p, REQUEST("PUT /put", ""));
		CHECK(a.status == 201);
		a = call(&p,
		    REQUEST("POST /echo", "Content-Length: 100001\r\n"));
		CHECK(a.status == 413 && a.close);
		close_peer(&p);
	}
	free(body);
}

TEST(tells_the_client_to_go_on)
{
	struct answer a;
	struct peer p;

	open_tls(&p, "a.foo.test", &p256);
	ask(&p,
	    REQUEST("PUT /put",
		"Content-Length: 3\r\n"
		"Expect: 100-continue\r\n"));
	a = answer(&p, true);
	CHECK(a.status == 100);
	a = call(&p, "abc");
	CHECK(a.status == 201 && !a.close);
	CHECK_STRING(a.body,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	/* A client that did not wait is not told. */
	a = call(&p,
	    REQUEST("PUT /put",
		"Content-Length: 3\r\n"
		"Expect: 100-continue\r\n") "abc");
	CHECK(a.status == 201);
	/* A refusal comes instead, and the connection ends. */
	a = call(&p,
	    REQUEST("PUT /refuse",
		"Content-Length: 3\r\n"
		"Expect: 100-continue\r\n"));
	CHECK(a.status == 404 && a.close);
	CHECK(is_closed(&p));
	close_peer(&p);
}

TEST(refuses_before_the_body)
{
	char body[4096] = { 0 };
	struct answer a;
	struct peer p;
	int i;

	/* A small body is drained, and the connection goes on. */
	open_tls(&p, "a.foo.test", &p256);
	ask(&p, REQUEST("PUT /refuse", "Content-Length: 4096\r\n"));
	say(&p, body, 1000);
	a = answer(&p, false);
	CHECK(a.status == 404 && !a.close);
	say(&p, body, 3096);
	a = call(&p, REQUEST("GET /hello", ""));
	CHECK_STRING(a.body, "hello");
	/* A large one is not, but the refusal gets through. */
	ask(&p, REQUEST("PUT /refuse", "Content-Length: 100000000\r\n"));
	for (i = 0; i < 100; i++)
		if (!say(&p, body, sizeof(body)))
			break;
	a = answer(&p, false);
	CHECK(a.status == 404 && a.close);
	close_peer(&p);
	/* The same in the middle of a body. */
	open_local(&p);
	ask(&p, REQUEST("PUT /put?full", "Content-Length: 100000000\r\n"));
	for (i = 0; i < 400; i++)
		if (!say(&p, body, sizeof(body)))
			break;
	a = answer(&p, false);
	CHECK(a.status == 507 && a.close);
	close_peer(&p);
}

TEST(answers_malformed_heads)
{
	static const struct {
		const char *request;
		unsigned status;
		const char *problem;
	} table[] = {
		{ "GET / HTTP/1.1\nHost: a.foo.test\n\n", 400, "bad-request" },
		{ REQUEST("GET http://a.foo.test/", ""), 400, "bad-request" },
		{ REQUEST("GET /", "A : b\r\n"), 400, "bad-request" },
		{ REQUEST("GET /",
		      "Content-Length: 1\r\n"
		      "Content-Length: 2\r\n"),
		    400, "bad-request" },
		{ REQUEST("POST /echo",
		      "Transfer-Encoding: chunked\r\n") "0\r\n\r\n",
		    411, "length-required" },
		{ "GET / HTTP/1.0\r\n\r\n", 505, "version-unknown" },
		{ REQUEST("BREW /", ""), 501, "method-unknown" },
		{ REQUEST("PUT /put", "Content-Length: 1\r\nExpect: x\r\n"),
		    417, "expectation-failed" },
	};
	struct answer a;
	struct peer p;
	char want[64];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		open_tls(&p, "a.foo.test", NULL);
		a = call(&p, table[i].request);
		snprintf(want, sizeof(want), "\"type\":\"/problems/%s\"",
		    table[i].problem);
		CHECK_FOR(a.status == table[i].status && a.close, "row %zu: %u",
		    i, a.status);
		CHECK_FOR(strstr(a.body, want) != NULL, "row %zu: %s", i,
		    a.body);
		CHECK(strstr(a.head, "application/problem+json") != NULL);
		CHECK(is_closed(&p));
		close_peer(&p);
	}
}

TEST(bounds_a_head)
{
	char line[1024];
	struct answer a;
	struct peer p;
	int i;

	memset(line, 'x', sizeof(line));
	memcpy(line, "a: ", 3);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	open_local(&p);
	ask(&p, "GET / HTTP/1.1\r\nHost: a.foo.test\r\n");
	for (i = 0; i < 16; i++)
		say(&p, line, sizeof(line));
	a = answer(&p, false);
	CHECK(a.status == 431 && a.close);
	close_peer(&p);
}

TEST(takes_pipelined_and_split_heads)
{
	static const char text[] = REQUEST("GET /hello", "")
	    REQUEST("GET /later", "") REQUEST("GET /hello", "");
	struct answer a;
	struct peer p;
	size_t i;

	open_tls(&p, "a.foo.test", NULL);
	ask(&p, text);
	CHECK_STRING(answer(&p, false).body, "hello");
	CHECK_STRING(answer(&p, false).body, "later");
	CHECK_STRING(answer(&p, false).body, "hello");
	/* Each byte in a record of its own. */
	for (i = 0; i + 1 < sizeof(text); i++)
		say(&p, text + i, 1);
	CHECK_STRING(answer(&p, false).body, "hello");
	CHECK_STRING(answer(&p, false).body, "later");
	a = answer(&p, false);
	CHECK(a.status == 200);
	close_peer(&p);
}

TEST(never_splits_a_reply)
{
	struct answer a;
	struct peer p;

	open_local(&p);
	a = call(&p, REQUEST("GET /bad-header", ""));
	CHECK(a.status == 500);
	CHECK(strstr(a.head, "Set-Cookie") == NULL);
	close_peer(&p);
}

TEST(tells_the_handler_who_left)
{
	struct peer p;
	struct answer a;
	char want[32];
	unsigned before;

	open_local(&p);
	a = call(&p, REQUEST("GET /counts", ""));
	CHECK(sscanf(a.body, "gone=%u", &before) == 1);
	close_peer(&p);
	/* This one and the two that count: gone grows by all of them. */
	open_tls(&p, "a.foo.test", NULL);
	ask(&p, REQUEST("GET /never", ""));
	close_peer(&p);
	CHECK(counts_become("connections=1"));
	open_local(&p);
	ask(&p, REQUEST("PUT /put", "Content-Length: 1000\r\n") "abc");
	close_peer(&p);
	CHECK(counts_become("connections=1"));
	open_local(&p);
	a = call(&p, REQUEST("GET /abort", ""));
	CHECK(a.status == 0);
	close_peer(&p);
	/* Every exchange is gone exactly once: those two, the aborted, and
	 * all that counted. */
	open_local(&p);
	a = call(&p, REQUEST("GET /counts", ""));
	CHECK(sscanf(a.body, "%31s", want) == 1);
	CHECK((unsigned)atoi(want + 5) >= before + 4);
	close_peer(&p);
}

TEST(garbage_harms_nobody)
{
	char noise[2048];
	struct answer a;
	struct peer p, good;
	unsigned i, k;

	open_tls(&good, "a.foo.test", NULL);
	srand(1);
	for (i = 0; i < 50; i++) {
		memset(&p, 0, sizeof(p));
		p.fd = dial(i % 2 ? fixture.socket : NULL);
		for (k = 0; k < sizeof(noise); k++)
			noise[k] = (char)rand();
		say(&p, noise, 1 + (size_t)rand() % sizeof(noise));
		close_peer(&p);
	}
	a = call(&good, REQUEST("GET /hello", ""));
	CHECK(a.status == 200);
	close_peer(&good);
}

/* ---- a second server with little patience ------------------------------ */

TEST(keeps_its_deadlines)
{
	static const char *const starts[] = {
		"",
		"GET / HT",
		REQUEST("GET /hello", ""),
		REQUEST("PUT /put", "Content-Length: 1000000\r\n") "abc",
	};
	int64_t begun;
	struct peer p;
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		open_local(&p);
		begun = clock_monotonic_ms();
		ask(&p, starts[i]);
		if (i == 2)
			CHECK(answer(&p, false).status == 200);
		CHECK_FOR(is_closed(&p), "row %zu", i);
		CHECK_FOR(clock_monotonic_ms() - begun < 5000, "row %zu", i);
		close_peer(&p);
	}
	/* A handshake that does not come. */
	memset(&p, 0, sizeof(p));
	p.fd = dial(NULL);
	CHECK(is_closed(&p));
	close_peer(&p);
	/* A reader who does not read. */
	open_local(&p);
	ask(&p, REQUEST("GET /large", ""));
	CHECK(counts_become("connections=1"));
	close_peer(&p);
}

TEST(bounds_connections)
{
	struct peer p[8];
	struct answer a;
	unsigned i;

	/* Four fit; idle ones make room, the longest idle first. */
	for (i = 0; i < 6; i++) {
		open_local(&p[i]);
		a = call(&p[i], REQUEST("GET /hello", ""));
		CHECK(a.status == 200);
	}
	CHECK(is_closed(&p[0]));
	CHECK(is_closed(&p[1]));
	a = call(&p[2], REQUEST("GET /hello", ""));
	CHECK(a.status == 200);
	/* Busy ones do not; who comes then waits. */
	for (i = 2; i < 6; i++)
		ask(&p[i], REQUEST("GET /never", ""));
	open_local(&p[6]);
	ask(&p[6], REQUEST("GET /counts", ""));
	for (i = 0; i < 6; i++)
		close_peer(&p[i]);
	a = answer(&p[6], false);
	CHECK(a.status == 200);
	close_peer(&p[6]);
}

/* Did one more of them get in? `first`: what is sent before TLS. */
static bool
comes_in(struct peer *p, const char *first)
{
	memset(p, 0, sizeof(*p));
	p->fd = dial(NULL);
	CHECK(send(p->fd, first, strlen(first), 0) == (ssize_t)strlen(first));
	return start_tls(p, "a.foo.test", NULL) == 1;
}

/* Two may: the third is sent away until one has gone. */
static void
try_clients(const char *first)
{
	struct peer p[3], more;

	CHECK(comes_in(&p[0], first));
	CHECK(comes_in(&p[1], first));
	CHECK(!comes_in(&p[2], first));
	close_peer(&p[0]);
	close_peer(&p[2]);
	CHECK(counts_become("connections=2")); /* with the one that asks */
	CHECK(comes_in(&more, first));
	close_peer(&p[1]);
	close_peer(&more);
	CHECK(counts_become("connections=1"));
}

TEST(bounds_each_client)
{
	try_clients("");
}

TEST(bounds_each_client_behind_a_balancer)
{
	struct peer other;

	try_clients("PROXY TCP4 192.0.2.9 192.0.2.8 99 443\r\n");
	CHECK(comes_in(&other, "PROXY TCP4 192.0.2.7 192.0.2.8 99 443\r\n"));
	close_peer(&other);
}

TEST(understands_the_proxy_protocol)
{
	static const char header[] = "PROXY TCP4 192.0.2.7 192.0.2.8 99 443"
				     "\r\n";
	struct answer a;
	struct peer p;
	size_t i;

	memset(&p, 0, sizeof(p));
	p.fd = dial(NULL);
	for (i = 0; i + 1 < sizeof(header); i++)
		CHECK(send(p.fd, header + i, 1, 0) == 1);
	CHECK(start_tls(&p, "a.foo.test", NULL) == 1);
	a = call(&p, REQUEST("GET /who", ""));
	CHECK(strstr(a.body, "client=192.0.2.7:") != NULL);
	close_peer(&p);
	/* Without it there is no connection. */
	CHECK(open_tls(&p, "a.foo.test", NULL) != 1);
	close_peer(&p);
}

TEST(stops_gracefully)
{
	struct peer idle, busy, p;
	struct answer a;

	open_local(&idle);
	call(&idle, REQUEST("GET /hello", ""));
	open_local(&busy);
	ask(&busy,
	    REQUEST("PUT /put",
		"Content-Length: 3\r\n"
		"Expect: 100-continue\r\n"));
	CHECK(answer(&busy, true).status == 100);
	open_local(&p);
	a = call(&p, REQUEST("GET /stop", ""));
	CHECK(a.status == 200 && a.close);
	CHECK(is_closed(&idle));
	/* What had begun ends well. */
	a = call(&busy, "abc");
	CHECK(a.status == 201 && a.close);
	close_peer(&idle);
	close_peer(&busy);
	close_peer(&p);
	CHECK(fixture_end(&fixture, true));
}

/* ---- the certificates -------------------------------------------------- */

static struct tls_server *
make_tls(void)
{
	struct tls_server *tls = tls_server_new();
	const struct tls_name names[] = {
		{ "a.foo.test", &server_a.der, 1, server_a.key, false },
		{ "b.foo.test", &server_b.der, 1, server_b.key, false },
		{ "www.foo.test", &people.der, 1, people.key, true },
	};
	struct reason why;

	CHECK(tls_server_replace_all(tls, names, 3, &why) == OUTCOME_OK);
	return tls;
}

TEST(refuses_identities_that_do_not_fit)
{
	struct tls_server *tls = make_tls();
	struct tls_der broken = { server_a.der.data, server_a.der.len - 1 };
	struct tls_name names[] = {
		{ "c.foo.test", &server_a.der, 1, server_b.key, false },
		{ "c.foo.test", &rsa.der, 1, rsa.key, false },
		{ "c.foo.test", &p384.der, 1, p384.key, false },
		{ "c.foo.test", &broken, 1, server_a.key, false },
		{ "c.foo.test", NULL, 0, server_a.key, false },
	};
	struct reason why;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_FOR(tls_server_add(tls, &names[i], &why) ==
			OUTCOME_PERMFAIL,
		    "row %zu", i);
		CHECK(reason_is(&why, "certificate"));
		CHECK(tls_server_replace_all(tls, &names[i], 1, &why) ==
		    OUTCOME_PERMFAIL);
	}
	/* All or nothing: the old names are still there. */
	CHECK(tls_server_has(tls, "a.foo.test"));
	CHECK(tls_server_has(tls, "B.foo.test"));
	CHECK(!tls_server_has(tls, "c.foo.test"));
	tls_server_free(&tls);
}

int
main(void)
{
	struct http_server_limits hasty = { .max_connections = 4,
		.head_ms = 300,
		.idle_ms = 300,
		.linger_ms = 300,
		.min_rate = 1000000,
		.rate_grace_ms = 300 };

	server_a =
	    make_identity((struct tls_recipe){ .kind = "P-256", .cn = "a" });
	server_b =
	    make_identity((struct tls_recipe){ .kind = "ED25519", .cn = "b" });
	people =
	    make_identity((struct tls_recipe){ .kind = "P-256", .cn = "www" });
	p256 = make_identity(
	    (struct tls_recipe){ .kind = "P-256", .cn = "_cb.foo.test" });
	ed25519 = make_identity(
	    (struct tls_recipe){ .kind = "ED25519", .cn = "_cb.foo.test" });
	expired = make_identity((struct tls_recipe){ .kind = "P-256",
	    .cn = "_cb.foo.test",
	    .expired = true });
	p384 = make_identity(
	    (struct tls_recipe){ .kind = "P-384", .cn = "_cb.foo.test" });
	rsa = make_identity(
	    (struct tls_recipe){ .kind = "RSA", .cn = "_cb.foo.test" });
	signal(SIGPIPE, SIG_IGN);
	RUN(refuses_identities_that_do_not_fit);
	fixture.tls = make_tls();
	fixture.limits = http_server_default_limits;
	fixture_start(&fixture);
	RUN(serves_over_tls_and_unix);
	RUN(knows_who_asks);
	RUN(chooses_the_certificate_by_name);
	RUN(accepts_two_kinds_of_client_keys);
	RUN(speaks_tls_1_3_alone_and_resumes_nothing);
	RUN(speaks_tls_1_2_with_browsers_alone);
	RUN(sends_files_and_ranges);
	RUN(takes_bodies);
	RUN(tells_the_client_to_go_on);
	RUN(refuses_before_the_body);
	RUN(answers_malformed_heads);
	RUN(bounds_a_head);
	RUN(takes_pipelined_and_split_heads);
	RUN(never_splits_a_reply);
	RUN(tells_the_handler_who_left);
	RUN(garbage_harms_nobody);
	RUN(stops_gracefully);
	fixture.limits = hasty;
	fixture_start(&fixture);
	RUN(keeps_its_deadlines);
	RUN(bounds_connections);
	fixture_end(&fixture, false);
	fixture.limits = http_server_default_limits;
	fixture.limits.max_per_client = 2;
	fixture_start(&fixture);
	RUN(bounds_each_client);
	fixture_end(&fixture, false);
	fixture.flags = HTTP_LISTEN_PROXY;
	fixture_start(&fixture);
	RUN(bounds_each_client_behind_a_balancer);
	RUN(understands_the_proxy_protocol);
	fixture_end(&fixture, false);
	tls_server_free(&fixture.tls);
	free_identity(&server_a);
	free_identity(&server_b);
	free_identity(&people);
	free_identity(&p256);
	free_identity(&ed25519);
	free_identity(&expired);
	free_identity(&p384);
	free_identity(&rsa);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * The anchor of a handshake: OpenSSL's own mutual TLS 1.3, both ends in
 * memory, no network, no tickets. Prints the server's CPU microseconds for
 * one handshake.
 *
 *   bench_handshake SERVER.crt SERVER.key CLIENT.crt CLIENT.key COUNT
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
bench_cpu(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* As mailboxd does: any client certificate is taken, GRIP judges it. */
static int
bench_accept(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static SSL_CTX *
bench_context(const SSL_METHOD *method, const char *certificate,
    const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	if (SSL_CTX_use_certificate_file(ctx, certificate, 1) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, 1) != 1)
		exit(1);
	SSL_CTX_set_verify(ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, bench_accept);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	return ctx;
}

/* One handshake; the seconds that its server side took. */
static double
bench_one(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	double spent = 0, from;
	BIO *a, *b;

	BIO_new_bio_pair(&a, 65536, &b, 65536);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 8 && !SSL_is_init_finished(server); i++) {
		SSL_do_handshake(client);
		from = bench_cpu();
		SSL_do_handshake(server);
		spent += bench_cpu() - from;
	}
	if (!SSL_is_init_finished(server))
		exit(1);
	SSL_free(client);
	from = bench_cpu();
	SSL_free(server);
	return spent + bench_cpu() - from;
}

int
main(int argc, char **argv)
{
	SSL_CTX *server, *client;
	double spent = 0;
	int count;

	if (argc != 6)
		return 64;
	server = bench_context(TLS_server_method(), argv[1], argv[2]);
	client = bench_context(TLS_client_method(), argv[3], argv[4]);
	count = (int)strtol(argv[5], NULL, 10);
	for (int i = 0; i < count; i++)
		spent += bench_one(server, client);
	printf("%.1f\n", spent / count * 1e6);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Durable puts through HTTPS: many connections, each with one PUT of a new
 * resource after the other. Prints puts per second, counted from when all
 * are connected.
 *
 *   bench_put [-n COUNT] [-j CONNECTIONS] [-s SIZE]
 *             ADDRESS PORT NAME APP-TOKEN
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tls_load.h"

struct puts {
	struct load_server server;
	const char *token;
	int count, connections, size;
	pthread_barrier_t connected;
	atomic_int next;
};

/* The body and its head in one buffer: one TLS write as long as it fits in
 * one record. */
static int
put_compose(const struct puts *puts, const unsigned char *body, char *request)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[65];
	int len;

	EVP_Digest(body, (size_t)puts->size, hash, NULL, EVP_sha256(), NULL);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	len = snprintf(request, 2048,
	    "PUT /v1/resources/%s HTTP/1.1\r\nHost: %s\r\n"
	    "Authorization: Bearer %s\r\nContent-Length: %d\r\n"
	    "Content-Type: application/octet-stream\r\n\r\n",
	    hex, puts->server.name, puts->token, puts->size);
	memcpy(request + len, body, (size_t)puts->size);
	return len + puts->size;
}

static void *
put_run(void *arg)
{
	struct puts *puts = arg;
	SSL *ssl = load_connect(&puts->server);
	char *data = malloc(LOAD_BUFFER + 1);
	char *request = malloc(2048 + (size_t)puts->size);
	unsigned char *body = malloc((size_t)puts->size);
	int i, len;

	RAND_bytes(body, puts->size);
	pthread_barrier_wait(&puts->connected);
	while ((i = atomic_fetch_add(&puts->next, 1)) < puts->count) {
		memcpy(body, &i, sizeof(i));
		len = put_compose(puts, body, request);
		if (SSL_write(ssl, request, len) != len)
			load_die("cannot send");
		load_response(ssl, "201", data);
	}
	load_close(ssl);
	free(body);
	free(request);
	free(data);
	return NULL;
}

static void
put_options(struct puts *puts, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "j:n:s:")) != -1) {
		switch (option) {
		case 'j':
			puts->connections = (int)strtol(optarg, NULL, 10);
			break;
		case 'n':
			puts->count = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			puts->size = (int)strtol(optarg, NULL, 10);
			break;
		default:
			exit(64);
		}
	}
	if (argc - optind != 4 || puts->connections < 1 || puts->size < 8)
		exit(64);
	puts->server.address = argv[optind];
	puts->server.port = argv[optind + 1];
	puts->server.name = argv[optind + 2];
	puts->token = argv[optind + 3];
}

int
main(int argc, char **argv)
{
	struct puts puts = { .count = 5000, .connections = 32, .size = 16384 };
	pthread_t *threads;
	double start;

	put_options(&puts, argc, argv);
	puts.server.ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(puts.server.ctx, TLS1_3_VERSION);
	threads = calloc((size_t)puts.connections, sizeof(*threads));
	pthread_barrier_init(&puts.connected, NULL,
	    (unsigned)puts.connections + 1);
	for (int i = 0; i < puts.connections; i++)
		if (pthread_create(&threads[i], NULL, put_run, &puts) != 0)
			load_die("cannot make a thread");
	pthread_barrier_wait(&puts.connected);
	start = load_seconds();
	for (int i = 0; i < puts.connections; i++)
		pthread_join(threads[i], NULL);
	printf("%.0f\n", puts.count / (load_seconds() - start));
	free(threads);
	SSL_CTX_free(puts.server.ctx);
	return 0;
}

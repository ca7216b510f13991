/* SPDX-License-Identifier: ISC
 *
 * Load for a TLS 1.3 server from one thread: handshakes, or requests on a
 * kept connection, with an optional client certificate.
 *
 *   bench_load [-c CERT -k KEY] [-a AUTHORIZATION] [-n COUNT]
 *              ADDRESS PORT NAME [PATH]
 *
 * With PATH, COUNT requests on one connection; without, COUNT connections.
 * Prints seconds and the bytes received. The server's CPU is for the caller
 * to read.
 */
#include "tls_load.h"

struct load {
	struct load_server server;
	const char *certificate, *key, *authorization, *path;
	int count;
	long long bytes;
};

static void
load_requests(struct load *load)
{
	static char data[LOAD_BUFFER + 1];
	char request[12000];
	SSL *ssl = load_connect(&load->server);
	int len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", load->path,
	    load->server.name,
	    load->authorization != NULL ? "Authorization: " : "",
	    load->authorization != NULL ? load->authorization : "",
	    load->authorization != NULL ? "\r\n" : "");

	for (int i = 0; i < load->count; i++) {
		if (SSL_write(ssl, request, len) != len)
			load_die("cannot send");
		load->bytes += load_response(ssl, "200", data);
	}
	load_close(ssl);
}

static void
load_options(struct load *load, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "a:c:k:n:")) != -1) {
		switch (option) {
		case 'a':
			load->authorization = optarg;
			break;
		case 'c':
			load->certificate = optarg;
			break;
		case 'k':
			load->key = optarg;
			break;
		case 'n':
			load->count = (int)strtol(optarg, NULL, 10);
			break;
		default:
			exit(64);
		}
	}
	if (argc - optind < 3)
		exit(64);
	load->server.address = argv[optind];
	load->server.port = argv[optind + 1];
	load->server.name = argv[optind + 2];
	load->path = argv[optind + 3]; /* or NULL */
}

int
main(int argc, char **argv)
{
	struct load load = { .count = 1000 };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	double start;

	load_options(&load, argc, argv);
	load.server.ctx = ctx;
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	if (load.certificate != NULL &&
	    (SSL_CTX_use_certificate_chain_file(ctx, load.certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, load.key, 1) != 1))
		load_die("cannot read certificate and key");
	start = load_seconds();
	if (load.path != NULL)
		load_requests(&load);
	else
		for (int i = 0; i < load.count; i++)
			load_close(load_connect(&load.server));
	printf("%.6f %lld\n", load_seconds() - start, load.bytes);
	SSL_CTX_free(ctx);
	return 0;
}

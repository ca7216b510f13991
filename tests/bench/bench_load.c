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
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct load {
	const char *certificate, *key, *authorization;
	const char *address, *port, *name, *path;
	int count;
	long long bytes;
	SSL_CTX *ctx;
};

static double
load_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
load_die(const char *what)
{
	fprintf(stderr, "bench_load: %s\n", what);
	exit(1);
}

static SSL *
load_connect(const struct load *load)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	SSL *ssl = SSL_new(load->ctx);

	address.sin_port = htons((uint16_t)strtol(load->port, NULL, 10));
	inet_pton(AF_INET, load->address, &address.sin_addr);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		load_die("cannot connect");
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, load->name);
	if (SSL_connect(ssl) != 1)
		load_die("handshake failed");
	return ssl;
}

static void
load_close(SSL *ssl)
{
	struct linger now = { 1, 0 }; /* no TIME_WAIT for each of thousands */
	int fd = SSL_get_fd(ssl);

	SSL_set_quiet_shutdown(ssl, 1);
	SSL_shutdown(ssl);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	SSL_free(ssl);
	close(fd);
}

/* One response with a Content-Length. */
static long long
load_response(SSL *ssl)
{
	static char data[65536 + 1];
	long long left, length = 0;
	int have = 0, n;
	char *end = NULL, *header;

	while (end == NULL) {
		n = SSL_read(ssl, data + have, 65536 - have);
		if (n <= 0)
			load_die("connection lost");
		have += n;
		data[have] = '\0';
		end = strstr(data, "\r\n\r\n");
	}
	if (strncmp(data, "HTTP/1.1 200", 12) != 0)
		load_die(data);
	header = strcasestr(data, "\ncontent-length:");
	if (header != NULL && header < end)
		length = strtoll(header + 16, NULL, 10);
	left = length - (have - (end + 4 - data));
	while (left > 0) {
		n = SSL_read(ssl, data,
		    left < 65536 ? (int)left : 65536);
		if (n <= 0)
			load_die("connection lost");
		left -= n;
	}
	return length;
}

static void
load_requests(struct load *load)
{
	char request[12000];
	SSL *ssl = load_connect(load);
	int len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", load->path,
	    load->name, load->authorization != NULL ? "Authorization: " : "",
	    load->authorization != NULL ? load->authorization : "",
	    load->authorization != NULL ? "\r\n" : "");

	for (int i = 0; i < load->count; i++) {
		if (SSL_write(ssl, request, len) != len)
			load_die("cannot send");
		load->bytes += load_response(ssl);
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
	load->address = argv[optind];
	load->port = argv[optind + 1];
	load->name = argv[optind + 2];
	load->path = argv[optind + 3]; /* or NULL */
}

int
main(int argc, char **argv)
{
	struct load load = { .count = 1000 };
	double start;

	load_options(&load, argc, argv);
	load.ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(load.ctx, TLS1_3_VERSION);
	if (load.certificate != NULL &&
	    (SSL_CTX_use_certificate_chain_file(load.ctx, load.certificate) !=
		    1 ||
		SSL_CTX_use_PrivateKey_file(load.ctx, load.key, 1) != 1))
		load_die("cannot read certificate and key");
	start = load_seconds();
	if (load.path != NULL)
		load_requests(&load);
	else
		for (int i = 0; i < load.count; i++)
			load_close(load_connect(&load));
	printf("%.6f %lld\n", load_seconds() - start, load.bytes);
	SSL_CTX_free(load.ctx);
	return 0;
}

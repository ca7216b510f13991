/* SPDX-License-Identifier: ISC
 *
 * What the loads for a TLS 1.3 server share: a connection, its end, and the
 * reading of one response. They end the program on any trouble: a benchmark
 * that goes wrong has no figures.
 */
#ifndef TLS_LOAD_H
#define TLS_LOAD_H

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

#define LOAD_BUFFER 65536

struct load_server {
	const char *address, *port, *name;
	SSL_CTX *ctx;
};

static inline double
load_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static inline void
load_die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static inline SSL *
load_connect(const struct load_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	SSL *ssl = SSL_new(server->ctx);

	address.sin_port = htons((uint16_t)strtol(server->port, NULL, 10));
	inet_pton(AF_INET, server->address, &address.sin_addr);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		load_die("cannot connect");
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, server->name);
	if (SSL_connect(ssl) != 1)
		load_die("handshake failed");
	return ssl;
}

static inline void
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

/* Reads one response with a Content-Length and the status wanted; returns
 * the length of its body. `data` is LOAD_BUFFER + 1 bytes of scratch. */
static inline long long
load_response(SSL *ssl, const char *status, char *data)
{
	long long left, length = 0;
	char *end = NULL, *header;
	int have = 0, n;

	while (end == NULL) {
		n = SSL_read(ssl, data + have, LOAD_BUFFER - have);
		if (n <= 0)
			load_die("connection lost");
		have += n;
		data[have] = '\0';
		end = strstr(data, "\r\n\r\n");
	}
	if (strncmp(data + 9, status, 3) != 0)
		load_die(data);
	header = strcasestr(data, "\ncontent-length:");
	if (header != NULL && header < end)
		length = strtoll(header + 16, NULL, 10);
	left = length - (have - (end + 4 - data));
	while (left > 0) {
		n = SSL_read(ssl, data,
		    left < LOAD_BUFFER ? (int)left : LOAD_BUFFER);
		if (n <= 0)
			load_die("connection lost");
		left -= n;
	}
	return length;
}

#endif

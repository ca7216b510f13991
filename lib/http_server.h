/* SPDX-License-Identifier: ISC
 *
 * An HTTP/1.1 server on a libevent loop: TLS on TCP sockets, plain on Unix
 * sockets. Bodies stream both ways in constant memory; a request can be
 * refused before its body. Everything from the peer is hostile: strict heads
 * (http_parse.h), deadlines, minimum rates, bounded work per event.
 *
 * The life of an exchange:
 *
 *   request   the head is in. The handler replies (now or later), or first
 *             asks for the body.
 *   body*     pieces of the body, if http_exchange_accept_body was called
 *   body_end  the body is complete (also at once for an empty one)
 *   gone      the last call, always: the reply went out, or the connection
 *             died. The exchange is not to be touched after it.
 *
 * A handler calls http_reply or http_reply_file exactly once unless `gone`
 * came first. No callback is ever called from inside a function of this
 * header (but http_server_free), so a handler need not fear re-entry. All of
 * it runs on the loop's thread.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>

#include "http_header.h"
#include "http_parse.h"
#include "outcome.h"
#include "tls_server.h"

struct http_server;
struct http_exchange;

struct http_server_limits {
	unsigned max_connections;
	unsigned max_per_client; /* see client_count.h; 0: no bound */
	unsigned head_ms; /* handshake and head together */
	unsigned idle_ms; /* between requests */
	unsigned linger_ms; /* draining before a close */
	unsigned min_rate; /* bytes a second of a body, both ways */
	unsigned rate_grace_ms; /* window over which the rate is taken */
};

/* 4096 connections, 10 s, 60 s, 5 s, 1024 bytes a second over 20 s. */
extern const struct http_server_limits http_server_default_limits;

struct http_handler {
	/* Required. */
	void (*request)(void *context, struct http_exchange *x);
	/* Required if bodies are accepted. `data` lives only for this call. */
	void (*body)(struct http_exchange *x, const void *data, size_t len);
	void (*body_end)(struct http_exchange *x);
	/* Required: free your state of this exchange. */
	void (*gone)(struct http_exchange *x);

	/* The rest may be NULL. */
	/* A connection was accepted; false closes it (uid checks). */
	bool (*accepted)(void *context, int fd, int door);
	/* Frees what was left in http_exchange_connection_data. */
	void (*connection_free)(void *data);
	/* A client, handshake or head was refused: for the log. `client` is
	 * "address:port" or "unix". */
	void (*refused)(void *context, int door, const char *client,
	    const struct reason *why);
};

/* `limits` NULL: the default. `handler` must outlive the server. Ignores
 * SIGPIPE for the process. Aborts for want of memory. */
struct http_server *http_server_new(struct event_base *base,
    const struct http_server_limits *limits, const struct http_handler *handler,
    void *context);

enum http_listen_flags {
	HTTP_LISTEN_PROXY = 1, /* a PROXY protocol header comes first */
};

/* Serves a listening, non-blocking socket (taken over). `tls` NULL: plain
 * HTTP, for Unix sockets only. `door` is told to the handler. The
 * tls_server must outlive the server. 0, or -1 (too many doors, or plain on
 * a socket that is not a Unix socket). */
int http_server_listen(struct http_server *server, int fd,
    struct tls_server *tls, int door, unsigned flags);

/* Stops accepting, closes idle connections, lets live exchanges end. Then,
 * or after `deadline_ms` in any case, calls `stopped` once from the loop. */
void http_server_stop(struct http_server *server, unsigned deadline_ms,
    void (*stopped)(void *arg), void *arg);

/* Ends every connection now (`gone` is called for live exchanges) and frees
 * the server. */
void http_server_free(struct http_server **server);

struct http_server_stats {
	unsigned connections; /* now */
	unsigned exchanges; /* now */
	uint64_t accepted;
	uint64_t refused; /* clients, handshakes and heads */
	uint64_t requests;
	uint64_t bytes_in; /* of bodies */
	uint64_t bytes_out;
};
void http_server_get_stats(const struct http_server *server,
    struct http_server_stats *stats_r);

/* ---- inside an exchange ------------------------------------------------ */

/* The request; valid until `gone`. */
const struct http_request *http_exchange_request(const struct http_exchange *x);
int http_exchange_door(const struct http_exchange *x);
/* What http_server_new was given. */
void *http_exchange_context(const struct http_exchange *x);

/* The server name that was asked: Host, which equals the SNI if there was
 * one and is one of tls_server's names (else 421 went out). On a Unix socket
 * whatever Host said. */
const char *http_exchange_server_name(const struct http_exchange *x);

/* DER of the TLS client's leaf certificate, NULL if it sent none. Lives as
 * long as the connection. */
const uint8_t *
http_exchange_certificate(const struct http_exchange *x, size_t *len_r);

/* "198.51.100.7:4711", "[2001:db8::1]:4711" or "unix", for logs. */
const char *http_exchange_client(const struct http_exchange *x);

/* A number that no other connection of this process has: for log ids. */
uint64_t http_exchange_connection_id(const struct http_exchange *x);

/* The handler's own pointer for this exchange, NULL at first. */
void http_exchange_set_state(struct http_exchange *x, void *state);
void *http_exchange_get_state(const struct http_exchange *x);

/* The handler's own pointer for the connection, NULL at first; freed by
 * handler->connection_free. */
void **http_exchange_connection_data(struct http_exchange *x);

/* Asks for the body (100 Continue goes out if the client waits for it). Its
 * size is http_exchange_request(x)->body_size; judge that before. */
void http_exchange_accept_body(struct http_exchange *x);

/* The same, but the body is gathered in memory: `body` is not called, and
 * from body_end on http_exchange_gathered has it. -1 and nothing done if
 * body_size is above `max`: reply 413. */
int http_exchange_gather_body(struct http_exchange *x, size_t max);
/* The gathered body, NUL-terminated, owned by the exchange. */
const char *
http_exchange_gathered(const struct http_exchange *x, size_t *len_r);

/* Back-pressure: no `body` call between pause and resume. */
void http_exchange_pause_body(struct http_exchange *x);
void http_exchange_resume_body(struct http_exchange *x);

/* Replies. Content-Length, Date and Connection are added; `headers` may be
 * NULL. `body` is copied. To HEAD the head alone is sent, with this length.
 * A reply before the end of the body drains or closes as need be. */
void http_reply(struct http_exchange *x, unsigned status,
    const struct http_header_list *headers, const void *body, size_t len);

/* The same with `len` bytes of a file from `offset`; `fd` is taken over. */
void http_reply_file(struct http_exchange *x, unsigned status,
    const struct http_header_list *headers, int fd, off_t offset, off_t len);

/* Ends the connection without (the rest of) a reply; `gone` follows. */
void http_exchange_abort(struct http_exchange *x);

#endif

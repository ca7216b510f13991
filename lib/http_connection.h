/* SPDX-License-Identifier: ISC
 *
 * What the parts of the HTTP server (http_server.c, http_connection.c,
 * http_steps.c, http_exchange.c, http_reply.c) know of each other; for
 * nobody else.
 *
 * A connection is a state and a step function for each state. Steps run
 * until one must wait or the work of this event (HTTP_WORK_MAX) is done. An
 * idle connection holds no buffer: reading goes through the server's one
 * scratch buffer, which is never in use across two events.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "buffer.h"
#include "client_count.h"
#include "http_server.h"
#include "http_stream.h"

#define HTTP_DOORS_MAX 16
#define HTTP_SCRATCH (256 * 1024) /* one a server, for reading */
#define HTTP_CHUNK (64 * 1024) /* of a file, one a sending reply */
#define HTTP_WORK_MAX (1024 * 1024) /* bytes in one event */
#define HTTP_DRAIN_MAX (64 * 1024) /* of a body nobody wants */

enum http_state {
	HTTP_STATE_PROXY, /* the PROXY protocol's header */
	HTTP_STATE_HANDSHAKE,
	HTTP_STATE_HEAD, /* idle, or the head is coming */
	HTTP_STATE_WAIT, /* the handler is to act */
	HTTP_STATE_BODY, /* the body goes to the handler */
	HTTP_STATE_SEND, /* the reply goes out */
	HTTP_STATE_DRAIN, /* the rest of an unwanted body */
	HTTP_STATE_LINGER, /* we are done, the peer may not be */
	HTTP_STATE_COUNT
};

enum http_step {
	HTTP_STEP_MORE, /* go on with the (new) state */
	HTTP_STEP_READ, /* wait until readable */
	HTTP_STEP_WRITE, /* wait until writable */
	HTTP_STEP_HANDLER, /* wait for the handler; watch the peer */
	HTTP_STEP_PAUSE, /* wait for the handler; do not read */
	HTTP_STEP_DEAD, /* close */
};

#define HTTP_CLIENT_SIZE 64
#define HTTP_TOO_MANY "too many connections of this client"

struct http_door {
	struct http_server *server;
	struct event *event;
	struct tls_server *tls;
	int number;
	unsigned flags;
};

struct http_output {
	char *data; /* head and (a piece of) the body */
	size_t len, done, size;
	int file; /* -1: none */
	off_t offset;
	off_t left; /* of the file, not yet in data */
};

struct http_connection {
	TAILQ_ENTRY(http_connection) all;
	TAILQ_ENTRY(http_connection) idle;
	struct http_server *server;
	const struct http_door *door;
	struct http_stream stream;
	enum http_state state;
	struct event *readable, *writable, *again;
	bool read_on; /* `readable` is in the loop */
	bool busy; /* its steps are running */
	bool is_idle; /* it is in the idle list */
	bool scanned_in; /* what is in `in` holds no whole head */
	bool close; /* after this reply */
	size_t scanned;
	struct buffer in; /* read, not yet used */
	int64_t drain_left;
	int64_t deadline; /* ms of the monotonic clock, 0: none */
	int64_t rate_since;
	int64_t rate_bytes;
	struct http_output out;
	struct http_exchange *x;
	void *data; /* the handler's */
	uint8_t *certificate; /* DER, made when asked for */
	size_t certificate_len;
	uint64_t id;
	int place; /* in the server's `clients` */
	char client[HTTP_CLIENT_SIZE];
};

TAILQ_HEAD(http_connection_list, http_connection);

struct http_server {
	struct event_base *base;
	struct http_server_limits limits;
	const struct http_handler *handler;
	void *context;
	struct http_door door[HTTP_DOORS_MAX];
	unsigned doors;
	bool accepting;
	struct http_connection_list all, idle; /* idle: longest first */
	struct http_server_stats stats;
	struct client_count *clients;
	struct event *tick, *stopped_event;
	bool stopping;
	int64_t stop_at;
	void (*stopped)(void *arg);
	void *stopped_arg;
	int64_t date_of;
	char date[40];
	char *scratch;
	char *spare_chunk; /* one freed HTTP_CHUNK buffer */
};

struct http_exchange {
	struct http_connection *connection;
	void *state;
	bool known; /* the handler was told of it */
	bool accepted; /* it wants the body */
	bool paused;
	bool ended; /* body_end was called */
	bool continued; /* 100 Continue is not (or no more) owed */
	bool gather;
	bool replied;
	bool aborted;
	int64_t body_left;
	struct buffer gathered;
	struct http_request request;
	char head[];
};

/* A new connection; takes over `fd`, and the client's `place` among those
 * that are counted. NULL if it cannot be had. */
struct http_connection *http_connection_new(const struct http_door *door,
    int fd, const struct sockaddr_storage *peer, int place);
/* Closes it, with `gone` for its exchange. Not while it is busy. */
void http_connection_free(struct http_connection *c);
/* Runs its steps. May free it. */
void http_connection_run(struct http_connection *c);
/* Lets it run from the loop soon; nothing if it is running. */
void http_connection_wake(struct http_connection *c);
/* False if it has outstayed its deadline or is too slow. */
bool http_connection_in_time(struct http_connection *c, int64_t now);
/* "address:port" or "unix". */
void http_client_format(const struct sockaddr_storage *peer,
    char text_r[HTTP_CLIENT_SIZE]);

/* Closes unless something happens within `ms`. */
void http_connection_set_deadline(struct http_connection *c, unsigned ms);
/* From now on the peer's rate counts, not a deadline. */
void http_connection_start_rate(struct http_connection *c);
/* Puts it into the list of idle ones, or takes it out. */
void http_connection_set_idle(struct http_connection *c, bool idle);

/* http_steps.c: one step in the state that it is in. */
enum http_step http_connection_step(struct http_connection *c, size_t *work);

/* Counts a refusal and tells the handler. */
void http_server_refuse(const struct http_door *door, const char *client,
    const char *word, const char *text);

/* A connection can be closed if its place is wanted; or was freed. */
void http_server_connection_idle(struct http_server *server);
void http_server_connection_gone(struct http_server *server);

/* http_exchange.c */
struct http_exchange *
http_exchange_new(struct http_connection *c, const char *head, size_t len);
void http_exchange_free(struct http_exchange *x);
void
http_exchange_deliver(struct http_exchange *x, const void *data, size_t len);
void http_exchange_end_body(struct http_exchange *x);

/* http_reply.c: a problem of ours, after which the connection closes. */
void http_reply_fault(struct http_exchange *x, enum http_fault fault,
    const char *detail);
/* Fills out->data again from the file. 0, -1 if the file ends too early. */
int http_output_fill(struct http_connection *c);
void http_output_free(struct http_connection *c);

#endif

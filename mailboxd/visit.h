/* SPDX-License-Identifier: ISC
 *
 * A visit: one HTTP exchange from its head to its reply, with who asks and
 * the state of the module that serves it. Work in the store or in gripd may
 * end after the visitor is gone, so a visit is counted: whoever waits for
 * something holds it, and replying to one who is gone does nothing.
 */
#ifndef VISIT_H
#define VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "buffer.h"
#include "caller.h"
#include "http_server.h"
#include "mailboxd.h"
#include "outcome.h"

struct route;

struct visit {
	struct mailboxd *mailboxd;
	struct http_exchange *x; /* NULL once it is gone */
	const struct http_request *request; /* NULL once it is gone */
	const struct route *route;
	enum door door;
	struct caller caller;
	const char *subject; /* the hash or id in the path; "" if none */
	char path[96]; /* for the log, escaped there */
	char id[32]; /* for the log */
	int64_t started_ms;
	unsigned references;
	bool replied;

	/* Of the module that serves the visit; any may be NULL. */
	void *state;
	void (*state_free)(void *state);
	void (*on_body)(struct visit *visit, const void *data, size_t len);
	void (*on_body_end)(struct visit *visit);
	void (*on_gone)(struct visit *visit);
};

/* What the HTTP server calls. */
extern const struct http_handler visit_handler;

struct visit *visit_hold(struct visit *visit);
void visit_release(struct visit *visit);

/* The server name that was asked. */
const char *visit_server_name(const struct visit *visit);

/* A query parameter; NULL if absent or the visitor is gone. */
const char *visit_query(const struct visit *visit, const char *name);

/* ?wait=N: seconds within [0, CARGO_API_WAIT_MAX]; 0 if absent. -1 after a
 * refusal went out. */
int visit_wait(struct visit *visit);

/* Gathers a JSON body up to `max` and calls `then` with the parsed object
 * (the visit's, freed after the call). Refuses anything else itself. */
void visit_gather_json(struct visit *visit, size_t max,
    void (*then)(struct visit *visit, const cJSON *body));

/* Replies; each logs the visit's one line. `body` is taken over. */
void visit_reply_json(struct visit *visit, unsigned status, cJSON *body);
/* The same with fields of the caller's, to which those of JSON are added. */
void visit_reply_json_with(struct visit *visit, unsigned status,
    struct http_header_list *headers, cJSON *body);
/* A body of any type; `why` NULL, or the reason of a refusal for the log. */
void visit_reply_bytes(struct visit *visit, unsigned status,
    const struct http_header_list *headers, const struct buffer *body,
    const struct reason *why);
void visit_reply_empty(struct visit *visit, unsigned status);
void visit_reply_file(struct visit *visit, unsigned status,
    const struct http_header_list *headers, int fd, int64_t offset,
    int64_t len);
void visit_reply_headers(struct visit *visit, unsigned status,
    const struct http_header_list *headers);

/* Refusals as a problem of RFC 9457; at the door of web hosts as a page. */
void visit_refuse(struct visit *visit, const struct reason *why);
void visit_problem(struct visit *visit, const char *name, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif

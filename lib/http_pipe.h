/* SPDX-License-Identifier: ISC
 *
 * Streams the body of a GET into the body of a PUT on a Unix socket, in
 * constant memory: how bytes come from an origin into our mailbox.
 *
 * The PUT is written by us straight onto the socket, not by a second libcurl
 * handle: two handles need a multi loop with pausing on both sides, which
 * copies each byte twice more and wakes twice for each 16 KiB. A blocking
 * write in the sink of the GET gives back-pressure for nothing.
 */
#ifndef HTTP_PIPE_H
#define HTTP_PIPE_H

#include "http_client.h"

struct http_pipe_put {
	const char *unix_socket;
	const char *path; /* target: "/v1/resources/…?lease=…" */
	const struct http_header_list *headers; /* may be NULL */
	int64_t size; /* bytes of the body, exactly */
	unsigned timeout_ms; /* a send or receive; default 60000 */
	/* Asked as bytes come: true ends the transfer. May be NULL. */
	bool (*enough)(void *arg);
	void *arg;
};

/*
 * Performs `get` (whose sink, head, progress, arg and
 * max_body are ours) and, once it
 * is answered with `get_status` (200, or 206 for a resumed transfer) and the
 * announced length is put->size, the PUT.
 *
 * OK: both responses are complete: look at both statuses; a GET that was
 * answered otherwise leaves put_r->status 0. Else `why` as in
 * http_client_perform for the GET; or word "size" (PERMFAIL: the origin
 * announced another length) or "local" (the PUT's side failed, or refused in
 * the middle: put_r->status is then set) or "enough" (put->enough said so). A
 * transfer that breaks or is ended closes the PUT short, so that the mailbox
 * keeps what it has.
 */
enum outcome
http_client_pipe(struct http_client *client, const struct http_call *get,
    unsigned get_status, const struct http_pipe_put *put,
    struct http_result result_r[2], struct reason *why);

#endif

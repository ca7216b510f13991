/* SPDX-License-Identifier: ISC
 *
 * A user's connection to one of the configured mailboxes. The password
 * (from password_command) buys an app token once; the token is kept in a
 * private file and used until the mailbox no longer takes it. Neither goes
 * anywhere but to the configured URL.
 */
#ifndef SESSION_H
#define SESSION_H

#include <cjson/cJSON.h>

#include "client_config.h"
#include "http_client.h"
#include "outcome.h"

struct session;

/* CA certificates are read at the first use. NULL with `why`. Does not
 * connect. `config` and `mailbox` must outlive it. */
struct session *session_open(const struct client_config *config,
    const struct client_mailbox *mailbox, struct reason *why);
void session_close(struct session **session);

/* Uses this app token, of which nothing is kept, in place of a login. */
void session_use_token(struct session *session, const char *token);

const struct client_mailbox *session_mailbox(const struct session *session);

/*
 * Performs a call: `path` ("/v1/...") is put behind the mailbox's URL,
 * call->url and call->headers are set here; `headers` (may be NULL) get the
 * Authorization added. A token that is refused is replaced once, unless
 * the body comes from a callback that cannot be rewound.
 *
 * OK: answered, whatever the status. PERMFAIL "credentials": name or
 * password is wrong. Else as http_client_perform.
 */
enum outcome session_call(struct session *session, struct http_call *call,
    const char *path, struct http_header_list *headers,
    struct http_result *result_r, struct reason *why);

/* A JSON request (body may be NULL) and its answer, owned by the caller
 * (cJSON_Delete; NULL for an answer without body). A status that is not 2xx
 * is a failure with the problem's name as its word. */
enum outcome session_json(struct session *session, enum http_method method,
    const char *path, const char *body, cJSON **answer_r, struct reason *why);

/* Fills `why` from an answer that is not 2xx, permanent or not as the table
 * of problems says. */
enum outcome
session_refused(const struct http_result *result, struct reason *why);

#endif

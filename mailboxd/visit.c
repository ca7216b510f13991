/* SPDX-License-Identifier: ISC
 *
 * From the head of a request to its reply: find the route, find out who
 * asks, let the module serve, log one line. Requests are hostile; the parser
 * below has made sure of their shape only.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "cargo_api.h"
#include "cargo_problem.h"
#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "page.h"
#include "routes.h"
#include "visit.h"

/* ---- life ---------------------------------------------------------------- */

struct visit *
visit_hold(struct visit *visit)
{
	visit->references++;
	return visit;
}

void
visit_release(struct visit *visit)
{
	if (--visit->references > 0)
		return;
	if (visit->state != NULL && visit->state_free != NULL)
		visit->state_free(visit->state);
	caller_clear(&visit->caller);
	free(visit);
}

/* The path as it was asked, for the log. */
static void
name_path(struct visit *visit, const struct http_request *request)
{
	size_t len = 0, n;
	unsigned i;

	for (i = 0; i < request->segment_count; i++) {
		n = strlen(request->segment[i]);
		if (n + 1 >= sizeof(visit->path) - len)
			return;
		visit->path[len++] = '/';
		memcpy(visit->path + len, request->segment[i], n + 1);
		len += n;
	}
}

/* On a web host the pages are, and nothing else; the name is that of the
 * handshake. */
static enum door
find_door(const struct mailboxd *mailboxd, const struct http_exchange *x)
{
	enum door door = (enum door)http_exchange_door(x);

	if (door == DOOR_TLS &&
	    mailboxd_config_is_web(mailboxd->config,
		http_exchange_server_name(x)))
		return DOOR_WEB;
	return door;
}

static struct visit *
visit_new(struct mailboxd *mailboxd, struct http_exchange *x)
{
	struct visit *visit = x_calloc(1, sizeof(*visit));

	visit->mailboxd = mailboxd;
	visit->x = x;
	visit->request = http_exchange_request(x);
	visit->references = 1;
	visit->started_ms = clock_monotonic_ms();
	visit->subject = "";
	snprintf(visit->id, sizeof(visit->id), "c%llu",
	    (unsigned long long)http_exchange_connection_id(x));
	visit->door = find_door(mailboxd, x);
	/* Also if somebody took the mailbox's name for the web host's. */
	if (visit->door == DOOR_WEB || page_is_path(visit->request))
		page_log_path(visit->request, visit->path, sizeof(visit->path));
	else
		name_path(visit, visit->request);
	http_exchange_set_state(x, visit);
	return visit;
}

/* ---- what the HTTP server calls ------------------------------------------ */

static void
on_identified(struct visit *visit, enum outcome outcome,
    const struct reason *why)
{
	if (outcome != OUTCOME_OK)
		visit_refuse(visit, why);
	else
		visit->route->serve(visit);
}

static void
on_request(void *context, struct http_exchange *x)
{
	struct visit *visit = visit_new(context, x);
	struct reason why;

	if (routes_find(visit->request, visit->door, &visit->route,
		&visit->subject, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		return;
	}
	caller_identify(visit, visit->route->accept, on_identified);
}

static void
on_body(struct http_exchange *x, const void *data, size_t len)
{
	struct visit *visit = http_exchange_get_state(x);

	if (visit->on_body != NULL)
		visit->on_body(visit, data, len);
}

static void
on_body_end(struct http_exchange *x)
{
	struct visit *visit = http_exchange_get_state(x);

	if (visit->on_body_end != NULL)
		visit->on_body_end(visit);
}

static void
on_gone(struct http_exchange *x)
{
	struct visit *visit = http_exchange_get_state(x);

	visit->x = NULL;
	visit->request = NULL;
	visit->subject = "";
	if (visit->on_gone != NULL)
		visit->on_gone(visit);
	visit_release(visit);
}

/* The socket's place says who may come; the peer's uid is looked at too. */
static bool
on_accepted(void *context, int fd, int door)
{
	const struct mailboxd *mailboxd = context;
	enum peer client = door == DOOR_PULL ? PEER_RETRIEVAL : PEER_BROKER;
	size_t i;

	if (door == DOOR_TLS)
		return true;
	for (i = 0; i < mailboxd->peer_count; i++)
		if (mailboxd->peers[i].route->client == client)
			return peer_list_admits(&mailboxd->peers[i], fd);
	return false;
}

static void
on_refused(void *context, int door, const char *client,
    const struct reason *why)
{
	struct log_line line;

	(void)context;
	(void)door;
	log_begin(&line, LOG_INFO, "-", "refuse");
	log_string(&line, LOG_KEY_CLIENT, client);
	log_reason(&line, why);
	log_end(&line);
}

const struct http_handler visit_handler = {
	.request = on_request,
	.body = on_body,
	.body_end = on_body_end,
	.gone = on_gone,
	.accepted = on_accepted,
	.connection_free = caller_connection_free,
	.refused = on_refused,
};

/* ---- asking -------------------------------------------------------------- */

const char *
visit_server_name(const struct visit *visit)
{
	return visit->x != NULL ? http_exchange_server_name(visit->x) : "";
}

const char *
visit_query(const struct visit *visit, const char *name)
{
	return visit->request != NULL ? http_query_get(visit->request, name) :
					NULL;
}

int
visit_wait(struct visit *visit)
{
	const char *text = visit_query(visit, "wait");
	char *end;
	long value;

	if (text == NULL)
		return 0;
	value = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' ||
	    value > CARGO_API_WAIT_MAX) {
		visit_problem(visit, "malformed", "wait is 0 to %d seconds",
		    CARGO_API_WAIT_MAX);
		return -1;
	}
	return (int)value;
}

struct gathering {
	void (*then)(struct visit *visit, const cJSON *body);
};

static void
on_gathered(struct visit *visit)
{
	struct gathering *gathering = visit->state;
	void (*then)(struct visit *, const cJSON *) = gathering->then;
	const char *data, *error;
	size_t len;
	cJSON *body;

	visit->on_body_end = NULL;
	visit->state = NULL;
	free(gathering);
	data = http_exchange_gathered(visit->x, &len);
	body = json_parse(data, len, &error);
	if (!cJSON_IsObject(body))
		visit_problem(visit, "malformed", "the body: %s",
		    body == NULL ? error : "not an object");
	else
		then(visit, body);
	cJSON_Delete(body);
}

void
visit_gather_json(struct visit *visit, size_t max,
    void (*then)(struct visit *visit, const cJSON *body))
{
	struct gathering *gathering;

	if (!visit->request->has_length) {
		visit_problem(visit, "length-required", "no Content-Length");
		return;
	}
	if (http_exchange_gather_body(visit->x, max) == -1) {
		visit_problem(visit, "too-large", "the body may have %zu bytes",
		    max);
		return;
	}
	gathering = x_calloc(1, sizeof(*gathering));
	gathering->then = then;
	visit->state = gathering;
	visit->state_free = free;
	visit->on_body_end = on_gathered;
}

/* ---- replying ------------------------------------------------------------ */

/* The one line of a visit. */
static void
log_visit(struct visit *visit, unsigned status, const struct reason *why)
{
	struct log_line line;

	if (why != NULL)
		metrics_count(visit->mailboxd->metrics, MAILBOXD_PROBLEMS,
		    why->word);
	log_begin(&line, LOG_INFO, visit->id, "request");
	log_string(&line, LOG_KEY_METHOD, visit->request->method_name);
	log_string(&line, LOG_KEY_PATH, visit->path);
	log_number(&line, LOG_KEY_STATUS, status);
	if (visit->caller.name[0] != '\0')
		log_string(&line, LOG_KEY_USER, visit->caller.name);
	if (visit->caller.account[0] != '\0')
		log_string(&line, LOG_KEY_ACCOUNT, visit->caller.account);
	log_string(&line, LOG_KEY_CLIENT, http_exchange_client(visit->x));
	log_number(&line, LOG_KEY_DURATION,
	    clock_monotonic_ms() - visit->started_ms);
	if (why != NULL)
		log_reason(&line, why);
	log_end(&line);
}

/* True if a reply may still go out. */
static bool
may_reply(struct visit *visit)
{
	if (visit->x == NULL || visit->replied)
		return false;
	visit->replied = true;
	return true;
}

void
visit_reply_json_with(struct visit *visit, unsigned status,
    struct http_header_list *headers, cJSON *body)
{
	char *text;

	if (may_reply(visit)) {
		http_header_add(headers, "Content-Type", "application/json");
		http_header_add(headers, "Cache-Control", "no-store");
		text = json_format(body);
		if (text == NULL)
			log_panic("out of memory");
		log_visit(visit, status, NULL);
		http_reply(visit->x, status, headers, text, strlen(text));
		free(text);
	}
	cJSON_Delete(body);
}

void
visit_reply_json(struct visit *visit, unsigned status, cJSON *body)
{
	struct http_header_list headers;

	http_header_init(&headers);
	visit_reply_json_with(visit, status, &headers, body);
}

void
visit_reply_bytes(struct visit *visit, unsigned status,
    const struct http_header_list *headers, const struct buffer *body,
    const struct reason *why)
{
	if (!may_reply(visit))
		return;
	log_visit(visit, status, why);
	if (body->failed)
		log_panic("a body beyond its limit");
	http_reply(visit->x, status, headers, body->data, body->len);
}

void
visit_reply_empty(struct visit *visit, unsigned status)
{
	visit_reply_headers(visit, status, NULL);
}

void
visit_reply_headers(struct visit *visit, unsigned status,
    const struct http_header_list *headers)
{
	if (!may_reply(visit))
		return;
	log_visit(visit, status, NULL);
	http_reply(visit->x, status, headers, NULL, 0);
}

void
visit_reply_file(struct visit *visit, unsigned status,
    const struct http_header_list *headers, int fd, int64_t offset, int64_t len)
{
	if (!may_reply(visit)) {
		close(fd);
		return;
	}
	log_visit(visit, status, NULL);
	http_reply_file(visit->x, status, headers, fd, offset, len);
}

/* What a client may do about a 401. */
static void
add_challenge(struct visit *visit, struct http_header_list *headers)
{
	unsigned accept = visit->route != NULL ? visit->route->accept : 0;

	if (accept & CALLER_ACCEPT_BASIC)
		http_header_add(headers, "WWW-Authenticate",
		    "Basic realm=\"cargomail\", charset=\"UTF-8\"");
	if (accept & CALLER_ACCEPT_BEARER)
		http_header_add(headers, "WWW-Authenticate",
		    "Bearer realm=\"cargomail\"");
	if (accept &
	    (CALLER_ACCEPT_NOTIFY | CALLER_ACCEPT_GET | CALLER_ACCEPT_PUT))
		http_header_add(headers, "WWW-Authenticate", "GRIP");
}

void
visit_refuse(struct visit *visit, const struct reason *why)
{
	const struct cargo_problem *problem = cargo_problem_of(why);
	struct http_header_list headers;
	char *text;

	if (visit->door == DOOR_WEB) {
		page_refuse(visit, why);
		return;
	}
	if (!may_reply(visit))
		return;
	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", CARGO_PROBLEM_MEDIA_TYPE);
	http_header_add(&headers, "Cache-Control", "no-store");
	if (problem->status == 401)
		add_challenge(visit, &headers);
	text = cargo_problem_format(problem, why->text);
	log_visit(visit, (unsigned)problem->status, why);
	http_reply(visit->x, (unsigned)problem->status, &headers, text,
	    text != NULL ? strlen(text) : 0);
	free(text);
}

void
visit_problem(struct visit *visit, const char *name, const char *format, ...)
{
	const struct cargo_problem *problem = cargo_problem_find(name);
	struct reason why;
	char text[sizeof(why.text)];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (problem == NULL)
		log_panic("there is no problem type %s", name);
	reason_set(&why,
	    problem->permanent ? OUTCOME_PERMFAIL : OUTCOME_TEMPFAIL, name,
	    "%s", text);
	visit_refuse(visit, &why);
}

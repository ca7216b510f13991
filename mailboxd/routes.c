/* SPDX-License-Identifier: ISC
 *
 * The table of what may be asked, and the search in it.
 */
#include <string.h>

#include "account.h"
#include "cargo_placeholder.h"
#include "encoding.h"
#include "message.h"
#include "notification.h"
#include "page.h"
#include "pull_routes.h"
#include "resource_get.h"
#include "resource_put.h"
#include "routes.h"
#include "share.h"
#include "store_keys.h"
#include "well_known.h"

#define TLS (1U << DOOR_TLS)
#define PULL (1U << DOOR_PULL)
#define BROKER (1U << DOOR_BROKER)
#define WEB (1U << DOOR_WEB)
#define ACCEPT(who) CALLER_ACCEPT_##who
#define PULL_LEASE_NAME_MAX 64

static const struct route routes[] = {
	{ HTTP_GET, { ".well-known", "cargomail" }, ROUTE_NO_SUBJECT,
	    TLS | BROKER, ACCEPT(NOBODY), well_known_serve },
	{ HTTP_POST, { "v1", "sessions" }, ROUTE_NO_SUBJECT, TLS, ACCEPT(BASIC),
	    account_session_serve },
	{ HTTP_GET, { "v1", "resources" }, ROUTE_NO_SUBJECT, TLS,
	    ACCEPT(BEARER), resource_list_serve },
	{ HTTP_PUT, { "v1", "resources", "*" }, ROUTE_HASH, TLS | BROKER | PULL,
	    ACCEPT(BEARER) | ACCEPT(PUT) | ACCEPT(WORKER), resource_put_serve },
	{ HTTP_GET, { "v1", "resources", "*" }, ROUTE_HASH, TLS,
	    ACCEPT(BEARER) | ACCEPT(GET) | ACCEPT(RELEASE),
	    resource_get_serve },
	{ HTTP_HEAD, { "v1", "resources", "*" }, ROUTE_HASH, TLS,
	    ACCEPT(BEARER) | ACCEPT(GET) | ACCEPT(RELEASE),
	    resource_get_serve },
	{ HTTP_GET, { "v1", "resources", "*" }, ROUTE_HASH, BROKER,
	    ACCEPT(RELEASE), resource_get_serve },
	{ HTTP_HEAD, { "v1", "resources", "*" }, ROUTE_HASH, BROKER,
	    ACCEPT(RELEASE), resource_get_serve },
	{ HTTP_DELETE, { "v1", "resources", "*" }, ROUTE_HASH, TLS,
	    ACCEPT(BEARER), resource_delete_serve },
	{ HTTP_PUT, { "v1", "shares", "*" }, ROUTE_SHARE, TLS | BROKER,
	    ACCEPT(BEARER) | ACCEPT(PUT), share_put_serve },
	{ HTTP_DELETE, { "v1", "shares", "*" }, ROUTE_SHARE, TLS | BROKER,
	    ACCEPT(BEARER) | ACCEPT(PUT), share_delete_serve },
	{ HTTP_POST, { "v1", "notifications" }, ROUTE_NO_SUBJECT, TLS | BROKER,
	    ACCEPT(NOTIFY), notification_serve },
	{ HTTP_GET, { "v1", "messages" }, ROUTE_NO_SUBJECT, TLS, ACCEPT(BEARER),
	    message_list_serve },
	{ HTTP_GET, { "v1", "messages", "*" }, ROUTE_ID, TLS,
	    ACCEPT(BEARER) | ACCEPT(RELEASE), message_get_serve },
	{ HTTP_GET, { "v1", "messages", "*" }, ROUTE_ID, BROKER,
	    ACCEPT(RELEASE), message_get_serve },
	{ HTTP_POST, { "v1", "pulls", "lease" }, ROUTE_NO_SUBJECT, PULL,
	    ACCEPT(WORKER), pull_lease_serve },
	{ HTTP_POST, { "v1", "pulls", "*", "done" }, ROUTE_LEASE, PULL,
	    ACCEPT(WORKER), pull_done_serve },
	{ HTTP_POST, { "v1", "pulls", "*", "failed" }, ROUTE_LEASE, PULL,
	    ACCEPT(WORKER), pull_failed_serve },
	{ HTTP_POST, { "v1", "pulls", "*", "entitled" }, ROUTE_LEASE, PULL,
	    ACCEPT(WORKER), pull_entitled_serve },
	{ HTTP_GET, { "s", "*" }, ROUTE_NO_SUBJECT, WEB, ACCEPT(NOBODY),
	    page_show_serve },
	{ HTTP_HEAD, { "s", "*" }, ROUTE_NO_SUBJECT, WEB, ACCEPT(NOBODY),
	    page_show_serve },
	{ HTTP_POST, { "s", "*", "*" }, ROUTE_HASH, WEB, ACCEPT(NOBODY),
	    page_download_serve },
};

const struct route *
routes_list(size_t *count_r)
{
	*count_r = sizeof(routes) / sizeof(routes[0]);
	return routes;
}

static bool
is_lease(const char *text)
{
	size_t len = strlen(text);

	return len > STORE_ID_LEN + 1 && len < PULL_LEASE_NAME_MAX &&
	    strspn(text, "0123456789abcdef") == STORE_ID_LEN &&
	    text[STORE_ID_LEN] == '-' &&
	    strspn(text + STORE_ID_LEN + 1, "0123456789abcdef") ==
	    len - STORE_ID_LEN - 1;
}

static bool
subject_valid(enum route_subject subject, const char *text)
{
	switch (subject) {
	case ROUTE_HASH:
		return hex_is_sha256(text);
	case ROUTE_ID:
		return store_id_valid(text);
	case ROUTE_SHARE:
		return cargo_share_valid(text);
	case ROUTE_LEASE:
		return is_lease(text);
	case ROUTE_NO_SUBJECT:
		break;
	}
	return true;
}

/* True if the path fits; what '*' stands for goes to *subject_r. */
static bool
path_fits(const struct route *route, const struct http_request *request,
    const char **subject_r)
{
	unsigned i;

	*subject_r = "";
	for (i = 0; i < ROUTE_SEGMENTS && route->path[i] != NULL; i++) {
		if (i >= request->segment_count)
			return false;
		if (strcmp(route->path[i], "*") == 0)
			*subject_r = request->segment[i];
		else if (strcmp(route->path[i], request->segment[i]) != 0)
			return false;
	}
	return i == request->segment_count;
}

enum outcome
routes_find(const struct http_request *request, enum door door,
    const struct route **route_r, const char **subject_r, struct reason *why)
{
	size_t i, count;
	const struct route *list = routes_list(&count);
	bool known = false;

	for (i = 0; i < count; i++) {
		if (!(list[i].doors & (1U << door)) ||
		    !path_fits(&list[i], request, subject_r))
			continue;
		known = true;
		if (list[i].method != request->method)
			continue;
		if (!subject_valid(list[i].subject, *subject_r))
			return reason_set(why, OUTCOME_PERMFAIL, "malformed",
			    "the path names no hash or id");
		*route_r = &list[i];
		return OUTCOME_OK;
	}
	if (known)
		return reason_set(why, OUTCOME_PERMFAIL, "method",
		    "not with %s", request->method_name);
	return reason_set(why, OUTCOME_PERMFAIL, "not-found",
	    "there is no such path");
}

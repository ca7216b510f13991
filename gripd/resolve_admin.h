/* SPDX-License-Identifier: ISC
 *
 * `lookup` on the admin socket: what the DNS says of a name, as the resolver
 * sees it, for `cargomailctl check`. Nothing is left out by the address
 * policy: the administrator only looks, nobody connects there by it.
 */
#ifndef RESOLVE_ADMIN_H
#define RESOLVE_ADMIN_H

#include "control.h"
#include "dns_client.h"

struct resolve_admin;

/* `dns` must outlive it. */
struct resolve_admin *resolve_admin_new(struct dns_client *dns);
/* Lookups under way end without an answer; NULL is fine. */
void resolve_admin_free(struct resolve_admin **admin);

/*
 * {"name", "type": "TXT"|"A"|"AAAA"} ->
 * {"status": "data"|"none", "secure", "ttl", "target": last CNAME's or "",
 *  "records": [text, ...]}; tempfail "dns" if there is no clear answer.
 */
void resolve_admin_lookup(struct resolve_admin *admin,
    struct control_connection *connection, const cJSON *request);

#endif

/* SPDX-License-Identifier: ISC
 *
 * Certificates of the server names, from gripd, which keeps the keys.
 */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "mailboxd.h"

/* Asks gripd for the identities and puts all server names, or on failure
 * none, into mailboxd->tls. TEMPFAIL "gripd" if it is not there, PERMFAIL
 * "certificate" if it has no key for one of the names. */
enum outcome server_tls_load(struct mailboxd *mailboxd, struct reason *why);

#endif

/* SPDX-License-Identifier: ISC
 *
 * Checks of Postfix that both ways, in and out, have in common. Each says what
 * is wrong, and is true if nothing is.
 */
#ifndef CHECK_POSTFIX_LINES_H
#define CHECK_POSTFIX_LINES_H

#include "check_postfix.h"

#define CHECK_POSTFIX_SETUP PREFIX "/share/cargomail/postfix-setup"

/* A socket of the broker: its key, where it is, and who leads there. */
struct broker_door {
	const char *key, *listen, *lines;
};

/* The reason, and that postfix-setup mends it. */
void check_postfix_say_setup(struct check *check, const char *why);

/* Does `path` of a transport lead to where the broker listens? */
bool
check_postfix_leads(struct check *check, const struct check_postfix *postfix,
    const char *path, const char *transport, const struct broker_door *door);

/* A client service, such as cargomail/unix, that speaks LMTP to us. */
bool check_postfix_transport(struct check *check,
    const struct check_postfix *postfix, const char *service);

/* The smtpd that takes back what the broker gives to `reinject`, a key of
 * broker.conf. */
bool check_postfix_way_back(struct check *check,
    const struct check_postfix *postfix, const char *reinject, bool inbound);

#endif

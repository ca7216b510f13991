/* SPDX-License-Identifier: ISC
 *
 * Postfix's configuration as postconf tells it, for the checks of it.
 */
#ifndef CHECK_POSTFIX_H
#define CHECK_POSTFIX_H

#include "check.h"

struct check_postfix {
	char *services; /* postconf -M */
	char *options; /* postconf -P */
	char *settings; /* some of main.cf, "name = value" lines */
	char *error; /* what postconf says when it fails */
};

/* -1 with `error` if there is no Postfix that answers. */
int check_postfix_read(struct check *check, struct check_postfix *postfix_r);
void check_postfix_free(struct check_postfix *postfix);

/* A setting of main.cf; "" if it is empty or not known. Owned by the caller,
 * as are the next two. */
char *
check_postfix_setting(const struct check_postfix *postfix, const char *name);

/* An option that "name/type" has of its own in master.cf; NULL if none. */
char *check_postfix_option(const struct check_postfix *postfix,
    const char *service, const char *option);

/* The option, or what main.cf says. */
char *check_postfix_effective(const struct check_postfix *postfix,
    const char *service, const char *option);

/* The nth word of a service's line: 0 name, 1 type, 2 private, 4 chroot,
 * 7 command. NULL if there is no such service. */
char *check_postfix_service(const struct check_postfix *postfix,
    const char *service, int word);

/* "smtp/inet", or "smtpd/pass" behind postscreen. */
const char *check_postfix_front(const struct check_postfix *postfix);

#endif

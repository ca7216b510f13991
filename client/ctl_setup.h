/* SPDX-License-Identifier: ISC
 *
 * What `cargomailctl setup postfix` says of this host besides the lines
 * themselves, which come from postfix-setup(8)'s own print mode: one source
 * for what is printed and what is done.
 */
#ifndef CTL_SETUP_H
#define CTL_SETUP_H

#include <stdbool.h>
#include <stdio.h>

/* Postfix as it is; texts are never NULL. */
struct ctl_setup_host {
	const char *hostname; /* myhostname */
	const char *header_checks;
	const char *milters; /* smtpd_milters of port 25 */
	bool rspamd, opendkim; /* installed */
	bool outbound; /* asked for */
};

/* Comment lines: what was found, and what is to be done beside Postfix. */
void ctl_setup_advise(const struct ctl_setup_host *host, FILE *out);

#endif

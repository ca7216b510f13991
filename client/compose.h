/* SPDX-License-Identifier: ISC
 *
 * The header fields of a message that cargomail(1) sends; the placeholder
 * module adds the rest.
 */
#ifndef COMPOSE_H
#define COMPOSE_H

#include <stddef.h>
#include <stdint.h>

struct compose {
	const char *address; /* the sender's */
	const char *name; /* display name, UTF-8, may be "" */
	char *const *recipients;
	size_t recipient_count;
	const char *subject; /* UTF-8 */
	const char *message_id; /* without angle brackets */
	int64_t now;
};

/* From, To, Subject, Date and Message-ID with CRLF ends, in ASCII (RFC
 * 2047). The caller frees. NULL if a name or the subject is not UTF-8 or
 * holds control characters, or an address cannot stand in a header. */
char *compose_header(const struct compose *compose);

/* A fresh "<random>@<domain of address>", without brackets; the caller
 * frees. */
char *compose_message_id(const char *address);

#endif

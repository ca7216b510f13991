/* SPDX-License-Identifier: ISC
 *
 * Lines of SMTP and LMTP (RFC 5321, RFC 2033) as syntax: commands with their
 * parameters, replies, dot-stuffing. Strict: CRLF is taken off by the caller,
 * control bytes, unknown parameters and duplicates are refused. Reads hostile
 * bytes.
 *
 * Written by hand because no library of the set reads SMTP on the server's
 * side. Fuzzed by fuzz_lmtp_command.
 */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail_address.h"

/* RFC 5321 allows 512; DSN, SMTPUTF8 and XFORWARD extend it. */
#define SMTP_LINE_MAX 4096

enum smtp_verb {
	SMTP_LHLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_VRFY,
	SMTP_XFORWARD,
	SMTP_UNKNOWN,
};

/* Parameters of MAIL and RCPT that we offer, empty where not given. Values
 * are checked for their syntax and passed on as they came. */
struct smtp_parameters {
	int64_t size; /* -1 if not given */
	char body[16]; /* "7BIT", "8BITMIME" */
	char ret[8]; /* "FULL", "HDRS" */
	char envid[101]; /* xtext */
	char notify[32]; /* "NEVER" or a list */
	char orcpt[501]; /* type;xtext */
	bool smtputf8;
};

struct smtp_command {
	enum smtp_verb verb;
	char path[MAIL_ADDRESS_SIZE]; /* of MAIL and RCPT, as it came */
	struct smtp_parameters parameters;
	const char *argument; /* the rest of the line, points into it */
};

/* Parses one line without its CRLF. NULL, or a fixed reply text such as
 * "501 5.5.4 Bad parameter" when it must be refused; verb is set as far as
 * it is known. */
const char *
smtp_line_parse(const char *line, size_t len, struct smtp_command *command_r);

/* The attributes of XFORWARD that we know (NAME, ADDR, PROTO, HELO, SOURCE,
 * PORT, IDENT). Calls `add` for each, value in xtext as it came. NULL or a
 * reply text. */
const char *smtp_line_parse_xforward(const char *argument,
    void (*add)(void *context, const char *name, const char *value),
    void *context);

/* One line of a reply: code, whether more follow, and the text behind it
 * (points into the line). 0, or -1. */
int smtp_line_parse_reply(const char *line, int *code_r, bool *more_r,
    const char **text_r);

/* Decodes xtext (RFC 3461, 4) into text_r of `size` bytes. 0, or -1. */
int smtp_line_decode_xtext(const char *xtext, char *text_r, size_t size);

#endif

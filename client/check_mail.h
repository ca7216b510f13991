/* SPDX-License-Identifier: ISC
 *
 * One message handed to one server by SMTP, for the checks that look at how
 * mail goes. Plain text, no password; what the server says is hostile.
 */
#ifndef CHECK_MAIL_H
#define CHECK_MAIL_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_MAIL_PORT 25

struct check_mail {
	const char *address; /* of the server, in numbers */
	const char *hello; /* for EHLO */
	const char *to; /* NULL: only the greeting and EHLO */
	const char *data; /* CRLF line ends; from <> */
	size_t len;
};

/* How far it came. */
enum check_mail_stage {
	CHECK_MAIL_CONNECT, /* nobody there */
	CHECK_MAIL_GREETING, /* no 220, no 250 for EHLO */
	CHECK_MAIL_RCPT, /* MAIL or RCPT refused */
	CHECK_MAIL_DATA, /* DATA, or the message, refused */
	CHECK_MAIL_DONE,
};

struct check_mail_reply {
	enum check_mail_stage stage;
	int code; /* of the last reply; 0: none */
	char text[400]; /* of the last reply, behind the code; or of errno */
	bool starttls;
	char queue_id[32]; /* "... queued as ID", or "" */
};

void check_mail_send(const struct check_mail *mail,
    struct check_mail_reply *reply_r);

#endif

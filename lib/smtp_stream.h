/* SPDX-License-Identifier: ISC
 *
 * A blocking stream of CRLF lines over a descriptor, with a time-out for
 * each wait and one buffer each way: a reply of several lines is one write.
 * Used by the broker on both its sides and by cargomailctl(8). Reads hostile
 * bytes.
 */
#ifndef SMTP_STREAM_H
#define SMTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp_line.h"

#define SMTP_STREAM_BUFFER 65536

struct smtp_stream {
	int fd;
	int timeout_ms;
	size_t start, end; /* of what is not yet read */
	size_t out_len;
	char in[SMTP_STREAM_BUFFER];
	char out[SMTP_STREAM_BUFFER];
};

/* Does not take the descriptor over. */
void smtp_stream_init(struct smtp_stream *stream, int fd, int timeout_ms);

/* True if the other side has hung up, whatever it said before. */
bool smtp_stream_is_closed(const struct smtp_stream *stream);

/* The next line without its CRLF, NUL-terminated. Its length; -1 at the end,
 * on time-out or error; -2 if it was longer than SMTP_LINE_MAX (skipped).
 * A bare LF ends a line, too; a NUL is passed on and counts. */
long
smtp_stream_read_line(struct smtp_stream *stream, char line_r[SMTP_LINE_MAX]);

/* Gives what is there, at least one byte; points into the buffer until the
 * next read. -1 at the end, on time-out or error. */
long smtp_stream_read(struct smtp_stream *stream, const char **data_r);

/* Says how many bytes of the last smtp_stream_read were not wanted. */
void smtp_stream_unread(struct smtp_stream *stream, size_t len);

/* Adds to the output; written when the buffer is full, and by flush. 0, or
 * -1 on error. */
int smtp_stream_write(struct smtp_stream *stream, const void *data, size_t len);
int smtp_stream_format(struct smtp_stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int smtp_stream_flush(struct smtp_stream *stream);

#endif

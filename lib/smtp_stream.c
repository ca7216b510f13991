/* SPDX-License-Identifier: ISC
 *
 * Lines over a descriptor: see smtp_stream.h.
 */
#include "smtp_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
smtp_stream_init(struct smtp_stream *stream, int fd, int timeout_ms)
{
	stream->fd = fd;
	stream->timeout_ms = timeout_ms;
	stream->start = stream->end = stream->out_len = 0;
}

/* Waits until the descriptor is ready. 0, or -1. */
static int
wait_for(const struct smtp_stream *stream, short events)
{
	struct pollfd poller = { .fd = stream->fd, .events = events };
	int ready;

	do
		ready = poll(&poller, 1, stream->timeout_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0 ? 0 : -1;
}

/* Reads more behind what is there. 0, or -1. */
static int
fill(struct smtp_stream *stream)
{
	ssize_t got;

	if (stream->start == stream->end)
		stream->start = stream->end = 0;
	if (stream->end == sizeof(stream->in)) {
		memmove(stream->in, stream->in + stream->start,
		    stream->end - stream->start);
		stream->end -= stream->start;
		stream->start = 0;
	}
	do {
		if (wait_for(stream, POLLIN) < 0)
			return -1;
		got = read(stream->fd, stream->in + stream->end,
		    sizeof(stream->in) - stream->end);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got <= 0)
		return -1;
	stream->end += (size_t)got;
	return 0;
}

bool
smtp_stream_is_closed(const struct smtp_stream *stream)
{
	struct pollfd poller = { .fd = stream->fd }; /* POLLHUP, POLLERR */

	return poll(&poller, 1, 0) > 0;
}

long
smtp_stream_read_line(struct smtp_stream *stream, char line_r[SMTP_LINE_MAX])
{
	size_t len = 0;
	int too_long = 0;

	for (;;) {
		char *start = stream->in + stream->start;
		size_t there = stream->end - stream->start;
		char *end = there > 0 ? memchr(start, '\n', there) : NULL;
		size_t part = end != NULL ? (size_t)(end - start) : there;

		if (len + part >= SMTP_LINE_MAX)
			too_long = 1;
		else {
			memcpy(line_r + len, start, part);
			len += part;
		}
		stream->start += part + (end != NULL);
		if (end != NULL)
			break;
		if (fill(stream) < 0)
			return -1;
	}
	if (too_long)
		return -2;
	if (len > 0 && line_r[len - 1] == '\r')
		len--;
	line_r[len] = '\0';
	return (long)len;
}

long
smtp_stream_read(struct smtp_stream *stream, const char **data_r)
{
	size_t there;

	if (stream->start == stream->end && fill(stream) < 0)
		return -1;
	there = stream->end - stream->start;
	*data_r = stream->in + stream->start;
	stream->start = stream->end;
	return (long)there;
}

void
smtp_stream_unread(struct smtp_stream *stream, size_t len)
{
	stream->start -= len;
}

int
smtp_stream_flush(struct smtp_stream *stream)
{
	size_t at = 0;

	while (at < stream->out_len) {
		ssize_t done;

		if (wait_for(stream, POLLOUT) < 0)
			return -1;
		done =
		    write(stream->fd, stream->out + at, stream->out_len - at);
		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done <= 0)
			return -1;
		at += (size_t)done;
	}
	stream->out_len = 0;
	return 0;
}

int
smtp_stream_write(struct smtp_stream *stream, const void *data, size_t len)
{
	const char *from = data;

	while (len > 0) {
		size_t room = sizeof(stream->out) - stream->out_len;
		size_t part = len < room ? len : room;

		memcpy(stream->out + stream->out_len, from, part);
		stream->out_len += part;
		from += part;
		len -= part;
		if (stream->out_len == sizeof(stream->out) &&
		    smtp_stream_flush(stream) < 0)
			return -1;
	}
	return 0;
}

int
smtp_stream_format(struct smtp_stream *stream, const char *format, ...)
{
	char text[SMTP_LINE_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -1;
	return smtp_stream_write(stream, text, (size_t)len);
}

/* SPDX-License-Identifier: ISC
 *
 * Output for people. Everything that came from a message goes through
 * terminal_escape, also into a pipe: the next program may be a terminal.
 */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "file_name.h"
#include "memory.h"

#define REDRAW_MS 200
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

char *
terminal_escape(const char *hostile)
{
	char *text, *out;
	const char *in = hostile != NULL ? hostile : "";
	size_t len, i;
	long code;

	/* Four characters for each byte at worst. */
	out = text = x_malloc(4 * strlen(in) + 1);
	for (; (len = file_name_next(in, &code)) > 0; in += len) {
		if (!file_name_code_is_bad(code)) {
			memcpy(out, in, len);
			out += len;
			continue;
		}
		for (i = 0; i < len; i++)
			out +=
			    snprintf(out, 5, "\\x%02x", (unsigned char)in[i]);
	}
	*out = '\0';
	return text;
}

/* Two halves beyond 16 bits (RFC 8259, 7); the characters written. */
static size_t
format_code(uint32_t code, char text_r[13])
{
	if (code < 0x10000)
		return (size_t)snprintf(text_r, 13, "\\u%04x", code);
	code -= 0x10000;
	return (size_t)snprintf(text_r, 13, "\\u%04x\\u%04x",
	    0xd800 | code >> 10, 0xdc00 | (code & 0x3ff));
}

char *
terminal_escape_json(const char *json)
{
	char text[13], *copy;
	struct buffer out;
	size_t len;
	long code;

	/* Six characters for each byte at worst. */
	buffer_init(&out, 6 * strlen(json));
	for (; (len = file_name_next(json, &code)) > 0; json += len) {
		if (!file_name_code_is_bad(code))
			buffer_add(&out, json, len);
		else if (code < 0)
			buffer_add_string(&out, REPLACEMENT);
		else
			buffer_add(&out, text,
			    format_code((uint32_t)code, text));
	}
	copy = x_strdup(buffer_string(&out));
	buffer_free(&out);
	return copy;
}

void
terminal_format_size(int64_t bytes, char text_r[TERMINAL_SIZE_SIZE])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(text_r, TERMINAL_SIZE_SIZE, "%lld bytes",
		    (long long)bytes);
		return;
	}
	while (value >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units)) {
		value /= 1000;
		unit++;
	}
	snprintf(text_r, TERMINAL_SIZE_SIZE, "%.1f %s", value, units[unit]);
}

/* Cuts to whole characters so that the line stays within the screen. */
static void
set_label(char *label, size_t size, const char *text)
{
	char *escaped = terminal_escape(text);
	size_t at = 0, len;
	long code;

	while (
	    (len = file_name_next(escaped + at, &code)) > 0 && at + len < size)
		at += len;
	memcpy(label, escaped, at);
	label[at] = '\0';
	free(escaped);
}

void
terminal_progress_begin(struct terminal_progress *progress, FILE *out,
    const char *label, int64_t total, int64_t now_ms)
{
	memset(progress, 0, sizeof(*progress));
	progress->out = isatty(fileno(out)) ? out : NULL;
	progress->total = total;
	progress->started_ms = now_ms;
	/* Nothing is drawn for what is over at once. */
	progress->drawn_ms = now_ms;
	set_label(progress->label, 36, label);
}

void
terminal_progress_format(const struct terminal_progress *progress, int64_t done,
    int64_t now_ms, char text_r[TERMINAL_LINE_SIZE])
{
	char size[TERMINAL_SIZE_SIZE], rate[TERMINAL_SIZE_SIZE];
	int64_t elapsed = now_ms - progress->started_ms;
	int percent;

	terminal_format_size(done, size);
	terminal_format_size(elapsed > 0 ? done * 1000 / elapsed : 0, rate);
	if (progress->total <= 0) {
		snprintf(text_r, TERMINAL_LINE_SIZE, "%s  %s  %s/s",
		    progress->label, size, rate);
		return;
	}
	percent = (int)((double)done * 100 / (double)progress->total);
	snprintf(text_r, TERMINAL_LINE_SIZE, "%s  %3d%%  %s  %s/s",
	    progress->label, percent > 100 ? 100 : percent, size, rate);
}

void
terminal_progress_set(struct terminal_progress *progress, int64_t done,
    int64_t now_ms)
{
	char line[TERMINAL_LINE_SIZE];

	if (progress->out == NULL || now_ms - progress->drawn_ms < REDRAW_MS)
		return;
	progress->drawn_ms = now_ms;
	terminal_progress_format(progress, done, now_ms, line);
	/* Back to column one, the line, erase what stood behind it. */
	fprintf(progress->out, "\r%s\033[K", line);
	fflush(progress->out);
}

void
terminal_progress_end(struct terminal_progress *progress)
{
	if (progress->out == NULL)
		return;
	if (progress->drawn_ms != progress->started_ms) {
		fputs("\r\033[K", progress->out);
		fflush(progress->out);
	}
	progress->out = NULL;
}

/* SPDX-License-Identifier: ISC
 *
 * Log lines. Values come from outside: everything but printable ASCII is
 * escaped, so one event is one line whatever it quotes, and a terminal that
 * shows it is not harmed. A line that would be too long is cut.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set once at start, then only read: the one exception from "no globals". */
static struct {
	const char *daemon;
	enum log_level lowest;
	bool journal; /* systemd reads our stderr and understands <N> */
} log_state = { "cargomail", LOG_INFO, false };

static const char *const log_key_names[LOG_KEY_COUNT] = {
#define LOG_KEY(symbol, name, meaning) [LOG_KEY_##symbol] = (name),
#include "log_keys.h"
#undef LOG_KEY
};

static const int log_priority[] = { 7, 6, 4, 3 }; /* as in syslog(3) */

void
log_open(const char *daemon, enum log_level lowest)
{
	log_state.daemon = daemon;
	log_state.lowest = lowest;
	log_state.journal = getenv("JOURNAL_STREAM") != NULL;
}

const char *
log_key_name(enum log_key key)
{
	return key < LOG_KEY_COUNT ? log_key_names[key] : "";
}

static void
log_add(struct log_line *line, const char *text, size_t len)
{
	/* Some room stays for closing quotes and the newline. */
	size_t max = sizeof(line->text) - 64;
	size_t room = line->len < max ? max - line->len : 0;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += (unsigned)len;
}

static void
log_add_escaped(struct log_line *line, const char *value)
{
	char one[5];

	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '"' || *p == '\\') {
			snprintf(one, sizeof(one), "\\%c", *p);
			log_add(line, one, 2);
		} else if (*p >= 0x20 && *p < 0x7f) {
			log_add(line, (const char *)p, 1);
		} else {
			snprintf(one, sizeof(one), "\\x%02x", *p);
			log_add(line, one, 4);
		}
	}
}

/* Bare if it is one plain word, else quoted. */
static void
log_add_value(struct log_line *line, const char *value)
{
	bool plain = *value != '\0';

	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\' ||
		    *p == '=')
			plain = false;
	if (plain) {
		log_add(line, value, strlen(value));
		return;
	}
	log_add(line, "\"", 1);
	log_add_escaped(line, value);
	if (line->len < sizeof(line->text) - 1)
		line->text[line->len++] = '"';
}

void
log_begin(struct log_line *line, enum log_level level, const char *id,
    const char *verb)
{
	char head[160];

	line->level = level;
	line->len = 0;
	if (log_state.journal) {
		snprintf(head, sizeof(head), "<%d>", log_priority[level]);
		log_add(line, head, strlen(head));
	}
	log_add_escaped(line, id != NULL && *id != '\0' ? id : "-");
	snprintf(head, sizeof(head), " %s %s", log_state.daemon, verb);
	log_add(line, head, strlen(head));
}

void
log_string(struct log_line *line, enum log_key key, const char *value)
{
	if (value == NULL)
		return;
	log_add(line, " ", 1);
	log_add(line, log_key_name(key), strlen(log_key_name(key)));
	log_add(line, "=", 1);
	log_add_value(line, value);
}

void
log_number(struct log_line *line, enum log_key key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	log_string(line, key, text);
}

void
log_reason(struct log_line *line, const struct reason *why)
{
	log_string(line, LOG_KEY_OUTCOME, outcome_name(why->outcome));
	if (why->outcome == OUTCOME_OK)
		return;
	log_string(line, LOG_KEY_REASON, why->word);
	log_string(line, LOG_KEY_DETAIL, why->text);
}

void
log_end(struct log_line *line)
{
	ssize_t n;

	if (line->level < log_state.lowest)
		return;
	line->text[line->len++] = '\n';
	/* One write a line, so that lines of several processes stay whole. */
	do
		n = write(STDERR_FILENO, line->text, line->len);
	while (n == -1 && errno == EINTR);
}

static void
log_text_list(enum log_level level, const char *id, const char *verb,
    const char *format, va_list args)
{
	struct log_line line;
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	log_begin(&line, level, id, verb);
	log_string(&line, LOG_KEY_DETAIL, text);
	log_end(&line);
}

void
log_text(enum log_level level, const char *id, const char *verb,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text_list(level, id, verb, format, args);
	va_end(args);
}

void
log_fatal(int exit_code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text_list(LOG_ERROR, "-", "fatal", format, args);
	va_end(args);
	exit(exit_code);
}

void
log_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_text_list(LOG_ERROR, "-", "panic", format, args);
	va_end(args);
	abort();
}

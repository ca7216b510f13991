/* SPDX-License-Identifier: ISC
 *
 * One line an event on standard error:
 *
 *   <id> <daemon> <verb> key=value key="quoted value" ...
 *
 * Keys come from the table in log_keys.h, which the manual lists. Values
 * from outside are escaped, never secrets or message bodies. An error is
 * logged once, where the id is known. Severities:
 *   debug    for developers, off unless asked
 *   info     what happened, one line a step
 *   warning  something outside is wrong, we went on
 *   error    something of ours is wrong, we went on
 * A daemon that cannot start says one line through log_fatal and exits; an
 * invariant of ours that is broken aborts through log_panic.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "outcome.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_key {
#define LOG_KEY(symbol, name, meaning) LOG_KEY_##symbol,
#include "log_keys.h"
#undef LOG_KEY
	LOG_KEY_COUNT
};

#define LOG_LINE_MAX 2048

/* A line under construction; on the caller's stack, nothing to free. */
struct log_line {
	enum log_level level;
	unsigned len;
	char text[LOG_LINE_MAX];
};

/* Sets the daemon's name (kept, not copied) and the lowest level written.
 * Called once by main. */
void log_open(const char *daemon, enum log_level lowest);

/* `id` names the transaction (Postfix's queue id, a message id, a
 * connection), "-" if there is none; `verb` is one lower-case word. */
void log_begin(struct log_line *line, enum log_level level, const char *id,
    const char *verb);
void log_string(struct log_line *line, enum log_key key, const char *value);
void log_number(struct log_line *line, enum log_key key, int64_t value);
/* outcome=, reason= and detail= of a reason. */
void log_reason(struct log_line *line, const struct reason *why);
void log_end(struct log_line *line);

/* A short line: verb and detail="..." only. */
void log_text(enum log_level level, const char *id, const char *verb,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The name of a key, "" beyond the table; its meaning. For tests. */
const char *log_key_name(enum log_key key);

/* One line, then exit with a code of sysexits.h. Only while starting. */
void log_fatal(int exit_code, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* One line, then abort: a bug of ours. */
void log_panic(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#endif

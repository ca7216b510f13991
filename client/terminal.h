/* SPDX-License-Identifier: ISC
 *
 * What cargomail(1) shows to people: text from messages, escaped, and the
 * progress of a transfer on a terminal. In a pipe there is no progress.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdint.h>
#include <stdio.h>

/* `hostile` (NULL counts as "") with every character that could steer a
 * terminal or hide text written as \xNN. The caller frees. */
char *terminal_escape(const char *hostile);

/* The same for JSON that is written out: each such character as \uXXXX, which
 * means the same, and each byte that is no UTF-8 as U+FFFD, without which it
 * would be no JSON. The caller frees. */
char *terminal_escape_json(const char *json);

/* "87.3 MB", "512 bytes" (units of 1000). */
#define TERMINAL_SIZE_SIZE 32
void terminal_format_size(int64_t bytes, char text_r[TERMINAL_SIZE_SIZE]);

/*
 * One transfer's progress line. `total` is in bytes, -1 if it is not known;
 * `label` is escaped and copied. Redrawn at most five times a second by
 * terminal_progress_set, with `done` bytes at `now_ms` of the monotonic
 * clock; terminal_progress_end wipes the line. All do nothing if `out` was
 * no terminal when it began.
 */
struct terminal_progress {
	FILE *out; /* NULL: silent */
	char label[64];
	int64_t total;
	int64_t started_ms, drawn_ms;
};
void terminal_progress_begin(struct terminal_progress *progress, FILE *out,
    const char *label, int64_t total, int64_t now_ms);
void terminal_progress_set(struct terminal_progress *progress, int64_t done,
    int64_t now_ms);
void terminal_progress_end(struct terminal_progress *progress);

/* The line itself, for tests: at most 79 columns. */
#define TERMINAL_LINE_SIZE 160
void terminal_progress_format(const struct terminal_progress *progress,
    int64_t done, int64_t now_ms, char text_r[TERMINAL_LINE_SIZE]);

#endif

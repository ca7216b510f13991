/* SPDX-License-Identifier: ISC
 *
 * Time. Logic takes `now` as a parameter (seconds since 1970, UTC) so that
 * tests set it; only loops and edges call these. All text is UTC: a chroot
 * has no zone files.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_SIZE 40

/* Seconds since 1970. */
int64_t clock_now(void);

/* False before 2024, when nothing of this was written: a clock that starts at
 * 1970 makes every token and certificate look wrong, and shares last. */
bool clock_is_plausible(int64_t now);

/* Milliseconds from an arbitrary start, never backwards. */
int64_t clock_monotonic_ms(void);

/* "Sat, 5 Dec 2026 14:05:01 +0000" (RFC 5322). */
void clock_format_mail(int64_t when, char text_r[CLOCK_TEXT_SIZE]);

/* A date of RFC 5322 in any zone, with or without day name and seconds.
 * 0, or -1. */
int clock_parse_mail(const char *text, int64_t *when_r);

/* "2026-12-05T14:05:01Z" (RFC 3339). */
void clock_format_internet(int64_t when, char text_r[CLOCK_TEXT_SIZE]);

#endif

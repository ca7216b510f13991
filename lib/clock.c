/* SPDX-License-Identifier: ISC
 *
 * Time and its texts. Dates of mail are hostile input; reading them is a
 * few fields in fixed order, for which strptime would need a locale and the
 * zone of the machine, so it is done here.
 */
#include "clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CLOCK_EARLIEST 1704067200 /* 2024-01-01 */

static const char *const clock_days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	"Fri", "Sat" };
static const char *const clock_months[] = { "Jan", "Feb", "Mar", "Apr", "May",
	"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

int64_t
clock_now(void)
{
	return (int64_t)time(NULL);
}

bool
clock_is_plausible(int64_t now)
{
	return now >= CLOCK_EARLIEST;
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
clock_format_mail(int64_t when, char text_r[CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(text_r, CLOCK_TEXT_SIZE, "%s, %d %s %d %02d:%02d:%02d +0000",
	    clock_days[tm.tm_wday], tm.tm_mday, clock_months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
clock_format_internet(int64_t when, char text_r[CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text_r, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void
clock_skip_space(const char **at)
{
	while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n')
		(*at)++;
}

/* Reads min to max digits; -1 if there are not as many. */
static int
clock_number(const char **at, int min, int max)
{
	int value = 0, digits = 0;

	while (digits < max && isdigit((unsigned char)**at)) {
		value = value * 10 + (*(*at)++ - '0');
		digits++;
	}
	return digits >= min ? value : -1;
}

static int
clock_month(const char **at)
{
	for (int i = 0; i < 12; i++)
		if (strncasecmp(*at, clock_months[i], 3) == 0) {
			*at += 3;
			return i;
		}
	return -1;
}

/* "+0100", "-0330", "GMT", "UT", "Z": seconds east, or -1 for none. The
 * other alphabetic zones of RFC 5322 count as +0000, as it says. */
static int
clock_zone(const char **at, int *east_r)
{
	int sign, digits;

	if (isalpha((unsigned char)**at)) {
		while (isalpha((unsigned char)**at))
			(*at)++;
		*east_r = 0;
		return 0;
	}
	if (**at != '+' && **at != '-')
		return -1;
	sign = *(*at)++ == '-' ? -1 : 1;
	digits = clock_number(at, 4, 4);
	if (digits < 0 || digits % 100 > 59)
		return -1;
	*east_r = sign * (digits / 100 * 3600 + digits % 100 * 60);
	return 0;
}

static int
clock_time_of_day(const char **at, struct tm *tm)
{
	if ((tm->tm_hour = clock_number(at, 2, 2)) < 0 || *(*at)++ != ':' ||
	    (tm->tm_min = clock_number(at, 2, 2)) < 0)
		return -1;
	if (**at == ':') {
		(*at)++;
		if ((tm->tm_sec = clock_number(at, 2, 2)) < 0)
			return -1;
	}
	return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? -1 : 0;
}

int
clock_parse_mail(const char *text, int64_t *when_r)
{
	struct tm tm = { 0 };
	int east;

	clock_skip_space(&text);
	if (isalpha((unsigned char)*text)) { /* the day's name proves nothing */
		while (isalpha((unsigned char)*text))
			text++;
		if (*text++ != ',')
			return -1;
		clock_skip_space(&text);
	}
	if ((tm.tm_mday = clock_number(&text, 1, 2)) < 1 || tm.tm_mday > 31)
		return -1;
	clock_skip_space(&text);
	if ((tm.tm_mon = clock_month(&text)) < 0)
		return -1;
	clock_skip_space(&text);
	if ((tm.tm_year = clock_number(&text, 4, 4) - 1900) < 70)
		return -1;
	clock_skip_space(&text);
	if (clock_time_of_day(&text, &tm) != 0)
		return -1;
	clock_skip_space(&text);
	if (clock_zone(&text, &east) != 0)
		return -1;
	clock_skip_space(&text);
	if (*text != '\0' && *text != '(') /* a comment may follow */
		return -1;
	*when_r = (int64_t)timegm(&tm) - east;
	return 0;
}

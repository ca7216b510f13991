/* SPDX-License-Identifier: ISC
 *
 * Clocks. Tokens allow 60 seconds either way, so this host and those it
 * talks to must agree; the Date of their HTTP answers tells.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "check_origin.h"
#include "clock.h"
#include "memory.h"

#define LEEWAY 60 /* seconds, of every token (grip(7)) */
#define ODD 10

/* True if there was a clock to compare with. */
static bool
compare(struct check *check, const struct check_origin *origin)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t off;

	if (origin == NULL || origin->own || origin->reply.date == 0)
		return false;
	clock_format_internet(origin->now, text);
	off = origin->now - origin->reply.date;
	if (llabs(off) <= ODD) {
		check_say(check, CHECK_OK, origin->url,
		    "clocks agree within %d s", ODD);
		return true;
	}
	check_say(check, llabs(off) >= LEEWAY ? CHECK_FAIL : CHECK_WARN,
	    origin->url, "our clock (%s) is %lld s %s its own", text,
	    llabs(off), off > 0 ? "ahead of" : "behind");
	check_why(check,
	    "tokens are good for 60 s more or less; beyond that it refuses "
	    "ours, or we refuse its (\"time\")");
	check_cure(check,
	    "run a time daemon (systemd-timesyncd or chrony) here; compare "
	    "with a third clock");
	return true;
}

void
check_time(struct check *check)
{
	const struct check_origins *origins;
	int64_t now = check->world->now(check->world->arg);
	char text[CLOCK_TEXT_SIZE];
	size_t compared = 0;

	clock_format_internet(now, text);
	if (!clock_is_plausible(now)) {
		check_say(check, CHECK_FAIL, "", "the clock says %s", text);
		check_why(check, "no daemon starts with such a clock");
		check_cure(check,
		    "set it: systemctl restart "
		    "systemd-timesyncd, or chronyc makestep");
		return;
	}
	origins = check_origins(check);
	for (size_t i = 0; i < origins->count; i++)
		compared += compare(check, &origins->items[i]);
	compared += compare(check, check_origin_peer(check));
	if (compared == 0)
		check_say(check, CHECK_OK, "",
		    "the clock says %s; there is no mailbox of others to "
		    "compare it with (--peer names one)",
		    text);
}

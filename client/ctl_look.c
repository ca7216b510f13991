/* SPDX-License-Identifier: ISC
 *
 * cargomailctl flush, config: small questions to gripd and to the
 * daemons' own -n.
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "check.h"
#include "check_world.h"
#include "json_strict.h"
#include "terminal.h"

static void
show_flush(const cJSON *packet, void *context)
{
	int64_t flushed;

	(void)context;
	if (json_integer(packet, "flushed", 0, JSON_MAX_INTEGER, &flushed) == 0)
		printf("forgot %lld verdicts\n", (long long)flushed);
}

int
ctl_flush(const struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return EX_USAGE;
	return ctl_ask(ctl, "gripd-resolve", ctl_request("flush"), show_flush,
	    NULL);
}

/* What a daemon complains of, or that its file is good. */
static void
show_file(const struct check_line *line, void *arg)
{
	char *subject = terminal_escape(line->subject);
	char *what = terminal_escape(line->what);

	(void)arg;
	fprintf(line->level == CHECK_OK ? stdout : stderr, "%s: %s\n", subject,
	    what);
	free(subject);
	free(what);
}

int
ctl_config(const struct ctl *ctl, int argc, char **argv)
{
	struct check check = { .world = &check_world_real, .root = "" };
	int worst;

	(void)ctl;
	if (argc != 2 || strcmp(argv[1], "-n") != 0)
		return EX_USAGE;
	check_config_read(check.root, &check.config);
	worst = check_run(&check, "configuration", show_file, NULL);
	check_close(&check);
	return worst == CHECK_OK ? 0 : EX_CONFIG;
}

/* SPDX-License-Identifier: ISC
 *
 * cargomailctl check: prints what the checks say. Exit codes are those of
 * monitoring plug-ins, not of sysexits.h.
 */
#include "ctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "check_world.h"
#include "json_strict.h"
#include "terminal.h"

static const char *const levels[] = { "ok", "warn", "fail" };

struct show {
	bool json, quiet;
	unsigned counts[3];
};

static void
show_text(const struct check_line *line)
{
	char *subject = terminal_escape(line->subject);
	char *what = terminal_escape(line->what);
	char *why = terminal_escape(line->why);
	char *cure = terminal_escape(line->cure);

	printf("%-4s  %s: %s%s%s\n", levels[line->level], line->name, subject,
	    subject[0] != '\0' ? ": " : "", what);
	if (why[0] != '\0')
		printf("      why: %s\n", why);
	if (cure[0] != '\0')
		printf("      do:  %s\n", cure);
	free(subject);
	free(what);
	free(why);
	free(cure);
}

static void
show_json(const struct check_line *line)
{
	cJSON *object = cJSON_CreateObject();

	json_add_string(object, "check", line->name);
	json_add_string(object, "level", levels[line->level]);
	json_add_string(object, "subject", line->subject);
	json_add_string(object, "what", line->what);
	if (line->why != NULL)
		json_add_string(object, "why", line->why);
	if (line->cure != NULL)
		json_add_string(object, "do", line->cure);
	ctl_print_json(object);
	cJSON_Delete(object);
}

static void
show_line(const struct check_line *line, void *arg)
{
	struct show *show = arg;

	show->counts[line->level]++;
	if (show->quiet && line->level == CHECK_OK)
		return;
	if (show->json)
		show_json(line);
	else
		show_text(line);
	fflush(stdout);
}

static void
list_checks(void)
{
	for (const struct check_item *item = check_items; item->name != NULL;
	     item++)
		printf("%-14s %s\n", item->name, item->about);
}

int
ctl_check(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "canary", required_argument, NULL, 'c' },
		{ "from", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "list", no_argument, NULL, 'l' },
		{ "peer", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	struct check check = { .world = &check_world_real, .root = "" };
	struct show show = { .json = ctl->json };
	int option, worst;

	signal(SIGPIPE, SIG_IGN); /* of servers that hang up */
	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'j')
			show.json = true;
		else if (option == 'c')
			check.canary = optarg;
		else if (option == 'f' && optarg[0] != '-' && optarg[0] != '\0')
			check.from = optarg;
		else if (option == 'p')
			check.peer = optarg;
		else if (option == 'q')
			show.quiet = true;
		else if (option == 'l')
			return list_checks(), 0;
		else
			return EX_USAGE;
	}
	if (argc - optind > 1)
		return EX_USAGE;
	check_config_read(check.root, &check.config);
	worst = check_run(&check, optind < argc ? argv[optind] : NULL,
	    show_line, &show);
	check_close(&check);
	if (worst < 0)
		return EX_USAGE;
	if (!show.json && !(show.quiet && worst == CHECK_OK))
		printf("%u ok, %u warn, %u fail\n", show.counts[CHECK_OK],
		    show.counts[CHECK_WARN], show.counts[CHECK_FAIL]);
	return worst;
}

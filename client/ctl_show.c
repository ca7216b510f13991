/* SPDX-License-Identifier: ISC
 *
 * cargomailctl status, fsck, gc
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "json_strict.h"
#include "terminal.h"

static const char *const daemons[] = { "gripd-sign", "gripd-resolve",
	"mailboxd", "retrievald", "broker", NULL };

/* One flat member as "daemon.name value". */
static void
show_member(const char *daemon, const cJSON *member)
{
	char when[CLOCK_TEXT_SIZE];
	char *name = terminal_escape(member->string), *text = NULL;

	if (strcmp(name, "since") == 0 && cJSON_IsNumber(member)) {
		clock_format_internet((int64_t)member->valuedouble, when);
		printf("%s.%s %s\n", daemon, name, when);
	} else if (cJSON_IsString(member)) {
		text = terminal_escape(cJSON_GetStringValue(member));
		printf("%s.%s %s\n", daemon, name, text);
	} else if (cJSON_IsNumber(member)) {
		printf("%s.%s %.0f\n", daemon, name, member->valuedouble);
	} else if (cJSON_IsBool(member)) {
		printf("%s.%s %s\n", daemon, name,
		    cJSON_IsTrue(member) ? "yes" : "no");
	}
	free(name);
	free(text);
}

static void
show_status(const cJSON *packet, void *context)
{
	static const char *const dull[] = { "outcome", "daemon", "last", NULL };
	const cJSON *member;
	size_t i;

	cJSON_ArrayForEach(member, packet)
	{
		for (i = 0; dull[i] != NULL; i++)
			if (strcmp(member->string, dull[i]) == 0)
				break;
		if (dull[i] == NULL)
			show_member(context, member);
	}
}

int
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	size_t i, answered = 0;
	char name[32];
	int code = 0, one;

	if (argc > 2)
		return EX_USAGE;
	for (i = 0; daemons[i] != NULL; i++) {
		if (argc == 2 && strcmp(argv[1], daemons[i]) != 0)
			continue;
		snprintf(name, sizeof(name), "%s", daemons[i]);
		one = ctl_ask(ctl, name, ctl_request("status"), show_status,
		    name);
		/* A daemon that is not there is another host's affair. */
		if (one == 0)
			answered++;
		else if (one != EX_UNAVAILABLE)
			code = one;
	}
	if (code != 0)
		return code;
	return answered > 0 ? 0 : EX_UNAVAILABLE;
}

static void
count_problems(const cJSON *packet, int64_t *problems)
{
	int64_t count;

	if (json_integer(packet, "problem_count", 0, JSON_MAX_INTEGER,
		&count) == 0)
		*problems = count;
}

static void
show_fsck(const cJSON *packet, void *context)
{
	const cJSON *problem, *member;
	char *name;

	cJSON_ArrayForEach(problem, json_array(packet, "problems"))
	{
		ctl_print_string(problem, "what", 0);
		ctl_print_string(problem, "where", 0);
		ctl_print_string(problem, "detail", 0);
		putchar('\n');
	}
	count_problems(packet, context);
	if (json_boolean(packet, "last") != 1)
		return;
	cJSON_ArrayForEach(member, packet)
	{
		if (!cJSON_IsNumber(member))
			continue;
		name = terminal_escape(member->string);
		printf("%s %.0f\n", name, member->valuedouble);
		free(name);
	}
}

int
ctl_fsck(const struct ctl *ctl, int argc, char **argv)
{
	bool deep = argc == 2 && strcmp(argv[1], "--deep") == 0;
	struct ctl patient = *ctl;
	cJSON *request;
	int64_t problems = 0;
	int code;

	if (argc != 1 && !deep)
		return EX_USAGE;
	patient.timeout_ms = CTL_TIMEOUT_STORE_MS;
	request = ctl_request("fsck");
	json_add_boolean(request, "deep", deep);
	code = ctl_ask(&patient, "mailboxd", request, show_fsck, &problems);
	if (code != 0)
		return code;
	return problems == 0 ? 0 : EX_DATAERR;
}

static void
show_gc(const cJSON *packet, void *context)
{
	int64_t files;

	(void)context;
	if (json_integer(packet, "files", 0, JSON_MAX_INTEGER, &files) == 0)
		printf("removed %lld files\n", (long long)files);
}

int
ctl_gc(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl patient = *ctl;

	(void)argv;
	if (argc != 1)
		return EX_USAGE;
	patient.timeout_ms = CTL_TIMEOUT_STORE_MS;
	return ctl_ask(&patient, "mailboxd", ctl_request("gc"), show_gc, NULL);
}

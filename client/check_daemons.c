/* SPDX-License-Identifier: ISC
 *
 * The daemons themselves: does the configuration stand, does each one
 * answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "memory.h"

static const struct daemon_entry {
	const char *name; /* as its admin socket is called */
	const char *program, *role; /* gripd -r ROLE */
	const char *file; /* its configuration, without .conf */
	const char *room; /* below base_directory */
	size_t wanted; /* offset of the flag in check_config */
} daemons[] = {
	{ "gripd-sign", "gripd", "sign", "gripd", "sign",
	    offsetof(struct check_config, gripd) },
	{ "gripd-resolve", "gripd", "resolve", "gripd", "resolve",
	    offsetof(struct check_config, gripd) },
	{ "mailboxd", "mailboxd", NULL, "mailboxd", "mailbox",
	    offsetof(struct check_config, mailboxd) },
	{ "retrievald", "retrievald", NULL, "retrievald", "retrieval",
	    offsetof(struct check_config, retrievald) },
	{ "broker", "broker", NULL, "broker", "broker",
	    offsetof(struct check_config, broker) },
};

#define DAEMON_COUNT (sizeof(daemons) / sizeof(daemons[0]))

static bool
is_wanted(const struct check *check, const struct daemon_entry *daemon)
{
	return *(const bool *)((const char *)&check->config + daemon->wanted);
}

/* Installed by a package, or by create-users: its room is there. */
static bool
has_room(const struct check *check, const struct daemon_entry *daemon)
{
	char *base = x_asprintf("%s/%s/run", check->config.grip.base_directory,
	    daemon->room);
	char *path = check_path(check, base);
	bool there = access(path, F_OK) == 0;

	free(base);
	free(path);
	return there;
}

/* The text of a log line's detail="...", or the line. */
static void
cut_detail(char *line)
{
	char *detail;

	line[strcspn(line, "\n")] = '\0';
	detail = strstr(line, "detail=");
	if (detail == NULL)
		return;
	detail += strlen("detail=");
	if (*detail == '"') {
		detail++;
		detail[strcspn(detail, "\"")] = '\0';
	}
	memmove(line, detail, strlen(detail) + 1);
}

static void
check_file(struct check *check, const struct daemon_entry *daemon)
{
	char *program = x_asprintf(PREFIX "/sbin/%s", daemon->program);
	char *file = x_asprintf(SYSCONFDIR "/cargomail/%s.conf", daemon->file);
	const char *argv[] = { program, "-n", "-c", file,
		daemon->role != NULL ? "-r" : NULL, daemon->role, NULL };
	int status;
	char *said = check->world->run(check->world->arg, argv, &status);

	cut_detail(said);
	if (status != 0 && daemon->role != NULL &&
	    strcmp(daemon->role, "sign") == 0 && geteuid() != 0) {
		/* It looks into the keys. */
		check_say(check, CHECK_OK, daemon->name,
		    "only root can tell whether %s and the keys are good",
		    file);
	} else if (status == 0) {
		check_say(check, CHECK_OK, daemon->name, "%s is good", file);
	} else if (status == -1) {
		check_say(check, CHECK_FAIL, daemon->name, "%s does not run",
		    program);
		check_why(check, "the file is there, the program is not");
		check_cure(check, "install it, or remove %s", file);
	} else {
		check_say(check, CHECK_FAIL, daemon->name, "%s", said);
		check_why(check,
		    "it would not start with this, or does not take it up");
		check_cure(check, "mend that, then: %s -n%s%s", program,
		    daemon->role != NULL ? " -r " : "",
		    daemon->role != NULL ? daemon->role : "");
	}
	free(said);
	free(program);
	free(file);
}

static void
say_no_file(struct check *check, const struct daemon_entry *daemon)
{
	check_say(check, CHECK_FAIL, daemon->name,
	    SYSCONFDIR "/cargomail/%s.conf is not there", daemon->file);
	check_why(check, "it is installed here, and does not start without");
	check_cure(check,
	    "cp " PREFIX "/share/cargomail/examples/%s.conf " SYSCONFDIR
	    "/cargomail/ and look through it",
	    daemon->file);
}

void
check_configuration(struct check *check)
{
	size_t wanted = 0;

	for (size_t i = 0; i < DAEMON_COUNT; i++)
		wanted += is_wanted(check, &daemons[i]);
	if (wanted == 0) {
		check_say(check, CHECK_FAIL, "", "nothing is configured here");
		check_why(check,
		    "no daemon has a file in " SYSCONFDIR "/cargomail");
		check_cure(check, "begin with: cargomailctl setup");
		return;
	}
	for (size_t i = 0; i < DAEMON_COUNT; i++)
		if (is_wanted(check, &daemons[i]))
			check_file(check, &daemons[i]);
		else if (has_room(check, &daemons[i]))
			say_no_file(check, &daemons[i]);
}

void
check_daemons(struct check *check)
{
	for (size_t i = 0; i < DAEMON_COUNT; i++) {
		const struct daemon_entry *daemon = &daemons[i];
		char *error = NULL;
		cJSON *answer;

		if (!is_wanted(check, daemon))
			continue;
		answer = check_ask(check, daemon->name, "status", &error);
		if (answer != NULL) {
			check_say(check, CHECK_OK, daemon->name, "answers");
		} else {
			check_say(check, CHECK_FAIL, daemon->name,
			    "does not answer: %s", error);
			check_why(check,
			    "the others wait for it; mail waits "
			    "in Postfix's queue");
			check_cure(check,
			    "systemctl restart cargomail-%s; else look at: "
			    "journalctl -u cargomail-%s -n 20",
			    daemon->name, daemon->name);
		}
		cJSON_Delete(answer);
		free(error);
	}
}

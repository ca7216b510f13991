/* SPDX-License-Identifier: ISC
 *
 * The store's room on disk, and how long pulls and mail have waited.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_strict.h"
#include "memory.h"
#include "terminal.h"

#define ATTEMPTS_ODD 6 /* by then more than an hour has passed */
#define FILES_ODD 10000
#define WAIT_ODD 3600 /* seconds in Postfix's queue */

static void
judge_bytes(struct check *check, const char *path, int64_t space)
{
	int64_t floor = check->config.mailbox.free_space_floor;
	char have[TERMINAL_SIZE_SIZE], least[TERMINAL_SIZE_SIZE];

	terminal_format_size(space, have);
	terminal_format_size(floor, least);
	if (space < floor) {
		check_say(check, CHECK_FAIL, path,
		    "%s free, less than free_space_floor (%s)", have, least);
		check_why(check,
		    "mailboxd takes nothing in (507, no-space); "
		    "senders try again for as long as their "
		    "shares last");
		check_cure(check,
		    "make room, or enlarge the disk; what "
		    "users let go of: cargomailctl gc");
	} else if (space / 2 < floor) {
		check_say(check, CHECK_WARN, path,
		    "%s free; below %s nothing is taken in", have, least);
		check_why(check, "one large message may be the last");
		check_cure(check,
		    "enlarge the disk, or lower quotas: "
		    "cargomailctl account list");
	} else {
		check_say(check, CHECK_OK, path, "%s free", have);
	}
}

void
check_store(struct check *check)
{
	struct check_room room;
	char *path, *full;

	if (!check->config.mailboxd)
		return;
	/* Where mailboxd measures: a disk may be mounted there. */
	path =
	    x_asprintf("%s/mailbox/store", check->config.grip.base_directory);
	full = check_path(check, path);
	if (check->world->room(check->world->arg, full, &room) != 0) {
		check_say(check, CHECK_FAIL, path, "is not there");
		check_why(check, "mailboxd keeps all it has there");
		check_cure(check,
		    PREFIX "/share/cargomail/create-users "
			   "mailbox; or mount it");
	} else if (room.read_only) {
		check_say(check, CHECK_FAIL, path, "is read-only");
		check_why(check,
		    "mailboxd takes nothing in, and lets nothing go");
		check_cure(check,
		    "dmesg tells why the kernel made it so; then: mount -o "
		    "remount,rw %s",
		    path);
	} else if (room.files < FILES_ODD) {
		check_say(check, CHECK_WARN, path,
		    "has room for %lld files more", (long long)room.files);
		check_why(check,
		    "each resource is a file; without room for one nothing "
		    "is taken in");
		check_cure(check,
		    "a file system with more inodes; what users let go of: "
		    "cargomailctl gc");
	} else {
		judge_bytes(check, path, room.bytes);
	}
	free(path);
	free(full);
}

/* ---- queues ------------------------------------------------------------ */

/* The origin that has failed most often. */
static void
judge_pulls(struct check *check, const cJSON *pulls)
{
	const cJSON *pull;
	const char *origin = NULL;
	int64_t most = 0, attempt;
	int late = 0;

	cJSON_ArrayForEach(pull, pulls)
	{
		if (json_integer(pull, "attempt", 0, INT32_MAX, &attempt) != 0)
			continue;
		late += attempt >= ATTEMPTS_ODD;
		if (attempt >= ATTEMPTS_ODD && attempt > most) {
			most = attempt;
			origin = json_string(pull, "origin");
		}
	}
	if (late == 0) {
		check_say(check, CHECK_OK, "pulls", "%d under way or due",
		    cJSON_GetArraySize(pulls));
		return;
	}
	check_say(check, CHECK_WARN, "pulls",
	    "%d of %d have failed %d times or more, most often from %s", late,
	    cJSON_GetArraySize(pulls), ATTEMPTS_ODD,
	    origin != NULL ? origin : "-");
	check_why(check,
	    "what is not pulled before its share ends is lost to "
	    "the recipient");
	check_cure(check,
	    "cargomailctl queue; why: journalctl -u "
	    "cargomail-retrievald | grep that origin");
}

static bool
is_ours(const cJSON *message)
{
	const cJSON *recipient;
	const char *reason;

	cJSON_ArrayForEach(recipient, json_array(message, "recipients"))
	{
		reason = json_string(recipient, "delay_reason");
		if (reason != NULL &&
		    (strstr(reason, "cargomail/") != NULL ||
			strstr(reason, "resource mailbox") != NULL))
			return true;
	}
	return false;
}

static void
check_postfix_queue(struct check *check)
{
	const char *argv[] = { "postqueue", "-j", NULL };
	int64_t now = check->world->now(check->world->arg), arrival;
	int status, ours = 0, late = 0;
	char *text = check->world->run(check->world->arg, argv, &status);
	char *rest = text, *line;

	while (status == 0 && (line = strsep(&rest, "\n")) != NULL) {
		cJSON *message = json_parse(line, strlen(line), NULL);

		if (is_ours(message)) {
			ours++;
			late += json_integer(message, "arrival_time", 0,
				    INT64_MAX, &arrival) == 0 &&
			    now - arrival > WAIT_ODD;
		}
		cJSON_Delete(message);
	}
	free(text);
	if (status != 0)
		return; /* `postfix` says so */
	if (late == 0) {
		check_say(check, CHECK_OK, "mail",
		    "%d in the queue for the broker", ours);
		return;
	}
	check_say(check, CHECK_WARN, "mail",
	    "%d in the queue for the broker for more than an hour", late);
	check_why(check,
	    "the broker or a destination has refused them for "
	    "now, again and again");
	check_cure(check, "mailq tells the reason; then: postqueue -f");
}

static void
say_unknown(struct check *check, const char *error)
{
	check_say(check, CHECK_WARN, "pulls", "cannot be counted: %s", error);
	check_why(check, "whether any has failed for long is not seen");
	check_cure(check,
	    "if \"daemons\" is well, look at them: cargomailctl queue");
}

void
check_queue(struct check *check)
{
	char *error = NULL;
	cJSON *answer;

	if (check->config.mailboxd) {
		answer = check_ask(check, "mailboxd", "queue", &error);
		if (answer != NULL)
			judge_pulls(check, json_array(answer, "pulls"));
		else
			say_unknown(check, error);
		cJSON_Delete(answer);
		free(error);
	}
	if (check->config.broker)
		check_postfix_queue(check);
}

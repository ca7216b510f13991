/* SPDX-License-Identifier: ISC
 *
 * After a key was replaced: the signer takes the new one up, old records are
 * watched until they are gone.
 */
#include "rotation.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "json_strict.h"
#include "memory.h"

#define SIGNER "cargomail-gripd-sign.service"
#define MAILBOX "cargomail-mailboxd.service"
#define LEEWAY 60 /* of clocks, grip(7) */

static void
say(const struct rotation *rotation, const char *text, int64_t when)
{
	char date[CLOCK_TEXT_SIZE];

	clock_format_internet(when, date);
	fprintf(rotation->out, "%s %s", text, date);
}

/* ---- taking up ---------------------------------------------------------- */

static bool
systemctl(const struct rotation *rotation, const char *verb, const char *unit)
{
	const char *const active[] = { "systemctl", "is-active", "--quiet",
		unit, NULL };
	const char *const argv[] = { "systemctl", verb, unit, NULL };

	return rotation_program(rotation, active) &&
	    rotation_program(rotation, argv);
}

/* The hash of the key that the signer has loaded; "" if it does not say. */
static void
ask_loaded(const struct rotation *rotation, char hash_r[SHA256_HEX_SIZE])
{
	cJSON *request = cJSON_CreateObject(), *answer;
	const cJSON *item;
	char *error = NULL;

	hash_r[0] = '\0';
	json_add_string(request, "verb", "identities");
	answer = rotation->world->ask(rotation->world->arg, "gripd-sign",
	    request, &error);
	cJSON_ArrayForEach(item, json_array(answer, "identities"))
	{
		const char *file = json_string(item, "file");
		const char *key = json_string(item, "key");

		if (file != NULL && strcmp(file, rotation->name) == 0 &&
		    key != NULL)
			snprintf(hash_r, SHA256_HEX_SIZE, "%s", key);
	}
	free(error);
	cJSON_Delete(answer);
}

static bool
is_server(const struct rotation *rotation)
{
	for (size_t i = 0; i < rotation->place_count; i++)
		if (strcmp(rotation->places[i].role, "mailbox") == 0 ||
		    strcmp(rotation->places[i].role, "web") == 0)
			return true;
	return false;
}

static int64_t
longest_lifetime(const struct rotation *rotation)
{
	int64_t longest = 0;

	for (size_t i = 0; i < rotation->place_count; i++)
		if (rotation->places[i].lifetime > longest)
			longest = rotation->places[i].lifetime;
	return longest > 0 ? longest + LEEWAY : 0;
}

/* Verdicts on the tokens of a lost key are remembered here, too. */
static void
flush(const struct rotation *rotation)
{
	cJSON *request = cJSON_CreateObject(), *answer;
	char *error = NULL;
	int64_t count = 0;

	json_add_string(request, "verb", "flush");
	answer = rotation->world->ask(rotation->world->arg, "gripd-resolve",
	    request, &error);
	json_integer(answer, "flushed", 0, JSON_MAX_INTEGER, &count);
	if (answer != NULL)
		fprintf(rotation->out,
		    "gripd here forgot %lld verdicts; on other hosts of yours: "
		    "cargomailctl flush\n",
		    (long long)count);
	free(error);
	cJSON_Delete(answer);
}

static void
say_lost(const struct rotation *rotation)
{
	flush(rotation);
	for (size_t i = 0; i < rotation->place_count; i++)
		if (strcmp(rotation->places[i].role, "broker") == 0) {
			fprintf(rotation->out,
			    "what was announced with the old key and not "
			    "fetched yet is refused once its record\nis gone: "
			    "announce it again, when the new one is "
			    "published: cargomailctl renotify --all\n");
			return;
		}
}

static int
say_not_taken(const struct rotation *rotation, bool answers)
{
	fprintf(rotation->out,
	    "%s: restart gripd -r sign,%s\nthen type this "
	    "again\n",
	    answers ? "the signer still has the old key, and is not a running "
		      "unit of systemd" :
		      "the new key is in its place, and the signer does not "
		      "answer",
	    is_server(rotation) ? " then send mailboxd a SIGHUP," : "");
	return EX_TEMPFAIL;
}

/* Keys are read at start only, and systemd passes them at start only. */
int
rotation_take_up(struct rotation *rotation)
{
	struct rotation_state *state = &rotation->state;
	char loaded[SHA256_HEX_SIZE];
	bool lost = false;

	ask_loaded(rotation, loaded);
	if (strcmp(loaded, rotation->present.hash) != 0 &&
	    systemctl(rotation, "restart", SIGNER))
		ask_loaded(rotation, loaded);
	if (strcmp(loaded, rotation->present.hash) != 0)
		return say_not_taken(rotation, loaded[0] != '\0');
	/* It has the old certificate until it asks again. */
	if (is_server(rotation))
		systemctl(rotation, "reload", MAILBOX);
	for (size_t i = 0; i < state->old_count; i++) {
		struct rotation_old *old = &state->old[i];

		if (old->since != 0)
			continue;
		old->since = rotation->now;
		old->until = rotation->now;
		if (old->bad)
			lost = true;
		else
			old->until += longest_lifetime(rotation);
	}
	if (rotation_save(rotation) != 0)
		return EX_IOERR;
	fprintf(rotation->out, "the signer has the new key\n");
	if (lost)
		say_lost(rotation);
	return 0;
}

bool
rotation_is_taken_up(const struct rotation *rotation)
{
	for (size_t i = 0; i < rotation->state.old_count; i++)
		if (rotation->state.old[i].since == 0)
			return false;
	return true;
}

/* ---- old records -------------------------------------------------------- */

/* 0 or 75; *forget_r: nothing is left to be said of it. */
static int
watch_bad(const struct rotation *rotation, const struct rotation_old *old,
    bool *forget_r)
{
	switch (rotation_find(rotation, old->key)) {
	case ROTATION_GONE:
		fprintf(rotation->out,
		    "the record of the compromised key is gone\n");
		*forget_r = true;
		return 0;
	case ROTATION_THERE:
		fprintf(rotation->out,
		    "drop from the DNS at once; until it is gone whoever has "
		    "the compromised key can\nspeak in your name:\n");
		break;
	case ROTATION_UNKNOWN:
		fprintf(rotation->out,
		    "cannot see whether the DNS still has this; it must go at "
		    "once:\n");
		break;
	}
	rotation_print(rotation, old->key);
	*forget_r = rotation->force;
	return rotation->force ? 0 : EX_TEMPFAIL;
}

static int
watch_needed(const struct rotation *rotation, const struct rotation_old *old)
{
	bool gone = rotation_find(rotation, old->key) == ROTATION_GONE;

	say(rotation,
	    gone ? "the old record is gone too early: tokens of the old key "
		   "are refused. Put it back until\n" :
		   "keep the old record, for tokens of the old key, until",
	    old->until);
	fprintf(rotation->out, ":\n");
	rotation_print(rotation, old->key);
	if (gone)
		return EX_TEMPFAIL;
	fprintf(rotation->out, "type this again after that\n");
	return 0;
}

static int
watch_over(const struct rotation *rotation, const struct rotation_old *old,
    bool *forget_r)
{
	enum rotation_found found = rotation_find(rotation, old->key);

	if (found == ROTATION_GONE || rotation->force) {
		fprintf(rotation->out,
		    "the DNS has no record of the old key%s\n",
		    found == ROTATION_GONE ? "" : ", it is said");
		*forget_r = true;
		return 0;
	}
	fprintf(rotation->out, "%s; nothing needs it any more:\n",
	    found == ROTATION_THERE ?
		"drop the old record from the DNS" :
		"cannot see whether the DNS still has the old record");
	rotation_print(rotation, old->key);
	fprintf(rotation->out, "then type this again\n");
	return EX_TEMPFAIL;
}

/* The present key is published, or it is said. */
static int
watch_present(const struct rotation *rotation)
{
	bool unpinned = true;

	for (size_t i = 0; i < rotation->place_count; i++)
		if (strcmp(rotation->places[i].role, "broker") == 0 ||
		    strcmp(rotation->places[i].role, "agent") == 0)
			unpinned = false;
	for (size_t i = 0; i < rotation->state.old_count; i++)
		if (rotation_find(rotation, rotation->state.old[i].key) ==
		    ROTATION_THERE)
			unpinned = false;
	if (unpinned ||
	    rotation_find(rotation, rotation->present.hash) != ROTATION_GONE)
		return 0;
	fprintf(rotation->out, "publish the new key:\n");
	rotation_print(rotation, rotation->present.hash);
	return EX_TEMPFAIL;
}

int
rotation_watch(struct rotation *rotation)
{
	struct rotation_state *state = &rotation->state;
	int code = watch_present(rotation), one;

	for (size_t i = 0; i < state->old_count;) {
		const struct rotation_old *old = &state->old[i];
		bool forget = false;

		if (old->bad)
			one = watch_bad(rotation, old, &forget);
		else if (rotation->now < old->until)
			one = watch_needed(rotation, old);
		else
			one = watch_over(rotation, old, &forget);
		if (one != 0)
			code = one;
		if (forget)
			rotation_state_remove(state, i);
		else
			i++;
	}
	if (rotation_save(rotation) != 0)
		return EX_IOERR;
	if (state->old_count == 0 && code == 0)
		fprintf(rotation->out, "the rotation is over\n");
	return code;
}

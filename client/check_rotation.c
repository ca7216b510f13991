/* SPDX-License-Identifier: ISC
 *
 * Old records: see check_rotation.h. What is remembered of a rotation is
 * root's; the answer may be anybody's.
 */
#include "check_rotation.h"

#include <stdlib.h>

#include "clock.h"
#include "memory.h"
#include "published_key.h"
#include "rotation_state.h"

struct sight {
	struct check *check;
	const char *file; /* of the key */
	const char *owner; /* of the record */
	const char *text; /* of the old key's record */
	bool there; /* the DNS has it */
};

static void
say_compromised(const struct sight *sight)
{
	check_say(sight->check, CHECK_FAIL, sight->owner,
	    "still publishes the key that was compromised");
	check_why(sight->check, "who has that key can speak in our name");
	check_cure(sight->check,
	    "drop at once: %s. IN TXT \"%s\"; then: cargomailctl keys rotate "
	    "%s",
	    sight->owner, sight->text, sight->file);
}

static void
say_early(const struct sight *sight, const char *date)
{
	check_say(sight->check, CHECK_WARN, sight->owner,
	    "has lost the record of the key before, which is needed until %s",
	    date);
	check_why(sight->check,
	    "tokens of that key, for what others have not fetched yet, are "
	    "refused (\"published\")");
	check_cure(sight->check, "put back until then: %s. IN TXT \"%s\"",
	    sight->owner, sight->text);
}

static void
say_overdue(const struct sight *sight, const char *date)
{
	check_say(sight->check, CHECK_WARN, sight->owner,
	    "still publishes the key before, which nothing needs since %s",
	    date);
	check_why(sight->check,
	    "a key that is in the DNS is believed, whoever finds it in an old "
	    "backup");
	check_cure(sight->check,
	    "drop: %s. IN TXT \"%s\"; then: cargomailctl keys rotate %s",
	    sight->owner, sight->text, sight->file);
}

static void
say_not_taken_up(const struct sight *sight)
{
	check_say(sight->check, CHECK_WARN, sight->file,
	    "has a new key, and nobody saw the signer take it up");
	check_why(sight->check, "the rotation has stopped half way");
	check_cure(sight->check, "cargomailctl keys rotate %s", sight->file);
}

static void
judge_old(const struct sight *sight, const struct rotation_old *old)
{
	const struct check_world *world = sight->check->world;
	char date[CLOCK_TEXT_SIZE];
	bool needed = world->now(world->arg) < old->until;

	clock_format_internet(old->until, date);
	if (old->since == 0)
		say_not_taken_up(sight);
	else if (old->bad && sight->there)
		say_compromised(sight);
	else if (!old->bad && needed && !sight->there)
		say_early(sight, date);
	else if (!old->bad && !needed && sight->there)
		say_overdue(sight, date);
}

void
check_rotation(struct check *check, const char *file, const char *owner,
    const cJSON *answer)
{
	struct sight sight = { check, file, owner, NULL, false };
	char *keys = check_path(check, check->config.grip.keys_directory);
	char text[GRIP_RECORD_TEXT_SIZE], *error = NULL;
	struct rotation_state state;

	if (rotation_state_read(keys, file, &state, &error) != 0) {
		check_say(check, CHECK_WARN, file,
		    "what is pending of its rotation cannot be told: %s",
		    error);
		check_why(check, "old records may stay for ever, or go early");
		check_cure(check, "cargomailctl keys list, then look at it");
	}
	for (size_t i = 0; i < state.old_count; i++) {
		published_key_text(state.old[i].key, text);
		sight.text = text;
		sight.there = published_key_in(answer, state.old[i].key);
		judge_old(&sight, &state.old[i]);
	}
	rotation_state_free(&state);
	free(error);
	free(keys);
}

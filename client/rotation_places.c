/* SPDX-License-Identifier: ISC
 *
 * Where the records of a key stand, and whether others see them. A record
 * that is new to us may be unknown to others for as long as the answer
 * without it may be remembered: the TTL that came with ours bounds that, since
 * ours was asked for after the change.
 */
#include "rotation.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "json_strict.h"
#include "memory.h"
#include "terminal.h"

#define LIFETIME_BROKER (14 * 86400) /* what grip(7) allows */
#define LIFETIME_AGENT 300

static int64_t
lifetime_of(const cJSON *identity, const char *role)
{
	int64_t longest = strcmp(role, "broker") == 0 ? LIFETIME_BROKER :
	    strcmp(role, "agent") == 0		      ? LIFETIME_AGENT :
							0;
	int64_t own;

	/* A policy that was longer once is not known any more. */
	if (json_integer(identity, "lifetime", 0, longest, &own) == 0)
		return own;
	return longest;
}

static void
look_at(const struct rotation *rotation, struct rotation_place *place)
{
	cJSON *request = cJSON_CreateObject();
	const char *target;

	json_add_string(request, "verb", "lookup");
	json_add_string(request, "name", place->owner);
	json_add_string(request, "type", "TXT");
	place->answer = rotation->world->ask(rotation->world->arg,
	    "gripd-resolve", request, &place->error);
	target = json_string(place->answer, "target");
	if (target != NULL && target[0] != '\0') {
		free(place->target);
		place->target = terminal_escape(target);
	}
}

void
rotation_look(struct rotation *rotation)
{
	const cJSON *identity;

	rotation->places =
	    x_calloc((size_t)cJSON_GetArraySize(rotation->identities) + 1,
		sizeof(*rotation->places));
	cJSON_ArrayForEach(identity, rotation->identities)
	{
		struct rotation_place *place =
		    &rotation->places[rotation->place_count++];

		place->name = json_string(identity, "name");
		place->role = json_string(identity, "role");
		place->lifetime = lifetime_of(identity, place->role);
		/* Who believes a mailbox's must not believe a web host's. */
		if (strcmp(place->role, "web") != 0)
			place->owner = published_key_owner(place->name);
		if (place->owner == NULL)
			continue;
		place->target = x_strdup(place->owner);
		look_at(rotation, place);
	}
}

void
rotation_forget_places(struct rotation *rotation)
{
	for (size_t i = 0; i < rotation->place_count; i++) {
		free(rotation->places[i].owner);
		free(rotation->places[i].target);
		free(rotation->places[i].error);
		cJSON_Delete(rotation->places[i].answer);
	}
	x_free(&rotation->places);
	rotation->place_count = 0;
}

enum rotation_found
rotation_find(const struct rotation *rotation, const char *hash)
{
	enum rotation_found found = ROTATION_GONE;

	for (size_t i = 0; i < rotation->place_count; i++) {
		const struct rotation_place *place = &rotation->places[i];

		if (place->owner == NULL)
			continue;
		if (published_key_in(place->answer, hash))
			return ROTATION_THERE;
		if (place->answer == NULL)
			found = ROTATION_UNKNOWN;
	}
	return found;
}

static bool
printed_before(const struct rotation *rotation, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (rotation->places[i].owner != NULL &&
		    strcmp(rotation->places[i].target,
			rotation->places[number].target) == 0)
			return true;
	return false;
}

void
rotation_print(const struct rotation *rotation, const char *hash)
{
	char text[GRIP_RECORD_TEXT_SIZE];

	published_key_text(hash, text);
	for (size_t i = 0; i < rotation->place_count; i++)
		if (rotation->places[i].owner != NULL &&
		    !printed_before(rotation, i))
			fprintf(rotation->out, "    %s. IN TXT \"%s\"\n",
			    rotation->places[i].target, text);
}

/* A mailbox need not be pinned; if nothing is, nobody waits for a pin. */
static bool
is_needed(const struct rotation *rotation, const struct rotation_place *place)
{
	return place->owner != NULL &&
	    (strcmp(place->role, "mailbox") != 0 ||
		published_key_in(place->answer, rotation->present.hash));
}

static void
say_missing(const struct rotation *rotation, const struct rotation_place *place)
{
	fprintf(rotation->out,
	    "%s does not publish the new key yet%s; publish beside what is "
	    "there:\n",
	    place->owner,
	    strcmp(place->owner, place->target) == 0 ? "" : " (by its CNAME)");
}

int
rotation_ready(struct rotation *rotation, bool *later_r)
{
	struct rotation_state *state = &rotation->state;
	int64_t ready = rotation->now, ttl;
	char date[CLOCK_TEXT_SIZE];
	size_t missing = 0;

	*later_r = false;
	for (size_t i = 0; i < rotation->place_count; i++) {
		const struct rotation_place *place = &rotation->places[i];

		if (place->owner != NULL && place->answer == NULL)
			return rotation_fail(rotation, EX_TEMPFAIL,
			    "cannot see whether the new record is in the DNS: "
			    "%s: %s; --force does not look",
			    place->owner, place->error);
		if (published_key_in(place->answer, rotation->next.hash)) {
			if (json_integer(place->answer, "ttl", 0, INT32_MAX,
				&ttl) == 0 &&
			    rotation->now + ttl > ready)
				ready = rotation->now + ttl;
		} else if (is_needed(rotation, place)) {
			say_missing(rotation, place);
			missing++;
		}
	}
	if (missing > 0) {
		rotation_print(rotation, rotation->next.hash);
		fprintf(rotation->out, "then type this again\n");
		state->seen = state->ready = 0;
		*later_r = true;
		return rotation_save(rotation) != 0 ? EX_IOERR : EX_TEMPFAIL;
	}
	if (state->seen == 0) {
		state->seen = rotation->now;
		state->ready = ready;
		if (rotation_save(rotation) != 0)
			return EX_IOERR;
	}
	if (rotation->now < state->ready) {
		clock_format_internet(state->ready, date);
		fprintf(rotation->out,
		    "the DNS has the new record; others may remember an "
		    "answer without it until\n%s (its TTL): type this again "
		    "then\n",
		    date);
		*later_r = true;
	}
	return 0;
}

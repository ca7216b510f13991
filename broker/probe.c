/* SPDX-License-Identifier: ISC
 *
 * Probe mail: see probe.h. The mutex is robust, since a process may be killed
 * while it holds it; a sight counts only when it is whole.
 */
#include "probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sodium.h>

#include "clock.h"
#include "encoding.h"
#include "json_strict.h"
#include "memory.h"
#include "sender_proof.h"

struct slot {
	char share[CARGO_SHARE_LEN + 1]; /* "": free */
	int64_t until;
	struct probe_sight sight;
};

struct probe {
	pthread_mutex_t mutex;
	struct slot slots[PROBE_SLOTS];
};

struct probe *
probe_new(void)
{
	struct probe *probe = mmap(NULL, sizeof(*probe), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	if (probe == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&probe->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return probe;
}

void
probe_free(struct probe **probe)
{
	if (*probe != NULL)
		munmap(*probe, sizeof(**probe));
	*probe = NULL;
}

/* Takes the lock, and lets go of what is over. */
static void
lock(struct probe *probe, int64_t now)
{
	if (pthread_mutex_lock(&probe->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&probe->mutex);
	for (size_t i = 0; i < PROBE_SLOTS; i++)
		if (probe->slots[i].until <= now)
			probe->slots[i].share[0] = '\0';
}

static void
unlock(struct probe *probe)
{
	pthread_mutex_unlock(&probe->mutex);
}

/* Locked. */
static struct slot *
find(struct probe *probe, const char *share)
{
	if (strlen(share) != CARGO_SHARE_LEN)
		return NULL;
	for (size_t i = 0; i < PROBE_SLOTS; i++)
		if (probe->slots[i].share[0] != '\0' &&
		    sodium_memcmp(probe->slots[i].share, share,
			CARGO_SHARE_LEN) == 0)
			return &probe->slots[i];
	return NULL;
}

bool
probe_begin(struct probe *probe, int64_t now, char share_r[CARGO_SHARE_LEN + 1])
{
	struct slot *slot = NULL;

	lock(probe, now);
	for (size_t i = 0; i < PROBE_SLOTS && slot == NULL; i++)
		if (probe->slots[i].share[0] == '\0')
			slot = &probe->slots[i];
	if (slot != NULL) {
		slot->sight.arrivals = 0;
		slot->until = now + PROBE_SECONDS;
		cargo_share_new(slot->share);
		memcpy(share_r, slot->share, CARGO_SHARE_LEN + 1);
	}
	unlock(probe);
	return slot != NULL;
}

bool
probe_again(struct probe *probe, int64_t now, const char *share)
{
	struct slot *slot;

	lock(probe, now);
	slot = find(probe, share);
	if (slot != NULL)
		slot->sight.arrivals = 0;
	unlock(probe);
	return slot != NULL;
}

bool
probe_end(struct probe *probe, int64_t now, const char *share)
{
	struct slot *slot;

	lock(probe, now);
	slot = find(probe, share);
	if (slot != NULL)
		slot->share[0] = '\0';
	unlock(probe);
	return slot != NULL;
}

bool
probe_look(struct probe *probe, int64_t now, const char *share,
    struct probe_sight *sight_r)
{
	struct slot *slot;

	lock(probe, now);
	slot = find(probe, share);
	if (slot != NULL)
		*sight_r = slot->sight;
	unlock(probe);
	return slot != NULL;
}

/* ---- a message --------------------------------------------------------- */

/* The share of ours that the message has somewhere; false if none. */
static bool
is_expected(struct probe *probe, int64_t now, const char *message, size_t len,
    char share_r[CARGO_SHARE_LEN + 1])
{
	bool found = false;

	lock(probe, now);
	for (size_t i = 0; i < PROBE_SLOTS && !found; i++) {
		const char *share = probe->slots[i].share;

		if (share[0] == '\0' ||
		    memmem(message, len, share, CARGO_SHARE_LEN) == NULL)
			continue;
		memcpy(share_r, share, CARGO_SHARE_LEN + 1);
		found = true;
	}
	unlock(probe);
	return found;
}

static void
set_words(char word[PROBE_WORD_SIZE], char text[PROBE_TEXT_SIZE],
    enum outcome outcome, const struct reason *why)
{
	snprintf(word, PROBE_WORD_SIZE, "%s",
	    outcome == OUTCOME_OK ? "ok" : why->word);
	snprintf(text, PROBE_TEXT_SIZE, "%s",
	    outcome == OUTCOME_OK ? "" : why->text);
	/* It may quote the message, and is to stand in JSON. */
	for (char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

/* As the inbound step would judge it. */
static void
judge(struct probe_sight *sight, const struct config_list *authserv_ids,
    const char *message, size_t len)
{
	struct cargo_placeholder *placeholder = NULL;
	struct reason why = { .word = "" };
	enum outcome outcome;

	outcome =
	    sender_proof_check(message, len, authserv_ids, sight->sender, &why);
	set_words(sight->proof, sight->proof_text, outcome, &why);
	if (outcome != OUTCOME_OK)
		sight->sender[0] = '\0';
	outcome = cargo_placeholder_parse(message, len, &placeholder, &why);
	set_words(sight->form, sight->form_text, outcome, &why);
	cargo_placeholder_free(&placeholder);
}

bool
probe_take(struct probe *probe, int64_t now,
    const struct config_list *authserv_ids, struct envelope *envelope,
    const char *message, size_t len)
{
	char share[CARGO_SHARE_LEN + 1];
	struct probe_sight *sight;
	struct slot *slot;
	unsigned arrivals;

	if (!is_expected(probe, now, message, len, share))
		return false;
	sight = x_calloc(1, sizeof(*sight));
	sight->recipients = (int64_t)envelope->count;
	snprintf(sight->id, sizeof(sight->id), "%s", envelope_id(envelope));
	judge(sight, authserv_ids, message, len);
	sight->len = len < PROBE_MESSAGE_MAX ? len : PROBE_MESSAGE_MAX;
	memcpy(sight->message, message, sight->len);
	lock(probe, now);
	slot = find(probe, share);
	if (slot != NULL) {
		arrivals = slot->sight.arrivals;
		slot->sight.arrivals = 0;
		if (arrivals == 0)
			slot->sight = *sight;
		slot->sight.arrivals = arrivals + 1;
	}
	unlock(probe);
	free(sight);
	envelope_reply_all(envelope, "250 2.0.0", "Seen");
	return true;
}

/* ---- the admin socket -------------------------------------------------- */

static cJSON *
sight_json(const struct probe_sight *sight)
{
	cJSON *object = cJSON_CreateObject();
	char *message;

	json_add_integer(object, "arrivals", sight->arrivals);
	if (sight->arrivals == 0)
		return object;
	json_add_integer(object, "recipients", sight->recipients);
	json_add_string(object, "id", sight->id);
	json_add_string(object, "sender", sight->sender);
	json_add_string(object, "proof", sight->proof);
	json_add_string(object, "proof_text", sight->proof_text);
	json_add_string(object, "form", sight->form);
	json_add_string(object, "form_text", sight->form_text);
	message = base64_format(sight->message, sight->len);
	json_add_string(object, "message", message);
	free(message);
	return object;
}

static void
refuse(cJSON *answer, enum outcome outcome, const char *text)
{
	json_add_string(answer, "outcome", outcome_name(outcome));
	json_add_string(answer, "reason", "probe");
	json_add_string(answer, "detail", text);
}

static cJSON *
begin(struct probe *probe, int64_t now)
{
	cJSON *answer = cJSON_CreateObject();
	char share[CARGO_SHARE_LEN + 1];

	if (probe_begin(probe, now, share)) {
		json_add_string(answer, "share", share);
		json_add_string(answer, "outcome", "ok");
	} else {
		refuse(answer, OUTCOME_TEMPFAIL,
		    "other probes are under way; in two minutes they are not");
	}
	return answer;
}

void
probe_answer(struct probe *probe, struct control_connection *connection,
    const cJSON *request)
{
	const char *verb = json_string(request, "do");
	const char *share = json_string(request, "share");
	int64_t now = clock_monotonic_ms() / 1000;
	struct probe_sight *sight = NULL;
	cJSON *answer = NULL;
	bool known = false;

	if (verb == NULL || (share == NULL && strcmp(verb, "begin") != 0)) {
		answer = cJSON_CreateObject();
		refuse(answer, OUTCOME_PERMFAIL, "do and share");
	} else if (strcmp(verb, "begin") == 0) {
		answer = begin(probe, now);
	} else if (strcmp(verb, "look") == 0) {
		sight = x_calloc(1, sizeof(*sight));
		known = probe_look(probe, now, share, sight);
		answer = sight_json(sight);
		free(sight);
	} else if (strcmp(verb, "again") == 0) {
		known = probe_again(probe, now, share);
	} else if (strcmp(verb, "end") == 0) {
		known = probe_end(probe, now, share);
	}
	if (answer == NULL)
		answer = cJSON_CreateObject();
	if (json_string(answer, "outcome") == NULL) {
		if (known)
			json_add_string(answer, "outcome", "ok");
		else
			refuse(answer, OUTCOME_PERMFAIL,
			    "there is no such probe (any more)");
	}
	control_reply(connection, answer, 1);
}

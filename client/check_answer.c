/* SPDX-License-Identifier: ISC
 *
 * Joins the packets of a daemon's answer: see check_answer.h. Each of them
 * has been checked as JSON.
 */
#include "check_answer.h"

#include <stdbool.h>
#include <string.h>

#include "control.h"
#include "json_strict.h"
#include "memory.h"
#include "unix_socket.h"

/* As much as a daemon keeps for who is slow to read. */
#define PACKETS_MAX (CONTROL_WAITING_MAX / UNIX_PACKET_MAX)

#define ARRAYS_MAX 64 /* of different names; each is compared with all */

/* What has come so far. */
struct answer {
	cJSON *whole;
	cJSON *arrays[ARRAYS_MAX]; /* of `whole` */
	size_t array_count, packets, values;
};

static cJSON *
find_array(const struct answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->array_count; i++)
		if (strcmp(answer->arrays[i]->string, name) == 0)
			return answer->arrays[i];
	return NULL;
}

/* False if there are too many arrays. Of other members of one name it is the
 * first that is found later. */
static bool
join(struct answer *answer, cJSON *packet)
{
	cJSON *member, *into, *item;

	while ((member = cJSON_DetachItemFromArray(packet, 0)) != NULL) {
		into = cJSON_IsArray(member) ?
		    find_array(answer, member->string) :
		    NULL;
		while (into != NULL &&
		    (item = cJSON_DetachItemFromArray(member, 0)) != NULL)
			cJSON_AddItemToArray(into, item);
		if (into != NULL) {
			cJSON_Delete(member);
			continue;
		}
		cJSON_AddItemToObject(answer->whole, member->string, member);
		if (!cJSON_IsArray(member))
			continue;
		if (answer->array_count == ARRAYS_MAX)
			return false;
		answer->arrays[answer->array_count++] = member;
	}
	return true;
}

/* As deep as json_strict.h lets in. */
static size_t
count_values(const cJSON *value)
{
	const cJSON *child;
	size_t count = 1;

	cJSON_ArrayForEach(child, value) count += count_values(child);
	return count;
}

static bool
refused(const cJSON *packet, char **error_r)
{
	const char *outcome = json_string(packet, "outcome");
	const char *detail = json_string(packet, "detail");

	if (!cJSON_IsObject(packet)) {
		*error_r = x_strdup("its answer is no object");
		return true;
	}
	if (outcome == NULL || strcmp(outcome, "ok") == 0)
		return false;
	*error_r = x_strdup(detail != NULL ? detail : outcome);
	return true;
}

/* Takes the packet over. 1: the answer goes on, 0: it was the last, -1 with
 * *error_r. */
static int
take(struct answer *answer, cJSON *packet, char **error_r)
{
	bool last = json_boolean(packet, "last") == 1;
	int result = refused(packet, error_r) ? -1 : last ? 0 : 1;

	answer->values += count_values(packet);
	if (result != -1 &&
	    (++answer->packets > PACKETS_MAX ||
		answer->values > CHECK_ANSWER_VALUES_MAX ||
		!join(answer, packet))) {
		*error_r = x_asprintf("its answer is too long: more than %d "
				      "values, or %d packets",
		    CHECK_ANSWER_VALUES_MAX, PACKETS_MAX);
		result = -1;
	}
	cJSON_Delete(packet);
	return result;
}

cJSON *
check_answer_read(int fd, cJSON *request, char **error_r)
{
	struct answer answer = { .whole = cJSON_CreateObject() };
	cJSON *packet = control_ask(fd, request, error_r);
	int result = -1;

	while (
	    packet != NULL && (result = take(&answer, packet, error_r)) == 1) {
		result = -1;
		packet = control_next(fd, error_r);
	}
	if (result != 0) {
		cJSON_Delete(answer.whole);
		answer.whole = NULL;
	}
	return answer.whole;
}

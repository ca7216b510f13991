/* SPDX-License-Identifier: ISC
 *
 * Live leases and the rules of pulling. See pull_queue.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_problem.h"
#include "memory.h"
#include "pull_queue.h"

struct pull_queue {
	struct pull_policy policy;
	struct pull_lease *first;
	unsigned live;
};

struct pull_queue *
pull_queue_new(const struct pull_policy *policy)
{
	struct pull_queue *queue = x_calloc(1, sizeof(*queue));

	queue->policy = *policy;
	return queue;
}

void
pull_queue_free(struct pull_queue **queue)
{
	if (*queue == NULL)
		return;
	while ((*queue)->first != NULL)
		pull_queue_remove(*queue, (*queue)->first);
	x_free(queue);
}

const struct pull_policy *
pull_queue_policy(const struct pull_queue *queue)
{
	return &queue->policy;
}

/* ---- leases -------------------------------------------------------------- */

struct pull_lease *
pull_lease_new(const char *origin, const char *share, size_t count)
{
	struct pull_lease *lease = x_calloc(1, sizeof(*lease));

	lease->origin = x_strdup(origin);
	lease->share = x_strdup(share);
	lease->items = x_calloc(count > 0 ? count : 1, sizeof(lease->items[0]));
	return lease;
}

void
pull_lease_free(struct pull_lease *lease)
{
	if (lease == NULL)
		return;
	free(lease->origin);
	free(lease->share);
	free(lease->items);
	free(lease);
}

void
pull_queue_add(struct pull_queue *queue, struct pull_lease *lease, int64_t now)
{
	lease->until = now + queue->policy.lease_time;
	lease->next = queue->first;
	queue->first = lease;
	queue->live++;
}

void
pull_queue_remove(struct pull_queue *queue, struct pull_lease *lease)
{
	struct pull_lease **link;

	for (link = &queue->first; *link != NULL; link = &(*link)->next)
		if (*link == lease) {
			*link = lease->next;
			queue->live--;
			pull_lease_free(lease);
			return;
		}
}

void
pull_lease_name(const struct pull_lease *lease,
    char name_r[PULL_LEASE_NAME_SIZE])
{
	snprintf(name_r, PULL_LEASE_NAME_SIZE, "%s-%llx", lease->message,
	    (unsigned long long)lease->number);
}

static bool
is_live(const struct pull_lease *lease, int64_t now)
{
	return lease->until > now || lease->uploads > 0;
}

struct pull_lease *
pull_queue_find(const struct pull_queue *queue, const char *name, int64_t now)
{
	char own[PULL_LEASE_NAME_SIZE];
	struct pull_lease *lease;

	for (lease = queue->first; lease != NULL; lease = lease->next) {
		pull_lease_name(lease, own);
		if (strcmp(own, name) == 0)
			return is_live(lease, now) ? lease : NULL;
	}
	return NULL;
}

struct pull_lease *
pull_queue_find_message(const struct pull_queue *queue, const char *message,
    int64_t now)
{
	struct pull_lease *lease;

	for (lease = queue->first; lease != NULL; lease = lease->next)
		if (strcmp(lease->message, message) == 0 && is_live(lease, now))
			return lease;
	return NULL;
}

struct pull_item *
pull_lease_item(const struct pull_lease *lease, const char *hash)
{
	size_t i;

	for (i = 0; i < lease->count; i++)
		if (strcmp(lease->items[i].hash, hash) == 0)
			return &lease->items[i];
	return NULL;
}

void
pull_queue_renew(const struct pull_queue *queue, struct pull_lease *lease,
    int64_t now)
{
	lease->until = now + queue->policy.lease_time;
}

unsigned
pull_queue_reap(struct pull_queue *queue, int64_t now)
{
	struct pull_lease *lease, *next;
	unsigned count = 0;

	for (lease = queue->first; lease != NULL; lease = next) {
		next = lease->next;
		if (is_live(lease, now))
			continue;
		pull_queue_remove(queue, lease);
		count++;
	}
	return count;
}

unsigned
pull_queue_live(const struct pull_queue *queue)
{
	return queue->live;
}

bool
pull_queue_full(const struct pull_queue *queue, const char *origin, int64_t now)
{
	const struct pull_lease *lease;
	unsigned count = 0;

	for (lease = queue->first; lease != NULL; lease = lease->next)
		if (is_live(lease, now) && strcmp(lease->origin, origin) == 0)
			count++;
	return count >= queue->policy.per_origin;
}

bool
pull_queue_in_flight(const struct pull_queue *queue, const char *origin,
    const char *share, const char *hash, int64_t now)
{
	const struct pull_lease *lease;
	const struct pull_item *item;

	for (lease = queue->first; lease != NULL; lease = lease->next) {
		if (!is_live(lease, now) ||
		    strcmp(lease->origin, origin) != 0 ||
		    strcmp(lease->share, share) != 0)
			continue;
		item = pull_lease_item(lease, hash);
		if (item != NULL && !item->head && !item->stored)
			return true;
	}
	return false;
}

/* ---- attempts ------------------------------------------------------------ */

int64_t
pull_policy_delay(const struct pull_policy *policy, int64_t attempt,
    uint32_t random)
{
	int64_t delay = policy->first;

	while (attempt-- > 1 && delay < policy->most)
		delay *= 2;
	if (delay > policy->most)
		delay = policy->most;
	/* From three quarters to five: many that failed together do not
	 * come back together. */
	delay = delay * 3 / 4 + (int64_t)(random % (uint64_t)(delay / 2 + 1));
	return delay > 0 ? delay : 1;
}

void
pull_queue_judge(const struct pull_report *report,
    struct pull_judgement *judgement_r)
{
	const struct cargo_problem *problem;
	struct pull_judgement judgement = { .outcome = OUTCOME_TEMPFAIL };
	/* A problem without a status is one of this side: the origin was not
	 * asked, or did its part. */
	bool own = report->status == 0 && report->problem[0] != '\0';

	problem = cargo_problem_find(report->problem);
	if (report->wrong) {
		judgement.outcome = OUTCOME_PERMFAIL;
		strcpy(judgement.problem, "wrong-hash");
	} else if (report->authenticated && problem != NULL &&
	    problem->permanent) {
		judgement.outcome = OUTCOME_PERMFAIL;
		judgement.whole = problem->whole;
		snprintf(judgement.problem, sizeof(judgement.problem), "%s",
		    problem->name);
	} else {
		/* Not there, not itself, or in trouble: whatever names this
		 * origin, it is left alone for a while. A plain refusal or a
		 * transfer that broke is this pull's own matter. */
		judgement.origin_fault = !own &&
		    (report->status == 0 || report->status == 429 ||
			report->status >= 500 || !report->authenticated);
		snprintf(judgement.problem, sizeof(judgement.problem), "%s",
		    problem != NULL ? problem->name : "unavailable");
	}
	*judgement_r = judgement;
}

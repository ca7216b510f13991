/* SPDX-License-Identifier: ISC
 *
 * Circuit breakers in shared memory: see breaker.h. The mutex is robust: a
 * process may be killed while it holds it.
 */
#include "breaker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "service_url.h"

#define BREAKER_SLOTS 256

struct slot {
	char host[SERVICE_HOST_SIZE];
	int64_t failures; /* in a row */
	int64_t until; /* open until then */
	int64_t used;
};

struct breaker {
	pthread_mutex_t mutex;
	int64_t failures, pause;
	struct slot slots[BREAKER_SLOTS];
	pid_t places[BREAKER_PLACES]; /* 0: free */
};

struct breaker *
breaker_new(int64_t failures, int64_t pause)
{
	struct breaker *breaker = mmap(NULL, sizeof(*breaker),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	if (breaker == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&breaker->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	breaker->failures = failures;
	breaker->pause = pause;
	return breaker;
}

void
breaker_free(struct breaker **breaker)
{
	if (*breaker != NULL)
		munmap(*breaker, sizeof(**breaker));
	*breaker = NULL;
}

/* What a dead process left half done is a count at worst. */
static void
lock(struct breaker *breaker)
{
	if (pthread_mutex_lock(&breaker->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&breaker->mutex);
}

/* The slot of a host; a new one takes the place of the longest unused. */
static struct slot *
find(struct breaker *breaker, const char *host, int64_t now)
{
	struct slot *oldest = &breaker->slots[0];

	for (size_t i = 0; i < BREAKER_SLOTS; i++) {
		struct slot *slot = &breaker->slots[i];

		if (strcmp(slot->host, host) == 0) {
			slot->used = now;
			return slot;
		}
		if (slot->used < oldest->used)
			oldest = slot;
	}
	memset(oldest, 0, sizeof(*oldest));
	snprintf(oldest->host, sizeof(oldest->host), "%s", host);
	oldest->used = now;
	return oldest;
}

bool
breaker_allows(struct breaker *breaker, const char *host, int64_t now)
{
	bool allowed;

	lock(breaker);
	allowed = find(breaker, host, now)->until <= now;
	pthread_mutex_unlock(&breaker->mutex);
	return allowed;
}

void
breaker_report(struct breaker *breaker, const char *host, bool success,
    int64_t now)
{
	struct slot *slot;

	lock(breaker);
	slot = find(breaker, host, now);
	if (success)
		slot->failures = slot->until = 0;
	else if (++slot->failures >= breaker->failures)
		slot->until = now + breaker->pause;
	pthread_mutex_unlock(&breaker->mutex);
}

int64_t
breaker_open(struct breaker *breaker, int64_t now)
{
	int64_t open = 0;

	lock(breaker);
	for (size_t i = 0; i < BREAKER_SLOTS; i++)
		open += breaker->slots[i].until > now;
	pthread_mutex_unlock(&breaker->mutex);
	return open;
}

static bool
is_free(pid_t place)
{
	return place == 0 || (kill(place, 0) < 0 && errno == ESRCH);
}

bool
breaker_hold(struct breaker *breaker)
{
	bool held = false;

	lock(breaker);
	for (size_t i = 0; i < BREAKER_PLACES && !held; i++)
		if (is_free(breaker->places[i])) {
			breaker->places[i] = getpid();
			held = true;
		}
	pthread_mutex_unlock(&breaker->mutex);
	return held;
}

void
breaker_let_go(struct breaker *breaker)
{
	lock(breaker);
	for (size_t i = 0; i < BREAKER_PLACES; i++)
		if (breaker->places[i] == getpid())
			breaker->places[i] = 0;
	pthread_mutex_unlock(&breaker->mutex);
}

/* SPDX-License-Identifier: ISC
 *
 * Forking and reaping workers.
 */
#include "worker_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "memory.h"
#include "retrieval_metrics.h"
#include "worker.h"

#define STOP_MS 4000 /* for handing leases back */

struct worker_pool {
	struct event_base *base;
	struct event *child_event, *respawn_event;
	const struct retrievald_config *config;
	struct worker_slot *slots; /* shared with the workers */
	size_t count;
	struct metrics *metrics;
};

static size_t
slots_size(const struct worker_pool *pool)
{
	return pool->count * sizeof(*pool->slots);
}

/* The child: nothing of the parent's but standard error and memory. */
static void
become_worker(const struct worker_pool *pool, struct worker_slot *slot,
    pid_t parent)
{
	struct worker worker = { pool->config, slot, pool->slots, pool->count,
		pool->metrics };
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	/* Workers without a parent would lease beside those of the next. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	slot->started = 0;
	slot->stopping = false;
	worker_run(&worker);
}

static void
spawn(struct worker_pool *pool, struct worker_slot *slot)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		become_worker(pool, slot, parent);
	if (pid < 0)
		log_text(LOG_ERROR, "-", "fork", "%s", strerror(errno));
	slot->pid = pid > 0 ? pid : 0;
}

static void
respawn(evutil_socket_t fd, short what, void *arg)
{
	struct worker_pool *pool = arg;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < pool->count; i++)
		if (pool->slots[i].pid == 0) {
			metrics_count(pool->metrics, RETRIEVAL_RESTARTS, NULL);
			spawn(pool, &pool->slots[i]);
		}
}

static void
log_death(pid_t pid, int status)
{
	struct log_line line;

	log_begin(&line, LOG_ERROR, "-", "worker");
	log_number(&line, LOG_KEY_PID, pid);
	if (WIFSIGNALED(status))
		log_string(&line, LOG_KEY_DETAIL, strsignal(WTERMSIG(status)));
	else
		log_number(&line, LOG_KEY_STATUS, WEXITSTATUS(status));
	log_end(&line);
}

static void
reap(evutil_socket_t fd, short what, void *arg)
{
	/* A worker that dies at once must not become a fork storm. */
	static const struct timeval delay = { 1, 0 };
	struct worker_pool *pool = arg;
	pid_t pid;
	int status;
	size_t i;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		log_death(pid, status);
		for (i = 0; i < pool->count; i++)
			if (pool->slots[i].pid == pid)
				pool->slots[i].pid = 0;
		event_add(pool->respawn_event, &delay);
	}
}

struct worker_pool *
worker_pool_start(struct event_base *base,
    const struct retrievald_config *config)
{
	struct worker_pool *pool = x_calloc(1, sizeof(*pool));
	size_t i;

	pool->base = base;
	pool->config = config;
	pool->count = (size_t)config->workers;
	pool->slots = mmap(NULL, slots_size(pool), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pool->slots == MAP_FAILED) {
		free(pool);
		return NULL;
	}
	pool->metrics =
	    metrics_new("retrievald", retrieval_metrics, clock_now());
	pool->child_event = evsignal_new(base, SIGCHLD, reap, pool);
	pool->respawn_event = event_new(base, -1, 0, respawn, pool);
	event_add(pool->child_event, NULL);
	for (i = 0; i < pool->count; i++)
		spawn(pool, &pool->slots[i]);
	return pool;
}

/* Who waits for a lease may end at once. The others hand theirs back, else
 * the pull would have to wait until the lease runs out. */
static void
stop_idle(struct worker_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++) {
		pool->slots[i].stopping = true;
		if (pool->slots[i].pid != 0 && pool->slots[i].started == 0)
			kill(pool->slots[i].pid, SIGTERM);
	}
}

/* How many are left. */
static size_t
reap_stopped(struct worker_pool *pool)
{
	size_t left = 0;

	for (size_t i = 0; i < pool->count; i++) {
		struct worker_slot *slot = &pool->slots[i];

		if (slot->pid != 0 && waitpid(slot->pid, NULL, WNOHANG) != 0)
			slot->pid = 0;
		left += slot->pid != 0;
	}
	return left;
}

void
worker_pool_stop(struct worker_pool **pool)
{
	int64_t deadline = clock_monotonic_ms() + STOP_MS;
	struct worker_pool *old = *pool;
	size_t i;

	if (old == NULL)
		return;
	event_free(old->child_event);
	event_free(old->respawn_event);
	stop_idle(old);
	while (reap_stopped(old) > 0 && clock_monotonic_ms() < deadline)
		usleep(10000);
	for (i = 0; i < old->count; i++)
		if (old->slots[i].pid != 0) {
			kill(old->slots[i].pid, SIGKILL);
			waitpid(old->slots[i].pid, NULL, 0);
		}
	munmap(old->slots, slots_size(old));
	metrics_free(&old->metrics);
	x_free(pool);
}

const struct metrics *
worker_pool_metrics(const struct worker_pool *pool)
{
	int64_t busy = 0, idle = 0;

	for (size_t i = 0; i < pool->count; i++) {
		busy += pool->slots[i].pid != 0 && pool->slots[i].started != 0;
		idle += pool->slots[i].pid != 0 && pool->slots[i].started == 0;
	}
	metrics_set(pool->metrics, RETRIEVAL_WORKERS, "busy", busy);
	metrics_set(pool->metrics, RETRIEVAL_WORKERS, "idle", idle);
	return pool->metrics;
}

/* SPDX-License-Identifier: ISC
 *
 * The disk threads: see disk_worker.h.
 */
#include "disk_worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "memory.h"

#define DISK_WORKERS_MAX 64

struct disk_workers {
	pthread_mutex_t lock;
	pthread_cond_t more; /* a task, or the end */
	struct disk_task *first, **last;
	bool ending;
	int running; /* tasks under way: they may add others */
	int count;
	pthread_t threads[DISK_WORKERS_MAX];
};

static void *
disk_worker(void *arg)
{
	struct disk_workers *workers = arg;
	struct disk_task *task;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		while (workers->first == NULL &&
		    !(workers->ending && workers->running == 0))
			pthread_cond_wait(&workers->more, &workers->lock);
		task = workers->first;
		if (task == NULL)
			break;
		workers->first = task->next;
		if (workers->first == NULL)
			workers->last = &workers->first;
		workers->running++;
		pthread_mutex_unlock(&workers->lock);
		task->run(task);
		pthread_mutex_lock(&workers->lock);
		workers->running--;
		if (workers->ending && workers->running == 0)
			pthread_cond_broadcast(&workers->more);
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

struct disk_workers *
disk_workers_new(int threads)
{
	struct disk_workers *workers = x_calloc(1, sizeof(*workers));
	sigset_t all, before;
	int error = 0;

	if (threads < 1)
		threads = 1;
	if (threads > DISK_WORKERS_MAX)
		threads = DISK_WORKERS_MAX;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->more, NULL);
	workers->last = &workers->first;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (workers->count < threads && error == 0) {
		error = pthread_create(&workers->threads[workers->count], NULL,
		    disk_worker, workers);
		workers->count += error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return workers;
	disk_workers_free(&workers);
	errno = error;
	return NULL;
}

void
disk_workers_add(struct disk_workers *workers, struct disk_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&workers->lock);
	*workers->last = task;
	workers->last = &task->next;
	pthread_cond_signal(&workers->more);
	pthread_mutex_unlock(&workers->lock);
}

void
disk_workers_free(struct disk_workers **workers)
{
	int i;

	if (*workers == NULL)
		return;
	pthread_mutex_lock(&(*workers)->lock);
	(*workers)->ending = true;
	pthread_cond_broadcast(&(*workers)->more);
	pthread_mutex_unlock(&(*workers)->lock);
	for (i = 0; i < (*workers)->count; i++)
		pthread_join((*workers)->threads[i], NULL);
	pthread_cond_destroy(&(*workers)->more);
	pthread_mutex_destroy(&(*workers)->lock);
	x_free(workers);
}

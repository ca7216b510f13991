/* SPDX-License-Identifier: ISC
 *
 * Items from other threads, run on the event loop: see loop_queue.h.
 */
#include "loop_queue.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"

struct loop_queue {
	pthread_mutex_t lock;
	struct loop_item *first, **last; /* under lock */
	struct event *event;
	int fd;
};

void
loop_queue_run(struct loop_queue *queue)
{
	struct loop_item *item, *next;

	pthread_mutex_lock(&queue->lock);
	item = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	pthread_mutex_unlock(&queue->lock);
	for (; item != NULL; item = next) {
		next = item->next;
		item->run(item);
	}
}

static void
loop_queue_ready(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	/* Before the list is taken: an item posted later wakes again. */
	if (read(fd, &count, sizeof(count)) == -1 && errno != EAGAIN &&
	    errno != EINTR)
		log_panic("loop_queue: read of eventfd failed");
	loop_queue_run(arg);
}

struct loop_queue *
loop_queue_new(struct event_base *base)
{
	struct loop_queue *queue = x_calloc(1, sizeof(*queue));

	pthread_mutex_init(&queue->lock, NULL);
	queue->last = &queue->first;
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd == -1)
		goto bad;
	queue->event = event_new(base, queue->fd, EV_READ | EV_PERSIST,
	    loop_queue_ready, queue);
	if (queue->event == NULL || event_add(queue->event, NULL) == -1) {
		errno = ENOMEM;
		goto bad;
	}
	return queue;
bad:
	if (queue->event != NULL)
		event_free(queue->event);
	if (queue->fd != -1)
		close(queue->fd);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
	return NULL;
}

void
loop_queue_post(struct loop_queue *queue, struct loop_item *item)
{
	const uint64_t one = 1;
	int empty;

	item->next = NULL;
	pthread_mutex_lock(&queue->lock);
	empty = queue->first == NULL;
	*queue->last = item;
	queue->last = &item->next;
	pthread_mutex_unlock(&queue->lock);
	/* A list that was not empty has already woken the loop. EAGAIN (the
	 * counter is full) has too. */
	if (empty && write(queue->fd, &one, sizeof(one)) == -1 &&
	    errno != EAGAIN)
		log_panic("loop_queue: write to eventfd failed");
}

void
loop_queue_drain(struct loop_queue *queue, pthread_mutex_t *lock,
    const int *pending)
{
	struct pollfd fd = { .fd = queue->fd, .events = POLLIN };
	int left;

	for (;;) {
		pthread_mutex_lock(lock);
		left = *pending;
		pthread_mutex_unlock(lock);
		if (left == 0)
			return;
		poll(&fd, 1, -1);
		loop_queue_ready(queue->fd, 0, queue);
	}
}

void
loop_queue_free(struct loop_queue **queue)
{
	if (*queue == NULL)
		return;
	while ((*queue)->first != NULL)
		loop_queue_run(*queue);
	event_free((*queue)->event);
	close((*queue)->fd);
	pthread_mutex_destroy(&(*queue)->lock);
	x_free(queue);
}

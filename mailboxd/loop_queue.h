/* SPDX-License-Identifier: ISC
 *
 * The way back from other threads to the event loop: items are queued under
 * a lock and an eventfd wakes the loop, which runs them in order. Items are
 * part of their owner's object, so nothing is allocated.
 */
#ifndef LOOP_QUEUE_H
#define LOOP_QUEUE_H

#include <pthread.h>

#include <event2/event.h>

struct loop_item {
	struct loop_item *next;
	/* Runs on the event loop; it may free the item's object. */
	void (*run)(struct loop_item *item);
};

struct loop_queue;

/* NULL with errno. */
struct loop_queue *loop_queue_new(struct event_base *base);

/* From any thread. An item is queued once at a time. */
void loop_queue_post(struct loop_queue *queue, struct loop_item *item);

/* Runs what is queued now; the event loop's thread. */
void loop_queue_run(struct loop_queue *queue);

/* Runs what comes, waiting for it, until *pending (guarded by `lock`) is 0:
 * the end of a daemon. */
void loop_queue_drain(struct loop_queue *queue, pthread_mutex_t *lock,
    const int *pending);

/* Runs what is left, then frees. */
void loop_queue_free(struct loop_queue **queue);

#endif

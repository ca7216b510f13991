/* SPDX-License-Identifier: ISC
 *
 * A few threads for what blocks on the disk. Tasks run in the order of
 * their submission, several at a time; whoever needs an order among tasks
 * keeps one task per object and submits it again (store_upload_disk.c).
 */
#ifndef DISK_WORKER_H
#define DISK_WORKER_H

struct disk_task {
	struct disk_task *next;
	/* Runs on one of the threads; it may free the task's object. */
	void (*run)(struct disk_task *task);
};

struct disk_workers;

/* Starts 1 to 64 threads, which take no signals. NULL with errno. */
struct disk_workers *disk_workers_new(int threads);

/* From any thread. A task is queued once at a time. */
void disk_workers_add(struct disk_workers *workers, struct disk_task *task);

/* Waits until all tasks, also those added meanwhile, are done; joins. */
void disk_workers_free(struct disk_workers **workers);

#endif

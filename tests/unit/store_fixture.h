/* SPDX-License-Identifier: ISC
 *
 * A store in a directory of its own, with an event base, for tests. It lies
 * below build/ if there is such a directory, which is a real disk.
 */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "store.h"
#include "store_upload.h"

struct store_fixture {
	char path[64];
	struct event_base *base;
	struct store *store;
	struct store_options options;
	/* The last result of a callback. */
	int waiting;
	enum outcome outcome;
	struct reason why;
	struct store_blob blob;
	int ready;
};

static inline int
fixture_remove(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
fixture_directory(const char *below, char path_r[64])
{
	snprintf(path_r, 64, "%s/store-test-XXXXXX", below);
	if (mkdtemp(path_r) == NULL)
		abort();
}

/* 0, or -1 with fixture->why. */
static inline int
fixture_open(struct store_fixture *fixture)
{
	fixture->store =
	    store_open(fixture->path, &fixture->options, &fixture->why);
	if (fixture->store == NULL)
		return -1;
	if (store_start(fixture->store, fixture->base) == -1)
		abort();
	return 0;
}

static inline void
fixture_init_in(struct store_fixture *fixture, const char *below)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture_directory(below, fixture->path);
	fixture->base = event_base_new();
	/* Small, so that sanitizers and full maps are cheap. */
	fixture->options.map_size = 256 << 20;
	if (fixture_open(fixture) == -1) {
		printf("# %s\n", fixture->why.text);
		abort();
	}
}

static inline void
fixture_init(struct store_fixture *fixture)
{
	fixture_init_in(fixture, access("build", W_OK) == 0 ? "build" : "/tmp");
}

static inline void
fixture_free(struct store_fixture *fixture)
{
	store_close(&fixture->store);
	event_base_free(fixture->base);
	nftw(fixture->path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
fixture_reopen(struct store_fixture *fixture)
{
	store_close(&fixture->store);
	if (fixture_open(fixture) == -1) {
		printf("# %s\n", fixture->why.text);
		abort();
	}
}

/* Runs the loop until the callbacks that are waited for have come. */
static inline void
fixture_wait(struct store_fixture *fixture)
{
	while (fixture->waiting > 0)
		event_base_loop(fixture->base, EVLOOP_ONCE);
}

static inline void
fixture_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct store_fixture *fixture = arg;

	fixture->outcome = outcome;
	fixture->why = *why;
	fixture->waiting--;
}

static inline void
fixture_uploaded(void *arg, enum outcome outcome, const struct reason *why,
    const struct store_blob *blob)
{
	struct store_fixture *fixture = arg;

	if (blob != NULL)
		fixture->blob = *blob;
	fixture_done(arg, outcome, why);
}

static inline void
fixture_ready(void *arg)
{
	struct store_fixture *fixture = arg;

	fixture->ready++;
}

static const struct store_upload_handler fixture_handler = {
	.ready = fixture_ready,
};

/* Uploads bytes under their own hash: fixture->outcome, blob. */
static inline void
fixture_upload(struct store_fixture *fixture, const void *data, size_t len)
{
	struct store_upload_request request = { .size = (int64_t)len };
	struct store_upload *upload;
	char hash[SHA256_HEX_SIZE];

	sha256_hex(data, len, hash);
	request.hash = hash;
	upload = store_upload_begin(fixture->store, &request, &fixture_handler,
	    fixture, &fixture->why);
	if (upload == NULL) {
		fixture->outcome = fixture->why.outcome;
		return;
	}
	store_upload_write(upload, data, len);
	fixture->waiting++;
	store_upload_finish(&upload, fixture_uploaded);
	fixture_wait(fixture);
}

#endif

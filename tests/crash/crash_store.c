/* SPDX-License-Identifier: ISC
 *
 * Crashes of the store: a child works on a store on a real disk and kills
 * itself at a named point, the n-th time that it comes by. The parent then
 * opens the store again and demands: fsck finds nothing, everything that
 * the child acknowledged is there and readable, everything whose deletion
 * it acknowledged is gone. Points are those of store_fault and blob.h; some
 * rounds kill at a random moment instead.
 *
 * SIGKILL loses the process, not the page cache: what is not synced is not
 * seen here.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store_check.h"
#include "store_fixture.h"
#include "store_private.h"
#include "store_samples.h"
#include "test.h"

#define ITEMS 48
#define FLIGHT 12
#define LARGE 400000

static char account[] = "0123456789abcdef0123456789abcdef";

/* ---- the child ---- */

struct fault {
	const char *point;
	int nth;
};

static int
fault_point(void *arg, const char *point)
{
	struct fault *fault = arg;

	if (strcmp(point, fault->point) == 0 &&
	    __atomic_sub_fetch(&fault->nth, 1, __ATOMIC_SEQ_CST) == 0)
		kill(getpid(), SIGKILL);
	return 0;
}

struct child {
	struct store_fixture fixture;
	int out; /* what it acknowledges: a letter and a number each */
	int round, next, busy;
};

struct item {
	struct sample sample; /* first */
	struct child *child;
	int number;
	char id[STORE_ID_SIZE];
	char *data;
	size_t len;
};

static void
say(struct child *child, char what, int number)
{
	char text[2] = { what, (char)number };

	if (write(child->out, text, 2) != 2)
		_exit(1);
}

/* Every item has its own bytes, the same in child and parent. */
static char *
item_bytes(int round, int number, size_t *len_r)
{
	size_t len = number % 6 == 5 ? LARGE : (size_t)(number * 997 + 1), i;
	unsigned seed = (unsigned)(round * 1000 + number);
	char *data = malloc(len);

	for (i = 0; i < len; i++)
		data[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
	*len_r = len;
	return data;
}

static void child_next(struct child *child);

static void
item_free(struct item *item)
{
	struct child *child = item->child;

	free(item->data);
	free(item);
	child->busy--;
	child_next(child);
}

static void
item_dropped(void *arg, enum outcome outcome, const struct reason *why)
{
	struct item *item = arg;

	(void)why;
	if (outcome == OUTCOME_OK)
		say(item->child, 'D', item->number);
	item_free(item);
}

static void
item_held(void *arg, enum outcome outcome, const struct reason *why)
{
	struct item *item = arg;

	if (outcome != OUTCOME_OK) {
		printf("# hold %d: %s\n", item->number, why->text);
		item_free(item);
		return;
	}
	say(item->child, 'H', item->number);
	if (item->number % 3 != 0) {
		item_free(item);
		return;
	}
	say(item->child, 'd', item->number);
	store_submit(item->child->fixture.store, sample_drop, item_dropped,
	    item);
}

static enum outcome
item_hold(struct store_txn *txn, void *arg)
{
	struct item *item = arg;

	store_upload_forget(txn, item->id);
	return sample_hold(txn, &item->sample);
}

static void
item_stored(void *arg, enum outcome outcome, const struct reason *why,
    const struct store_blob *blob)
{
	struct item *item = arg;

	if (outcome != OUTCOME_OK) {
		printf("# upload %d: %s\n", item->number, why->text);
		item_free(item);
		return;
	}
	item->sample.blob = *blob;
	store_submit(item->child->fixture.store, item_hold, item_held, item);
}

static void
item_ready(void *arg)
{
	(void)arg;
}

static const struct store_upload_handler item_handler = {
	.ready = item_ready,
};

/* Waits while an earlier upload of the same id is ending. */
static struct store_upload *
item_upload(struct item *item, int64_t from)
{
	struct store_upload_request request = { .from = from,
		.size = (int64_t)item->len,
		.account = account,
		.expires = 1000000,
		.id = item->len == LARGE ? item->id : NULL };
	struct store_fixture *fixture = &item->child->fixture;
	struct store_upload *upload;
	char hash[SHA256_HEX_SIZE];
	struct reason why;

	sha256_hex(item->data, item->len, hash);
	request.hash = hash;
	store_upload_id(account, "https://mailbox.hospital.test", hash,
	    item->id);
	while ((upload = store_upload_begin(fixture->store, &request,
		    &item_handler, item, &why)) == NULL)
		event_base_loop(fixture->base, EVLOOP_ONCE);
	return upload;
}

static struct item *
item_new(struct child *child, int number)
{
	struct item *item = calloc(1, sizeof(*item));

	item->child = child;
	item->number = number;
	item->sample.account = account;
	item->sample.now = 1000;
	item->data = item_bytes(child->round, number, &item->len);
	child->busy++;
	return item;
}

static void
item_start(struct item *item, int64_t from)
{
	struct store_upload *upload = item_upload(item, from);

	store_upload_write(upload, item->data + from, item->len - (size_t)from);
	store_upload_finish(&upload, item_stored);
}

/* Broken off in the middle, aborted, broken off again, taken up. */
static void
item_start_large(struct item *item)
{
	struct store_upload *upload;

	upload = item_upload(item, 0);
	store_upload_write(upload, item->data, LARGE / 2);
	store_upload_break(&upload);
	upload = item_upload(item, LARGE / 2);
	store_upload_abort(&upload);
	upload = item_upload(item, 0);
	store_upload_write(upload, item->data, LARGE / 2);
	store_upload_break(&upload);
	item_start(item, LARGE / 2);
}

static void
child_next(struct child *child)
{
	int number;

	while (child->next < ITEMS && child->busy < FLIGHT) {
		number = child->next++;
		if (number % 6 != 5)
			item_start(item_new(child, number), 0);
	}
}

static void
child_swept(void *arg, int64_t files)
{
	struct child *child = arg;

	(void)files;
	child->busy--;
}

static void
child_work(struct child *child)
{
	int number;

	child->fixture.base = event_base_new();
	if (fixture_open(&child->fixture) == -1)
		_exit(2);
	if (child->round == 0)
		store_run(child->fixture.store, sample_account, account, NULL);
	child->next = ITEMS;
	for (number = 5; number < ITEMS; number += 6) {
		item_start_large(item_new(child, number));
		while (child->busy > 0)
			event_base_loop(child->fixture.base, EVLOOP_ONCE);
	}
	child->next = 0;
	child_next(child);
	while (child->busy > 0)
		event_base_loop(child->fixture.base, EVLOOP_ONCE);
	child->busy++;
	garbage_sweep(child->fixture.store, 100000, child_swept, child);
	while (child->busy > 0)
		event_base_loop(child->fixture.base, EVLOOP_ONCE);
	store_close(&child->fixture.store);
	event_base_free(child->fixture.base);
}

/* ---- the parent ---- */

/* What the child said of an item. */
struct said {
	bool held, dropping, dropped;
};

static void
finding(void *arg, const char *word, const char *key, const char *text)
{
	(void)arg;
	printf("# finding: %s %s: %s\n", word, key, text);
}

static int
readable(struct store *store, const struct store_blob *blob, const char *data,
    size_t len)
{
	char *back = malloc(len + 1);
	int fd = store_blob_open(store, blob->locator), good;

	good = fd != -1 && read(fd, back, len + 1) == (ssize_t)len &&
	    memcmp(back, data, len) == 0;
	if (fd != -1)
		close(fd);
	free(back);
	return good;
}

static void
check_item(struct store *store, int round, int number, const struct said *said)
{
	struct store_view *view = store_read_begin(store);
	struct store_blob blob;
	struct store_key key;
	char hash[SHA256_HEX_SIZE];
	size_t len;
	char *data = item_bytes(round, number, &len);
	int held;

	sha256_hex(data, len, hash);
	held = store_blob_held(view, hash, account);
	CHECK_FOR(store_get(view, store_key_resource(&key, account, hash),
		      NULL) == held,
	    "item %d", number);
	if (said->held && !said->dropping)
		CHECK_FOR(held == 1, "item %d was acknowledged", number);
	if (said->dropped)
		CHECK_FOR(held == 0, "item %d was let go of", number);
	if (held == 1)
		CHECK_FOR(store_blob_get(view, hash, &blob) == 1 &&
			readable(store, &blob, data, len),
		    "item %d", number);
	store_read_end(&view);
	free(data);
}

static void
check_store(struct store_fixture *fixture, int round,
    const struct said said[ITEMS])
{
	static const struct store_check_options options = { .deep = true };
	struct store_check_result result;
	int i;

	fixture->base = event_base_new();
	CHECK(fixture_open(fixture) == 0);
	CHECK(store_sweep_orphans(fixture->store) >= 0);
	fixture_reopen(fixture);
	CHECK(store_check(fixture->store, &options, finding, NULL, &result,
		  &fixture->why) == 0);
	CHECK(result.findings == 0);
	for (i = 0; i < ITEMS; i++)
		check_item(fixture->store, round, i, &said[i]);
	store_close(&fixture->store);
	event_base_free(fixture->base);
}

static void
child_said(int in, struct said said[ITEMS])
{
	char text[2];

	memset(said, 0, ITEMS * sizeof(*said));
	while (read(in, text, 2) == 2) {
		said[(int)text[1]].held |= text[0] == 'H';
		said[(int)text[1]].dropping |= text[0] == 'd';
		said[(int)text[1]].dropped |= text[0] == 'D';
	}
}

/* True if the child was killed. */
static bool
round_run(const char *path, int round, const struct fault *at)
{
	struct child child = { .round = round };
	struct timespec pause = { 0, at->nth * 1000000L };
	struct store_fixture fixture = { 0 };
	struct said said[ITEMS];
	struct fault fault = *at;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) == -1)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		child.out = ends[1];
		snprintf(child.fixture.path, sizeof(child.fixture.path), "%s",
		    path);
		child.fixture.options.map_size = 256 << 20;
		if (fault.point != NULL) {
			child.fixture.options.fault = fault_point;
			child.fixture.options.fault_arg = &fault;
		}
		child_work(&child);
		_exit(0);
	}
	close(ends[1]);
	if (at->point == NULL) {
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
	}
	child_said(ends[0], said);
	close(ends[0]);
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	snprintf(fixture.path, sizeof(fixture.path), "%s", path);
	fixture.options.map_size = 256 << 20;
	check_store(&fixture, round, said);
	return WIFSIGNALED(status);
}

static void
path_new(char path_r[64])
{
	fixture_directory(access("build", W_OK) == 0 ? "build" : "/tmp",
	    path_r);
}

TEST(killed_at_each_point)
{
	static const char *const points[] = { "blob-create", "part-create",
		"blob-write", "part-sync", "blob-rename", "blob-sync",
		"blob-directory-sync", "blob-group-sync", "commit-begin",
		"commit", "committed", "blob-delete", "garbage-deleted" };
	static const int counts[] = { 1, 8 };
	struct fault fault;
	char path[64];
	int round = 0, killed;
	size_t i, k;

	path_new(path);
	fault.point = "none";
	fault.nth = 1;
	CHECK(!round_run(path, round++, &fault));
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		killed = 0;
		for (k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
			fault.point = points[i];
			fault.nth = counts[k];
			killed += round_run(path, round++, &fault);
			if (test_bad != 0)
				printf("# at %s, %d\n", points[i], counts[k]);
		}
		/* A point that is never passed tests nothing. */
		CHECK_FOR(killed > 0, "%s", points[i]);
	}
	nftw(path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

TEST(killed_at_any_moment)
{
	struct fault fault = { NULL, 0 };
	char path[64];
	int round = 0;

	path_new(path);
	fault.point = "none";
	fault.nth = 1;
	CHECK(!round_run(path, round++, &fault));
	fault.point = NULL;
	for (fault.nth = 1; fault.nth < 120; fault.nth += 13)
		round_run(path, round++, &fault);
	nftw(path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	RUN(killed_at_each_point);
	RUN(killed_at_any_moment);
	return test_done();
}

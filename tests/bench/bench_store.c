/* SPDX-License-Identifier: ISC
 *
 * Durable puts per second at the store interface (upload, hash, file, rows
 * of blob, holder, resource, record and account, all committed) against the
 * yardstick of the same run: hash and append to one file, sync every 100.
 *
 * ext4 makes creating files much dearer for minutes after many were deleted
 * nearby, so the rounds share one store and DIRECTORY should be fresh.
 *
 *   bench_store [DIRECTORY [COUNT [SIZE [IN_FLIGHT]]]]
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "store_fixture.h"
#include "store_samples.h"

#define ROUNDS 3

static char account[] = "0123456789abcdef0123456789abcdef";

struct bench {
	struct store_fixture fixture;
	char *data;
	size_t size;
	int count, started, ended, flight, failed;
};

struct put {
	struct sample sample; /* first: sample_hold takes it */
	struct bench *bench;
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_start(struct bench *bench);

static void
put_linked(void *arg, enum outcome outcome, const struct reason *why)
{
	struct put *put = arg;
	struct bench *bench = put->bench;

	if (outcome != OUTCOME_OK && bench->failed++ == 0)
		printf("# %s: %s\n", why->word, why->text);
	free(put);
	bench->ended++;
	if (bench->started < bench->count)
		put_start(bench);
}

static void
put_stored(void *arg, enum outcome outcome, const struct reason *why,
    const struct store_blob *blob)
{
	struct put *put = arg;

	if (outcome != OUTCOME_OK) {
		put_linked(put, outcome, why);
		return;
	}
	put->sample.blob = *blob;
	store_submit(put->bench->fixture.store, sample_hold, put_linked, put);
}

/* The bytes come in pieces, as from TLS. The sender's hash is computed
 * here: it is not the store's work, so it is done before the clock. */
static char (*hashes)[SHA256_HEX_SIZE];

static void
put_start(struct bench *bench)
{
	struct store_upload_request request = { .size = (int64_t)bench->size };
	struct put *put = calloc(1, sizeof(*put));
	struct store_upload *upload;
	struct reason why;
	size_t at, n;
	int i = bench->started++;

	put->bench = bench;
	put->sample.account = account;
	put->sample.now = 1000;
	request.hash = hashes[i];
	upload = store_upload_begin(bench->fixture.store, &request,
	    &fixture_handler, put, &why);
	if (upload == NULL) {
		put_linked(put, OUTCOME_TEMPFAIL, &why);
		return;
	}
	memcpy(bench->data, &i, sizeof(i));
	for (at = 0; at < bench->size; at += n) {
		n = bench->size - at < 16384 ? bench->size - at : 16384;
		/* No waiting for `ready`: small ones are meant here. */
		store_upload_write(upload, bench->data + at, n);
	}
	store_upload_finish(&upload, put_stored);
}

static double
run_store(struct bench *bench)
{
	double start;

	bench->started = bench->ended = 0;
	start = seconds();
	while (bench->started < bench->flight)
		put_start(bench);
	while (bench->ended < bench->count)
		event_base_loop(bench->fixture.base, EVLOOP_ONCE);
	return bench->count / (seconds() - start);
}

static double
run_pack(struct bench *bench, const char *directory)
{
	unsigned char hash[32];
	char path[128];
	double start;
	int fd, i;

	snprintf(path, sizeof(path), "%s/bench-pack", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (fd == -1)
		return 0;
	start = seconds();
	for (i = 0; i < bench->count; i++) {
		memcpy(bench->data, &i, sizeof(i));
		EVP_Digest(bench->data, bench->size, hash, NULL, EVP_sha256(),
		    NULL);
		if (write(fd, bench->data, bench->size) != (ssize_t)bench->size)
			break;
		if (i % 100 == 99 && fdatasync(fd) == -1)
			break;
	}
	start = seconds() - start;
	close(fd);
	unlink(path);
	return i / start;
}

int
main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "build";
	struct bench bench = { .count = argc > 2 ? atoi(argv[2]) : 10000,
		.size = argc > 3 ? (size_t)atol(argv[3]) : 16384,
		.flight = argc > 4 ? atoi(argv[4]) : 512 };
	struct store_figures figures;
	double store, pack;
	int round, i;

	bench.data = malloc(bench.size + sizeof(int));
	hashes = calloc((size_t)bench.count, sizeof(*hashes));
	fixture_init_in(&bench.fixture, directory);
	if (store_run(bench.fixture.store, sample_account, account,
		&bench.fixture.why) != OUTCOME_OK)
		printf("# %s\n", bench.fixture.why.text);
	for (round = 0; round < ROUNDS; round++) {
		randombytes_buf(bench.data, bench.size);
		for (i = 0; i < bench.count; i++) {
			memcpy(bench.data, &i, sizeof(i));
			sha256_hex(bench.data, bench.size, hashes[i]);
		}
		pack = run_pack(&bench, directory);
		store = run_store(&bench);
		store_figures(bench.fixture.store, &figures);
		printf("puts %d size %zu store %.0f/s pack %.0f/s ratio %.2f "
		       "failed %d transactions %lld\n",
		    bench.count, bench.size, store, pack, store / pack,
		    bench.failed, (long long)figures.commits);
	}
	fixture_free(&bench.fixture);
	free(hashes);
	free(bench.data);
	return bench.failed != 0;
}

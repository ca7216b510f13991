/* SPDX-License-Identifier: ISC
 *
 * Streaming between files and a mailbox.
 */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cargo_api.h"
#include "cargo_placeholder.h"
#include "clock.h"
#include "http_parse.h"
#include "memory.h"
#include "new_file.h"
#include "terminal.h"

#define CHUNK 262144
#define RESUME_TRIES 4 /* in a row that bring nothing */

/* What passes by, in either direction. */
struct passage {
	int fd;
	int64_t offset; /* bytes that passed */
	int64_t skip; /* of what comes again after a broken transfer */
	EVP_MD_CTX *digest; /* NULL on the way up: hashed before */
	struct terminal_progress progress;
	struct reason *why;
	bool failed; /* why is set */
};

static EVP_MD_CTX *
digest_new(void)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	if (digest == NULL ||
	    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
		abort();
	return digest;
}

static void
digest_end(EVP_MD_CTX *digest, char hash_r[SHA256_HEX_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(digest, hash, &len) != 1 || len != SHA256_LEN)
		abort();
	hex_format(hash, SHA256_LEN, hash_r);
}

enum outcome
transfer_hash(struct transfer_source *source, struct reason *why)
{
	EVP_MD_CTX *digest = digest_new();
	struct terminal_progress progress;
	char *data = x_malloc(CHUNK);
	ssize_t got;

	source->size = 0;
	terminal_progress_begin(&progress, stderr, source->label,
	    lseek(source->fd, 0, SEEK_END), clock_monotonic_ms());
	while ((got = pread(source->fd, data, CHUNK, source->size)) > 0) {
		EVP_DigestUpdate(digest, data, (size_t)got);
		source->size += got;
		terminal_progress_set(&progress, source->size,
		    clock_monotonic_ms());
	}
	terminal_progress_end(&progress);
	digest_end(digest, source->hash);
	EVP_MD_CTX_free(digest);
	free(data);
	if (got < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local", "%s: %s",
		    source->label, strerror(errno));
	return OUTCOME_OK;
}

static ssize_t
read_up(void *arg, void *data_r, size_t max)
{
	struct passage *passage = arg;
	ssize_t got = pread(passage->fd, data_r, max, passage->offset);

	if (got <= 0) {
		/* The end comes before it is asked for only if the file was
		 * cut while we read it. */
		passage->failed = true;
		reason_set(passage->why, OUTCOME_TEMPFAIL, "local",
		    "the file cannot be read any more");
		return -1;
	}
	passage->offset += got;
	terminal_progress_set(&passage->progress, passage->offset,
	    clock_monotonic_ms());
	return got;
}

enum outcome
transfer_has(struct session *session, const char *hash, int64_t *size_r,
    struct reason *why)
{
	struct http_call call = { .method = HTTP_HEAD };
	struct http_result result;
	enum outcome outcome;
	char length[24];
	char *path = x_asprintf(CARGO_API_RESOURCE "%s", hash);

	http_result_init(&result);
	outcome = session_call(session, &call, path, NULL, &result, why);
	if (outcome == OUTCOME_OK && result.status == 404)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "not-shared",
		    "not in mailbox %s", session_mailbox(session)->name);
	else if (outcome == OUTCOME_OK && result.status / 100 != 2)
		outcome = session_refused(&result, why);
	else if (outcome == OUTCOME_OK && size_r != NULL)
		*size_r = http_result_header(&result, "content-length", length,
			      sizeof(length)) != NULL ?
		    strtoll(length, NULL, 10) :
		    -1;
	http_result_free(&result);
	free(path);
	return outcome;
}

static enum outcome
send_up(struct session *session, const struct transfer_source *source,
    struct reason *why)
{
	struct passage passage = { .fd = source->fd, .why = why };
	struct http_header_list headers;
	struct http_call call = { .method = HTTP_PUT,
		.read = read_up,
		.body_len = source->size,
		.arg = &passage,
		.wait_s = 300 };
	struct http_result result;
	enum outcome outcome;
	char *path = cargo_api_resource_path(source->hash, source->name);

	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", source->type);
	/* A refusal (quota, size) comes before the bytes go out. */
	http_header_add(&headers, "Expect", "100-continue");
	if (source->size == 0) {
		call.read = NULL;
		call.body = "";
	}
	http_result_init(&result);
	terminal_progress_begin(&passage.progress, stderr, source->label,
	    source->size, clock_monotonic_ms());
	outcome = session_call(session, &call, path, &headers, &result, why);
	terminal_progress_end(&passage.progress);
	/* A status of its own says more than a broken connection. */
	if (result.status >= 300)
		outcome = session_refused(&result, why);
	http_result_free(&result);
	free(path);
	return outcome;
}

enum outcome
transfer_put(struct session *session, const struct transfer_source *source,
    bool *sent_r, struct reason *why)
{
	enum outcome outcome;

	*sent_r = false;
	outcome = transfer_has(session, source->hash, NULL, why);
	if (outcome != OUTCOME_PERMFAIL || !reason_is(why, "not-shared"))
		return outcome;
	outcome = send_up(session, source, why);
	*sent_r = outcome == OUTCOME_OK;
	return outcome;
}

static int
write_down(void *arg, const void *data, size_t len)
{
	struct passage *passage = arg;
	const char *at = data;
	ssize_t put;

	if (passage->skip > 0) {
		size_t again =
		    (int64_t)len < passage->skip ? len : (size_t)passage->skip;

		passage->skip -= (int64_t)again;
		at += again;
		len -= again;
	}
	EVP_DigestUpdate(passage->digest, at, len);
	passage->offset += (int64_t)len;
	while (len > 0) {
		put = write(passage->fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			passage->failed = true;
			reason_set(passage->why, OUTCOME_TEMPFAIL, "local",
			    "%s", strerror(errno));
			return -1;
		}
		at += put;
		len -= (size_t)put;
	}
	terminal_progress_set(&passage->progress, passage->offset,
	    clock_monotonic_ms());
	return 0;
}

static enum outcome
check_down(struct passage *passage, const char *hash, int64_t size)
{
	char got[SHA256_HEX_SIZE];

	digest_end(passage->digest, got);
	if (size >= 0 && passage->offset != size)
		return reason_set(passage->why, OUTCOME_PERMFAIL, "wrong-size",
		    "%lld bytes came, %lld were promised",
		    (long long)passage->offset, (long long)size);
	if (strcmp(got, hash) != 0)
		return reason_set(passage->why, OUTCOME_PERMFAIL, "wrong-hash",
		    "what came has the SHA-256 %s", got);
	return OUTCOME_OK;
}

/* Before the first byte: does it go on where it stopped, or begin anew? */
static int
begin_down(void *arg, unsigned status, int64_t size,
    const struct buffer *fields)
{
	struct passage *passage = arg;
	int64_t first = 0, len, whole;
	char range[80];

	(void)size;
	if (status == 206 &&
	    http_parse_content_range(http_result_field(fields, "content-range",
					 range, sizeof(range)),
		&first, &len, &whole) < 0)
		first = -1;
	if (first < 0 || first > passage->offset) {
		passage->failed = true;
		reason_set(passage->why, OUTCOME_TEMPFAIL, "protocol",
		    "the mailbox gave another range than was asked for");
		return -1;
	}
	passage->skip = passage->offset - first;
	return 0;
}

/* One request for all that is missing. */
static enum outcome
get_rest(struct session *session, const char *path, int64_t size,
    struct passage *passage, struct reason *why)
{
	struct http_call call = { .method = HTTP_GET,
		.head = begin_down,
		.sink = write_down,
		.max_body = size >= 0 ? size : CARGO_MAX_SIZE,
		.arg = passage };
	struct http_header_list headers;
	struct http_result result;
	enum outcome outcome;

	http_header_init(&headers);
	if (passage->offset > 0)
		http_header_add_format(&headers, "Range", "bytes=%lld-",
		    (long long)passage->offset);
	http_result_init(&result);
	outcome = session_call(session, &call, path, &headers, &result, why);
	if (passage->failed)
		outcome = OUTCOME_TEMPFAIL;
	else if (result.overrun)
		outcome = OUTCOME_OK; /* told by its size */
	else if (outcome == OUTCOME_OK && result.status != 200 &&
	    result.status != 206)
		outcome = session_refused(&result, why);
	http_result_free(&result);
	return outcome;
}

/* A transfer that broke after some bytes goes on where it stopped, as long
 * as every few attempts bring more. */
static enum outcome
get_all(struct session *session, const char *path, int64_t size,
    struct passage *passage, struct reason *why)
{
	enum outcome outcome;
	unsigned idle = 0;
	int64_t before;

	for (;;) {
		before = passage->offset;
		outcome = get_rest(session, path, size, passage, why);
		if (outcome != OUTCOME_TEMPFAIL || passage->failed ||
		    passage->offset == 0 || passage->offset == size)
			return outcome;
		idle = passage->offset > before ? 0 : idle + 1;
		if (idle > RESUME_TRIES)
			return outcome;
		/* At once, then after 1, 2, 4, 8 seconds. */
		if (idle > 0)
			sleep(1U << (idle - 1));
	}
}

enum outcome
transfer_get(struct session *session, const char *hash, int64_t size,
    const char *label, int fd, struct reason *why)
{
	struct reason own = { 0 };
	struct passage passage = { .fd = fd, .why = &own };
	enum outcome outcome;
	char *path = x_asprintf(CARGO_API_RESOURCE "%s", hash);

	passage.digest = digest_new();
	terminal_progress_begin(&passage.progress, stderr, label, size,
	    clock_monotonic_ms());
	outcome = get_all(session, path, size, &passage, why);
	terminal_progress_end(&passage.progress);
	if (outcome == OUTCOME_OK)
		outcome = check_down(&passage, hash, size);
	if (own.word[0] != '\0')
		*why = own;
	EVP_MD_CTX_free(passage.digest);
	free(path);
	return outcome;
}

enum outcome
transfer_get_file(struct session *session, const char *hash, int64_t size,
    const char *directory, const char *name, char **path_r, struct reason *why)
{
	struct new_file file;
	enum outcome outcome;

	*path_r = NULL;
	outcome = new_file_open(&file, directory, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = transfer_get(session, hash, size, name, file.fd, why);
	if (outcome == OUTCOME_OK)
		outcome = new_file_commit(&file, name, path_r, why);
	new_file_close(&file);
	return outcome;
}

int
transfer_temporary(void)
{
	const char *directory = getenv("TMPDIR");
	char *path;
	int fd;

	if (directory == NULL || directory[0] != '/')
		directory = "/tmp";
	path = x_asprintf("%s/cargomail-XXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows of bytes: blobs with their files, who holds them, garbage
 * and broken uploads.
 */
#include "store_check_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_strict.h"
#include "memory.h"

/* Reads and hashes; -1 if it cannot be read. */
static int
hash_file(struct check *check, int fd, char hex_r[SHA256_HEX_SIZE])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	const size_t size = 256 << 10;
	char *data = x_malloc(size);
	ssize_t n = -1;

	if (digest != NULL &&
	    EVP_DigestInit_ex2(digest, check->store->sha256, NULL) == 1) {
		while ((n = read(fd, data, size)) > 0 ||
		    (n == -1 && errno == EINTR)) {
			if (n > 0)
				EVP_DigestUpdate(digest, data, (size_t)n);
		}
		EVP_DigestFinal_ex(digest, hash, NULL);
		hex_format(hash, SHA256_LEN, hex_r);
	}
	EVP_MD_CTX_free(digest);
	free(data);
	return n == 0 ? 0 : -1;
}

/* True if a fresh snapshot still names this file for the blob. */
static bool
still_named(struct check *check, const struct store_blob *blob)
{
	struct store_view *view = store_read_begin(check->store);
	struct store_blob now;
	bool named;

	if (view == NULL)
		return true;
	named = store_blob_get(view, blob->hash, &now) == 1 &&
	    strcmp(now.locator, blob->locator) == 0;
	store_read_end(&view);
	return named;
}

static void
check_blob_file(struct check *check, const struct store_blob *blob)
{
	char hex[SHA256_HEX_SIZE] = "";
	struct stat st;
	int fd = store_blob_open(check->store, blob->locator);

	int error = errno;

	if (fd == -1) {
		if (still_named(check, blob))
			store_check_found(check, "blob-missing", check->key,
			    "%s: %s", blob->locator, strerror(error));
		return;
	}
	if (fstat(fd, &st) == -1 || st.st_size != blob->size)
		store_check_found(check, "blob-size", check->key,
		    "%lld bytes, not %lld", (long long)st.st_size,
		    (long long)blob->size);
	else if (check->options->deep && hash_file(check, fd, hex) == -1)
		store_check_found(check, "blob-hash", check->key,
		    "%s cannot be read", blob->locator);
	else if (check->options->deep && strcmp(hex, blob->hash) != 0)
		store_check_found(check, "blob-hash", check->key,
		    "the hash is %s", hex);
	close(fd);
}

static enum store_step
any_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	*(bool *)arg = true;
	return STORE_STOP;
}

void
store_check_blob(struct check *check)
{
	struct store_blob blob;
	struct store_key key;
	bool any = false;

	if (store_blob_get(check->view, check->parts[1], &blob) != 1) {
		store_check_found(check, "row", check->key, "torn");
		return;
	}
	check->result->blobs++;
	check->result->bytes += blob.size;
	store_scan(check->view, store_key_holder(&key, blob.hash, NULL), NULL,
	    any_row, &any);
	if (!any)
		store_check_found(check, "holder", check->key,
		    "nobody holds it");
	check_blob_file(check, &blob);
}

void
store_check_holder(struct check *check)
{
	struct store_key key;

	store_check_need(check, "holder",
	    store_key_resource(&key, check->parts[3], check->parts[1]));
	store_check_need(check, "holder",
	    store_key_blob(&key, check->parts[1]));
}

void
store_check_garbage(struct check *check)
{
	char hash[SHA256_HEX_SIZE], locator[STORE_LOCATOR_SIZE];
	struct store_blob blob;
	int64_t due;

	snprintf(locator, sizeof(locator), "%.2s/%.90s", check->parts[3],
	    check->parts[4]);
	snprintf(hash, sizeof(hash), "%.64s", check->parts[4]);
	if (store_key_number(check->key, 2, &due) == -1 ||
	    !hex_is_sha256(hash)) {
		store_check_found(check, "row", check->key,
		    "no time or locator");
		return;
	}
	if (store_blob_get(check->view, hash, &blob) == 1 &&
	    strcmp(blob.locator, locator) == 0)
		store_check_found(check, "blob-orphan", check->key,
		    "is in use");
}

void
store_check_upload(struct check *check)
{
	if (!store_id_valid(check->parts[1]) ||
	    json_string(check->row, "account") == NULL ||
	    json_string(check->row, "hash") == NULL ||
	    store_check_member(check->row, "size") == -1 ||
	    store_check_member(check->row, "expires") == -1 ||
	    store_check_member(check->row, "offset") == -1)
		store_check_found(check, "row", check->key, "torn");
}

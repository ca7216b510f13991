/* SPDX-License-Identifier: ISC
 *
 * {"password":base64,"hash":text} checks, {"password":base64} makes a hash;
 * the answer is {"good":bool} or {"hash":text}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "encoding.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "password_worker.h"

/* 64 MiB, two passes. */
#define OPERATIONS crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMORY crypto_pwhash_MEMLIMIT_INTERACTIVE

/* Nobody's: salt and hash are all zero bytes, so no password fits, but
 * saying no takes as long as for any other. */
#define DUMMY_HASH \
	"$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

void
password_worker_work(const cJSON *request, int fd, cJSON *answer)
{
	const char *encoded = json_string(request, "password");
	const char *old = json_string(request, "hash");
	char hash[crypto_pwhash_STRBYTES] = "", *password;
	size_t len = 0;

	(void)fd;
	if (encoded == NULL)
		return;
	password = base64_parse(encoded, strlen(encoded), &len);
	if (password == NULL)
		return;
	if (old != NULL) {
		snprintf(hash, sizeof(hash), "%s", old);
		json_add_boolean(answer, "good",
		    crypto_pwhash_str_verify(hash, password, len) == 0);
	} else if (crypto_pwhash_str(hash, password, len, OPERATIONS, MEMORY) ==
	    0)
		json_add_string(answer, "hash", hash);
	sodium_memzero(password, len);
	free(password);
}

static int
ask(struct work_pool *pool, const char *password, const char *hash,
    work_pool_callback *callback, void *arg)
{
	cJSON *request;
	char *encoded;

	if (strlen(password) > PASSWORD_WORKER_MAX ||
	    (hash != NULL && strlen(hash) >= crypto_pwhash_STRBYTES))
		return -1;
	encoded = base64_format(password, strlen(password));
	request = cJSON_CreateObject();
	if (encoded == NULL ||
	    json_add_string(request, "password", encoded) == -1 ||
	    (hash != NULL && json_add_string(request, "hash", hash) == -1))
		log_panic("out of memory");
	sodium_memzero(encoded, strlen(encoded));
	free(encoded);
	return work_pool_ask(pool, request, -1, callback, arg);
}

int
password_worker_check(struct work_pool *pool, const char *password,
    const char *hash, work_pool_callback *callback, void *arg)
{
	return ask(pool, password, hash != NULL ? hash : DUMMY_HASH, callback,
	    arg);
}

int
password_worker_hash(struct work_pool *pool, const char *password,
    work_pool_callback *callback, void *arg)
{
	return ask(pool, password, NULL, callback, arg);
}

bool
password_worker_good(const cJSON *answer)
{
	return json_boolean(answer, "good") == 1;
}

const char *
password_worker_made(const cJSON *answer)
{
	return json_string(answer, "hash");
}

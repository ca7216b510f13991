/* SPDX-License-Identifier: ISC
 *
 * Reads a notification's body and the placeholder in it. The child gets the
 * body in a memory file that cannot change any more.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cargo_notification.h"
#include "cargo_placeholder.h"
#include "json_strict.h"
#include "placeholder_worker.h"

/* ---- the child ----------------------------------------------------------- */

static enum outcome
judge(const char *body, size_t len, cJSON *answer, struct reason *why)
{
	struct cargo_placeholder *placeholder = NULL;
	struct cargo_notification *notification = NULL;
	enum outcome outcome;

	outcome = cargo_notification_parse(body, len, &notification, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = cargo_placeholder_parse(notification->placeholder,
	    notification->placeholder_len, &placeholder, why);
	if (outcome != OUTCOME_OK)
		goto out;
	outcome = cargo_notification_compare(notification, placeholder, why);
	if (outcome != OUTCOME_OK)
		goto out;
	json_add_string(answer, "origin", placeholder->origin);
	json_add_string(answer, "share", placeholder->share);
out:
	cargo_placeholder_free(&placeholder);
	cargo_notification_free(&notification);
	return outcome;
}

void
placeholder_worker_work(const cJSON *request, int fd, cJSON *answer)
{
	enum outcome outcome = OUTCOME_TEMPFAIL;
	struct reason why = { .word = "box" };
	struct stat status;
	void *body;

	(void)request;
	if (fd != -1 && fstat(fd, &status) == 0 && status.st_size > 0) {
		body = mmap(NULL, (size_t)status.st_size, PROT_READ,
		    MAP_PRIVATE, fd, 0);
		if (body != MAP_FAILED)
			outcome =
			    judge(body, (size_t)status.st_size, answer, &why);
	}
	json_add_string(answer, "outcome", outcome_name(outcome));
	if (outcome != OUTCOME_OK) {
		json_add_string(answer, "reason", why.word);
		json_add_string(answer, "detail", why.text);
	}
}

/* ---- who asks ------------------------------------------------------------ */

static int
memory_file(const char *body, size_t len)
{
	int fd = memfd_create("notification", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (fd == -1)
		return -1;
	while (len > 0 && (n = write(fd, body, len)) > 0) {
		body += n;
		len -= (size_t)n;
	}
	if (len > 0 ||
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
		-1) {
		close(fd);
		return -1;
	}
	return fd;
}

int
placeholder_worker_ask(struct work_pool *pool, const void *body, size_t len,
    work_pool_callback *callback, void *arg)
{
	int fd = memory_file(body, len);

	if (fd == -1)
		return -1;
	return work_pool_ask(pool, cJSON_CreateObject(), fd, callback, arg);
}

/* The parsers' words are problem types or become one. */
static enum outcome
refuse(const char *word, const char *detail, struct reason *why)
{
	const char *name = "placeholder";

	if (strcmp(word, "limit") == 0)
		name = "too-large";
	return reason_set(why, OUTCOME_PERMFAIL, name, "%s: %s", word,
	    detail != NULL ? detail : "");
}

enum outcome
placeholder_worker_read(const cJSON *answer, struct placeholder_facts *facts_r,
    struct reason *why)
{
	const char *name = json_string(answer, "outcome");
	const char *word = json_string(answer, "reason");
	enum outcome outcome;

	if (name == NULL || outcome_parse(name, &outcome) == -1)
		outcome = OUTCOME_TEMPFAIL;
	if (outcome == OUTCOME_PERMFAIL && word != NULL)
		return refuse(word, json_string(answer, "detail"), why);
	facts_r->origin = json_string(answer, "origin");
	facts_r->share = json_string(answer, "share");
	if (outcome != OUTCOME_OK || facts_r->origin == NULL ||
	    facts_r->share == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the placeholder could not be read");
	return OUTCOME_OK;
}

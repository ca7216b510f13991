/* SPDX-License-Identifier: ISC
 *
 * The steps of a rotation; see rotation.h.
 */
#include "rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "json_strict.h"
#include "memory.h"
#include "terminal.h"

int
rotation_fail(const struct rotation *rotation, int code, const char *format,
    ...)
{
	char *text, *safe;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		abort();
	va_end(ap);
	safe = terminal_escape(text);
	fflush(rotation->out);
	fprintf(stderr, "cargomailctl: %s: %s\n", rotation->name, safe);
	free(safe);
	free(text);
	return code;
}

char *
rotation_path(const struct rotation *rotation, bool next, const char *end)
{
	return x_asprintf("%s%s/%s%s", rotation->keys,
	    next ? "/" ROTATION_DIRECTORY : "", rotation->name, end);
}

int
rotation_save(const struct rotation *rotation)
{
	char *error = NULL;
	int code = 0;

	if (rotation_state_write(rotation->keys, rotation->name,
		&rotation->state, &error) != 0)
		code = rotation_fail(rotation, EX_IOERR, "%s", error);
	free(error);
	return code;
}

bool
rotation_program(const struct rotation *rotation, const char *const argv[])
{
	int status;

	free(rotation->world->run(rotation->world->arg, argv, &status));
	return status == 0;
}

/* ---- the steps ---------------------------------------------------------- */

/* One that certbot renews: its hook would put certbot's key back. */
static int
refuse_certbot(const struct rotation *rotation)
{
	char *pattern =
	    x_asprintf("%s/etc/letsencrypt/live/*/privkey.pem", rotation->root);
	char *key = rotation_path(rotation, false, ".key"), *lineage;
	glob_t found = { 0 };
	int code = 0;

	if (glob(pattern, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) {
		const char *const same[] = { "cmp", "-s", found.gl_pathv[i],
			key, NULL };

		if (!rotation_program(rotation, same))
			continue;
		lineage = found.gl_pathv[i];
		*strrchr(lineage, '/') = '\0';
		code = rotation_fail(rotation, EX_UNAVAILABLE,
		    "this key is certbot's (%s). For a new one: certbot renew "
		    "--cert-name %s --force-renewal --new-key; its deploy hook "
		    "puts it in place; then publish what cargomailctl dns "
		    "prints. --force takes it from certbot",
		    lineage, strrchr(lineage, '/') + 1);
	}
	globfree(&found);
	free(pattern);
	free(key);
	return code;
}

static int
begin(struct rotation *rotation, bool in_haste)
{
	char *key = rotation_path(rotation, false, ".key");
	struct stat st;
	int code = 0;

	if (lstat(key, &st) != 0)
		code = rotation_fail(rotation, EX_NOINPUT, "%s: %s", key,
		    strerror(errno));
	free(key);
	if (code == 0 && !rotation->force && rotation_is_certified(rotation))
		code = refuse_certbot(rotation);
	if (code == 0 && !rotation->force && !in_haste)
		code = rotation_check_signer(rotation);
	if (code == 0)
		code = rotation_make(rotation);
	if (code == 0)
		fprintf(rotation->out,
		    "made a new key: %s/" ROTATION_DIRECTORY "/%s.key\n",
		    rotation->keys, rotation->name);
	return code;
}

static void
say_made(const struct rotation *rotation)
{
	bool published = false;

	for (size_t i = 0; i < rotation->place_count; i++)
		if (rotation->places[i].owner != NULL)
			published = true;
	if (published) {
		fprintf(rotation->out, "publish beside what is there:\n");
		rotation_print(rotation, rotation->next.hash);
	}
	if (rotation_is_certified(rotation))
		fprintf(rotation->out,
		    "have your CA sign\n    %s/" ROTATION_DIRECTORY
		    "/%s.csr\nput it, leaf first, at\n    "
		    "%s/" ROTATION_DIRECTORY "/%s.crt\n",
		    rotation->keys, rotation->name, rotation->keys,
		    rotation->name);
	fprintf(rotation->out, "then type this again\n");
}

static int
switch_over(struct rotation *rotation, bool in_haste)
{
	bool later = false;
	int code = rotation_verify(rotation);

	if (code == EX_TEMPFAIL && in_haste) {
		fprintf(rotation->out,
		    "until then the compromised key serves: have its "
		    "certificate revoked. Publish now:\n");
		rotation_print(rotation, rotation->next.hash);
	}
	if (code == 0 && !in_haste && !rotation->force)
		code = rotation_ready(rotation, &later);
	if (code == 0 && !later && !in_haste && !rotation->force)
		code = rotation_check_signer(rotation);
	if (code != 0 || later)
		return code;
	code = rotation_commit(rotation);
	if (code != 0)
		return code;
	fprintf(rotation->out,
	    "the new key is in its place; the old one is removed\n");
	code = rotation_take_up(rotation);
	return code != 0 ? code : rotation_watch(rotation);
}

/* The present key is lost, and so is the next one that lay beside it. If that
 * was done before, it goes on from there. */
static int
mark_lost(struct rotation *rotation)
{
	struct rotation_state *state = &rotation->state;
	struct rotation_old *old;
	int code;

	for (size_t i = 0; i < state->old_count; i++)
		if (state->old[i].bad)
			return 0;
	if (state->bad[0] != '\0')
		return 0;
	if (rotation->present.hash[0] == '\0')
		return rotation_fail(rotation, EX_NOINPUT,
		    "has no certificate; remove the key and make it anew: "
		    "gripd keygen");
	memcpy(state->bad, rotation->present.hash, SHA256_HEX_SIZE);
	if (rotation->next.hash[0] != '\0') {
		old = rotation_state_add(state, rotation->next.hash);
		old->since = old->until = rotation->now;
		old->bad = true;
	}
	code = rotation_save(rotation);
	return code != 0 ? code : rotation_settle(rotation);
}

static int
step(struct rotation *rotation)
{
	const struct rotation_state *state = &rotation->state;
	bool in_haste;
	int code = rotation_settle(rotation);

	if (code == 0 && rotation->compromised)
		code = mark_lost(rotation);
	if (code != 0)
		return code;
	in_haste = state->bad[0] != '\0';
	if (!in_haste && !rotation_is_taken_up(rotation)) {
		code = rotation_take_up(rotation);
		return code != 0 ? code : rotation_watch(rotation);
	}
	if (rotation->next.hash[0] != '\0')
		return switch_over(rotation, in_haste);
	if (state->old_count > 0 && !in_haste)
		return rotation_watch(rotation);
	code = begin(rotation, in_haste);
	if (code == 0 && in_haste)
		return switch_over(rotation, in_haste);
	if (code == 0)
		say_made(rotation);
	return code;
}

/* One at a time. */
static int
lock(struct rotation *rotation)
{
	rotation->lock =
	    open(rotation->keys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rotation->lock == -1)
		return rotation_fail(rotation, EX_NOINPUT, "%s: %s",
		    rotation->keys, strerror(errno));
	if (flock(rotation->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	close(rotation->lock);
	return rotation_fail(rotation, EX_TEMPFAIL,
	    "another cargomailctl keys rotate is at work");
}

int
rotation_run(struct rotation *rotation)
{
	char *error = NULL;
	int code;

	if (geteuid() != 0)
		return rotation_fail(rotation, EX_NOPERM,
		    "only root may rotate keys");
	code = lock(rotation);
	if (code != 0)
		return code;
	rotation->now = rotation->world->now(rotation->world->arg);
	if (rotation_state_read(rotation->keys, rotation->name,
		&rotation->state, &error) == 0) {
		rotation_look(rotation);
		code = step(rotation);
	} else {
		code = rotation_fail(rotation, EX_DATAERR, "%s", error);
	}
	rotation_forget_places(rotation);
	rotation_state_free(&rotation->state);
	free(error);
	close(rotation->lock);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * The file of a rotation. It is root's; one that is torn or of another
 * version is told by its path and left alone.
 */
#include "rotation_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "json_strict.h"
#include "memory.h"

#define STATE_MAX 65536
#define STATE_VERSION 1

void
rotation_state_free(struct rotation_state *state)
{
	free(state->old);
	memset(state, 0, sizeof(*state));
}

struct rotation_old *
rotation_state_find(const struct rotation_state *state, const char *key)
{
	for (size_t i = 0; i < state->old_count; i++)
		if (strcmp(state->old[i].key, key) == 0)
			return &state->old[i];
	return NULL;
}

struct rotation_old *
rotation_state_add(struct rotation_state *state, const char *key)
{
	struct rotation_old *old = rotation_state_find(state, key);

	if (old != NULL)
		return old;
	state->old =
	    x_realloc(state->old, (state->old_count + 1) * sizeof(*old));
	old = &state->old[state->old_count++];
	*old = (struct rotation_old){ .since = 0 };
	snprintf(old->key, sizeof(old->key), "%s", key);
	return old;
}

void
rotation_state_remove(struct rotation_state *state, size_t number)
{
	state->old_count--;
	memmove(&state->old[number], &state->old[number + 1],
	    (state->old_count - number) * sizeof(*state->old));
}

/* ---- reading ------------------------------------------------------------ */

/* A hash, or "" if the member is not there. */
static int
get_hash(const cJSON *object, const char *name, char hash_r[SHA256_HEX_SIZE])
{
	const char *text = json_string(object, name);

	hash_r[0] = '\0';
	if (cJSON_GetObjectItemCaseSensitive(object, name) == NULL)
		return 0;
	if (text == NULL || !hex_is_sha256(text))
		return -1;
	memcpy(hash_r, text, SHA256_HEX_SIZE);
	return 0;
}

static int
get_time(const cJSON *object, const char *name, int64_t *time_r)
{
	return json_integer(object, name, 0, JSON_MAX_INTEGER, time_r);
}

static int
read_old(const cJSON *item, struct rotation_state *state)
{
	char key[SHA256_HEX_SIZE];
	struct rotation_old *old;

	if (get_hash(item, "key", key) != 0 || key[0] == '\0' ||
	    rotation_state_find(state, key) != NULL)
		return -1;
	old = rotation_state_add(state, key);
	old->bad = json_boolean(item, "compromised") == 1;
	if (get_time(item, "since", &old->since) != 0 ||
	    get_time(item, "until", &old->until) != 0)
		return -1;
	return 0;
}

static int
read_object(const cJSON *object, struct rotation_state *state)
{
	const cJSON *item;
	int64_t version;

	if (json_integer(object, "version", STATE_VERSION, STATE_VERSION,
		&version) != 0 ||
	    get_hash(object, "next", state->next) != 0 ||
	    get_hash(object, "compromised", state->bad) != 0 ||
	    get_time(object, "made", &state->made) != 0 ||
	    get_time(object, "seen", &state->seen) != 0 ||
	    get_time(object, "ready", &state->ready) != 0 ||
	    json_array(object, "old") == NULL)
		return -1;
	cJSON_ArrayForEach(item, json_array(object, "old"))
	{
		if (read_old(item, state) != 0)
			return -1;
	}
	return 0;
}

static char *
state_path(const char *keys, const char *name, const char *end)
{
	return x_asprintf("%s/" ROTATION_DIRECTORY "/%s.state%s", keys, name,
	    end);
}

int
rotation_state_read(const char *keys, const char *name,
    struct rotation_state *state_r, char **error_r)
{
	char *path = state_path(keys, name, ""), *text = NULL;
	cJSON *object = NULL;
	FILE *in = fopen(path, "re");
	size_t len;
	int rc = -1;

	memset(state_r, 0, sizeof(*state_r));
	if (in == NULL) {
		/* ENOTDIR: some other file is called so. */
		rc = errno == ENOENT ? 0 : -1;
		if (rc != 0)
			*error_r = x_asprintf("%s: %s", path, strerror(errno));
		goto out;
	}
	text = x_malloc(STATE_MAX);
	len = fread(text, 1, STATE_MAX, in);
	object = len < STATE_MAX ? json_parse(text, len, NULL) : NULL;
	rc = read_object(object, state_r);
	if (rc != 0)
		*error_r = x_asprintf("%s: not what this version writes; look "
				      "at it, then move it away",
		    path);
out:
	if (rc != 0)
		rotation_state_free(state_r);
	if (in != NULL)
		fclose(in);
	cJSON_Delete(object);
	free(text);
	free(path);
	return rc;
}

/* ---- writing ------------------------------------------------------------ */

static char *
format(const struct rotation_state *state)
{
	cJSON *object = cJSON_CreateObject(), *list = cJSON_CreateArray();
	char *text;

	json_add_integer(object, "version", STATE_VERSION);
	if (state->next[0] != '\0')
		json_add_string(object, "next", state->next);
	if (state->bad[0] != '\0')
		json_add_string(object, "compromised", state->bad);
	json_add_integer(object, "made", state->made);
	json_add_integer(object, "seen", state->seen);
	json_add_integer(object, "ready", state->ready);
	for (size_t i = 0; i < state->old_count; i++) {
		cJSON *item = cJSON_CreateObject();

		json_add_string(item, "key", state->old[i].key);
		json_add_integer(item, "since", state->old[i].since);
		json_add_integer(item, "until", state->old[i].until);
		json_add_boolean(item, "compromised", state->old[i].bad);
		cJSON_AddItemToArray(list, item);
	}
	json_add_item(object, "old", list);
	text = json_format(object);
	cJSON_Delete(object);
	return text;
}

static int
sync_directory(const char *keys)
{
	char *path = x_asprintf("%s/" ROTATION_DIRECTORY, keys);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd != -1 ? fsync(fd) : -1;

	if (fd != -1)
		close(fd);
	free(path);
	return rc;
}

static int
write_file(const char *path, const char *text)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	ssize_t len = (ssize_t)strlen(text);
	int rc = -1;

	if (fd == -1)
		return -1;
	/* Whatever the umask: cargomail-admin reads it, too. */
	if (fchmod(fd, 0644) == 0 && write(fd, text, (size_t)len) == len &&
	    fsync(fd) == 0)
		rc = 0;
	close(fd);
	return rc;
}

static bool
is_empty(const struct rotation_state *state)
{
	return state->next[0] == '\0' && state->bad[0] == '\0' &&
	    state->old_count == 0;
}

int
rotation_state_write(const char *keys, const char *name,
    const struct rotation_state *state, char **error_r)
{
	char *directory = x_asprintf("%s/" ROTATION_DIRECTORY, keys);
	char *path = state_path(keys, name, "");
	char *fresh = state_path(keys, name, ".new");
	char *text = format(state);
	int rc;

	if (is_empty(state)) {
		rc = unlink(path) == 0 || errno == ENOENT ? 0 : -1;
	} else {
		if (mkdir(directory, 0755) == 0)
			chmod(directory, 0755);
		rc = write_file(fresh, text);
		if (rc == 0)
			rc = rename(fresh, path);
	}
	if (rc == 0 && (!is_empty(state) || access(directory, F_OK) == 0))
		rc = sync_directory(keys);
	if (rc != 0)
		*error_r = x_asprintf("%s: %s", path, strerror(errno));
	free(directory);
	free(fresh);
	free(path);
	free(text);
	return rc;
}

/* ---- for people --------------------------------------------------------- */

/* `when` 0: no date. */
static void
append(char **text, const char *what, int64_t when)
{
	char date[CLOCK_TEXT_SIZE] = "", *both;

	if (when != 0)
		clock_format_internet(when, date);
	both = x_asprintf("%s%s%s%s%s", *text, **text != '\0' ? "; " : "", what,
	    date[0] != '\0' ? " " : "", date);
	free(*text);
	*text = both;
}

char *
rotation_state_describe(const struct rotation_state *state, int64_t now)
{
	char *text = x_strdup("");

	if (state->bad[0] != '\0')
		append(&text, "compromised, to be replaced", 0);
	if (state->next[0] != '\0' && state->seen == 0)
		append(&text, "new key to be published, made", state->made);
	else if (state->next[0] != '\0')
		append(&text, "new key to be taken up from", state->ready);
	for (size_t i = 0; i < state->old_count; i++) {
		const struct rotation_old *old = &state->old[i];

		if (old->since == 0)
			append(&text, "new key to be taken up", 0);
		else if (old->bad)
			append(&text, "drop the old record at once", 0);
		else if (now < old->until)
			append(&text, "old record needed until", old->until);
		else
			append(&text, "drop the old record", 0);
	}
	return text;
}

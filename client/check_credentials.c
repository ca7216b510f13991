/* SPDX-License-Identifier: ISC
 *
 * LoadCredential of the signer's unit. Of a directory systemd takes whatever
 * is in it but links and what begins with a dot, so requests and
 * certificates, too; of all together no more than 1 MiB, and beyond that it
 * does not start the signer. Who has more names the keys one by one in a
 * drop-in (cargomail-install(7)), and may forget one there.
 */
#include "check_credentials.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_strict.h"
#include "memory.h"

#define TOTAL_MAX (1 << 20) /* bytes of names and contents */
#define DEPTH_MAX 8
#define OPTION "LoadCredential="
#define DROP_INS "/etc/systemd/system/cargomail-gripd-sign.service.d"
#define CURE \
	"write " DROP_INS "/keys.conf anew: HOSTING in cargomail-install(7)"

/* ID:PATH, or ID alone, as many as the unit has. */
struct credentials {
	char **items;
	size_t count;
};

static void
forget(struct credentials *credentials)
{
	for (size_t i = 0; i < credentials->count; i++)
		free(credentials->items[i]);
	x_free(&credentials->items);
	credentials->count = 0;
}

static void
add(struct credentials *credentials, const char *item)
{
	credentials->items = x_realloc(credentials->items,
	    (credentials->count + 1) * sizeof(*credentials->items));
	credentials->items[credentials->count++] = x_strdup(item);
}

/* ---- the unit ----------------------------------------------------------- */

static void
read_drop_in(const struct check *check, const char *name,
    struct credentials *credentials)
{
	char *path = x_asprintf(DROP_INS "/%s", name);
	char *text = check_read(check, path), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, OPTION, strlen(OPTION)) != 0)
			continue;
		line += strlen(OPTION);
		if (line[0] == '\0')
			forget(credentials);
		else
			add(credentials, line);
	}
	free(text);
	free(path);
}

static int
is_drop_in(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return end != NULL && strcmp(end, ".conf") == 0;
}

/* What the unit has, and what drop-ins make of it. */
static void
read_unit(const struct check *check, struct credentials *credentials_r)
{
	char *directory = check_path(check, DROP_INS);
	struct dirent **names = NULL;
	int count;

	*credentials_r = (struct credentials){ .count = 0 };
	add(credentials_r, "keys:" SYSCONFDIR "/cargomail/keys");
	count = scandir(directory, &names, is_drop_in, alphasort);
	for (int i = 0; i < count; i++) {
		read_drop_in(check, names[i]->d_name, credentials_r);
		free(names[i]);
	}
	free(names);
	free(directory);
}

/* ---- how much ----------------------------------------------------------- */

/* Bytes of a file or a directory under this name; -1 if it is not there. */
static int64_t
measure(const char *name, const char *path, int depth)
{
	struct dirent *entry;
	int64_t total = 0;
	struct stat st;
	DIR *directory;

	if (stat(path, &st) != 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return (int64_t)strlen(name) + st.st_size;
	directory = depth < DEPTH_MAX ? opendir(path) : NULL;
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		char *inner = x_asprintf("%s/%s", path, entry->d_name);
		char *id = x_asprintf("%s_%s", name, entry->d_name);

		if (entry->d_name[0] != '.' && lstat(inner, &st) == 0 &&
		    (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
			total += measure(id, inner, depth + 1);
		free(inner);
		free(id);
	}
	if (directory != NULL)
		closedir(directory);
	return total;
}

static int64_t
measure_all(struct check *check, const struct credentials *credentials)
{
	int64_t total = 0, one;

	for (size_t i = 0; i < credentials->count; i++) {
		const char *item = credentials->items[i];
		const char *path = strchr(item, ':');
		char *name, *full;

		if (path == NULL)
			continue;
		name = x_strndup(item, (size_t)(path++ - item));
		full = check_path(check, path);
		one = measure(name, full, 0);
		if (one >= 0) {
			total += one;
		} else if (strncmp(name, "keys_", 5) == 0) {
			check_say(check, CHECK_FAIL, path,
			    "is not there, and " DROP_INS " names it");
			check_why(check, "systemd does not start the signer");
			check_cure(check, CURE);
		}
		free(full);
		free(name);
	}
	return total;
}

static void
judge_size(struct check *check, int64_t total)
{
	bool over = total > TOTAL_MAX;

	if (total <= TOTAL_MAX / 4 * 3)
		return;
	check_say(check, over ? CHECK_FAIL : CHECK_WARN,
	    check->config.grip.keys_directory,
	    "systemd is to hand %lld bytes to the signer, and takes %d at most",
	    (long long)total, TOTAL_MAX);
	check_why(check,
	    over ? "it does not start the signer again (\"Failed to set up "
		   "credentials: Protocol error\"); requests and "
		   "certificates count, too" :
		   "beyond that it does not start the signer; requests and "
		   "certificates count, too");
	check_cure(check,
	    "name the keys alone in a drop-in, or let hosts share a key: "
	    "HOSTING in cargomail-install(7)");
}

/* ---- which -------------------------------------------------------------- */

/* Where the whole directory is named, each key is among them. */
static bool
is_named(const struct credentials *credentials, const char *file)
{
	char *id = x_asprintf("keys_%s.key:", file);
	bool is = false;

	for (size_t i = 0; i < credentials->count; i++)
		is = is || strncmp(credentials->items[i], "keys:", 5) == 0 ||
		    strncmp(credentials->items[i], id, strlen(id)) == 0;
	free(id);
	return is;
}

/* The first that is missing: the cure is the same for all. */
static void
judge_names(struct check *check, const struct credentials *credentials)
{
	cJSON *policy = check_policy(check);
	const cJSON *identity;

	cJSON_ArrayForEach(identity, json_array(policy, "identities"))
	{
		const char *file = json_string(identity, "file");
		char *subject;

		if (is_named(credentials, file))
			continue;
		subject = x_asprintf("%s.key", file);
		check_say(check, CHECK_FAIL, subject,
		    "is not among the keys that " DROP_INS " names");
		check_why(check, "the signer does not start again without it");
		check_cure(check, CURE);
		free(subject);
		break;
	}
	cJSON_Delete(policy);
}

void
check_credentials(struct check *check)
{
	char *systemd = check_path(check, "/run/systemd/system");
	struct credentials credentials;

	if (access(systemd, F_OK) == 0) {
		read_unit(check, &credentials);
		judge_size(check, measure_all(check, &credentials));
		judge_names(check, &credentials);
		forget(&credentials);
	}
	free(systemd);
}

/* SPDX-License-Identifier: ISC
 *
 * What was laid down: each package left a manifest of its programs, units,
 * scripts and rooms (etc/install-files -m), with owners and modes. What has
 * become of them since?
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "memory.h"

#define MANIFEST PREFIX "/share/cargomail/manifest"
#define ROOMS "/var/lib/cargomail"

/* A line of a manifest. */
struct entry {
	const char *package, *owner;
	char *path;
	mode_t mode;
	bool directory;
};

struct tally {
	size_t files, directories, odd;
};

/* `error` 0: something else is there. */
static void
say_missing(struct check *check, const struct entry *entry, int error)
{
	const char *first = error != 0 ? "" : "move it out of the way, then ";

	check_say(check, CHECK_FAIL, entry->path, "%s",
	    error != 0		 ? strerror(error) :
		entry->directory ? "is no directory" :
				   "is no file");
	if (entry->directory) {
		check_why(check, "a daemon cannot start without its room");
		check_cure(check,
		    "%ssystemd-tmpfiles --create; without systemd, " PREFIX
		    "/share/cargomail/create-users",
		    first);
	} else {
		check_why(check, "what was installed is incomplete");
		check_cure(check,
		    "%sinstall %s again: apt install --reinstall %s, or dnf "
		    "reinstall %s, or make install",
		    first, entry->package, entry->package, entry->package);
	}
}

static void
say_owner(struct check *check, const struct entry *entry, const struct stat *st)
{
	check_say(check, CHECK_FAIL, entry->path,
	    "belongs to uid %u; wanted: %s", (unsigned)st->st_uid,
	    entry->owner);
	check_why(check,
	    strcmp(entry->owner, "root") == 0 ?
		"that user can replace it, and so what root or a daemon does" :
		"its daemon cannot keep anything there");
	check_cure(check, "chown %s: %s", entry->owner, entry->path);
}

static void
say_mode(struct check *check, const struct entry *entry, mode_t mode)
{
	/* Reading what is public harms nobody; a room of one's own is. */
	mode_t open = (entry->mode & 077) == 0 ? 077 : 022;
	bool opened = (mode & ~entry->mode & open) != 0;

	check_say(check, opened || entry->directory ? CHECK_FAIL : CHECK_WARN,
	    entry->path,
	    opened ? "is open to others: mode %04o; wanted: %04o" :
		     "has mode %04o; wanted: %04o",
	    (unsigned)mode, (unsigned)entry->mode);
	check_why(check,
	    opened ? "others could see or replace what is there" :
		     "who needs it may be kept out");
	check_cure(check, "chmod %04o %s", (unsigned)entry->mode, entry->path);
}

/* True for a room of root's where root has mounted something, such as
 * Postfix's sockets for the broker: it is as that is. */
static bool
is_mounted(const struct check *check, const struct entry *entry)
{
	char *full;
	struct statx st;
	bool mounted;

	if (!entry->directory || strcmp(entry->owner, "root") != 0)
		return false;
	full = check_path(check, entry->path);
	mounted =
	    statx(AT_FDCWD, full, AT_SYMLINK_NOFOLLOW, STATX_MODE, &st) == 0 &&
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	free(full);
	return mounted;
}

/* True if it is as it was laid down; says what is not. */
static bool
check_entry(struct check *check, const struct entry *entry)
{
	char *full = check_path(check, entry->path);
	const mode_t type = entry->directory ? S_IFDIR : S_IFREG;
	struct stat st;
	uid_t uid;
	int error = lstat(full, &st) != 0 ? errno : 0;

	free(full);
	if (error != 0 || (st.st_mode & S_IFMT) != type) {
		say_missing(check, entry, error);
		return false;
	}
	if (check->world->user(check->world->arg, entry->owner, &uid) != 0) {
		check_say(check, CHECK_FAIL, entry->path, "there is no user %s",
		    entry->owner);
		check_why(check, "a daemon without its user does not start");
		check_cure(check,
		    "systemd-sysusers; without systemd, " PREFIX
		    "/share/cargomail/create-users");
		return false;
	}
	if (is_mounted(check, entry))
		return true;
	if (st.st_uid != uid) {
		say_owner(check, entry, &st);
		return false;
	}
	if ((st.st_mode & 07777) != entry->mode) {
		say_mode(check, entry, st.st_mode & 07777);
		return false;
	}
	return true;
}

/* Rooms are made for the daemons that are meant to run here. */
static bool
is_wanted(const struct check *check, const char *package)
{
	const struct check_config *config = &check->config;
	const struct {
		const char *package;
		bool here;
	} packages[] = {
		{ "cargomail-gripd", config->gripd },
		{ "cargomail-mailboxd", config->mailboxd },
		{ "cargomail-retrievald", config->retrievald },
		{ "cargomail-broker", config->broker },
	};

	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		if (strcmp(packages[i].package, package) == 0)
			return packages[i].here;
	return false;
}

/* "file 0755 root /path" or "dir ..."; others are not for us. The path is
 * the caller's to free, NULL if there is none. */
static void
parse_line(const struct check *check, const char *package, char *line,
    struct entry *entry_r)
{
	const char *kind = strsep(&line, " "), *mode = strsep(&line, " ");
	const char *owner = strsep(&line, " ");

	*entry_r = (struct entry){ .package = package, .owner = owner };
	entry_r->directory = strcmp(kind, "dir") == 0;
	if (line == NULL || line[0] != '/' ||
	    (!entry_r->directory && strcmp(kind, "file") != 0))
		return;
	if (entry_r->directory && !is_wanted(check, package))
		return;
	entry_r->mode = (mode_t)strtoul(mode, NULL, 8);
	entry_r->path = strncmp(line, ROOMS, strlen(ROOMS)) == 0 ?
	    x_asprintf("%s%s", check->config.grip.base_directory,
		line + strlen(ROOMS)) :
	    x_strdup(line);
}

static void
check_manifest(struct check *check, const char *package, struct tally *tally)
{
	char *path = x_asprintf(MANIFEST "/%s", package);
	char *text = check_read(check, path), *rest = text, *line;
	struct entry entry;

	while ((line = strsep(&rest, "\n")) != NULL) {
		parse_line(check, package, line, &entry);
		if (entry.path == NULL)
			continue;
		if (!check_entry(check, &entry))
			tally->odd++;
		else if (entry.directory)
			tally->directories++;
		else
			tally->files++;
		free(entry.path);
	}
	free(path);
	free(text);
}

static int
is_package(const struct dirent *item)
{
	return strncmp(item->d_name, "cargomail", 9) == 0 &&
	    strchr(item->d_name, '.') == NULL;
}

void
check_files(struct check *check)
{
	char *full = check_path(check, MANIFEST);
	struct dirent **items = NULL;
	struct tally tally = { 0 };
	int count = scandir(full, &items, is_package, alphasort);

	free(full);
	for (int i = 0; i < count; i++) {
		check_manifest(check, items[i]->d_name, &tally);
		free(items[i]);
	}
	free(items);
	if (tally.odd > 0)
		return;
	if (tally.files > 0) {
		check_say(check, CHECK_OK, "",
		    "%zu files and %zu directories are as installed",
		    tally.files, tally.directories);
		return;
	}
	check_say(check, CHECK_WARN, MANIFEST, "is not there");
	check_why(check, "nobody knows what was installed, with which modes");
	check_cure(check,
	    "install again: apt install --reinstall cargomail-gripd, or make "
	    "install");
}

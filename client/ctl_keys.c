/* SPDX-License-Identifier: ISC
 *
 * cargomailctl keys: what the signer has loaded, and the way from a key to the
 * next one.
 */
#include "ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "check.h"
#include "check_world.h"
#include "clock.h"
#include "grip_name.h"
#include "json_strict.h"
#include "memory.h"
#include "rotation.h"
#include "terminal.h"

/* ---- list --------------------------------------------------------------- */

struct listing {
	const struct ctl *ctl;
	const char *keys;
};

/* When the key became the present one: rotate sets the time of its file. */
static int64_t
key_since(const char *keys, const char *file)
{
	char *path = x_asprintf("%s/%s.key", keys, file);
	struct stat st;
	int64_t since = lstat(path, &st) == 0 ? st.st_mtime : 0;

	free(path);
	return since;
}

static char *
key_pending(const char *keys, const char *file)
{
	struct rotation_state state;
	char *error = NULL, *text;

	if (rotation_state_read(keys, file, &state, &error) != 0)
		return error;
	text = rotation_state_describe(&state, clock_now());
	rotation_state_free(&state);
	return text;
}

static void
print_date(int64_t when)
{
	char text[CLOCK_TEXT_SIZE] = "-";

	if (when > 0)
		clock_format_internet(when, text);
	printf("%-20s ", text);
}

static void
print_json(const cJSON *item, int64_t since, const char *pending)
{
	cJSON *object = cJSON_Duplicate(item, true);

	json_add_integer(object, "since", since);
	json_add_string(object, "pending", pending);
	ctl_print_json(object);
	cJSON_Delete(object);
}

static void
print_text(const cJSON *item, int64_t since, const char *pending)
{
	char *safe = terminal_escape(pending);
	int64_t until = 0;

	json_integer(item, "until", 1, JSON_MAX_INTEGER, &until);
	ctl_print_string(item, "name", 0);
	ctl_print_string(item, "role", 7);
	ctl_print_string(item, "key", 0);
	print_date(since);
	print_date(until);
	puts(safe[0] != '\0' ? safe : "-");
	free(safe);
}

static void
show_keys(const cJSON *packet, void *context)
{
	const struct listing *listing = context;
	const cJSON *item;

	cJSON_ArrayForEach(item, json_array(packet, "identities"))
	{
		const char *file = json_string(item, "file");
		int64_t since;
		char *pending;

		if (file == NULL || strchr(file, '/') != NULL)
			continue;
		since = key_since(listing->keys, file);
		pending = key_pending(listing->keys, file);
		if (listing->ctl->json)
			print_json(item, since, pending);
		else
			print_text(item, since, pending);
		free(pending);
	}
}

static int
list(const struct ctl *ctl, const char *keys)
{
	struct listing listing = { ctl, keys };
	struct ctl quiet = *ctl;

	/* The packet is told by identity, with what it does not know. */
	quiet.json = false;
	return ctl_ask(&quiet, "gripd-sign", ctl_request("identities"),
	    show_keys, &listing);
}

/* ---- rotate ------------------------------------------------------------- */

/* The files of a name: its own, or those of the key that it borrows. NULL if
 * it is none of ours. */
static const char *
find_file(const cJSON *identities, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, identities)
	{
		if (strcmp(json_string(item, "name"), name) == 0)
			return json_string(item, "file");
	}
	cJSON_ArrayForEach(item, identities)
	{
		if (strcmp(json_string(item, "file"), name) == 0)
			return json_string(item, "file");
	}
	return NULL;
}

static int
unknown_name(const cJSON *identities, const char *name)
{
	char *safe = terminal_escape(name);
	const cJSON *item;

	if (identities == NULL) {
		fputs("cargomailctl: the signer does not answer, and its "
		      "policy cannot be read\n",
		    stderr);
		free(safe);
		return EX_NOINPUT;
	}
	fprintf(stderr, "cargomailctl: %s: no identity of the policy; it has",
	    safe);
	cJSON_ArrayForEach(item, identities)
	    fprintf(stderr, " %s", json_string(item, "name"));
	fputc('\n', stderr);
	free(safe);
	return EX_DATAERR;
}

/* Those that have this key; said if it is not just the one that was named. */
static cJSON *
users_of(const cJSON *identities, const char *file, const char *name)
{
	cJSON *users = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item, identities)
	{
		if (strcmp(json_string(item, "file"), file) == 0)
			cJSON_AddItemToArray(users,
			    cJSON_Duplicate(item, true));
	}
	if (cJSON_GetArraySize(users) == 1 && strcmp(file, name) == 0)
		return users;
	printf("the key of %s is that of", file);
	cJSON_ArrayForEach(item, users)
	    printf(" %s", json_string(item, "name"));
	printf("\n");
	return users;
}

static int
rotate(struct check *check, const char *keys, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "compromised", no_argument, NULL, 'c' },
		{ "force", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct rotation rotation = { .world = check->world,
		.root = check->root,
		.keys = keys,
		.out = stdout };
	const cJSON *identities;
	cJSON *users;
	int option, code;

	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'c')
			rotation.compromised = true;
		else if (option == 'f')
			rotation.force = true;
		else
			return EX_USAGE;
	}
	if (argc - optind != 1)
		return EX_USAGE;
	identities = check_identities(check);
	rotation.name = find_file(identities, argv[optind]);
	if (rotation.name == NULL ||
	    (!grip_name_is_host(rotation.name) &&
		!grip_name_is_service(rotation.name, NULL)))
		return unknown_name(identities, argv[optind]);
	users = users_of(identities, rotation.name, argv[optind]);
	rotation.identities = users;
	code = rotation_run(&rotation);
	cJSON_Delete(users);
	return code;
}

int
ctl_keys(const struct ctl *ctl, int argc, char **argv)
{
	struct check check = { .world = &check_world_real, .root = "" };
	const char *keys = ctl->keys_directory;
	int code = EX_USAGE;

	check_config_read(check.root, &check.config);
	if (keys == NULL)
		keys = check.config.grip.keys_directory;
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		code = list(ctl, keys);
	else if (argc > 2 && strcmp(argv[1], "rotate") == 0)
		code = rotate(&check, keys, argc - 1, argv + 1);
	check_close(&check);
	return code;
}

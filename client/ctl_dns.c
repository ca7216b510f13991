/* SPDX-License-Identifier: ISC
 *
 * cargomailctl dns: the records that this host's roles need, made of the
 * certificates in the keys directory (readable by all; the keys are not
 * touched) and of what rotations remember. Lines of a zone file: dates are
 * comments.
 */
#include "ctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "check.h"
#include "check_world.h"
#include "clock.h"
#include "grip_name.h"
#include "json_strict.h"
#include "memory.h"
#include "published_key.h"
#include "rotation_state.h"

struct dns {
	const struct ctl *ctl;
	const char *keys;
	const cJSON *identities; /* NULL: not known */
};

/* A record, and why it is there: since when or until when. */
struct line {
	const char *owner;
	const char *text;
	const char *target; /* of a CNAME in place of the text, or NULL */
	const char *why; /* NULL: for good */
	int64_t when; /* 0: no date */
};

static void
print_json(const struct line *line)
{
	cJSON *record = cJSON_CreateObject();

	json_add_string(record, "name", line->owner);
	json_add_string(record, "type", line->target != NULL ? "CNAME" : "TXT");
	if (line->target != NULL)
		json_add_string(record, "target", line->target);
	else
		json_add_string(record, "text", line->text);
	if (line->why != NULL)
		json_add_string(record, "why", line->why);
	if (line->when != 0)
		json_add_integer(record, "when", line->when);
	ctl_print_json(record);
	cJSON_Delete(record);
}

static void
print_line(const struct dns *dns, const struct line *line)
{
	char date[CLOCK_TEXT_SIZE] = "";

	if (dns->ctl->json) {
		print_json(line);
		return;
	}
	if (line->when != 0)
		clock_format_internet(line->when, date);
	if (line->why != NULL)
		printf("; %s%s%s\n", line->why, date[0] != '\0' ? " " : "",
		    date);
	if (line->target != NULL)
		printf("%s. IN CNAME %s.\n", line->owner, line->target);
	else
		printf("%s. IN TXT \"%s\"\n", line->owner, line->text);
}

/* ---- rotation ----------------------------------------------------------- */

static void
print_key(const struct dns *dns, const char *hash, struct line *line)
{
	char text[GRIP_RECORD_TEXT_SIZE];

	published_key_text(hash, text);
	line->text = text;
	print_line(dns, line);
}

static void
print_old(const struct dns *dns, const char *owner,
    const struct rotation_old *old)
{
	struct line line = { .owner = owner,
		.why = "the key before; needed until",
		.when = old->until };

	/* Not one that is to be dropped. */
	if (old->bad || (old->since != 0 && clock_now() >= old->until))
		return;
	if (old->since == 0) {
		line.why = "the key before; needed until a while after the "
			   "signer has the new one";
		line.when = 0;
	}
	print_key(dns, old->key, &line);
}

/* What stands beside the record of this key for a while. */
static int
print_rotation(const struct dns *dns, const char *name, const char *owner)
{
	struct line next = { .owner = owner,
		.why = "the next key; to be there before it is taken up" };
	struct rotation_state state;
	char *error = NULL;

	if (rotation_state_read(dns->keys, name, &state, &error) != 0) {
		fprintf(stderr, "cargomailctl: %s\n", error);
		free(error);
		return EX_DATAERR;
	}
	if (state.next[0] != '\0')
		print_key(dns, state.next, &next);
	for (size_t i = 0; i < state.old_count; i++)
		print_old(dns, owner, &state.old[i]);
	rotation_state_free(&state);
	return 0;
}

/* ---- keys --------------------------------------------------------------- */

/* Who believes the record of a mailbox must not believe a web host. */
static bool
is_web(const struct dns *dns, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, dns->identities)
	{
		const char *file = json_string(item, "file");
		const char *role = json_string(item, "role");

		if (file != NULL && strcmp(file, name) == 0)
			return role != NULL && strcmp(role, "web") == 0;
	}
	return false;
}

/* An exit code; 0 also for a web host, which has none. */
static int
print_records_of(const struct dns *dns, const char *name)
{
	char *path = x_asprintf("%s/%s.crt", dns->keys, name);
	char *owner = published_key_owner(name);
	struct line line = { .owner = owner };
	struct published_key key;
	int code = 0;

	if (is_web(dns, name))
		goto out;
	if (owner == NULL || published_key_read(path, &key) != 0) {
		fprintf(stderr,
		    "cargomailctl: %s: no certificate of a role or a mailbox "
		    "host\n",
		    path);
		code = EX_DATAERR;
		goto out;
	}
	print_key(dns, key.hash, &line);
	code = print_rotation(dns, name, owner);
out:
	free(owner);
	free(path);
	return code;
}

/* Tells senders that inbound mail passes a broker. */
static void
print_marker(const struct dns *dns, const char *name)
{
	char *owner = x_asprintf("_cargomail.%s", grip_name_domain(name));
	struct line line = { .owner = owner, .text = "v=cargomail1" };

	print_line(dns, &line);
	free(owner);
}

static int
is_certificate(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".crt") == 0;
}

static int
print_all(const struct dns *dns)
{
	struct dirent **entries = NULL;
	int count, i, code = 0, one;

	count = scandir(dns->keys, &entries, is_certificate, alphasort);
	if (count < 0) {
		fprintf(stderr, "cargomailctl: %s: %s\n", dns->keys,
		    strerror(errno));
		return EX_NOINPUT;
	}
	for (i = 0; i < count; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 4] = '\0';
		one = print_records_of(dns, entries[i]->d_name);
		if (one != 0)
			code = one;
	}
	/* Last, since they invite what needs the others. */
	for (i = 0; i < count; i++) {
		if (grip_name_is_service(entries[i]->d_name, "_cb"))
			print_marker(dns, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (count == 0) {
		fprintf(stderr,
		    "cargomailctl: %s: no certificates; cure: gripd keygen\n",
		    dns->keys);
		code = EX_NOINPUT;
	}
	return code;
}

/* ---- names whose key is another's --------------------------------------- */

static void
print_cname(const struct dns *dns, const char *name, const char *target)
{
	const struct line line = { .owner = name, .target = target };

	print_line(dns, &line);
}

/* What a customer publishes, whose broker or agent is ours: `key` in
 * cargomail-policy(5). The records follow ours through every rotation. */
static void
print_hosted(const struct dns *dns)
{
	char *marker, *target;
	const cJSON *item;

	cJSON_ArrayForEach(item, dns->identities)
	{
		const char *name = json_string(item, "name");
		const char *file = json_string(item, "file");

		if (name == NULL || file == NULL || strcmp(name, file) == 0 ||
		    !grip_name_is_service(name, NULL) ||
		    !grip_name_is_service(file, NULL))
			continue;
		print_cname(dns, name, file);
		if (!grip_name_is_service(name, "_cb"))
			continue;
		marker = x_asprintf("_cargomail.%s", grip_name_domain(name));
		target = x_asprintf("_cargomail.%s", grip_name_domain(file));
		print_cname(dns, marker, target);
		free(marker);
		free(target);
	}
}

int
ctl_dns(const struct ctl *ctl, int argc, char **argv)
{
	struct check check = { .world = &check_world_real, .root = "" };
	struct dns dns = { ctl, ctl->keys_directory, NULL };
	int code;

	(void)argv;
	if (argc != 1)
		return EX_USAGE;
	check_config_read(check.root, &check.config);
	/* Another directory is not that of this host's policy. */
	if (dns.keys == NULL) {
		dns.keys = check.config.grip.keys_directory;
		dns.identities = check_identities(&check);
	}
	code = print_all(&dns);
	print_hosted(&dns);
	check_close(&check);
	return code;
}

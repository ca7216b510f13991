/* SPDX-License-Identifier: ISC
 *
 * The table of checks and the lines that they say.
 */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_origin.h"
#include "encoding.h"
#include "grip_name.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "memory.h"

#define READ_MAX (1 << 20)

/* In the order in which one would mend: what comes first explains what comes
 * later. */
const struct check_item check_items[] = {
	{ "configuration", check_configuration, "files, by each daemon's -n" },
	{ "files", check_files, "owners and modes of what was installed" },
	{ "keys", check_keys, "owner and mode of private keys" },
	{ "daemons", check_daemons, "does each one answer" },
	{ "sockets", check_sockets, "places, owners, modes" },
	{ "time", check_time, "this clock, and those of others" },
	{ "resolver", check_resolver, "answers, validated" },
	{ "dns", check_dns, "records of each role and host name" },
	{ "certificates", check_certificates, "names and dates" },
	{ "public", check_public, "what the world sees at our names" },
	{ "maps", check_maps, "destinations and origins answer" },
	{ "postfix", check_postfix, "its lines for the broker" },
	{ "milters", check_milters, "Authentication-Results" },
	{ "probe", check_probe, "a placeholder through Postfix" },
	{ "store", check_store, "free space" },
	{ "queue", check_queue, "age of pulls" },
	{ "canary", check_canary, "a message of --canary, all the way" },
	{ "peer", check_peer, "the mailbox named by --peer" },
	{ "outside", check_outside, "our ports, seen by the host of --from" },
	{ NULL, NULL, NULL },
};

void
check_say(struct check *check, enum check_level level, const char *subject,
    const char *format, ...)
{
	struct check_line *line;
	va_list ap;

	check->lines =
	    x_realloc(check->lines, (check->count + 1) * sizeof(*check->lines));
	line = &check->lines[check->count++];
	*line = (struct check_line){ .level = level, .name = check->name };
	line->subject = x_strdup(subject);
	va_start(ap, format);
	if (vasprintf(&line->what, format, ap) < 0)
		abort();
	va_end(ap);
}

void
check_why(struct check *check, const char *text)
{
	struct check_line *line = &check->lines[check->count - 1];

	free(line->why);
	line->why = x_strdup(text);
}

void
check_cure(struct check *check, const char *format, ...)
{
	struct check_line *line = &check->lines[check->count - 1];
	va_list ap;

	free(line->cure);
	va_start(ap, format);
	if (vasprintf(&line->cure, format, ap) < 0)
		abort();
	va_end(ap);
}

char *
check_path(const struct check *check, const char *path)
{
	return x_asprintf("%s%s", check->root, path);
}

char *
check_read(const struct check *check, const char *path)
{
	char *full = check_path(check, path), *text;
	FILE *in = fopen(full, "re");
	size_t len;

	free(full);
	if (in == NULL)
		return NULL;
	text = x_malloc(READ_MAX);
	len = fread(text, 1, READ_MAX - 1, in);
	text[len] = '\0';
	fclose(in);
	return text;
}

static cJSON *
check_request(const char *verb)
{
	cJSON *request = cJSON_CreateObject();

	json_add_string(request, "verb", verb);
	return request;
}

cJSON *
check_ask(struct check *check, const char *daemon, const char *verb,
    char **error_r)
{
	return check->world->ask(check->world->arg, daemon, check_request(verb),
	    error_r);
}

/* Name, role and key of a line of the policy; its grammar is gripd's. */
static void
add_identity(cJSON *list, char *line)
{
	char *word, *name = NULL;
	const char *role = "", *key = NULL;
	cJSON *item;

	line[strcspn(line, "#\r")] = '\0';
	while ((word = strsep(&line, " \t")) != NULL) {
		if (name == NULL && word[0] != '\0')
			name = word;
		else if (strncmp(word, "role=", 5) == 0)
			role = word + 5;
		else if (strncmp(word, "key=", 4) == 0)
			key = word + 4;
	}
	if (name == NULL)
		return;
	item = cJSON_CreateObject();
	json_add_string(item, "name", name);
	json_add_string(item, "role", role);
	json_add_string(item, "file", key != NULL ? key : name);
	cJSON_AddItemToArray(list, item);
}

/* What comes from the signer, or from the policy as it stands there, ends in
 * commands that the administrator is told to type. */
static bool
is_identity(const cJSON *item)
{
	const char *name = json_string(item, "name");
	const char *file = json_string(item, "file");
	const char *role = json_string(item, "role");
	const char *key = json_string(item, "key");
	enum grip_role any;

	return name != NULL && file != NULL && role != NULL &&
	    (grip_name_is_host(name) || grip_name_is_service(name, NULL)) &&
	    (grip_name_is_host(file) || grip_name_is_service(file, NULL)) &&
	    grip_role_parse(role, &any) == 0 &&
	    (key == NULL || hex_is_sha256(key));
}

static void
drop_odd_identities(cJSON *answer)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "identities");
	cJSON *item = list != NULL ? list->child : NULL, *next;

	for (; item != NULL; item = next) {
		next = item->next;
		if (!is_identity(item))
			cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
	}
}

cJSON *
check_policy(const struct check *check)
{
	char *text = check_read(check, check->config.grip.policy_file);
	char *rest = text, *line;
	cJSON *answer, *list;

	if (text == NULL)
		return NULL;
	answer = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(answer, "identities");
	while ((line = strsep(&rest, "\n")) != NULL)
		add_identity(list, line);
	free(text);
	drop_odd_identities(answer);
	return answer;
}

const cJSON *
check_identities(struct check *check)
{
	char *error = NULL;

	if (!check->identities_asked)
		check->identities =
		    check_ask(check, "gripd-sign", "identities", &error);
	if (!check->identities_asked && check->identities == NULL)
		check->identities = check_policy(check);
	else if (!check->identities_asked)
		drop_odd_identities(check->identities);
	check->identities_asked = true;
	free(error);
	return json_array(check->identities, "identities");
}

static bool
has_string(const cJSON *array, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		if (strcmp(item->valuestring, text) == 0)
			return true;
	}
	return false;
}

cJSON *
check_mail_domains(struct check *check)
{
	cJSON *domains = cJSON_CreateArray();
	const cJSON *identity;

	cJSON_ArrayForEach(identity, check_identities(check))
	{
		const char *name = json_string(identity, "name");

		if (name != NULL && strncmp(name, "_cb.", 4) == 0 &&
		    !has_string(domains, name + 4))
			cJSON_AddItemToArray(domains,
			    cJSON_CreateString(name + 4));
	}
	return domains;
}

cJSON *
check_lookup(struct check *check, const char *name, const char *type,
    char **error_r)
{
	cJSON *request = check_request("lookup");

	json_add_string(request, "name", name);
	json_add_string(request, "type", type);
	return check->world->ask(check->world->arg, "gripd-resolve", request,
	    error_r);
}

static void
free_line(struct check_line *line)
{
	free(line->subject);
	free(line->what);
	free(line->why);
	free(line->cure);
}

int
check_run(struct check *check, const char *only,
    void (*emit)(const struct check_line *line, void *arg), void *arg)
{
	enum check_level worst = CHECK_OK;
	bool found = only == NULL;

	for (const struct check_item *item = check_items; item->name != NULL;
	     item++) {
		if (only != NULL && strcmp(item->name, only) != 0)
			continue;
		found = true;
		check->name = item->name;
		item->run(check);
		for (size_t i = 0; i < check->count; i++) {
			if (check->lines[i].level > worst)
				worst = check->lines[i].level;
			emit(&check->lines[i], arg);
			free_line(&check->lines[i]);
		}
		check->count = 0;
	}
	return found ? (int)worst : -1;
}

void
check_close(struct check *check)
{
	for (size_t i = 0; i < check->count; i++)
		free_line(&check->lines[i]);
	x_free(&check->lines);
	check->count = 0;
	cJSON_Delete(check->identities);
	check->identities = NULL;
	check_origins_free(check);
	check_config_free(&check->config);
}

/* SPDX-License-Identifier: ISC
 *
 * check dns: records that a rotation left, or lost, and names whose key is
 * another's. Each row is one state of the DNS and of the files.
 */
#include "check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_strict.h"
#include "memory.h"
#include "rotation_state.h"
#include "test.h"

#define KEYS "/etc/cargomail/keys"
#define NOW INT64_C(1795000000)
#define DAY 86400
#define PRESENT \
	"1111111111111111111111111111111111111111111111111111111111111111"
#define BEFORE \
	"2222222222222222222222222222222222222222222222222222222222222222"
#define OURS "_cb.bar.test"
#define CUSTOMER "_cb.customer.test"

static char root[] = "/tmp/test_check_dns.XXXXXX";

/* What the signer has, what the DNS has at the broker's name, and what is
 * remembered of its rotation. */
struct row {
	const char *name, *file;
	bool both; /* the key's own name is an identity, too */
	const char *target; /* of a CNAME there */
	const char *records[2]; /* hashes */
	struct rotation_old old; /* key "": none */
	const char *want; /* "level: subject: text"; NULL: all is ok */
	const char *cure;
};

static const struct row *row;

static void
add_identity(cJSON *list, const char *name, const char *file)
{
	cJSON *item = cJSON_CreateObject();

	json_add_string(item, "name", name);
	json_add_string(item, "role", "broker");
	json_add_string(item, "file", file);
	json_add_string(item, "key", PRESENT);
	cJSON_AddItemToArray(list, item);
}

static void
add_records(cJSON *list)
{
	for (size_t i = 0; i < 2 && row->records[i] != NULL; i++) {
		char *text =
		    x_asprintf("v=grip1; h=sha256; p=%s", row->records[i]);

		cJSON_AddItemToArray(list, cJSON_CreateString(text));
		free(text);
	}
}

static cJSON *
fake_ask(void *arg, const char *daemon, cJSON *request, char **error_r)
{
	const char *verb = json_string(request, "verb");
	const char *name = json_string(request, "name");
	cJSON *answer = cJSON_CreateObject(), *list;

	(void)arg;
	(void)daemon;
	*error_r = NULL;
	if (strcmp(verb, "identities") == 0) {
		list = cJSON_AddArrayToObject(answer, "identities");
		add_identity(list, row->name, row->file);
		if (row->both)
			add_identity(list, row->file, row->file);
	} else if (strcmp(verb, "lookup") == 0) {
		list = cJSON_AddArrayToObject(answer, "records");
		json_add_boolean(answer, "secure", true);
		if (strncmp(name, "_cargomail.", 11) == 0)
			cJSON_AddItemToArray(list,
			    cJSON_CreateString("v=cargomail1"));
		else
			add_records(list);
		json_add_string(answer, "target",
		    strcmp(name, row->name) == 0 && row->target != NULL ?
			row->target :
			"");
	}
	cJSON_Delete(request);
	return answer;
}

static int64_t
fake_now(void *arg)
{
	(void)arg;
	return NOW;
}

static const struct check_world world = { .now = fake_now, .ask = fake_ask };

static char said[8192];

static void
on_line(const struct check_line *line, void *arg)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	size_t len = strlen(said);

	(void)arg;
	snprintf(said + len, sizeof(said) - len, "%s: %s: %s | %s | %s\n",
	    levels[line->level], line->subject, line->what,
	    line->why != NULL ? line->why : "",
	    line->cure != NULL ? line->cure : "");
}

static void
run(void)
{
	struct check check = { .world = &world, .root = root };
	struct rotation_state state = { .old_count = 0 };
	char *keys = x_asprintf("%s" KEYS, root), *error = NULL;

	if (row->old.key[0] != '\0')
		*rotation_state_add(&state, row->old.key) = row->old;
	CHECK(rotation_state_write(keys, row->file, &state, &error) == 0);
	rotation_state_free(&state);
	said[0] = '\0';
	check_config_read(root, &check.config);
	check_run(&check, "dns", on_line, NULL);
	check_close(&check);
	/* Whatever the next row's file is. */
	CHECK(rotation_state_write(keys, row->file, &state, &error) == 0);
	free(error);
	free(keys);
}

static const struct row rows[] = {
	{ .name = OURS, .file = OURS, .records = { PRESENT } },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, NOW - DAY, NOW + DAY, false } },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT },
	    .old = { BEFORE, NOW - DAY, NOW + DAY, false },
	    .want = "warn: " OURS ": has lost the record of the key before, "
		    "which is needed until ",
	    .cure = "put back until then: " OURS ". IN TXT \"v=grip1; "
		    "h=sha256; p=" BEFORE "\"" },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, NOW - 15 * DAY, NOW, false },
	    .want = "warn: " OURS ": still publishes the key before, which "
		    "nothing needs since ",
	    .cure = "drop: " OURS ". IN TXT \"v=grip1; h=sha256; p=" BEFORE
		    "\"; then: cargomailctl keys rotate " OURS },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT },
	    .old = { BEFORE, NOW - 15 * DAY, NOW, false } },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, NOW - DAY, NOW - DAY, true },
	    .want = "fail: " OURS ": still publishes the key that was "
		    "compromised",
	    .cure = "drop at once: " OURS ". IN TXT" },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT },
	    .old = { BEFORE, NOW - DAY, NOW - DAY, true } },
	{ .name = OURS,
	    .file = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, 0, 0, false },
	    .want = "warn: " OURS ": has a new key, and nobody saw the signer "
		    "take it up",
	    .cure = "cargomailctl keys rotate " OURS },
	/* A customer's. */
	{ .name = CUSTOMER,
	    .file = OURS,
	    .target = OURS,
	    .records = { PRESENT } },
	{ .name = CUSTOMER,
	    .file = OURS,
	    .records = { PRESENT },
	    .want = "fail: " CUSTOMER ": is no CNAME of " OURS
		    " | who verifies our tokens refuses them (\"subject\")",
	    .cure = CUSTOMER ". IN CNAME " OURS "." },
	{ .name = CUSTOMER,
	    .file = OURS,
	    .want = "fail: " CUSTOMER ": is no CNAME of " OURS
		    " | who verifies our tokens refuses them (\"published\")",
	    .cure = CUSTOMER ". IN CNAME " OURS "." },
	{ .name = CUSTOMER,
	    .file = OURS,
	    .target = OURS,
	    .records = { BEFORE },
	    .want = "fail: " CUSTOMER ": publishes another key than ours",
	    .cure = "publish: " OURS ". IN TXT" },
	/* Told once, at the key's own name, if that is an identity. */
	{ .name = CUSTOMER,
	    .file = OURS,
	    .target = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, NOW - 15 * DAY, NOW, false },
	    .want = "warn: " CUSTOMER ": still publishes the key before",
	    .cure = "keys rotate " OURS },
	{ .name = CUSTOMER,
	    .file = OURS,
	    .both = true,
	    .target = OURS,
	    .records = { PRESENT, BEFORE },
	    .old = { BEFORE, NOW - 15 * DAY, NOW, false },
	    .want = "warn: " OURS ": still publishes the key before",
	    .cure = "keys rotate " OURS },
};

static size_t
count_troubles(void)
{
	size_t count = 0;

	for (const char *at = said; *at != '\0'; at = strchr(at, '\n') + 1)
		count += strncmp(at, "ok: ", 4) != 0;
	return count;
}

TEST(records_of_rotations_and_customers)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = &rows[i];
		run();
		CHECK_FOR(count_troubles() == (row->want != NULL),
		    "row %zu: %s", i, said);
		if (row->want == NULL)
			continue;
		CHECK_FOR(strstr(said, row->want) != NULL, "row %zu: %s", i,
		    said);
		CHECK_FOR(strstr(said, row->cure) != NULL, "row %zu: %s", i,
		    said);
	}
}

TEST(a_state_that_cannot_be_read_is_named)
{
	char *path = x_asprintf("%s" KEYS "/rotation/" OURS ".state", root);
	struct check check = { .world = &world, .root = root };
	FILE *out;

	row = &rows[0];
	out = fopen(path, "w");
	fputs("torn", out);
	fclose(out);
	said[0] = '\0';
	check_config_read(root, &check.config);
	check_run(&check, "dns", on_line, NULL);
	check_close(&check);
	CHECK_FOR(strstr(said,
		      "warn: " OURS ": what is pending of its rotation "
		      "cannot be told") != NULL,
	    "%s", said);
	free(path);
}

/* All directories on the way. */
static void
make_keys(void)
{
	static const char *const parts[] = { "/etc", "/etc/cargomail", KEYS,
		KEYS "/rotation" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *path = x_asprintf("%s%s", root, parts[i]);

		mkdir(path, 0755);
		free(path);
	}
}

int
main(void)
{
	char *command;

	if (mkdtemp(root) == NULL)
		return 1;
	make_keys();
	RUN(records_of_rotations_and_customers);
	RUN(a_state_that_cannot_be_read_is_named);
	command = x_asprintf("rm -rf %s", root);
	test_failures += system(command) != 0;
	free(command);
	return test_done();
}

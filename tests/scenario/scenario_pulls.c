/* SPDX-License-Identifier: ISC
 *
 * Plays a script of shares, notifications, leases and reports against the
 * rules and the rows of mailboxd, with a real store and a virtual clock.
 * Nothing sleeps; jitter is at its least (three quarters of a delay).
 *
 *   account NAME QUOTA
 *   hold NAME RES...                the account puts these itself
 *   share NAME SHARE EXPIRES ADDRESS RES...
 *   revoke NAME SHARE
 *   notify MSG NAME ORIGIN SHARE EXPIRES RES...
 *                                   origin "here" is this server
 *   lease MSG RES:get|head...       a worker asks and must get this; or
 *   lease none
 *   drain COUNT                     leases and serves all, in any order
 *   put MSG RES | late MSG RES      bytes under the lease; under an old one
 *   entitled MSG RES
 *   done MSG
 *   failed MSG STATUS PROBLEM|- auth|anon RES|-
 *   lapse MSG                       the worker was lost
 *   settle                          what mailboxd ends by itself
 *   pass SECONDS
 *   restart
 *   state MSG RES=stored|pending|deleted|failed:PROBLEM...
 *   quota NAME USED RESERVED
 *   holders RES COUNT
 *   clean                           fsck finds nothing
 *
 * Times are seconds from the start. A RES is LETTER:SIZE, SIZE times that
 * letter; its hash is real.
 */
#include <ctype.h>

#include "account.h"
#include "cargo_notification.h"
#include "json_strict.h"
#include "memory.h"
#include "message.h"
#include "notification_store.h"
#include "pull_scan.h"
#include "pull_store.h"
#include "resource_commit.h"
#include "share_store.h"
#include "store_account.h"
#include "store_check.h"
#include "store_fixture.h"

#define START 1000000
#define NAMES 64
#define WORDS 64
#define HERE "https://mailbox.here.test"

/* What a script named, by its hash. */
struct content {
	char hash[SHA256_HEX_SIZE];
	char text[32];
};

struct named {
	char name[32];
	char id[STORE_ID_SIZE]; /* account or message */
	char account[STORE_ID_SIZE]; /* of a message */
	int64_t old_lease;
};

static struct {
	struct store_fixture fixture;
	struct pull_queue *queue;
	int64_t now;
	struct named accounts[NAMES], messages[NAMES];
	struct content contents[NAMES];
	char *words[WORDS];
	int count;
	int line;
} play;

static const struct pull_policy policy = { 120, 4, 60, 14400 };

static void
fail(const char *what, const char *detail)
{
	printf("not ok - line %d: %s: %s\n", play.line, what, detail);
	nftw(play.fixture.path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	exit(1);
}

static const char *
word(int i)
{
	if (i >= play.count)
		fail("script", "a word is missing");
	return play.words[i];
}

static int64_t
number(int i)
{
	return strtoll(word(i), NULL, 10);
}

static struct named *
named_find(struct named *list, const char *name, int add)
{
	int i;

	for (i = 0; i < NAMES; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
		if (list[i].name[0] != '\0')
			continue;
		if (!add)
			break;
		snprintf(list[i].name, sizeof(list[i].name), "%s", name);
		return &list[i];
	}
	fail("script: unknown name", name);
	return NULL;
}

static struct content *
content_find(const char *hash)
{
	int i;

	for (i = 0; i < NAMES - 1; i++)
		if (play.contents[i].hash[0] == '\0' ||
		    strcmp(play.contents[i].hash, hash) == 0)
			break;
	return &play.contents[i];
}

static void
remember(const char *text, const char *hash)
{
	struct content *content = content_find(hash);

	strcpy(content->hash, hash);
	snprintf(content->text, sizeof(content->text), "%s", text);
}

/* "a:5": five times 'a'. */
static char *
resource_bytes(const char *text, size_t *len_r, char hash_r[SHA256_HEX_SIZE])
{
	size_t len = text[1] == ':' ? strtoul(text + 2, NULL, 10) : 0;
	char *bytes = x_malloc(len + 1);

	memset(bytes, text[0], len);
	sha256_hex(bytes, len, hash_r);
	remember(text, hash_r);
	*len_r = len;
	return bytes;
}

static void
resource_hash(const char *text, char hash_r[SHA256_HEX_SIZE])
{
	size_t len;

	free(resource_bytes(text, &len, hash_r));
}

/* Runs a work function; `want` is NULL for OK or the refusal's word. */
static void
run(store_work_fn *work, void *arg, const char *want)
{
	struct reason why = { .word = "ok" };
	enum outcome outcome;

	outcome = store_run(play.fixture.store, work, arg, &why);
	if (outcome == OUTCOME_OK && want != NULL)
		fail("it was to be refused", want);
	if (outcome != OUTCOME_OK &&
	    (want == NULL || strcmp(want, why.word) != 0))
		fail(why.word, why.text);
}

static struct store_blob
upload(const char *text)
{
	char hash[SHA256_HEX_SIZE];
	size_t len;
	char *bytes = resource_bytes(text, &len, hash);

	fixture_upload(&play.fixture, bytes, len);
	free(bytes);
	if (play.fixture.outcome != OUTCOME_OK)
		fail("upload", play.fixture.why.text);
	return play.fixture.blob;
}

/* ---- accounts and shares ------------------------------------------------- */

static void
do_account(void)
{
	struct named *account = named_find(play.accounts, word(1), 1);
	struct account_new new = { .address_count = 1,
		.quota = number(2),
		.now = play.now };

	store_id_new(new.id);
	strcpy(account->id, new.id);
	snprintf(new.addresses[0], sizeof(new.addresses[0]), "%s", word(1));
	strcpy(new.hash, "none");
	run(account_add, &new, NULL);
}

static void
do_hold(void)
{
	struct resource_commit commit = { .type = "text/plain" };
	int i;

	strcpy(commit.account, named_find(play.accounts, word(1), 0)->id);
	commit.now = play.now;
	for (i = 2; i < play.count; i++) {
		commit.blob = upload(word(i));
		run(resource_commit_work, &commit, NULL);
	}
}

static void
share_id(const char *text, char id_r[CARGO_API_SHARE_ID_LEN + 1])
{
	memset(id_r, 'A', CARGO_API_SHARE_ID_LEN);
	memcpy(id_r, text, strlen(text));
	id_r[CARGO_API_SHARE_ID_LEN] = '\0';
}

static struct share *
new_share(void)
{
	struct share *share = x_calloc(1, sizeof(*share));

	strcpy(share->account, named_find(play.accounts, word(1), 0)->id);
	share_id(word(2), share->id);
	share->now = play.now;
	return share;
}

static void
do_share(void)
{
	cJSON *body = cJSON_CreateObject(), *list = cJSON_CreateArray();
	struct share *share = new_share();
	char hash[SHA256_HEX_SIZE];
	struct reason why;
	int i;

	json_add_string(body, "message", "m@foo.test");
	json_add_integer(body, "expires", START + number(3));
	cJSON_AddItemToArray(list, cJSON_CreateString(word(4)));
	json_add_item(body, "recipients", list);
	list = cJSON_CreateArray();
	for (i = 5; i < play.count; i++) {
		resource_hash(word(i), hash);
		cJSON_AddItemToArray(list, cJSON_CreateString(hash));
	}
	json_add_item(body, "resources", list);
	if (share_parse(body, share, &why) != OUTCOME_OK)
		fail(why.word, why.text);
	run(share_store_put, share, NULL);
	cJSON_Delete(body);
	share_free(share);
}

static void
do_revoke(void)
{
	struct share *share = new_share();

	run(share_store_revoke, share, NULL);
	share_free(share);
}

/* ---- notifications ------------------------------------------------------- */

static void
do_notify(void)
{
	struct cargo_notification notification = { 0 };
	struct notification_work work = { 0 };
	struct named *message, *account;
	char share[CARGO_API_SHARE_ID_LEN + 1], type[] = "text/plain";
	size_t len;
	int i;

	message = named_find(play.messages, word(1), 1);
	account = named_find(play.accounts, word(2), 0);
	share_id(word(4), share);
	work.local = strcmp(word(3), "here") == 0;
	work.claims = (struct notification_claims){ "_cb.bar.test",
		"alice@foo.test", word(2), word(2), work.local ? HERE : word(3),
		share, word(1), "_rra.here.test", "token", START + number(5) };
	notification.count = (size_t)(play.count - 6);
	notification.resources =
	    x_calloc(notification.count + 1, sizeof(notification.resources[0]));
	for (i = 6; i < play.count; i++) {
		struct cargo_notified *r = &notification.resources[i - 6];

		free(resource_bytes(word(i), &len, r->hash));
		r->size = (int64_t)len;
		r->type = type;
	}
	work.notification = &notification;
	notification_work_init(&work);
	strcpy(work.placeholder.account, account->id);
	work.placeholder.blob = upload("P:1");
	work.placeholder.now = play.now;
	run(notification_store_work, &work, NULL);
	strcpy(message->id, work.id);
	strcpy(message->account, account->id);
	free(notification.resources);
}

/* ---- leases -------------------------------------------------------------- */

static bool
nothing_busy(void *arg, const char *message)
{
	(void)arg;
	(void)message;
	return false;
}

static void
look(struct pull_scan *scan, bool want_lease)
{
	memset(scan, 0, sizeof(*scan));
	pull_queue_reap(play.queue, play.now);
	scan->view = store_read_begin(play.fixture.store);
	scan->queue = play.queue;
	scan->want_lease = want_lease;
	scan->busy = nothing_busy;
	scan->now = play.now;
	pull_scan_run(scan);
	store_read_end(&scan->view);
	if (scan->postpone.count > 0)
		run(pull_store_postpone, &scan->postpone, NULL);
}

static void
settle_task(const char *message, enum pull_task task)
{
	struct pull_link link = { .now = play.now };
	struct pull_finish finish = { .number = -1,
		.now = play.now,
		.retry_at = play.now };
	struct pull_fail end = { .number = -1,
		.problem = "expired",
		.now = play.now };

	strcpy(link.message, message);
	strcpy(finish.message, message);
	strcpy(end.message, message);
	if (task == PULL_TASK_LINK)
		do
			run(pull_store_link, &link, NULL);
		while (link.more);
	else if (task == PULL_TASK_FINISH)
		run(pull_store_finish, &finish, NULL);
	else if (task == PULL_TASK_EXPIRE)
		do
			run(pull_store_fail, &end, NULL);
		while (end.more);
}

static void
do_settle(void)
{
	struct pull_scan scan;
	unsigned i;

	look(&scan, false);
	for (i = 0; i < scan.count; i++)
		settle_task(scan.tasks[i].message, scan.tasks[i].task);
}

static void
check_plan(const struct pull_lease *plan)
{
	struct named *message = named_find(play.messages, word(1), 0);
	char hash[SHA256_HEX_SIZE], *text, *mode;
	const struct pull_item *item;
	int i;

	if (strcmp(plan->message, message->id) != 0)
		fail("another message was leased than", word(1));
	if ((int)plan->count != play.count - 2)
		fail("another number of resources", word(1));
	for (i = 2; i < play.count; i++) {
		text = strdupa(word(i));
		mode = strrchr(text, ':');
		*mode++ = '\0';
		resource_hash(text, hash);
		item = pull_lease_item(plan, hash);
		if (item == NULL || item->head != (strcmp(mode, "head") == 0))
			fail("not in the lease, or otherwise", word(i));
	}
}

static void
take_lease(struct pull_lease *plan)
{
	struct pull_take take = { .until = play.now + policy.lease_time };

	strcpy(take.message, plan->message);
	take.expected = plan->number;
	run(pull_store_take, &take, NULL);
	plan->number = take.row.lease;
	pull_queue_add(play.queue, plan, play.now);
	pull_row_clear(&take.row);
}

static void
do_lease(void)
{
	struct pull_scan scan;

	look(&scan, true);
	if (strcmp(word(1), "none") == 0) {
		if (scan.plan != NULL)
			fail("lease", "there was one");
		return;
	}
	if (scan.plan == NULL)
		fail("lease", "there is none");
	check_plan(scan.plan);
	named_find(play.messages, word(1), 0)->old_lease = scan.plan->number;
	take_lease(scan.plan);
}

static void
serve_item(const struct pull_lease *lease, const struct pull_item *item)
{
	struct pull_commit commit = { .link = item->head,
		.now = play.now,
		.number = lease->number };

	strcpy(commit.message, lease->message);
	strcpy(commit.hash, item->hash);
	if (!commit.link)
		commit.blob = upload(content_find(item->hash)->text);
	run(pull_store_commit, &commit, NULL);
}

static void
do_drain(void)
{
	struct pull_finish finish = { .now = play.now,
		.retry_at = play.now + 45 };
	struct pull_lease *lease;
	struct pull_scan scan;
	int64_t count;
	char text[32];
	size_t i;

	for (count = 0; look(&scan, true), scan.plan != NULL; count++) {
		lease = scan.plan;
		take_lease(lease);
		for (i = 0; i < lease->count; i++)
			serve_item(lease, &lease->items[i]);
		strcpy(finish.message, lease->message);
		finish.number = lease->number;
		run(pull_store_finish, &finish, NULL);
		pull_queue_remove(play.queue, lease);
	}
	snprintf(text, sizeof(text), "%lld", (long long)count);
	if (count != number(1))
		fail("leases", text);
}

static struct pull_lease *
live_lease(void)
{
	struct pull_lease *lease = pull_queue_find_message(play.queue,
	    named_find(play.messages, word(1), 0)->id, play.now);

	if (lease == NULL)
		fail("no live lease", word(1));
	return lease;
}

static void
commit(const char *want, bool link, int64_t number_used)
{
	struct pull_commit commit_arg = { .link = link,
		.now = play.now,
		.number = number_used };

	strcpy(commit_arg.message, named_find(play.messages, word(1), 0)->id);
	resource_hash(word(2), commit_arg.hash);
	if (!link)
		commit_arg.blob = upload(word(2));
	run(pull_store_commit, &commit_arg, want);
	/* As mailboxd does. */
	if (want != NULL && !link)
		store_blob_discard(play.fixture.store, commit_arg.blob.locator);
	if (want == NULL)
		pull_lease_item(live_lease(), commit_arg.hash)->stored = true;
}

static void
do_put(void)
{
	commit(NULL, false, live_lease()->number);
}

static void
do_late(void)
{
	commit("lease", false,
	    named_find(play.messages, word(1), 0)->old_lease);
}

static void
do_entitled(void)
{
	commit(NULL, true, live_lease()->number);
}

static void
do_done(void)
{
	struct pull_lease *lease = live_lease();
	struct pull_finish finish = { .number = lease->number,
		.now = play.now,
		.retry_at = play.now + 45 };

	strcpy(finish.message, lease->message);
	run(pull_store_finish, &finish, NULL);
	pull_queue_remove(play.queue, lease);
}

static void
retry(struct pull_lease *lease, bool lapse, bool fault)
{
	struct pull_retry arg = { .number = lease->number,
		.now = play.now,
		.policy = &policy,
		.lapse = lapse,
		.origin_fault = fault };

	strcpy(arg.message, lease->message);
	run(pull_store_retry, &arg, NULL);
	pull_queue_remove(play.queue, lease);
}

static void
do_lapse(void)
{
	retry(live_lease(), true, false);
}

static void
do_failed(void)
{
	struct pull_lease *lease = live_lease();
	struct pull_report report = { number(2),
		strcmp(word(3), "-") == 0 ? "" : word(3),
		strcmp(word(4), "auth") == 0, false };
	struct pull_fail end = { .number = lease->number, .now = play.now };
	struct pull_judgement told;

	pull_queue_judge(&report, &told);
	if (told.outcome != OUTCOME_PERMFAIL) {
		retry(lease, false, told.origin_fault);
		return;
	}
	strcpy(end.message, lease->message);
	strcpy(end.problem, told.problem);
	if (!told.whole)
		resource_hash(word(5), end.hash);
	do {
		run(pull_store_fail, &end, NULL);
		end.number = -1;
	} while (end.more);
	pull_queue_remove(play.queue, lease);
}

static void
do_pass(void)
{
	play.now += number(1);
}

/* As mailboxd does at its start: every lease is over. */
static void
do_restart(void)
{
	struct pull_retry arg = { .number = -1,
		.now = play.now,
		.policy = &policy,
		.lapse = true };
	struct store_view *view;
	struct pull_row row;
	bool leased;
	int i;

	pull_queue_free(&play.queue);
	play.queue = pull_queue_new(&policy);
	fixture_reopen(&play.fixture);
	for (i = 0; i < NAMES && play.messages[i].name[0] != '\0'; i++) {
		view = store_read_begin(play.fixture.store);
		leased = pull_row_get(view, play.messages[i].id, &row) == 1 &&
		    row.leased;
		pull_row_clear(&row);
		store_read_end(&view);
		strcpy(arg.message, play.messages[i].id);
		if (leased)
			run(pull_store_retry, &arg, NULL);
	}
}

/* ---- what is seen -------------------------------------------------------- */

static void
check_state(const cJSON *message, const char *expected)
{
	char *text = strdupa(expected), *state, *problem, hash[80];
	const cJSON *resource;

	state = strchr(text, '=');
	if (state == NULL)
		fail("script", expected);
	*state++ = '\0';
	problem = strchr(state, ':');
	if (problem != NULL)
		*problem++ = '\0';
	resource_hash(text, hash);
	cJSON_ArrayForEach(resource, json_array(message, "resources"))
	{
		if (strcmp(json_string(resource, "hash"), hash) != 0)
			continue;
		if (strcmp(json_string(resource, "state"), state) != 0)
			fail(expected, json_string(resource, "state"));
		if (problem != NULL &&
		    strcmp(json_string(resource, "problem"), problem) != 0)
			fail(expected, json_string(resource, "problem"));
		return;
	}
	fail("the message does not name", text);
}

static void
do_state(void)
{
	struct named *named = named_find(play.messages, word(1), 0);
	struct store_view *view = store_read_begin(play.fixture.store);
	cJSON *message = NULL;
	bool pending;
	int i;

	if (message_describe(view, named->account, named->id, play.now,
		&message, &pending) != 1)
		fail("no such message", word(1));
	for (i = 2; i < play.count; i++)
		check_state(message, word(i));
	cJSON_Delete(message);
	store_read_end(&view);
}

static void
do_quota(void)
{
	struct store_view *view = store_read_begin(play.fixture.store);
	struct store_account account;
	char text[80];

	if (store_account_get(view, named_find(play.accounts, word(1), 0)->id,
		&account) != 1)
		fail("no account", word(1));
	snprintf(text, sizeof(text), "used %lld reserved %lld",
	    (long long)account.used, (long long)account.reserved);
	if (account.used != number(2) || account.reserved != number(3))
		fail("quota", text);
	store_account_clear(&account);
	store_read_end(&view);
}

static enum store_step
count_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	++*(int64_t *)arg;
	return STORE_NEXT;
}

static void
do_holders(void)
{
	struct store_view *view = store_read_begin(play.fixture.store);
	char hash[SHA256_HEX_SIZE], text[32];
	struct store_key key;
	int64_t count = 0;

	resource_hash(word(1), hash);
	store_scan(view, store_key_holder(&key, hash, NULL), NULL, count_row,
	    &count);
	snprintf(text, sizeof(text), "%lld", (long long)count);
	if (count != number(2))
		fail("holders", text);
	store_read_end(&view);
}

static void
finding(void *arg, const char *what, const char *key, const char *text)
{
	(void)arg;
	printf("# %s %s: %s\n", what, key, text);
}

static void
do_clean(void)
{
	const struct store_check_options options = { true };
	struct store_check_result result;
	struct reason why;

	if (store_check(play.fixture.store, &options, finding, NULL, &result,
		&why) == -1)
		fail("fsck", why.text);
	if (result.findings != 0)
		fail("fsck", "not clean");
}

static const struct {
	const char *name;
	void (*play)(void);
} verbs[] = { { "account", do_account }, { "hold", do_hold },
	{ "share", do_share }, { "revoke", do_revoke }, { "notify", do_notify },
	{ "lease", do_lease }, { "drain", do_drain }, { "put", do_put },
	{ "late", do_late }, { "entitled", do_entitled }, { "done", do_done },
	{ "failed", do_failed }, { "lapse", do_lapse }, { "settle", do_settle },
	{ "pass", do_pass }, { "restart", do_restart }, { "state", do_state },
	{ "quota", do_quota }, { "holders", do_holders },
	{ "clean", do_clean } };

static void
play_line(char *line)
{
	char *save = NULL, *text;
	size_t i;

	line[strcspn(line, "#\n")] = '\0';
	play.count = 0;
	for (text = strtok_r(line, " \t", &save);
	     text != NULL && play.count < WORDS;
	     text = strtok_r(NULL, " \t", &save))
		play.words[play.count++] = text;
	if (play.count == 0)
		return;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, play.words[0]) == 0) {
			verbs[i].play();
			return;
		}
	fail("script: unknown verb", play.words[0]);
}

int
main(int argc, char **argv)
{
	char line[4096];
	FILE *script;

	if (argc != 2 || (script = fopen(argv[1], "r")) == NULL) {
		fprintf(stderr, "usage: scenario_pulls SCRIPT\n");
		return 64;
	}
	play.now = START;
	play.queue = pull_queue_new(&policy);
	fixture_init(&play.fixture);
	while (fgets(line, sizeof(line), script) != NULL) {
		play.line++;
		play_line(line);
	}
	fclose(script);
	pull_queue_free(&play.queue);
	fixture_free(&play.fixture);
	printf("ok 1 - %s\n1..1\n", argv[1]);
	return 0;
}

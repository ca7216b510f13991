/* SPDX-License-Identifier: ISC
 *
 * The administrator's verbs for accounts. Passwords come in the packet, go
 * to the password process and are never logged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "admin_walk.h"
#include "clock.h"
#include "grip_name.h"
#include "json_strict.h"
#include "log.h"
#include "mailboxd.h"
#include "memory.h"
#include "password_worker.h"

#define PASSWORD_MIN 1 /* bytes: how good it is, is who gives it to say */

/* One request at work. */
struct admin_task {
	struct mailboxd *mailboxd;
	struct control_connection *connection;
	struct account_new new;
	struct account_change change;
	struct account_enrol enrol;
	struct account_removal removal;
	cJSON *brokers;
	bool adding;
};

static struct admin_task *
task_new(void *context, struct control_connection *connection)
{
	struct admin_task *task = x_calloc(1, sizeof(*task));

	task->mailboxd = context;
	task->connection = connection;
	return task;
}

static void
task_end(struct admin_task *task, enum outcome outcome,
    const struct reason *why, cJSON *answer)
{
	admin_reply(task->connection, outcome, why, answer);
	cJSON_Delete(task->brokers);
	free(task);
}

static void
task_refuse(struct admin_task *task, const char *detail)
{
	struct reason why;

	task_end(task,
	    reason_set(&why, OUTCOME_PERMFAIL, "malformed", "%s", detail), &why,
	    NULL);
}

static void
log_account(const char *id, const char *address, const char *verb)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "-", verb);
	log_string(&line, LOG_KEY_ACCOUNT, id);
	log_string(&line, LOG_KEY_MAILBOX, address);
	log_end(&line);
}

/* ---- account-add --------------------------------------------------------- */

static void
on_added(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_task *task = arg;
	cJSON *answer = NULL;

	if (outcome == OUTCOME_OK) {
		log_account(task->new.id, task->new.addresses[0],
		    "account-add");
		answer = cJSON_CreateObject();
		json_add_string(answer, "account", task->new.id);
		json_add_string(answer, "address", task->new.addresses[0]);
	}
	task_end(task, outcome, why, answer);
}

static void
on_changed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_task *task = arg;

	if (outcome == OUTCOME_OK)
		log_account("", task->change.address, "account-change");
	task_end(task, outcome, why, NULL);
}

static enum outcome
add_work(struct store_txn *txn, void *arg)
{
	struct admin_task *task = arg;

	return account_add(txn, &task->new);
}

static enum outcome
change_work(struct store_txn *txn, void *arg)
{
	struct admin_task *task = arg;

	return account_change(txn, &task->change);
}

static void
on_hash(void *arg, const cJSON *answer)
{
	const char *hash = password_worker_made(answer);
	struct admin_task *task = arg;
	struct reason why;

	if (hash == NULL || strlen(hash) >= sizeof(task->new.hash)) {
		task_end(task,
		    reason_set(&why, OUTCOME_TEMPFAIL, "unavailable",
			"the password could not be hashed"),
		    &why, NULL);
		return;
	}
	strcpy(task->new.hash, hash);
	strcpy(task->change.hash, hash);
	if (task->adding)
		store_submit(task->mailboxd->store, add_work, on_added, task);
	else
		store_submit(task->mailboxd->store, change_work, on_changed,
		    task);
}

static void
hash_password(struct admin_task *task, const char *password)
{
	if (strlen(password) < PASSWORD_MIN ||
	    strlen(password) > PASSWORD_WORKER_MAX)
		task_refuse(task, "password: 1 to 512 bytes");
	else if (password_worker_hash(task->mailboxd->passwords, password,
		     on_hash, task) == -1)
		task_refuse(task, "too many are waiting");
}

static int
add_address(struct account_new *new, const char *text)
{
	char normal[MAIL_ADDRESS_SIZE];
	unsigned i;

	if (text == NULL || new->address_count == ACCOUNT_ADDRESSES_MAX ||
	    mail_address_normalise(text, normal) == -1)
		return -1;
	for (i = 0; i < new->address_count; i++)
		if (strcmp(new->addresses[i], normal) == 0)
			return 0;
	strcpy(new->addresses[new->address_count++], normal);
	return 0;
}

static bool
brokers_valid(const cJSON *list)
{
	const cJSON *item;

	if (cJSON_GetArraySize(list) > ACCOUNT_BROKERS_MAX)
		return false;
	cJSON_ArrayForEach(item, list) if (!cJSON_IsString(item) ||
	    !grip_name_is_service(item->valuestring, "_cb")) return false;
	return true;
}

static const char *
read_new(struct admin_task *task, const cJSON *request)
{
	const cJSON *item;

	if (add_address(&task->new, json_string(request, "address")) == -1)
		return "address: not a mail address";
	cJSON_ArrayForEach(item,
	    json_array(request, "aliases")) if (!cJSON_IsString(item) ||
	    add_address(&task->new, item->valuestring) ==
		-1) return "aliases: up to 15 mail addresses";
	if (!brokers_valid(json_array(request, "brokers")))
		return "brokers: up to 8 names _cb.domain";
	task->brokers = cJSON_Duplicate(json_array(request, "brokers"), 1);
	task->new.brokers = task->brokers;
	task->new.quota = task->mailboxd->config->quota;
	if (cJSON_GetObjectItemCaseSensitive(request, "quota") != NULL &&
	    json_integer(request, "quota", 0, JSON_MAX_INTEGER,
		&task->new.quota) == -1)
		return "quota: bytes";
	if (json_string(request, "password") == NULL)
		return "password: none given";
	store_id_new(task->new.id);
	task->new.now = clock_now();
	return NULL;
}

void
admin_account_add(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_task *task = task_new(context, connection);
	const char *problem = read_new(task, request);

	task->adding = true;
	if (problem != NULL)
		task_refuse(task, problem);
	else
		hash_password(task, json_string(request, "password"));
}

/* ---- account-change, account-enroll -------------------------------------- */

/* 0, also if nothing is said of it; -1. */
static int
read_release(struct admin_task *task, const cJSON *request)
{
	const char *release = json_string(request, "release");

	if (cJSON_GetObjectItemCaseSensitive(request, "release") == NULL)
		return 0;
	if (release == NULL ||
	    (strcmp(release, "broker") != 0 && strcmp(release, "never") != 0))
		return -1;
	strcpy(task->change.release, release);
	return 0;
}

/* The same of its state. */
static int
read_state(struct admin_task *task, const cJSON *request)
{
	const char *state = json_string(request, "state");

	if (cJSON_GetObjectItemCaseSensitive(request, "state") == NULL)
		return 0;
	if (state == NULL ||
	    (strcmp(state, "active") != 0 && strcmp(state, "closed") != 0))
		return -1;
	strcpy(task->change.state, state);
	return 0;
}

void
admin_account_change(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_task *task = task_new(context, connection);
	const char *address = json_string(request, "address");
	const char *password = json_string(request, "password");

	task->change.now = clock_now();
	task->change.quota = -1;
	if (address == NULL ||
	    mail_address_normalise(address, task->change.address) == -1)
		task_refuse(task, "address: not a mail address");
	else if (cJSON_GetObjectItemCaseSensitive(request, "quota") != NULL &&
	    json_integer(request, "quota", 0, JSON_MAX_INTEGER,
		&task->change.quota) == -1)
		task_refuse(task, "quota: bytes");
	else if (read_release(task, request) == -1)
		task_refuse(task, "release: broker or never");
	else if (read_state(task, request) == -1)
		task_refuse(task, "state: active or closed");
	else if (password != NULL)
		hash_password(task, password);
	else
		store_submit(task->mailboxd->store, change_work, on_changed,
		    task);
}

static enum outcome
enrol_work(struct store_txn *txn, void *arg)
{
	struct admin_task *task = arg;

	return account_enrol(txn, &task->enrol);
}

static void
on_enrolled(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_task *task = arg;

	if (outcome == OUTCOME_OK)
		log_account("", task->enrol.address, "account-enroll");
	task_end(task, outcome, why, NULL);
}

void
admin_account_enrol(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_task *task = task_new(context, connection);
	const char *address = json_string(request, "address");
	const char *broker = json_string(request, "broker");

	if (address == NULL || broker == NULL ||
	    mail_address_normalise(address, task->enrol.address) == -1 ||
	    !grip_name_is_service(broker, "_cb")) {
		task_refuse(task, "address and broker (_cb.domain)");
		return;
	}
	snprintf(task->enrol.broker, sizeof(task->enrol.broker), "%s", broker);
	task->enrol.dismiss = json_boolean(request, "dismiss") == 1;
	task->enrol.now = clock_now();
	store_submit(task->mailboxd->store, enrol_work, on_enrolled, task);
}

/* ---- account-rm ---------------------------------------------------------- */

static enum outcome
remove_work(struct store_txn *txn, void *arg)
{
	struct admin_task *task = arg;

	return account_remove(txn, &task->removal);
}

static void
on_removed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_task *task = arg;
	cJSON *answer = NULL;

	if (outcome == OUTCOME_OK && !task->removal.complete) {
		store_submit(task->mailboxd->store, remove_work, on_removed,
		    task);
		return;
	}
	if (outcome == OUTCOME_OK) {
		log_account(task->removal.id, task->removal.address,
		    "account-rm");
		answer = cJSON_CreateObject();
		json_add_string(answer, "account", task->removal.id);
	}
	task_end(task, outcome, why, answer);
}

void
admin_account_remove(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_task *task = task_new(context, connection);
	const char *address = json_string(request, "address");

	if (address == NULL ||
	    mail_address_normalise(address, task->removal.address) == -1) {
		task_refuse(task, "address: not a mail address");
		return;
	}
	task->removal.now = clock_now();
	store_submit(task->mailboxd->store, remove_work, on_removed, task);
}

/* ---- account-list ------------------------------------------------------- */

/* Is one of its addresses in the domain? "" is any. */
static bool
in_domain(const cJSON *account, const char *domain)
{
	const char *address = json_string(account, "address");
	const cJSON *alias;

	if (domain[0] == '\0' ||
	    (address != NULL &&
		strcmp(mail_address_domain(address), domain) == 0))
		return true;
	cJSON_ArrayForEach(alias, json_array(account, "aliases"))
	{
		address = cJSON_GetStringValue(alias);
		if (strcmp(mail_address_domain(address), domain) == 0)
			return true;
	}
	return false;
}

static enum store_step
list_account(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;
	cJSON *account;

	(void)data;
	(void)len;
	account = account_describe(walk->view, store_key_last(key));
	if (account != NULL && in_domain(account, walk->address))
		cJSON_AddItemToArray(walk->items, account);
	else
		cJSON_Delete(account);
	return STORE_SKIP;
}

static void
run_accounts(struct admin_walk *walk)
{
	store_scan(walk->view, "account/", NULL, list_account, walk);
}

void
admin_account_list(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const char *domain = json_string(request, "domain");
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_accounts, "accounts");

	/* In the place of whose; no address is without "@". */
	if (domain != NULL)
		snprintf(walk->address, sizeof(walk->address), "%s", domain);
	admin_walk_start(walk, NULL);
}

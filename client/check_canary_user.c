/* SPDX-License-Identifier: ISC
 *
 * A canary's user: see check_canary.h. Uses the same code as cargomail(1), so
 * what it can do a user can.
 */
#include "check_canary.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "cargo_api.h"
#include "clock.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "message_list.h"
#include "transfer.h"

#define STEP_MS 250

/* ---- the session --------------------------------------------------------- */

static cJSON *
ask_mailbox(struct canary_user *user, const char *verb, char **error_r)
{
	const struct check_world *world = user->check->world;
	cJSON *request = cJSON_CreateObject();

	json_add_string(request, "verb", verb);
	json_add_string(request, "address", user->address);
	if (user->credential != NULL)
		json_add_string(request, "name", user->credential);
	return world->ask(world->arg, "mailboxd", request, error_r);
}

static char *
own_configuration(const struct canary_user *user)
{
	const struct check_config *config = &user->check->config;

	return x_asprintf("address = %s\nca_bundle = %s\n"
			  "[mailbox own]\nurl = https://%s:%lld\nuser = %s\n"
			  "password_command = false\n",
	    user->address, config->broker_keys.ca_bundle,
	    config->mailbox.server_names.items[0],
	    (long long)config->mailbox.public_port, user->address);
}

/* OK; PERMFAIL "no-account" if it is not this mailbox's. */
static enum outcome
open_own(struct canary_user *user, struct reason *why)
{
	char *error = NULL, *text;
	cJSON *answer = ask_mailbox(user, "session-begin", &error);
	const char *token = json_string(answer, "token");
	const char *name = json_string(answer, "name");
	enum outcome outcome = OUTCOME_OK;

	if (token == NULL || name == NULL) {
		outcome = reason_set(why, OUTCOME_PERMFAIL, "no-account", "%s",
		    error != NULL ? error : "mailboxd gave no session");
		goto out;
	}
	user->credential = x_strdup(name);
	free(error);
	error = NULL;
	text = own_configuration(user);
	if (client_config_parse("check", text, strlen(text), &user->config,
		&error) != 0)
		outcome =
		    reason_set(why, OUTCOME_PERMFAIL, "config", "%s", error);
	free(text);
	if (outcome == OUTCOME_OK) {
		user->mailbox = &user->config.mailboxes[0];
		user->session = session_open(&user->config, user->mailbox, why);
		if (user->session == NULL)
			outcome = OUTCOME_TEMPFAIL;
	}
	if (outcome == OUTCOME_OK)
		session_use_token(user->session, token);
out:
	cJSON_Delete(answer);
	free(error);
	return outcome;
}

/* What cargomail(1) of who runs this has, if it is that user's. */
static enum outcome
read_configured(const struct canary_user *user, struct client_config *config_r,
    struct reason *why)
{
	char *path = client_config_default_path(), *error = NULL;
	char normal[MAIL_ADDRESS_SIZE];
	enum outcome outcome = OUTCOME_OK;

	if (path == NULL || access(path, R_OK) != 0)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "config",
		    "no account here, and there is no %s",
		    path != NULL ? path : "~/.config/cargomail/config");
	else if (client_config_read(path, config_r, &error) != 0)
		outcome =
		    reason_set(why, OUTCOME_PERMFAIL, "config", "%s", error);
	else if (mail_address_normalise(config_r->address, normal) != 0 ||
	    strcmp(normal, user->address) != 0)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "config",
		    "no account here, and %s is for %s", path,
		    config_r->address);
	if (outcome != OUTCOME_OK)
		client_config_free(config_r);
	free(path);
	free(error);
	return outcome;
}

static enum outcome
open_configured(struct canary_user *user, struct reason *why)
{
	enum outcome outcome = read_configured(user, &user->config, why);

	if (outcome != OUTCOME_OK)
		return outcome;
	user->mailbox = client_config_for_category(&user->config, NULL);
	if (user->mailbox == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "config",
		    "it is configured, but no mailbox to send from");
	user->session = session_open(&user->config, user->mailbox, why);
	return user->session != NULL ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

enum outcome
canary_user_open(struct canary_user *user, struct reason *why)
{
	struct reason ignored;
	enum outcome outcome;

	if (user->check->config.mailboxd &&
	    user->check->config.mailbox.server_names.count > 0) {
		outcome = open_own(user, why);
		/* Its mail may go to another mailbox than this one. */
		if (outcome == OUTCOME_OK)
			read_configured(user, &user->others, &ignored);
		if (outcome == OUTCOME_OK || !reason_is(why, "no-account"))
			return outcome;
	}
	return open_configured(user, why);
}

/* ---- what is put there --------------------------------------------------- */

static enum outcome
put_resource(struct canary_user *user, struct reason *why)
{
	struct transfer_source source = { .fd = transfer_temporary(),
		.type = "application/octet-stream",
		.name = "canary",
		.label = "canary" };
	unsigned char *bytes = x_malloc(CANARY_BYTES);
	enum outcome outcome = OUTCOME_OK;
	bool sent = false;

	randombytes_buf(bytes, CANARY_BYTES);
	if (source.fd < 0 ||
	    write(source.fd, bytes, CANARY_BYTES) != CANARY_BYTES)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "no temporary file");
	if (outcome == OUTCOME_OK)
		outcome = transfer_hash(&source, why);
	if (outcome == OUTCOME_OK) {
		strcpy(user->hash, source.hash);
		outcome = transfer_put(user->session, &source, &sent, why);
	}
	user->has_resource = sent;
	if (source.fd >= 0)
		close(source.fd);
	free(bytes);
	return outcome;
}

static enum outcome
call(struct session *session, enum http_method method, const char *prefix,
    const char *name, const char *body, struct reason *why)
{
	char *path = x_asprintf("%s%s", prefix, name);
	cJSON *answer = NULL;
	enum outcome outcome =
	    session_json(session, method, path, body, &answer, why);

	cJSON_Delete(answer);
	free(path);
	return outcome;
}

enum outcome
canary_user_put(struct canary_user *user, const char *message_id,
    int64_t expires, struct reason *why)
{
	enum outcome outcome = put_resource(user, why);
	cJSON *json, *recipients, *resources;
	char *body;

	if (outcome != OUTCOME_OK)
		return outcome;
	json = cJSON_CreateObject();
	recipients = cJSON_CreateArray();
	resources = cJSON_CreateArray();
	cJSON_AddItemToArray(recipients, cJSON_CreateString(user->address));
	cJSON_AddItemToArray(resources, cJSON_CreateString(user->hash));
	json_add_string(json, "message", message_id);
	json_add_item(json, "recipients", recipients);
	json_add_item(json, "resources", resources);
	json_add_string(json, "category", "");
	json_add_integer(json, "expires", expires);
	body = json_format(json);
	cJSON_Delete(json);
	outcome = call(user->session, HTTP_PUT, CARGO_API_SHARE, user->share,
	    body, why);
	user->has_share = outcome == OUTCOME_OK;
	free(body);
	return outcome;
}

/* ---- what came ----------------------------------------------------------- */

static enum outcome
judge(const struct message *message, struct reason *why)
{
	const struct message_resource *resource =
	    message->count > 0 ? &message->resources[0] : NULL;

	if (resource != NULL && resource->state == MESSAGE_STORED)
		return OUTCOME_OK;
	if (resource != NULL && resource->state == MESSAGE_FAILED)
		return reason_set(why, OUTCOME_PERMFAIL, "failed",
		    "the mailbox gave the resource up: %s",
		    resource->problem != NULL ? resource->problem :
						resource->status);
	return reason_set(why, OUTCOME_TEMPFAIL, "pending",
	    "the mailbox was told, and has not got the resource");
}

static enum outcome
fetch(struct canary_user *user, struct reason *why)
{
	int fd = transfer_temporary();
	enum outcome outcome;

	if (fd < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "no temporary file");
	outcome = transfer_get(user->receiver, user->hash, CANARY_BYTES,
	    "canary", fd, why);
	close(fd);
	return outcome;
}

/* Looks at one mailbox. TEMPFAIL "nothing" if nothing came in there. */
static enum outcome
look(struct canary_user *user, struct session *session, struct reason *why)
{
	struct message_list list;
	enum outcome outcome =
	    message_list_fetch_share(session, user->share, 0, &list, why);
	size_t i;

	if (outcome != OUTCOME_OK)
		return outcome;
	for (i = 0; i < list.count && list.items[i].out; i++)
		;
	if (i < list.count) {
		user->receiver = session;
		outcome = judge(&list.items[i], why);
	} else {
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "nothing",
		    "no mailbox was told of the message");
	}
	message_list_free(&list);
	return outcome;
}

/* A session with each mailbox of a configuration, behind those that there
 * are; how many there are then. */
static size_t
open_receivers(const struct canary_user *user,
    const struct client_config *config, struct session **list, size_t count)
{
	struct reason why;

	for (size_t i = 0; i < config->mailbox_count; i++) {
		const struct client_mailbox *mailbox = &config->mailboxes[i];

		if (mailbox == user->mailbox ||
		    strcmp(mailbox->url, user->mailbox->url) == 0)
			continue;
		list[count] = session_open(config, mailbox, &why);
		count += list[count] != NULL;
	}
	return count;
}

static void
close_receivers(struct session **list, size_t count, const struct session *but)
{
	for (size_t i = 1; i < count; i++)
		if (list[i] != but)
			session_close(&list[i]);
}

enum outcome
canary_user_get(struct canary_user *user, int seconds, struct reason *why)
{
	struct session *list[2 * CLIENT_CONFIG_MAX_MAILBOXES + 1] = { NULL };
	const struct check_world *world = user->check->world;
	size_t count = 1;
	enum outcome outcome = OUTCOME_TEMPFAIL;
	int64_t until = clock_monotonic_ms() + seconds * 1000;

	list[0] = user->session;
	count = open_receivers(user, &user->config, list, count);
	count = open_receivers(user, &user->others, list, count);
	do {
		/* Where it came to is looked at from then on. */
		for (size_t i = 0; i < count; i++)
			if (user->receiver == NULL || user->receiver == list[i])
				outcome = look(user, list[i], why);
		if (outcome != OUTCOME_TEMPFAIL)
			break;
		world->pause(world->arg, STEP_MS);
	} while (clock_monotonic_ms() < until);
	close_receivers(list, count, user->receiver);
	return outcome == OUTCOME_OK ? fetch(user, why) : outcome;
}

/* ---- and goes ------------------------------------------------------------ */

/* The placeholder of what came is a resource of the account, too. */
static void
remove_received(struct canary_user *user)
{
	char *path = x_asprintf(CARGO_API_MESSAGES "?share=%s", user->share);
	struct reason why;
	cJSON *answer = NULL;
	const cJSON *message;
	const char *hash;

	session_json(user->receiver, HTTP_GET, path, NULL, &answer, &why);
	cJSON_ArrayForEach(message, json_array(answer, "messages"))
	{
		hash = json_string(message, "placeholder");
		if (hash != NULL && strlen(hash) == SHA256_HEX_SIZE - 1)
			call(user->receiver, HTTP_DELETE, CARGO_API_RESOURCE,
			    hash, NULL, &why);
	}
	cJSON_Delete(answer);
	free(path);
	if (user->receiver == user->session)
		return;
	call(user->receiver, HTTP_DELETE, CARGO_API_RESOURCE, user->hash, NULL,
	    &why);
	session_close(&user->receiver);
}

enum outcome
canary_user_close(struct canary_user *user, struct reason *why)
{
	enum outcome outcome = OUTCOME_OK;
	char *error = NULL;

	if (user->has_share)
		outcome = call(user->session, HTTP_DELETE, CARGO_API_SHARE,
		    user->share, NULL, why);
	if (user->receiver != NULL)
		remove_received(user);
	if (user->has_resource && outcome == OUTCOME_OK)
		outcome = call(user->session, HTTP_DELETE, CARGO_API_RESOURCE,
		    user->hash, NULL, why);
	session_close(&user->session);
	if (user->credential != NULL)
		cJSON_Delete(ask_mailbox(user, "session-end", &error));
	free(error);
	x_free(&user->credential);
	client_config_free(&user->config);
	client_config_free(&user->others);
	return outcome;
}

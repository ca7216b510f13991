/* SPDX-License-Identifier: ISC
 *
 * A probe on its way: the broker waits for it, Postfix is given it; if it
 * does not come through, where it was left, and why.
 */
#include "check_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "encoding.h"
#include "json_strict.h"
#include "mail_header.h"
#include "memory.h"

#define WAIT_MS 15000 /* for Postfix to hand it to the broker */
#define STEP_MS 100

/* ---- the broker ---------------------------------------------------------- */

static cJSON *
ask(struct check_probe *probe, const char *verb, char **error_r)
{
	const struct check_world *world = probe->check->world;
	cJSON *request = cJSON_CreateObject();

	json_add_string(request, "verb", "probe");
	json_add_string(request, "do", verb);
	if (probe->share[0] != '\0')
		json_add_string(request, "share", probe->share);
	return world->ask(world->arg, "broker", request, error_r);
}

static void
tell(struct check_probe *probe, const char *verb)
{
	char *error = NULL;

	cJSON_Delete(ask(probe, verb, &error));
	free(error);
}

bool
check_probe_begin(struct check_probe *probe)
{
	struct check *check = probe->check;
	char *error = NULL;
	cJSON *answer = ask(probe, "begin", &error);
	const char *share = json_string(answer, "share");
	bool good = share != NULL && cargo_share_valid(share);

	if (good) {
		strcpy(probe->share, share);
	} else {
		check_say(check, CHECK_WARN, probe->domain,
		    "the broker cannot be asked to look at a probe: %s",
		    error != NULL ? error : "it gives no share");
		check_why(check, "what the milters do is not seen");
		check_cure(check,
		    "if \"daemons\" is well: run this as root or in the "
		    "group cargomail-admin; wait two minutes for other "
		    "probes; if it still runs an older version: systemctl "
		    "restart cargomail-broker");
	}
	cJSON_Delete(answer);
	free(error);
	return good;
}

void
check_probe_again(struct check_probe *probe)
{
	tell(probe, "again");
}

void
check_probe_end(struct check_probe *probe)
{
	tell(probe, "end");
}

/* True if it has been seen. */
static bool
look(struct check_probe *probe, struct check_sight *sight)
{
	char *error = NULL;
	const char *message;
	cJSON *answer = ask(probe, "look", &error);

	free(error);
	memset(sight, 0, sizeof(*sight));
	sight->answer = answer;
	sight->proof = json_string(answer, "proof");
	sight->proof_text = json_string(answer, "proof_text");
	sight->form = json_string(answer, "form");
	sight->form_text = json_string(answer, "form_text");
	message = json_string(answer, "message");
	if (message != NULL)
		sight->message =
		    base64_parse(message, strlen(message), &sight->len);
	if (json_integer(answer, "arrivals", 1, 1000000, &sight->arrivals) ==
		0 &&
	    json_integer(answer, "recipients", 0, 1000000,
		&sight->recipients) == 0 &&
	    sight->message != NULL && sight->proof != NULL &&
	    sight->proof_text != NULL && sight->form != NULL &&
	    sight->form_text != NULL) {
		sight->header =
		    mail_header_length(sight->message, sight->len, NULL);
		return true;
	}
	check_sight_free(sight);
	return false;
}

void
check_sight_free(struct check_sight *sight)
{
	cJSON_Delete(sight->answer);
	free(sight->message);
	memset(sight, 0, sizeof(*sight));
}

/* ---- the mail ------------------------------------------------------------ */

bool
check_probe_to_postmaster(const struct check_probe *probe)
{
	return strncmp(probe->address, "postmaster@", 11) == 0;
}

/* The address is there, or Postfix says no to it and knows the bare name,
 * which it must (RFC 5321, 4.5.1). */
void
check_probe_mail(struct check_probe *probe, const char *server,
    const struct buffer *data)
{
	const struct check_world *world = probe->check->world;
	struct check_mail mail = { .address = server,
		.hello = probe->hostname,
		.to = probe->to,
		.data = (const char *)data->data,
		.len = data->len };

	probe->mailed = world->now(world->arg);
	world->mail(world->arg, &mail, &probe->reply);
	if (probe->reply.stage != CHECK_MAIL_RCPT ||
	    probe->reply.code / 100 != 5 || !check_probe_to_postmaster(probe) ||
	    strcmp(probe->to, "postmaster") == 0)
		return;
	mail.to = "postmaster";
	world->mail(world->arg, &mail, &probe->reply);
	if (probe->reply.stage != CHECK_MAIL_RCPT)
		probe->to = mail.to;
}

/* From <>, as Postfix shows it, and come since. A queue id alone may be that
 * of any message here: the server that told it is whoever the DNS names. */
static bool
may_be_probe(const struct check_probe *probe, const cJSON *message)
{
	const char *id = json_string(message, "queue_id");
	const char *sender = json_string(message, "sender");
	char *empty =
	    check_postfix_setting(probe->postfix, "empty_address_recipient");
	int64_t arrival;
	bool is;

	is = id != NULL && id[0] != '\0' && sender != NULL &&
	    strcmp(id, probe->reply.queue_id) == 0 &&
	    (strcmp(sender, "MAILER-DAEMON") == 0 ||
		strcmp(sender, empty) == 0) &&
	    json_integer(message, "arrival_time", probe->mailed,
		JSON_MAX_INTEGER, &arrival) == 0;
	free(empty);
	return is;
}

/* To who the probe was for, and to nobody else. */
static bool
is_for_recipient(const struct check_probe *probe, const cJSON *recipients)
{
	const cJSON *first = recipients != NULL ? recipients->child : NULL;
	const char *address = json_string(first, "address");
	size_t len = strlen(probe->to);

	/* Postfix completes a bare name. */
	return address != NULL && first->next == NULL &&
	    strncasecmp(address, probe->to, len) == 0 &&
	    (address[len] == '\0' ||
		(address[len] == '@' && strchr(probe->to, '@') == NULL));
}

/* Why the probe is still in the queue; NULL if it is not. *own_r: it is
 * certain that it is the probe. */
static char *
find_delay(struct check_probe *probe, bool *own_r)
{
	const char *argv[] = { "postqueue", "-j", NULL };
	const struct check_world *world = probe->check->world;
	char *delay = NULL, *rest, *line;
	int status;
	char *text = rest = world->run(world->arg, argv, &status);

	while (status == 0 && (line = strsep(&rest, "\n")) != NULL) {
		cJSON *message = json_parse(line, strlen(line), NULL);
		const cJSON *list = json_array(message, "recipients");
		const char *why = json_string(list != NULL ? list->child : NULL,
		    "delay_reason");

		if (delay == NULL && may_be_probe(probe, message)) {
			delay = x_strdup(why != NULL ? why : "it is not tried");
			*own_r = is_for_recipient(probe, list);
		}
		cJSON_Delete(message);
	}
	free(text);
	return delay;
}

char *
check_probe_take_back(struct check_probe *probe, bool *stays_r)
{
	const char *argv[] = { "postsuper", "-d", probe->reply.queue_id, NULL };
	const struct check_world *world = probe->check->world;
	bool own = false;
	char *delay = find_delay(probe, &own);
	int status = -1;

	if (own)
		free(world->run(world->arg, argv, &status));
	*stays_r = delay != NULL && status != 0;
	return delay;
}

/* It was taken, and the broker has not seen it. */
static void
say_lost(struct check_probe *probe, const char *way)
{
	struct check *check = probe->check;
	bool stays;
	char *delay = check_probe_take_back(probe, &stays);

	if (delay != NULL) {
		check_say(check, CHECK_FAIL, way,
		    "the probe stayed in Postfix's queue: %s", delay);
		check_why(check, "so does every placeholder");
		check_cure(check,
		    "mend what the reason names; then postqueue -f%s%s%s%s",
		    stays ? "; if postcat -q " : "",
		    stays ? probe->reply.queue_id : "",
		    stays ? " shows the probe: postsuper -d " : "",
		    stays ? probe->reply.queue_id : "");
	} else {
		check_say(check, CHECK_FAIL, way,
		    "Postfix took the probe (%s) and did not give it to the "
		    "broker",
		    probe->reply.queue_id);
		check_why(check,
		    "placeholders are delivered as they are, without their "
		    "resources; so was this one");
		check_cure(check,
		    PREFIX "/share/cargomail/postfix-setup%s && postfix "
			   "reload; a content_filter or another table of "
			   "header_checks may come before ours",
		    check->config.broker_keys.out_listen[0] != '\0' ? " -o" :
								      "");
	}
	free(delay);
}

bool
check_probe_wait(struct check_probe *probe, struct check_sight *sight_r)
{
	const struct check_world *world = probe->check->world;

	for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		if (look(probe, sight_r))
			return true;
		world->pause(world->arg, STEP_MS);
	}
	return false;
}

bool
check_probe_send(struct check_probe *probe, const char *server, const char *way,
    const struct buffer *data, struct check_sight *sight_r)
{
	check_probe_mail(probe, server, data);
	if (probe->reply.stage != CHECK_MAIL_DONE) {
		check_probe_say_refused(probe, server, way);
		return false;
	}
	if (check_probe_wait(probe, sight_r))
		return true;
	say_lost(probe, way);
	return false;
}

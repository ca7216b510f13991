/* SPDX-License-Identifier: ISC
 *
 * The ways of a probe: from this host to itself, where the milters sign it;
 * then what came of that once more, to the public address, where they take
 * it for a stranger's and verify it; then a forged one.
 */
#include "check_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "clock.h"
#include "encoding.h"
#include "json_strict.h"
#include "mail_header.h"
#include "memory.h"

#define WAIT_MS 15000 /* for Postfix to hand it to the broker */
#define STEP_MS 100
#define MESSAGE_MAX 65536
#define DOMAINS_MAX 4
#define ADDRESSES_MAX 4
#define LOCALHOST "127.0.0.1"

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
	char *none = NULL;
	cJSON *status;

	if (good) {
		strcpy(probe->share, share);
	} else if ((status = check_ask(check, "broker", "status", &none)) !=
	    NULL) {
		check_say(check, CHECK_WARN, probe->domain,
		    "the broker does not take a probe: %s",
		    error != NULL ? error : "it gives no share");
		check_why(check, "what the milters do is not seen");
		check_cure(check,
		    "check again in two minutes; if it still runs an older "
		    "version: systemctl restart cargomail-broker");
		cJSON_Delete(status);
	}
	cJSON_Delete(answer);
	free(error);
	free(none);
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

/* The address is there, or Postfix says no to it and knows the bare name,
 * which it must (RFC 5321, 4.5.1). */
static void
send_mail(struct check_probe *probe, const char *server,
    const struct buffer *data)
{
	const struct check_world *world = probe->check->world;
	struct check_mail mail = { .address = server,
		.hello = probe->hostname,
		.to = probe->to,
		.data = (const char *)data->data,
		.len = data->len };

	world->mail(world->arg, &mail, &probe->reply);
	if (probe->reply.stage != CHECK_MAIL_RCPT ||
	    probe->reply.code / 100 != 5 ||
	    strcmp(probe->to, "postmaster") == 0)
		return;
	mail.to = "postmaster";
	world->mail(world->arg, &mail, &probe->reply);
	if (probe->reply.stage != CHECK_MAIL_RCPT)
		probe->to = mail.to;
}

static void
say_unreachable(struct check_probe *probe, const char *server, const char *way)
{
	struct check *check = probe->check;
	bool inner = strcmp(server, LOCALHOST) == 0;

	check_say(check, inner ? CHECK_FAIL : CHECK_WARN, way,
	    "nobody answers at %s port 25: %s", server, probe->reply.text);
	check_why(check,
	    inner ? "mail cannot come in, or only by another address; the "
		    "probe cannot be sent" :
		    "a probe cannot come as from outside; whether others can "
		    "send mail here is not seen");
	if (inner)
		check_cure(check,
		    "is Postfix running, \"smtp inet\" in master.cf, and "
		    "127.0.0.1 in inet_interfaces?");
	else
		check_cure(check,
		    "is inet_interfaces = all, port 25 open, the address of "
		    "%s right in the DNS? Behind NAT look from outside: "
		    "cargomailctl check --from HOST",
		    probe->hostname);
}

static bool
is_milter_down(const struct check_mail_reply *reply)
{
	return reply->code / 100 == 4 &&
	    strcasestr(reply->text, "4.7.1 Service unavailable") != NULL;
}

static void
say_refused(struct check_probe *probe, const char *way)
{
	const struct check_mail_reply *reply = &probe->reply;
	struct check *check = probe->check;

	if (is_milter_down(reply)) {
		check_say(check, CHECK_FAIL, way,
		    "Postfix puts all mail off: %d %s", reply->code,
		    reply->text);
		check_why(check,
		    "one of its milters does not answer, and "
		    "milter_default_action is tempfail: no mail comes in");
		check_cure(check,
		    "start that milter: smtpd_milters is %s; its log tells "
		    "why it ended",
		    probe->milters);
	} else if (reply->code / 100 == 4) {
		check_say(check, CHECK_WARN, way, "the probe is put off: %d %s",
		    reply->code, reply->text);
		check_why(check,
		    "greylisting, a limit or a lack of room; what the milters "
		    "do is not seen");
		check_cure(check,
		    "the reply and /var/log/mail.log say which; let mail "
		    "from this host's own addresses pass, or check again "
		    "when the time is over");
	} else if (reply->code == 0) {
		check_say(check, CHECK_FAIL, way, "Postfix hangs up: %s",
		    reply->text);
		check_why(check, "mail does not come in");
		check_cure(check, "/var/log/mail.log says why");
	} else {
		check_say(check, CHECK_WARN, way,
		    "Postfix refuses the probe to %s: %d %s", probe->address,
		    reply->code, reply->text);
		check_why(check,
		    "every mail domain must take mail to postmaster (RFC "
		    "5321); what the milters do is not seen");
		check_cure(check,
		    "have %s delivered to somebody (postmaster: root in "
		    "/etc/aliases, then newaliases), or mend what the reply "
		    "names",
		    probe->address);
	}
}

/* Why the message of this queue id is still there; NULL if it is not. */
static char *
find_delay(struct check_probe *probe)
{
	const char *argv[] = { "postqueue", "-j", NULL };
	const struct check_world *world = probe->check->world;
	char *delay = NULL, *rest, *line;
	int status;
	char *text = rest = world->run(world->arg, argv, &status);

	while (status == 0 && (line = strsep(&rest, "\n")) != NULL) {
		cJSON *message = json_parse(line, strlen(line), NULL);
		const char *id = json_string(message, "queue_id");
		const cJSON *list = json_array(message, "recipients");
		const char *why = json_string(list != NULL ? list->child : NULL,
		    "delay_reason");

		if (delay == NULL && id != NULL && probe->reply.queue_id[0] &&
		    strcmp(id, probe->reply.queue_id) == 0)
			delay = x_strdup(why != NULL ? why : "it is not tried");
		cJSON_Delete(message);
	}
	free(text);
	return delay;
}

/* It was taken, and the broker has not seen it. */
static void
say_lost(struct check_probe *probe, const char *way)
{
	const char *argv[] = { "postsuper", "-d", probe->reply.queue_id, NULL };
	const struct check_world *world = probe->check->world;
	struct check *check = probe->check;
	char *delay = find_delay(probe);
	int status = -1;

	if (delay != NULL) {
		free(world->run(world->arg, argv, &status));
		check_say(check, CHECK_FAIL, way,
		    "the probe stayed in Postfix's queue: %s", delay);
		check_why(check, "so does every placeholder");
		check_cure(check,
		    "mend what the reason names; then postqueue -f%s%s",
		    status != 0 ? "; the probe itself: postsuper -d " : "",
		    status != 0 ? probe->reply.queue_id : "");
	} else {
		check_say(check, CHECK_FAIL, way,
		    "Postfix took the probe (%s) and did not give it to the "
		    "broker",
		    probe->reply.queue_id);
		check_why(check,
		    "placeholders are delivered as they are, without their "
		    "resources; this one went to postmaster");
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
check_probe_send(struct check_probe *probe, const char *server, const char *way,
    const struct buffer *data, struct check_sight *sight_r)
{
	const struct check_world *world = probe->check->world;

	send_mail(probe, server, data);
	if (probe->reply.stage != CHECK_MAIL_DONE) {
		if (probe->reply.stage == CHECK_MAIL_CONNECT)
			say_unreachable(probe, server, way);
		else
			say_refused(probe, way);
		return false;
	}
	for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		if (look(probe, sight_r))
			return true;
		world->pause(world->arg, STEP_MS);
	}
	say_lost(probe, way);
	return false;
}

/* ---- what is sent -------------------------------------------------------- */

static const char text[] =
    "This is a probe of \"cargomailctl check\". It should have ended at "
    "the broker\r\nand never arrived: run \"cargomailctl check\" on the "
    "mail host, it says why.\r\n";

enum outcome
check_probe_compose(const struct check_probe *probe, struct buffer *message,
    struct reason *why)
{
	const struct check_world *world = probe->check->world;
	struct cargo_draft_resource resource = {
		.hash = "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855",
		.size = 0,
		.type = "application/octet-stream",
		.name = "probe",
		.disposition = "attachment"
	};
	int64_t now = world->now(world->arg);
	char date[CLOCK_TEXT_SIZE];
	struct cargo_draft draft = { .origin = "https://probe.invalid",
		.share = probe->share,
		.expires = now + 3600,
		.inline_text = text,
		.resources = &resource,
		.count = 1 };
	enum outcome outcome;
	char *header, *whole;
	size_t len;

	clock_format_mail(now, date);
	header = x_asprintf("From: %s\r\nTo: %s\r\n"
			    "Subject: cargomailctl check\r\nDate: %s\r\n"
			    "Message-ID: <%s@%s>\r\n"
			    "Auto-Submitted: auto-generated\r\n",
	    probe->address, probe->address, date, probe->share, probe->domain);
	draft.header = header;
	outcome = cargo_placeholder_compose(&draft, &whole, &len, why);
	free(header);
	if (outcome == OUTCOME_OK) {
		buffer_add(message, whole, len);
		free(whole);
	}
	return outcome;
}

void
check_probe_strip(const struct check_sight *sight, struct buffer *out)
{
	struct mail_field field;
	size_t at = 0;

	while (mail_header_next(sight->message, sight->header, &at, &field))
		if (!mail_header_is(&field, "Received") &&
		    !mail_header_is(&field, "Return-Path") &&
		    !mail_header_is(&field, "Authentication-Results"))
			buffer_add(out, field.raw, field.raw_len);
	buffer_add(out, "\r\n", 2);
	buffer_add(out, sight->message + sight->header,
	    sight->len - sight->header);
}

void
check_probe_forge(const struct check_probe *probe, const struct buffer *message,
    struct buffer *out)
{
	const struct config_list *ids =
	    &probe->check->config.broker_keys.authserv_ids;
	char *line;

	for (size_t i = 0; i < ids->count; i++) {
		line = x_asprintf("Authentication-Results: %s;\r\n\tdkim=pass "
				  "header.d=%s header.s=probe "
				  "header.b=\"Zm9yZ2Vk\"\r\n",
		    ids->items[i], probe->domain);
		buffer_add(out, line, strlen(line));
		free(line);
	}
	line = x_asprintf("DKIM-Signature: v=1; a=rsa-sha256; "
			  "c=relaxed/simple; d=%s;\r\n"
			  "\ts=probe; "
			  "h=From:To:Subject:Date:Message-ID:MIME-Version:"
			  "Content-Type;\r\n\tbh="
			  "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZv"
			  "cmc=;\r\n\tb="
			  "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmc=\r\n",
	    probe->domain);
	buffer_add(out, line, strlen(line));
	free(line);
	buffer_add(out, message->data, message->len);
}

/* ---- one domain ---------------------------------------------------------- */

static size_t
add_addresses(struct check_probe *probe, const char *type, char **list,
    size_t max)
{
	char *error = NULL;
	cJSON *answer =
	    check_lookup(probe->check, probe->hostname, type, &error);
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		if (count < max && cJSON_IsString(item))
			list[count++] = x_strdup(cJSON_GetStringValue(item));
	}
	cJSON_Delete(answer);
	free(error);
	return count;
}

size_t
check_probe_addresses(struct check_probe *probe, char **list, size_t max)
{
	size_t count = add_addresses(probe, "A", list, max);

	return count + add_addresses(probe, "AAAA", list + count, max - count);
}

/* As a stranger: to the public address, so that it comes from there. */
static void
probe_outside(struct check_probe *probe, const struct buffer *message,
    const struct buffer *plain, bool is_signed)
{
	char *list[ADDRESSES_MAX] = { NULL };
	size_t count = check_probe_addresses(probe, list, ADDRESSES_MAX);
	struct check_sight sight;
	struct buffer forged;

	buffer_init(&forged, MESSAGE_MAX);
	if (count == 0) {
		check_say(probe->check, CHECK_WARN, probe->hostname,
		    "has no address in the DNS, or nobody can tell");
		check_why(probe->check,
		    "a probe cannot come as from outside; nor can mail, if "
		    "this is the MX");
		check_cure(probe->check,
		    "publish A or AAAA of %s, or set myhostname to the name "
		    "that the MX record has",
		    probe->hostname);
	} else if (check_probe_send(probe, list[0], list[0], message, &sight)) {
		check_probe_judge_verifier(probe, &sight, message, is_signed);
		check_sight_free(&sight);
		check_probe_again(probe);
		check_probe_forge(probe, plain, &forged);
		send_mail(probe, list[0], &forged);
		/* A refusal is well: it is not believed. */
		for (int waited = 0;
		     probe->reply.stage == CHECK_MAIL_DONE && waited < WAIT_MS;
		     waited += STEP_MS) {
			if (look(probe, &sight)) {
				check_probe_judge_forged(probe, &sight);
				check_sight_free(&sight);
				break;
			}
			probe->check->world->pause(probe->check->world->arg,
			    STEP_MS);
		}
	}
	buffer_free(&forged);
	for (size_t i = 0; i < count; i++)
		free(list[i]);
}

static void
probe_domain(struct check_probe *probe)
{
	struct check_sight sight;
	struct buffer plain, message;
	struct reason why;
	bool is_signed;

	buffer_init(&plain, MESSAGE_MAX);
	buffer_init(&message, MESSAGE_MAX);
	if (!check_probe_begin(probe))
		goto out;
	if (check_probe_compose(probe, &plain, &why) != OUTCOME_OK) {
		check_say(probe->check, CHECK_WARN, probe->domain,
		    "no probe can be written: %s", why.text);
		check_why(probe->check, "what the milters do is not seen");
		check_cure(probe->check, "is this a mail domain?");
	} else if (check_probe_send(probe, LOCALHOST, probe->domain, &plain,
		       &sight)) {
		is_signed = check_probe_judge_signer(probe, &sight);
		check_probe_strip(&sight, &message);
		check_sight_free(&sight);
		check_probe_again(probe);
		probe_outside(probe, is_signed ? &message : &plain, &plain,
		    is_signed);
	}
	check_probe_end(probe);
out:
	buffer_free(&plain);
	buffer_free(&message);
}

static void
probe_name(struct check *check, const struct check_postfix *postfix,
    const char *domain)
{
	struct check_probe probe = { .check = check,
		.postfix = postfix,
		.domain = domain };

	probe.hostname = check_postfix_setting(postfix, "myhostname");
	probe.milters = check_postfix_effective(postfix,
	    check_postfix_front(postfix), "smtpd_milters");
	probe.address = x_asprintf("postmaster@%s", domain);
	probe.to = probe.address;
	probe_domain(&probe);
	free(probe.hostname);
	free(probe.milters);
	free(probe.address);
}

/* The domain of each of the broker's names, once: a key that is on its way
 * in has an identity of its own. */
void
check_probe(struct check *check)
{
	const char *done[DOMAINS_MAX];
	struct check_postfix postfix;
	const cJSON *identity;
	size_t count = 0, i;

	if (!check->config.broker)
		return;
	if (check_postfix_read(check, &postfix) != 0) {
		check_postfix_free(&postfix);
		return; /* `postfix` says so */
	}
	cJSON_ArrayForEach(identity, check_identities(check))
	{
		const char *name = json_string(identity, "name");

		if (name == NULL || strncmp(name, "_cb.", 4) != 0 ||
		    count == DOMAINS_MAX)
			continue;
		for (i = 0; i < count && strcmp(done[i], name + 4) != 0; i++)
			;
		if (i < count)
			continue;
		done[count++] = name + 4;
		probe_name(check, &postfix, name + 4);
	}
	check_postfix_free(&postfix);
}

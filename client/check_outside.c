/* SPDX-License-Identifier: ISC
 *
 * This host's ports, seen by another host that has cargomailctl: it is asked
 * by ssh to look at our mailboxes and at port 25. Host names that could mean
 * something to the shell over there are not passed on. What comes back is
 * hostile: a bounded number of bounded lines, JSON or passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "check_mail.h"
#include "check_postfix.h"
#include "json_strict.h"
#include "memory.h"
#include "service_url.h"

#define LINE_MAX_BYTES 8192
#define LINES_MAX 40
#define TEXT_MAX 500
#define ADDRESSES_MAX 2 /* each may take ten seconds */

static const char why_outside[] =
    "whether others can reach this host is not seen from here";

/* ---- what came back ---------------------------------------------------- */

static bool
level_parse(const char *text, enum check_level *level_r)
{
	static const char *const levels[] = { "ok", "warn", "fail" };

	for (int i = CHECK_OK; i <= CHECK_FAIL; i++) {
		if (text == NULL || strcmp(text, levels[i]) != 0)
			continue;
		*level_r = (enum check_level)i;
		return true;
	}
	return false;
}

/* True if it was a line of a check. */
static bool
merge_line(struct check *check, const char *line, size_t len)
{
	cJSON *object =
	    len <= LINE_MAX_BYTES ? json_parse(line, len, NULL) : NULL;
	const char *subject = json_string(object, "subject");
	const char *what = json_string(object, "what");
	const char *why = json_string(object, "why");
	const char *cure = json_string(object, "do");
	enum check_level level;
	bool good = level_parse(json_string(object, "level"), &level) &&
	    subject != NULL && what != NULL;
	char *full, *text;

	if (good) {
		full =
		    x_asprintf("from %s: %.*s", check->from, TEXT_MAX, subject);
		check_say(check, level, full, "%.*s", TEXT_MAX, what);
		free(full);
	}
	if (good && level != CHECK_OK) {
		text = x_asprintf("%.*s", TEXT_MAX,
		    why != NULL ? why : "it does not say");
		check_why(check, text);
		free(text);
		check_cure(check, "%.*s", TEXT_MAX,
		    cure != NULL ? cure : "look there");
	}
	cJSON_Delete(object);
	return good;
}

/* `last` is what was said that is no line of a check, or "". */
static size_t
merge(struct check *check, char *text, const char **last)
{
	size_t count = 0;
	char *line;

	*last = "";
	while ((line = strsep(&text, "\n")) != NULL && count < LINES_MAX) {
		line[strcspn(line, "\r")] = '\0';
		if (merge_line(check, line, strlen(line)))
			count++;
		else if (line[0] != '\0')
			*last = line;
	}
	return count;
}

/* ---- asking ------------------------------------------------------------ */

static void
say_unasked(struct check *check, const char *text)
{
	char *subject = x_asprintf("from %s", check->from);

	check_say(check, CHECK_WARN, subject, "cannot look: %.*s", TEXT_MAX,
	    text[0] != '\0' ? text :
			      "ssh is not here, or nothing came within 30 s");
	check_why(check, why_outside);
	check_cure(check,
	    "this must work without a password: ssh -o BatchMode=yes %s "
	    "cargomailctl check peer; install ssh here, a key and "
	    "cargomail-broker there",
	    check->from);
	free(subject);
}

/* False if it could not be asked: the next would not be, either. */
static bool
ask(struct check *check, const char *url)
{
	const char *const argv[] = { "ssh", "-o", "BatchMode=yes", "-o",
		"ConnectTimeout=10", check->from, "cargomailctl", "--json",
		"check", "--peer", url, "peer", NULL };
	const char *last;
	int status;
	char *text = check->world->run(check->world->arg, argv, &status);
	bool good = merge(check, text, &last) > 0;

	if (!good)
		say_unasked(check, last);
	free(text);
	return good;
}

static bool
ask_mailboxes(struct check *check)
{
	const struct config_list *list = &check->config.mailbox.server_names;
	const struct service_ports any = { 0 };
	struct service_url url;
	bool good = true;

	for (size_t i = 0; good && i < list->count; i++) {
		char *text = x_asprintf("https://%s:%lld", list->items[i],
		    (long long)check->config.mailbox.public_port);

		if (service_url_parse(text, &any, &url) == 0)
			good = ask(check, url.text);
		free(text);
	}
	return good;
}

static void
ask_mail(struct check *check)
{
	struct check_postfix postfix;
	char *name, *url;

	if (check_postfix_read(check, &postfix) == 0) {
		name = check_postfix_setting(&postfix, "myhostname");
		url = x_asprintf("smtp://%s", name);
		if (service_host_is_valid(name))
			ask(check, url);
		free(name);
		free(url);
	}
	check_postfix_free(&postfix);
}

void
check_outside(struct check *check)
{
	if (check->from == NULL)
		return;
	if ((!check->config.mailboxd || ask_mailboxes(check)) &&
	    check->config.broker)
		ask_mail(check);
}

/* ---- being asked ------------------------------------------------------- */

static void
look_at(struct check *check, const char *host, const char *address)
{
	const struct check_world *world = check->world;
	char hello[256] = "localhost";
	struct check_mail mail = { .address = address, .hello = hello };
	struct check_mail_reply reply;

	gethostname(hello, sizeof(hello) - 1);
	world->mail(world->arg, &mail, &reply);
	if (reply.stage == CHECK_MAIL_DONE) {
		check_say(check, CHECK_OK, host, "takes mail at %s port 25",
		    address);
		return;
	}
	check_say(check, CHECK_FAIL, host, "%s at %s port 25: %s",
	    reply.stage == CHECK_MAIL_CONNECT ? "nobody answers" :
						"no good greeting",
	    address, reply.text);
	check_why(check, "others cannot send mail to it");
	check_cure(check,
	    "is Postfix running there, inet_interfaces right, port 25 open "
	    "in the firewall and at the provider? If only here it does not "
	    "answer, is port 25 closed on the way out?");
}

void
check_outside_mail(struct check *check, const char *host)
{
	static const char *const types[] = { "A", "AAAA" };
	const cJSON *first;
	char *error = NULL;
	size_t count = 0;

	for (size_t i = 0; i < ADDRESSES_MAX; i++) {
		cJSON *answer;

		free(error);
		error = NULL;
		answer = check_lookup(check, host, types[i], &error);
		first = cJSON_GetArrayItem(json_array(answer, "records"), 0);
		if (cJSON_IsString(first)) {
			look_at(check, host, cJSON_GetStringValue(first));
			count++;
		}
		cJSON_Delete(answer);
	}
	if (count == 0) {
		check_say(check, CHECK_FAIL, host, "has no address%s%s",
		    error != NULL ? ": " : "", error != NULL ? error : "");
		check_why(check, "others cannot send mail to it");
		check_cure(check, "publish A or AAAA of %s", host);
	}
	free(error);
}

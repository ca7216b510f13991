/* SPDX-License-Identifier: ISC
 *
 * Postfix's lines for the broker: is each one there that postfix-setup(8)
 * would write, or another that does the same?
 */
#include "check_postfix.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"

#define CHECKS SYSCONFDIR "/cargomail/postfix_header_checks"
#define SETUP PREFIX "/share/cargomail/postfix-setup"
#define OUT_SOCKET "/var/spool/postfix/cargomail/out.sock"

static void
say_setup(struct check *check, const char *why)
{
	bool out = check->config.broker_keys.out_listen[0] != '\0';

	check_why(check, why);
	check_cure(check, SETUP "%s && postfix reload", out ? " -o" : "");
}

/* ---- the way in -------------------------------------------------------- */

/* The name of the cleanup service that mail from outside passes. */
static char *
cleanup_of(const struct check_postfix *postfix)
{
	char *name = check_postfix_effective(postfix,
	    check_postfix_front(postfix), "cleanup_service_name");

	if (name[0] == '\0') {
		free(name);
		name = x_strdup("cleanup");
	}
	return name;
}

/* Tables of main.cf that the override has not. */
static bool
has_all(const char *override, const char *tables)
{
	char *copy = x_strdup(tables), *rest = copy, *word;
	bool all = true;

	while ((word = strsep(&rest, ", \t")) != NULL)
		if (word[0] != '\0' && strstr(override, word) == NULL)
			all = false;
	free(copy);
	return all;
}

static bool
check_tables(struct check *check, const struct check_postfix *postfix)
{
	char *cleanup = cleanup_of(postfix);
	char *service = x_asprintf("%s/unix", cleanup);
	char *main = check_postfix_setting(postfix, "header_checks");
	char *own = check_postfix_option(postfix, service, "header_checks");
	char *command = check_postfix_service(postfix, service, 7);
	const char *tables = own != NULL ? own : main;
	bool good = false;

	if (command == NULL) {
		check_say(check, CHECK_FAIL, service,
		    "is not in master.cf, but %s names it",
		    check_postfix_front(postfix));
		say_setup(check, "mail from outside is not taken in at all");
	} else if (strstr(tables, "postfix_header_checks") == NULL) {
		check_say(check, CHECK_FAIL, service,
		    "has not " CHECKS " among its header_checks");
		say_setup(check,
		    "placeholders are delivered as they are, "
		    "without their resources");
	} else if (!has_all(tables, main)) {
		check_say(check, CHECK_WARN, service,
		    "has not all of header_checks of main.cf");
		say_setup(check,
		    "they changed since, and do not hold for "
		    "mail from outside");
	} else {
		good = true;
	}
	free(cleanup);
	free(service);
	free(main);
	free(own);
	free(command);
	return good;
}

/* A socket of the broker: its key, where it is, and who leads there. */
struct broker_door {
	const char *key, *listen, *lines;
};

static bool
say_mismatch(struct check *check, const struct check_postfix *postfix,
    const char *path, const char *transport, const struct broker_door *door)
{
	char *queue = check_postfix_setting(postfix, "queue_directory");
	char *full = x_asprintf("%s/%s", path[0] == '/' ? "" : queue, path);
	bool same = strcmp(path[0] == '/' ? path : full, door->listen) == 0;

	if (!same) {
		check_say(check, CHECK_FAIL, transport,
		    "leads to %s; the broker listens at %s",
		    path[0] == '/' ? path : full, door->listen);
		check_why(check, "mail for the broker waits in the queue");
		check_cure(check,
		    "make \"%s\" of broker.conf and %s name one socket, "
		    "below %s",
		    door->key, door->lines, queue);
	}
	free(queue);
	free(full);
	return same;
}

/* The first "FILTER transport:unix:path" of the table. */
static char *
find_filter(const char *text)
{
	for (const char *line = text; line != NULL && *line != '\0';
	     line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		at = strstr(line, "FILTER ");
		if (*line == '/' && at != NULL && at < strchrnul(line, '\n'))
			return x_strndup(at + 7, strcspn(at + 7, " \t\n"));
	}
	return NULL;
}

static bool
check_filter(struct check *check, const struct check_postfix *postfix)
{
	char *text = check_read(check, CHECKS);
	char *filter = text != NULL ? find_filter(text) : NULL;
	char *path = filter != NULL ? strstr(filter, ":unix:") : NULL;
	bool good = false;

	if (filter == NULL) {
		check_say(check, CHECK_FAIL, CHECKS, "%s",
		    text == NULL ? "cannot be read" : "has no FILTER line");
		check_why(check,
		    text == NULL ?
			"cleanup does not start without it: mail waits" :
			"no placeholder gets to the broker");
		check_cure(check,
		    "cp " PREFIX "/share/cargomail/examples/"
		    "postfix_header_checks " CHECKS " && postfix reload");
	} else if (path == NULL) {
		check_say(check, CHECK_WARN, CHECKS,
		    "FILTER %s is no Unix socket", filter);
		check_why(check, "any local user could speak to the broker");
		check_cure(check, "FILTER cargomail:unix:cargomail/in.sock");
	} else {
		const struct broker_door door = { "listen",
			check->config.broker_keys.listen, "the FILTER lines" };

		good = say_mismatch(check, postfix, path + 6, "FILTER", &door);
	}
	free(text);
	free(filter);
	return good;
}

/* A client service, such as cargomail, that speaks LMTP to us. */
static bool
check_transport(struct check *check, const struct check_postfix *postfix,
    const char *service)
{
	static const struct {
		const char *option, *why;
	} wanted[] = {
		{ "disable_mime_output_conversion",
		    "Postfix would convert 8-bit mail, and break signatures" },
		{ "lmtp_send_xforward_command",
		    "the client's address and the queue id get lost" },
	};
	char *command = check_postfix_service(postfix, service, 7);
	bool good = command != NULL && strcmp(command, "lmtp") == 0;

	free(command);
	if (!good) {
		check_say(check, CHECK_FAIL, service,
		    "is not in master.cf as an lmtp client");
		say_setup(check,
		    "mail for the broker waits: \"mail transport "
		    "unavailable\"");
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		char *value =
		    check_postfix_option(postfix, service, wanted[i].option);

		if (value == NULL || strcmp(value, "yes") != 0) {
			check_say(check, CHECK_WARN, service, "%s is not yes",
			    wanted[i].option);
			say_setup(check, wanted[i].why);
			good = false;
		}
		free(value);
	}
	return good;
}

/* ---- the way back ------------------------------------------------------ */

static bool
check_overrides(struct check *check, const struct check_postfix *postfix,
    const char *service, bool inbound)
{
	static const struct {
		const char *word, *why;
		bool inbound;
	} wanted[] = {
		{ "no_header_body_checks",
		    "the placeholder would be filtered again, and loop",
		    false },
		{ "no_address_mappings", "aliases would be expanded twice",
		    false },
		{ "no_milters",
		    "milters would look at mail of others as our own", true },
	};
	char *value =
	    check_postfix_option(postfix, service, "receive_override_options");
	char *filter =
	    check_postfix_effective(postfix, service, "content_filter");
	bool good = true;

	for (size_t i = 0; i < 3; i++) {
		if ((wanted[i].inbound && !inbound) ||
		    (value != NULL && strstr(value, wanted[i].word) != NULL))
			continue;
		check_say(check, CHECK_FAIL, service,
		    "receive_override_options has not %s", wanted[i].word);
		say_setup(check, wanted[i].why);
		good = false;
	}
	if (filter[0] != '\0') {
		check_say(check, CHECK_FAIL, service, "has content_filter %s",
		    filter);
		say_setup(check,
		    "what comes back from the broker is filtered "
		    "again");
		good = false;
	}
	free(filter);
	free(value);
	return good;
}

static bool
check_way_back(struct check *check, const struct check_postfix *postfix,
    const char *reinject, bool inbound)
{
	const char *name = strrchr(reinject, '/');
	char *service, *command, *private;
	bool good = false;

	if (strncmp(reinject, "unix:", 5) != 0 || name == NULL)
		return true; /* inet: is the administrator's own */
	service = x_asprintf("%s/unix", name + 1);
	command = check_postfix_service(postfix, service, 7);
	private = check_postfix_service(postfix, service, 2);
	if (command == NULL || strcmp(command, "smtpd") != 0) {
		check_say(check, CHECK_FAIL, service,
		    "is not in master.cf as an smtpd");
		say_setup(check,
		    "the broker cannot give mail back; it waits "
		    "in the queue with 451");
	} else if (strcmp(private, "n") != 0) {
		check_say(check, CHECK_FAIL, service, "is private");
		say_setup(check,
		    "its socket must stand in public/, where the "
		    "broker sees it");
	} else {
		good = check_overrides(check, postfix, service, inbound);
	}
	free(service);
	free(command);
	free(private);
	return good;
}

/* ---- outbound ---------------------------------------------------------- */

static bool
check_limits(struct check *check, const struct check_postfix *postfix)
{
	static const char *const services[] = { "cargomail-sign/unix",
		"cargomail-sign-cleanup/unix" };
	int64_t legacy = check->config.broker_keys.legacy_limit, limit;
	bool good = true;

	for (size_t i = 0; i < 2; i++) {
		char *value = check_postfix_effective(postfix, services[i],
		    "message_size_limit");

		limit = strtoll(value, NULL, 10);
		if (limit != 0 && limit < legacy) {
			check_say(check, CHECK_FAIL, services[i],
			    "message_size_limit %s is less than legacy_limit "
			    "of broker.conf",
			    value);
			say_setup(check,
			    "ordinary mail just below that limit "
			    "bounces with 552");
			good = false;
		}
		free(value);
	}
	return good;
}

static const char *const submissions[] = { "submission/inet",
	"submissions/inet", "smtps/inet", NULL };

/* Without out_listen: nobody may lead there. */
static bool
check_no_outbound(struct check *check, const struct check_postfix *postfix)
{
	bool good = true;

	for (size_t i = 0; submissions[i] != NULL; i++) {
		char *command =
		    check_postfix_service(postfix, submissions[i], 7);
		char *filter = check_postfix_effective(postfix, submissions[i],
		    "content_filter");

		if (command != NULL &&
		    (strncmp(filter, "cargomail-out:", 14) == 0 ||
			strstr(filter, "cargomail/out.sock") != NULL)) {
			check_say(check, CHECK_FAIL, submissions[i],
			    "leads to %s, but broker.conf has no out_listen",
			    filter);
			check_why(check,
			    "the broker does not listen there: what users "
			    "submit waits in the queue");
			check_cure(check,
			    "out_listen = " OUT_SOCKET " in broker.conf, then "
			    "restart cargomail-broker; or, if it is not to "
			    "pass the broker: " SETUP " -i && postfix reload");
			good = false;
		}
		free(command);
		free(filter);
	}
	return good;
}

/* Does a service believe each user who he says he is? */
static bool
allows_masks(const struct check_postfix *postfix, const char *service)
{
	static const char *const lists[] = { "client", "helo", "sender",
		"relay", "recipient", "data" };
	char *maps = check_postfix_effective(postfix, service,
	    "smtpd_sender_login_maps");
	bool compared = false;

	for (size_t i = 0; i < 6; i++) {
		char *name = x_asprintf("smtpd_%s_restrictions", lists[i]);
		char *rules = check_postfix_effective(postfix, service, name);

		if (strstr(rules, "sender_login_mismatch") != NULL)
			compared = true;
		free(rules);
		free(name);
	}
	compared = compared && maps[0] != '\0';
	free(maps);
	return !compared;
}

static bool
check_masks(struct check *check, const struct check_postfix *postfix,
    const char *service)
{
	if (!allows_masks(postfix, service))
		return true;
	check_say(check, CHECK_WARN, service, "lets users write as each other");
	check_why(check,
	    "the broker takes the sender for who logged in: a user can share "
	    "files in another's name");
	check_cure(check,
	    "postconf -P %s/smtpd_sender_restrictions="
	    "reject_sender_login_mismatch, and smtpd_sender_login_maps with "
	    "each user's addresses: broker(8), OUTBOUND",
	    service);
	return false;
}

static bool
check_outbound(struct check *check, const struct check_postfix *postfix)
{
	const struct broker_door door = { "out_listen",
		check->config.broker_keys.out_listen,
		"content_filter of that service" };
	bool good = true, any = false;

	for (size_t i = 0; submissions[i] != NULL; i++) {
		char *command =
		    check_postfix_service(postfix, submissions[i], 7);
		char *filter = check_postfix_effective(postfix, submissions[i],
		    "content_filter");
		const char *path = strstr(filter, ":unix:");

		if (command != NULL && path != NULL) {
			any = true;
			good &= check_masks(check, postfix, submissions[i]);
			good &= say_mismatch(check, postfix, path + 6,
			    submissions[i], &door);
		} else if (command != NULL) {
			check_say(check, CHECK_WARN, submissions[i],
			    "does not pass the broker");
			say_setup(check,
			    "what users submit there is not "
			    "converted, though out_listen is set");
			good = false;
		}
		free(command);
		free(filter);
	}
	return good && any &&
	    check_transport(check, postfix, "cargomail-out/unix") &&
	    check_way_back(check, postfix,
		check->config.broker_keys.reinject_out, false) &&
	    check_limits(check, postfix);
}

/* ---- all --------------------------------------------------------------- */

static bool
check_running(struct check *check)
{
	static const char *const argv[] = { "postfix", "status", NULL };
	int status;
	char *text = check->world->run(check->world->arg, argv, &status);

	free(text);
	if (status == 0)
		return true;
	check_say(check, CHECK_FAIL, "", "Postfix is not running");
	check_why(check, "no mail at all");
	check_cure(check, "systemctl start postfix; then: postfix check");
	return false;
}

static bool
check_delimiter(struct check *check, const struct check_postfix *postfix)
{
	char *theirs = check_postfix_setting(postfix, "recipient_delimiter");
	const char *ours = check->config.broker_keys.recipient_delimiter;
	bool same = theirs[0] == '\0' || strcmp(theirs, ours) == 0;

	if (!same) {
		check_say(check, CHECK_WARN, "recipient_delimiter",
		    "\"%s\" in Postfix, \"%s\" in broker.conf", theirs, ours);
		check_why(check,
		    "an address with an extension goes to "
		    "another account than its mail");
		check_cure(check,
		    "recipient_delimiter = %s in broker.conf, then restart "
		    "cargomail-broker",
		    theirs);
	}
	free(theirs);
	return same;
}

/* An override that names itself stops postconf, and cleanup as well. */
static void
say_no_postconf(struct check *check, const char *error)
{
	if (strstr(error, "macro call nesting") != NULL) {
		check_say(check, CHECK_FAIL, "master.cf",
		    "header_checks names itself: %s", error);
		check_why(check,
		    "cleanup does not start, mail from outside "
		    "waits, and postconf cannot mend it");
		check_cure(check,
		    "in master.cf, below cargomail-cleanup, write out what "
		    "main.cf has in place of $header_checks; then: " SETUP
		    " && postfix reload");
		return;
	}
	check_say(check, CHECK_FAIL, "", "postconf does not answer: %s", error);
	check_why(check, "the broker is a filter of Postfix on this host");
	check_cure(check, "apt install postfix; mend what it says");
}

void
check_postfix(struct check *check)
{
	const struct check_config *config = &check->config;
	struct check_postfix postfix;
	bool good;

	if (!config->broker)
		return;
	if (check_postfix_read(check, &postfix) != 0) {
		say_no_postconf(check, postfix.error);
		check_postfix_free(&postfix);
		return;
	}
	good = check_running(check);
	good &= check_tables(check, &postfix);
	good &= check_filter(check, &postfix);
	good &= check_transport(check, &postfix, "cargomail/unix");
	good &=
	    check_way_back(check, &postfix, config->broker_keys.reinject, true);
	good &= check_delimiter(check, &postfix);
	if (config->broker_keys.out_listen[0] != '\0')
		good &= check_outbound(check, &postfix);
	else
		good &= check_no_outbound(check, &postfix);
	if (good)
		check_say(check, CHECK_OK, "",
		    "passes placeholders%s to the "
		    "broker and takes them back",
		    config->broker_keys.out_listen[0] != '\0' ?
			" and submitted mail" :
			"");
	check_postfix_free(&postfix);
}

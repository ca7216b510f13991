/* SPDX-License-Identifier: ISC
 *
 * Postfix's lines for the broker: is each one there that postfix-setup(8)
 * would write, or another that does the same?
 */
#include "check_postfix.h"

#include <stdlib.h>
#include <string.h>

#include "check_postfix_lines.h"
#include "check_postfix_out.h"
#include "memory.h"

#define CHECKS SYSCONFDIR "/cargomail/postfix_header_checks"

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
		check_postfix_say_setup(check,
		    "mail from outside is not taken in at all");
	} else if (strstr(tables, "postfix_header_checks") == NULL) {
		check_say(check, CHECK_FAIL, service,
		    "has not " CHECKS " among its header_checks");
		check_postfix_say_setup(check,
		    "placeholders are delivered as they are, "
		    "without their resources");
	} else if (!has_all(tables, main)) {
		check_say(check, CHECK_WARN, service,
		    "has not all of header_checks of main.cf");
		check_postfix_say_setup(check,
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

		good = check_postfix_leads(check, postfix, path + 6, "FILTER",
		    &door);
	}
	free(text);
	free(filter);
	return good;
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
		    "main.cf has in place of $header_checks; "
		    "then: " CHECK_POSTFIX_SETUP " && postfix reload");
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
	good &= check_postfix_transport(check, &postfix, "cargomail/unix");
	good &= check_postfix_way_back(check, &postfix,
	    config->broker_keys.reinject, true);
	good &= check_delimiter(check, &postfix);
	good &= check_postfix_out(check, &postfix);
	if (good)
		check_say(check, CHECK_OK, "",
		    "passes placeholders%s to the "
		    "broker and takes them back",
		    config->broker_keys.out_listen[0] != '\0' ?
			" and submitted mail" :
			"");
	check_postfix_free(&postfix);
}

/* SPDX-License-Identifier: ISC
 *
 * Lines of Postfix's that the way of mail from outside and that of submitted
 * mail both need: see check_postfix_lines.h.
 */
#include "check_postfix_lines.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

void
check_postfix_say_setup(struct check *check, const char *why)
{
	bool out = check->config.broker_keys.out_listen[0] != '\0';

	check_why(check, why);
	check_cure(check, CHECK_POSTFIX_SETUP "%s && postfix reload",
	    out ? " -o" : "");
}

bool
check_postfix_leads(struct check *check, const struct check_postfix *postfix,
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

bool
check_postfix_transport(struct check *check,
    const struct check_postfix *postfix, const char *service)
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
		check_postfix_say_setup(check,
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
			check_postfix_say_setup(check, wanted[i].why);
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
		check_postfix_say_setup(check, wanted[i].why);
		good = false;
	}
	if (filter[0] != '\0') {
		check_say(check, CHECK_FAIL, service, "has content_filter %s",
		    filter);
		check_postfix_say_setup(check,
		    "what comes back from the broker is filtered "
		    "again");
		good = false;
	}
	free(filter);
	free(value);
	return good;
}

bool
check_postfix_way_back(struct check *check, const struct check_postfix *postfix,
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
		check_postfix_say_setup(check,
		    "the broker cannot give mail back; it waits "
		    "in the queue with 451");
	} else if (strcmp(private, "n") != 0) {
		check_say(check, CHECK_FAIL, service, "is private");
		check_postfix_say_setup(check,
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

/* SPDX-License-Identifier: ISC
 *
 * The way of what users submit: see check_postfix_out.h.
 */
#include "check_postfix_out.h"

#include <stdlib.h>
#include <string.h>

#include "check_postfix_lines.h"
#include "memory.h"

#define OUT_SOCKET "/var/spool/postfix/cargomail/out.sock"

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
			check_postfix_say_setup(check,
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
check_nobody(struct check *check, const struct check_postfix *postfix)
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
			    "pass the broker: " CHECK_POSTFIX_SETUP
			    " -i && postfix reload");
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
check_all(struct check *check, const struct check_postfix *postfix)
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
			good &= check_postfix_leads(check, postfix, path + 6,
			    submissions[i], &door);
		} else if (command != NULL) {
			check_say(check, CHECK_WARN, submissions[i],
			    "does not pass the broker");
			check_postfix_say_setup(check,
			    "what users submit there is not "
			    "converted, though out_listen is set");
			good = false;
		}
		free(command);
		free(filter);
	}
	return good && any &&
	    check_postfix_transport(check, postfix, "cargomail-out/unix") &&
	    check_postfix_way_back(check, postfix,
		check->config.broker_keys.reinject_out, false) &&
	    check_limits(check, postfix);
}

bool
check_postfix_out(struct check *check, const struct check_postfix *postfix)
{
	return check->config.broker_keys.out_listen[0] != '\0' ?
	    check_all(check, postfix) :
	    check_nobody(check, postfix);
}

/* SPDX-License-Identifier: ISC
 *
 * The DNS as gripd sees it: does the resolver answer, and validate?
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_strict.h"
#include "memory.h"

/* gripd reads gripd.conf and resolv.conf when it starts, and not again. */
#define RESTART "systemctl restart cargomail-gripd-resolve"
#define CURE_VALIDATION \
	"run a validating resolver here (unbound), set resolvers = " \
	"127.0.0.1 in gripd.conf, then: " RESTART

/* A name of ours, two labels at least; NULL if there is none yet. */
static const char *
own_name(struct check *check)
{
	const cJSON *list = check_identities(check);

	return json_string(cJSON_GetArrayItem(list, 0), "name");
}

static bool
check_answering(struct check *check, const cJSON *answer, const char *error)
{
	if (answer != NULL)
		return true;
	check_say(check, CHECK_FAIL, "", "no answer from the DNS: %s", error);
	check_why(check,
	    "no token can be verified and nobody be reached "
	    "until it answers; mail waits");
	check_cure(check,
	    "is the resolver running? gripd asks those in \"resolvers\" of "
	    "gripd.conf, else those of /etc/resolv.conf, as these files were "
	    "when it started; after a change: " RESTART);
	return false;
}

static void
check_validation(struct check *check, const cJSON *top, const cJSON *own)
{
	bool require = check->config.grip.require;

	if (json_boolean(top, "secure") == 1 ||
	    json_boolean(own, "secure") == 1) {
		check_say(check, CHECK_OK, "", "answers, and validates");
		return;
	}
	check_say(check, require ? CHECK_FAIL : CHECK_WARN, "",
	    "answers, but validates nothing (no AD)");
	check_why(check,
	    require ?
		"dnssec = require refuses every token then" :
		"keys in the DNS are believed without proof, and tls_trust = "
		"dns never works");
	check_cure(check, CURE_VALIDATION);
}

void
check_resolver(struct check *check)
{
	char *error = NULL;
	cJSON *status, *top, *own;
	const char *name = own_name(check);
	bool trusted, there;

	if (!check->config.gripd)
		return;
	status = check_ask(check, "gripd-resolve", "status", &error);
	trusted = json_boolean(status, "dnssec_trusted") == 1;
	there = status != NULL;
	cJSON_Delete(status);
	if (!there) {
		check_say(check, CHECK_WARN, "",
		    "cannot be asked: gripd-resolve does not answer");
		check_why(check, "it is the only one that speaks DNS");
		check_cure(check, "mend that first, then check again");
		free(error);
		return;
	}
	if (!trusted) {
		check_say(check, CHECK_WARN, "/etc/resolv.conf",
		    "its servers' AD is not trusted");
		check_why(check,
		    "no \"options trust-ad\" there and no "
		    "\"resolvers\" in gripd.conf: answers count "
		    "as not validated");
		check_cure(check, CURE_VALIDATION);
	}
	if (name == NULL)
		return;
	/* Top-level domains are signed: what a validating resolver says of
	 * them is validated, be it nothing. */
	top = check_lookup(check, strrchr(name, '.') + 1, "TXT", &error);
	x_free(&error);
	own = check_lookup(check, name, "TXT", &error);
	if (check_answering(check, top != NULL ? top : own, error) && trusted)
		check_validation(check, top, own);
	cJSON_Delete(top);
	cJSON_Delete(own);
	free(error);
}

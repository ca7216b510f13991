/* SPDX-License-Identifier: ISC
 *
 * Who verifies the DKIM signatures of incoming mail, and under which name: a
 * placeholder is acted on only if an Authentication-Results with one of
 * authserv_ids says that it passed; and whether it is asked for again while
 * that cannot be said.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cargo_placeholder.h"
#include "check.h"
#include "check_postfix.h"
#include "memory.h"

#define OPENDKIM "/etc/opendkim.conf"
#define RSPAMD_HEADERS "/etc/rspamd/local.d/milter_headers.conf"
#define RSPAMD_SIGNING "/etc/rspamd/local.d/dkim_signing.conf"
#define RSPAMD_LUA "/etc/rspamd/rspamd.local.lua"
#define RSPAMD_OLD_LUA "/etc/rspamd/lua/rspamd.local.lua"
#define RSPAMD_PORT "11332"
#define SCRIPTS PREFIX "/share/cargomail"

static const char why_no_name[] =
    "no Authentication-Results of ours is believed: every placeholder is "
    "delivered as unauthenticated";

/* The value of "Name value" in opendkim.conf, any case; NULL. */
static char *
opendkim_value(const char *text, const char *name)
{
	size_t len = strlen(name);
	char *last = NULL;

	for (const char *line = text; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		line += strspn(line, " \t");
		if (strncasecmp(line, name, len) == 0 &&
		    isblank((unsigned char)line[len])) {
			line += len + strspn(line + len, " \t");
			free(last);
			last = x_strndup(line, strcspn(line, " \t\r\n"));
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return last;
}

/* With the file that it includes; NULL if there is none. */
static char *
opendkim_read(const struct check *check)
{
	char *text = check_read(check, OPENDKIM), *file, *more, *both;

	file = text != NULL ? opendkim_value(text, "Include") : NULL;
	more = file != NULL ? check_read(check, file) : NULL;
	free(file);
	if (more == NULL)
		return text;
	both = x_asprintf("%s\n%s", text, more);
	free(text);
	free(more);
	return both;
}

/* Is this name what the broker looks for? */
static bool
check_name(struct check *check, const char *file, const char *name)
{
	const struct config_list *ids = &check->config.broker_keys.authserv_ids;

	for (size_t i = 0; i < ids->count; i++)
		if (strcasecmp(ids->items[i], name) == 0)
			return true;
	check_say(check, CHECK_FAIL, file,
	    "signs its results as %s, which is not in authserv_ids", name);
	check_why(check, why_no_name);
	check_cure(check,
	    "authserv_ids = %s in broker.conf, then restart "
	    "cargomail-broker",
	    name);
	return false;
}

static bool
check_signed_fields(struct check *check, const char *text, const char *mode)
{
	static const char *const fields[] = { "message-id", "mime-version",
		"content-type" };
	char *value = opendkim_value(text, "SignHeaders");
	bool good = true;

	for (size_t i = 0; mode != NULL && strchr(mode, 's') != NULL && i < 3;
	     i++)
		if (value == NULL || strcasestr(value, fields[i]) == NULL)
			good = false;
	if (!good) {
		check_say(check, CHECK_WARN, OPENDKIM,
		    "does not sign all of Message-ID, MIME-Version, "
		    "Content-Type");
		check_why(check,
		    "placeholders of our users are taken for "
		    "unauthenticated elsewhere");
		check_cure(check,
		    "SignHeaders *,+Message-ID,+MIME-Version,"
		    "+Content-Type; systemctl restart opendkim");
	}
	free(value);
	return good;
}

/* Does a script of the verifier's, NULL if it has none, care about
 * placeholders? Says what is wrong, not what to do. */
static bool
check_script(struct check *check, const char *what, const char *script)
{
	if (script != NULL && strstr(script, CARGO_FIELD_ORIGIN) != NULL &&
	    strstr(script, CARGO_FIELD_ORIGIN_LATER) != NULL)
		return true;
	check_say(check, CHECK_WARN, what,
	    "takes placeholders whose key cannot be looked up");
	check_why(check,
	    "while a sender's DNS does not answer, what its placeholders "
	    "refer to is lost");
	return false;
}

static void
say_no_script(struct check *check, const char *file)
{
	check_say(check, CHECK_FAIL, OPENDKIM,
	    "FinalPolicyScript %s cannot be read", file);
	check_why(check,
	    "OpenDKIM does not start again, and Postfix waits for it with "
	    "all mail");
	check_cure(check,
	    "install -m 644 " SCRIPTS "/opendkim-placeholder.lua %s; "
	    "systemctl restart opendkim",
	    file);
}

/* What another script than ours decides is not to be lost. */
static bool
check_opendkim_script(struct check *check, const char *text)
{
	char *file = opendkim_value(text, "FinalPolicyScript");
	char *script = file != NULL ? check_read(check, file) : NULL;
	bool good = false;

	if (file != NULL && script == NULL && errno == EACCES) {
		good = true; /* only root can tell */
	} else if (file != NULL && script == NULL) {
		say_no_script(check, file);
	} else if (check_script(check, OPENDKIM, script)) {
		good = true;
	} else if (file == NULL) {
		check_cure(check,
		    "install -m 644 " SCRIPTS "/opendkim-placeholder.lua "
		    "/etc/ && echo 'FinalPolicyScript "
		    "/etc/opendkim-placeholder.lua' >> " OPENDKIM
		    "; systemctl restart opendkim");
	} else {
		check_cure(check,
		    "have %s do what " SCRIPTS "/opendkim-placeholder.lua "
		    "does; systemctl restart opendkim",
		    file);
	}
	free(file);
	free(script);
	return good;
}

/* rspamd reads the old place only if there is nothing at the new one. */
static bool
check_rspamd_script(struct check *check)
{
	const char *file = RSPAMD_LUA;
	char *script = check_read(check, file);
	bool good;

	if (script == NULL && errno == EACCES)
		return true; /* only root can tell */
	if (script == NULL) {
		script = check_read(check, RSPAMD_OLD_LUA);
		file = script != NULL ? RSPAMD_OLD_LUA : RSPAMD_LUA;
	}
	good = check_script(check, file, script);
	if (!good)
		check_cure(check,
		    "cat " SCRIPTS "/rspamd-placeholder.lua >> %s; systemctl "
		    "restart rspamd",
		    file);
	free(script);
	return good;
}

static bool
check_opendkim(struct check *check, const char *text, const char *host)
{
	char *mode = opendkim_value(text, "Mode");
	char *name = opendkim_value(text, "AuthservID");
	bool good = true;

	if (mode != NULL && strchr(mode, 'v') == NULL) {
		check_say(check, CHECK_FAIL, OPENDKIM,
		    "Mode %s: it verifies nothing", mode);
		check_why(check, why_no_name);
		check_cure(check,
		    "Mode sv in " OPENDKIM "; systemctl restart "
		    "opendkim");
		good = false;
	} else {
		good = check_name(check, OPENDKIM,
		    name != NULL && strcasecmp(name, "HOSTNAME") != 0 ? name :
									host);
		good &= check_opendkim_script(check, text);
	}
	good &= check_signed_fields(check, text, mode);
	free(mode);
	free(name);
	return good;
}

static bool
check_rspamd(struct check *check)
{
	char *text = check_read(check, RSPAMD_HEADERS);
	bool good =
	    text != NULL && strstr(text, "authentication-results") != NULL;

	free(text);
	if (!good) {
		check_say(check, CHECK_FAIL, RSPAMD_HEADERS,
		    "does not have rspamd write Authentication-Results");
		check_why(check, why_no_name);
		check_cure(check,
		    "use = [\"authentication-results\"]; there; "
		    "systemctl reload rspamd");
	}
	return good;
}

/* Is there a line "name = true" in a file of rspamd's? */
static bool
rspamd_is_true(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line != NULL;) {
		line += strspn(line, " \t\n");
		if (strncmp(line, name, len) == 0) {
			const char *at = line + len;

			at += strspn(at, " \t");
			at += *at == '=' || *at == ':';
			at += strspn(at, " \t");
			if (strncmp(at, "true", 4) == 0)
				return true;
		}
		line = strchr(line, '\n');
	}
	return false;
}

/* Is it the only one of these milters? */
static bool
is_rspamd_alone(const char *milters)
{
	while (*(milters += strspn(milters, ", \t")) != '\0') {
		size_t len = strcspn(milters, ", \t");

		if (memmem(milters, len, RSPAMD_PORT, strlen(RSPAMD_PORT)) ==
		    NULL)
			return false;
		milters += len;
	}
	return true;
}

/* What comes back from the broker is nobody's login. Another milter there may
 * be that which signs. */
static bool
check_rspamd_signing(struct check *check, const char *milters)
{
	char *text = check_read(check, RSPAMD_SIGNING);
	bool good = rspamd_is_true(text, "allow_username_mismatch");

	free(text);
	if (check->config.broker_keys.out_listen[0] == '\0' || good ||
	    !is_rspamd_alone(milters))
		return true;
	check_say(check, CHECK_FAIL, RSPAMD_SIGNING,
	    "does not have rspamd sign what comes back from the broker");
	check_why(check, "all mail that users submit leaves unsigned");
	check_cure(check,
	    "echo 'allow_username_mismatch = true;' >> " RSPAMD_SIGNING
	    "; systemctl restart rspamd");
	return false;
}

/* Which of the two the milters of port 25 are; `signers` are those of what
 * comes back from the broker. */
static void
check_verifier(struct check *check, const char *milters, const char *signers,
    const char *host)
{
	char *opendkim = opendkim_read(check);
	char *rspamd = check_path(check, "/etc/rspamd");
	bool has_rspamd = access(rspamd, F_OK) == 0, good = true;

	if (milters[0] == '\0') {
		check_say(check, CHECK_FAIL, "smtpd_milters",
		    "is empty for mail from outside");
		check_why(check, why_no_name);
		check_cure(check,
		    "put OpenDKIM or rspamd there: "
		    "cargomail-postfix(7)");
		good = false;
	} else if (opendkim != NULL &&
	    (!has_rspamd || strstr(milters, RSPAMD_PORT) == NULL)) {
		good = check_opendkim(check, opendkim, host);
	} else if (has_rspamd) {
		good = check_rspamd(check);
		good &= check_rspamd_script(check);
		good &= check_rspamd_signing(check, signers);
	} else {
		check_say(check, CHECK_OK, "smtpd_milters",
		    "%s: not known here; it must write Authentication-Results",
		    milters);
		good = false;
	}
	if (good)
		check_say(check, CHECK_OK, "",
		    "results are written in a name that the broker believes");
	free(opendkim);
	free(rspamd);
}

void
check_milters(struct check *check)
{
	struct check_postfix postfix;
	char *milters, *signers, *host;

	if (!check->config.broker)
		return;
	if (check_postfix_read(check, &postfix) != 0) {
		check_postfix_free(&postfix);
		return; /* `postfix` says so */
	}
	milters = check_postfix_effective(&postfix,
	    check_postfix_front(&postfix), "smtpd_milters");
	signers = check_postfix_effective(&postfix, "cargomail-sign/unix",
	    "smtpd_milters");
	host = check_postfix_setting(&postfix, "myhostname");
	check_verifier(check, milters, signers, host);
	free(milters);
	free(signers);
	free(host);
	check_postfix_free(&postfix);
}

/* SPDX-License-Identifier: ISC
 *
 * Exit codes and complaints.
 */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "memory.h"
#include "terminal.h"

/* Permanent reasons that are not "service unavailable". */
static const struct {
	const char *word;
	int code;
} codes[] = {
	{ "credentials", EX_NOPERM },
	{ "password", EX_NOPERM },
	{ "not-allowed", EX_NOPERM },
	{ "none", EX_DATAERR },
	{ "form", EX_DATAERR },
	{ "limit", EX_DATAERR },
	{ "disagree", EX_DATAERR },
	{ "malformed", EX_DATAERR },
	{ "digest", EX_DATAERR },
	{ "wrong-hash", EX_DATAERR },
	{ "wrong-size", EX_DATAERR },
	{ "too-large", EX_DATAERR },
	{ "local", EX_CANTCREAT },
	{ "not-shared", EX_NOINPUT },
	{ "not-found", EX_NOINPUT },
	{ "input", EX_NOINPUT },
	{ "no-user", EX_NOUSER },
	{ "no-host", EX_NOHOST },
	{ "url", EX_CONFIG },
	{ "config", EX_CONFIG },
};

int
client_exit_code(const struct reason *why)
{
	size_t i;

	if (why->outcome == OUTCOME_OK)
		return EX_OK;
	if (why->outcome == OUTCOME_TEMPFAIL)
		return EX_TEMPFAIL;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (reason_is(why, codes[i].word))
			return codes[i].code;
	return EX_UNAVAILABLE;
}

int
client_complain(int code, const char *format, ...)
{
	char *text, *safe;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	safe = terminal_escape(text);
	fprintf(stderr, "cargomail: %s\n", safe);
	free(safe);
	free(text);
	return code;
}

int
client_fail(const char *what, const struct reason *why)
{
	return client_complain(client_exit_code(why), "%s%s%s (%s)",
	    what != NULL ? what : "", what != NULL ? ": " : "", why->text,
	    why->word);
}

int
client_each_mailbox(const struct client_config *config, const char *only,
    int (*visit)(struct session *session, void *context), void *context)
{
	struct session *session;
	struct reason why = { 0 };
	size_t i;
	int code = -1;

	if (only != NULL && client_config_by_name(config, only) == NULL)
		return client_complain(EX_CONFIG,
		    "%s: no such mailbox in "
		    "the configuration",
		    only);
	for (i = 0; i < config->mailbox_count && code == -1; i++) {
		if (only != NULL &&
		    strcmp(config->mailboxes[i].name, only) != 0)
			continue;
		session = session_open(config, &config->mailboxes[i], &why);
		if (session == NULL)
			return client_fail(config->mailboxes[i].name, &why);
		code = visit(session, context);
		session_close(&session);
	}
	return code;
}

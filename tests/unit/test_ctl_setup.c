/* SPDX-License-Identifier: ISC
 *
 * What is said of a host besides the lines for Postfix.
 */
#include "ctl_setup.h"

#include <stdlib.h>

#include "test.h"

static char *
advise(const struct ctl_setup_host *host)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ctl_setup_advise(host, out);
	fclose(out);
	return text;
}

TEST(advice_fits_the_host)
{
	static const struct {
		struct ctl_setup_host host;
		const char *there[5], *gone[4];
	} rows[] = {
		{ { "mx.bar.test", "", "", false, false, false },
		    { "on mx.bar.test: mail from outside\n",
			"header_checks: none", "smtpd_milters is empty" },
		    { "rspamd", "OpenDKIM", "submission" } },
		{ { "mx.bar.test", "regexp:/a", "inet:localhost:11332", true,
		      false, false },
		    { "header_checks: regexp:/a", "milter_headers.conf",
			"sign_headers", "/rspamd-placeholder.lua" },
		    { "is empty", "OpenDKIM", "submission", "mismatch" } },
		{ { "mx.bar.test", "", "inet:localhost:11332", true, false,
		      true },
		    { "allow_username_mismatch", "cargomail-sign" },
		    { "OpenDKIM", "SignHeaders" } },
		{ { "mx.foo.test", "", "unix:opendkim/opendkim.sock", false,
		      true, true },
		    { "what users submit", "AuthservID mx.foo.test",
			"SignHeaders *,+Message-ID", "cargomail-sign",
			"FinalPolicyScript" },
		    { "is empty", "rspamd" } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = advise(&rows[i].host);

		for (int j = 0; j < 5 && rows[i].there[j] != NULL; j++)
			CHECK_FOR(strstr(text, rows[i].there[j]) != NULL,
			    "%s in\n%s", rows[i].there[j], text);
		for (int j = 0; j < 4 && rows[i].gone[j] != NULL; j++)
			CHECK_FOR(strstr(text, rows[i].gone[j]) == NULL,
			    "%s in\n%s", rows[i].gone[j], text);
		/* It is all comment: master.cf takes it. */
		for (char *line = text; *line != '\0';
		     line = strchr(line, '\n') + 1)
			CHECK_FOR(line[0] == '#', "%s", line);
		free(text);
	}
}

int
main(void)
{
	RUN(advice_fits_the_host);
	return test_done();
}

/* SPDX-License-Identifier: ISC */
#include <sysexits.h>

#include "send_options.h"
#include "test.h"

#define MAX_ARGS 16

static const struct {
	const char *line; /* words by blanks, without the verb */
	int code;
	size_t recipients, attachments;
	const char *body;
} rows[] = {
	{ "--to bob@bar.test --subject x -", 0, 1, 0, "-" },
	{ "--to bob@bar.test carol@bar.test --subject x -a f text", 0, 2, 1,
	    "text" },
	{ "--to bob@bar.test,carol@bar.test text --subject x", 0, 2, 0,
	    "text" },
	{ "--to b@bar.test --to c@bar.test -s x --attach f --attach g", 0, 2, 2,
	    NULL },
	{ "--to b@bar.test -s x --attach f a@b", 0, 1, 1, "a@b" },
	{ "--to b@bar.test -s x -- --to", 0, 1, 0, "--to" },
	{ "--to b@bar.test -s x -a f --inline-text text", 0, 1, 1, "text" },
	{ "--to b@bar.test -s x --html h --inline p --inline q t", 0, 1, 0,
	    "t" },
	{ "--to b@bar.test -s x --html h", 0, 1, 0, NULL },
	{ "--to b@bar.test -s x --inline p -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x -a f --html h --inline-text -", EX_USAGE, 0, 0,
	    NULL },
	{ "--subject x -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x", EX_USAGE, 0, 0, NULL },
	{ "--to nobody -s x -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x one two", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x -e 15 -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x -e 0 -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x -c Health -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x --inline-text -", EX_USAGE, 0, 0, NULL },
	{ "--to b@bar.test -s x --password y -", EX_USAGE, 0, 0, NULL },
};

TEST(command_lines_are_understood)
{
	char line[256], verb[] = "send", *argv[MAX_ARGS + 1], *rest;
	struct send_options options;
	size_t i;
	int argc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(line, rows[i].line);
		rest = line;
		argv[0] = verb;
		for (argc = 1; argc < MAX_ARGS && rest != NULL; argc++)
			argv[argc] = strsep(&rest, " ");
		argv[argc] = NULL;
		CHECK_FOR(send_options_parse(argc, argv, &options) ==
			rows[i].code,
		    "%s", rows[i].line);
		if (rows[i].code == 0) {
			CHECK_FOR(options.recipient_count == rows[i].recipients,
			    "%s", rows[i].line);
			CHECK_FOR(options.attachment_count ==
				rows[i].attachments,
			    "%s", rows[i].line);
			if (rows[i].body != NULL)
				CHECK_STRING(options.body, rows[i].body);
			else
				CHECK(options.body == NULL);
		}
		send_options_free(&options);
	}
}

int
main(void)
{
	RUN(command_lines_are_understood);
	return test_done();
}

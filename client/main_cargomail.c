/* SPDX-License-Identifier: ISC
 *
 * cargomail(1): the user's program. Runs as the user, reads messages of
 * strangers.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <sodium.h>

#include "client.h"

static const struct {
	const char *name;
	int (*run)(const struct client_config *config, int argc, char **argv);
	const char *usage;
} verbs[] = {
	{ "send", client_send,
	    "send --to ADDRESS... --subject TEXT [--category NAME]\n"
	    "           [--expires DAYS] [--attach FILE]... [--inline-text]\n"
	    "           [--html FILE [--inline PICTURE]...] [FILE|-]" },
	{ "open", client_open,
	    "open [--output DIRECTORY | --mime | --pass] [--wait SECONDS]\n"
	    "           [FILE|-]" },
	{ "ls", client_ls, "ls [-l | -r] [--mailbox NAME]" },
	{ "get", client_get,
	    "get [--mailbox NAME] [--output DIRECTORY|-] HASH|ID" },
	{ "put", client_put, "put [--mailbox NAME] FILE" },
	{ "rm", client_rm, "rm [--mailbox NAME] HASH" },
	{ NULL, NULL, NULL },
};

static int
usage(void)
{
	size_t i;

	for (i = 0; verbs[i].name != NULL; i++)
		fprintf(stderr, "%s cargomail [-C FILE] %s\n",
		    i == 0 ? "usage:" : "      ", verbs[i].usage);
	return EX_USAGE;
}

/* With the user's configuration. */
static int
run(const char *path, int argc, char **argv)
{
	char *fallback = path == NULL ? client_config_default_path() : NULL;
	struct client_config config;
	char *error = NULL;
	size_t i;
	int code;

	for (i = 0; verbs[i].name != NULL; i++)
		if (strcmp(verbs[i].name, argv[0]) == 0)
			break;
	if (verbs[i].name == NULL)
		return EX_USAGE;
	if (path == NULL)
		path = fallback;
	if (path == NULL)
		return client_complain(EX_CONFIG, "there is no $HOME");
	if (client_config_read(path, &config, &error) < 0) {
		code = client_complain(EX_CONFIG, "%s", error);
		free(error);
	} else {
		code = verbs[i].run(&config, argc, argv);
		client_config_free(&config);
	}
	free(fallback);
	return code;
}

int
main(int argc, char **argv)
{
	const char *config = NULL;
	int option, code;

	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return EX_SOFTWARE;
	while ((option = getopt(argc, argv, "+C:V")) != -1) {
		if (option == 'C')
			config = optarg;
		else if (option == 'V')
			return printf("cargomail %s\n", VERSION) < 0;
		else
			return usage();
	}
	if (optind >= argc)
		return usage();
	code = run(config, argc - optind, argv + optind);
	if (code == EX_USAGE)
		usage();
	if (fflush(stdout) != 0 && code == 0)
		code = client_complain(EX_IOERR, "cannot write the output");
	return code;
}

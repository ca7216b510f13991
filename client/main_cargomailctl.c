/* SPDX-License-Identifier: ISC
 *
 * cargomailctl(8): the administrator's view of the daemons of this host.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <sodium.h>

#include "ctl.h"

static const struct ctl_verb verbs[] = {
	{ "account", ctl_account,
	    "account add [--quota SIZE] [--alias ADDRESS]... "
	    "[--broker _cb.DOMAIN]...\n"
	    "                             [--generate] ADDRESS\n"
	    "       cargomailctl account list [@DOMAIN]\n"
	    "       cargomailctl account close|open ADDRESS\n"
	    "       cargomailctl account rm ADDRESS\n"
	    "       cargomailctl account password [--generate] ADDRESS\n"
	    "       cargomailctl account quota ADDRESS SIZE\n"
	    "       cargomailctl account release ADDRESS broker|never\n"
	    "       cargomailctl account enroll|dismiss ADDRESS _cb.DOMAIN" },
	{ "check", ctl_check,
	    "check [--json] [--quiet] [--list] [--canary ADDRESS] "
	    "[--from HOST] "
	    "[--peer URL] [CHECK]" },
	{ "config", ctl_config, "config -n" },
	{ "dns", ctl_dns, "dns" },
	{ "flush", ctl_flush, "flush" },
	{ "fsck", ctl_fsck, "fsck [--deep]" },
	{ "gc", ctl_gc, "gc" },
	{ "keys", ctl_keys,
	    "keys list\n"
	    "       cargomailctl keys rotate [--force] [--compromised] NAME" },
	{ "metrics", ctl_metrics, "metrics [--http]" },
	{ "queue", ctl_queue,
	    "queue [list]\n"
	    "       cargomailctl queue show MESSAGE\n"
	    "       cargomailctl queue retry MESSAGE|--all\n"
	    "       cargomailctl queue drop MESSAGE" },
	{ "renotify", ctl_renotify,
	    "renotify [--export] MESSAGE|--all\n"
	    "       cargomailctl renotify --import FILE" },
	{ "setup", ctl_setup,
	    "setup [--apply] [--outbound]\n"
	    "       cargomailctl setup --undo\n"
	    "       cargomailctl setup postfix [--outbound]" },
	{ "share", ctl_share,
	    "share list ADDRESS\n"
	    "       cargomailctl share show ID [ADDRESS]\n"
	    "       cargomailctl share revoke ID [ADDRESS]" },
	{ "status", ctl_status, "status [DAEMON]" },
	{ NULL, NULL, NULL },
};

static int
usage(void)
{
	const struct ctl_verb *verb;

	fputs("usage: cargomailctl [--json] [--keys DIRECTORY] VERB ...\n",
	    stderr);
	for (verb = verbs; verb->name != NULL; verb++)
		fprintf(stderr, "       cargomailctl %s\n", verb->usage);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "keys", required_argument, NULL, 'k' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl ctl = { .timeout_ms = CTL_TIMEOUT_MS };
	const struct ctl_verb *verb;
	int option, code;

	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option == 'j')
			ctl.json = true;
		else if (option == 'k')
			ctl.keys_directory = optarg;
		else if (option == 'V')
			return printf("cargomailctl %s\n", VERSION) < 0;
		else
			return usage();
	}
	if (optind >= argc || sodium_init() < 0)
		return usage();
	argc -= optind;
	argv += optind;
	for (verb = verbs; verb->name != NULL; verb++)
		if (strcmp(verb->name, argv[0]) == 0)
			break;
	code = verb->name != NULL ? verb->run(&ctl, argc, argv) : EX_USAGE;
	if (code == EX_USAGE)
		usage();
	return fflush(stdout) == 0 ? code : EX_IOERR;
}

/* SPDX-License-Identifier: ISC
 *
 * cargomailctl setup: what is still to be done on this host, or does it, by
 * host-setup. setup postfix: prints what postfix-setup would add, with what
 * an administrator must look after besides; changes nothing.
 */
#include "ctl_setup.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ctl.h"

#define SCRIPTS PREFIX "/share/cargomail"
#define POSTFIX_SETUP SCRIPTS "/postfix-setup"
#define HOST_SETUP SCRIPTS "/host-setup"
#define POSTCONF "postconf -h myhostname header_checks smtpd_milters"
/* What the smtpd of port 25 has of its own wins, that behind postscreen if
 * there is one; else nothing is said. */
#define POSTCONF_OWN \
	"postconf -P smtpd/pass/smtpd_milters smtp/inet/smtpd_milters " \
	"2>/dev/null"
#define POSTCONF_OUT "postconf -M cargomail-out/unix 2>/dev/null"
#define VALUES 3
#define VALUE_MAX 4096

/* ---- advice ------------------------------------------------------------ */

static void
advise_verifier(const struct ctl_setup_host *host, FILE *out)
{
	if (host->milters[0] == '\0')
		fputs("# NB: smtpd_milters is empty. Who verifies DKIM of "
		      "incoming mail? Without an\n#     Authentication-Results"
		      " of this host no placeholder is acted on.\n",
		    out);
	if (host->rspamd)
		fprintf(out,
		    "# rspamd: in local.d/milter_headers.conf\n"
		    "#     use = [\"authentication-results\"];\n"
		    "#     and its authserv-id (%s) in authserv_ids of"
		    " broker.conf;\n"
		    "#     in rspamd.local.lua what " SCRIPTS
		    "/rspamd-placeholder.lua has.\n",
		    host->hostname);
	if (host->opendkim)
		fprintf(out,
		    "# OpenDKIM: in opendkim.conf\n"
		    "#     Mode sv\n#     AuthservID %s\n"
		    "#     and the same name in authserv_ids of"
		    " broker.conf;\n"
		    "#     FinalPolicyScript with a copy of " SCRIPTS
		    "/opendkim-placeholder.lua\n",
		    host->hostname);
}

/* A placeholder is proven by fields that signers leave out by default. */
static void
advise_signer(const struct ctl_setup_host *host, FILE *out)
{
	if (host->opendkim)
		fputs("#     SignHeaders *,+Message-ID,+MIME-Version,"
		      "+Content-Type\n",
		    out);
	if (host->rspamd)
		fputs("# rspamd: dkim_signing signs message-id, mime-version "
		      "and content-type unless\n#     sign_headers says "
		      "otherwise.\n",
		    out);
	if (host->rspamd && host->outbound)
		fputs("#     For what comes back from the broker it needs "
		      "allow_username_mismatch =\n#     true; there: that is "
		      "nobody's login.\n",
		    out);
	if (host->outbound)
		fputs("# Users' mail is signed on its way back from the "
		      "broker (cargomail-sign), so\n# milters of the "
		      "submission services move there.\n",
		    out);
}

void
ctl_setup_advise(const struct ctl_setup_host *host, FILE *out)
{
	fprintf(out, "# Postfix on %s: %s\n", host->hostname,
	    host->outbound ? "mail from outside, and what users submit" :
			     "mail from outside");
	fprintf(out, "# header_checks: %s\n",
	    host->header_checks[0] != '\0' ? host->header_checks : "none");
	fprintf(out, "# smtpd_milters: %s\n",
	    host->milters[0] != '\0' ? host->milters : "none");
	advise_verifier(host, out);
	advise_signer(host, out);
}

/* ---- this host --------------------------------------------------------- */

/* The output of a command line by line, as many as `max`; the number of
 * lines, or -1 if it failed. */
static int
read_lines(const char *command, char lines_r[][VALUE_MAX], int max)
{
	FILE *in = popen(command, "re");
	int count = 0;

	if (in == NULL)
		return -1;
	while (count < max && fgets(lines_r[count], VALUE_MAX, in) != NULL) {
		lines_r[count][strcspn(lines_r[count], "\n")] = '\0';
		count++;
	}
	return pclose(in) == 0 ? count : -1;
}

/* The milters that port 25 really has. */
static void
read_own_milters(char milters[VALUE_MAX])
{
	char lines[2][VALUE_MAX];
	const char *equals;
	int count = read_lines(POSTCONF_OWN, lines, 2);

	/* In the order of master.cf, where postscreen stands first. */
	if (count < 1 || (equals = strchr(lines[count - 1], '=')) == NULL)
		return;
	equals++;
	snprintf(milters, VALUE_MAX, "%s", equals + strspn(equals, " "));
}

/* postfix-setup keeps the way of submitted mail once it is there. */
static bool
is_outbound(void)
{
	char line[1][VALUE_MAX];

	return read_lines(POSTCONF_OUT, line, 1) == 1;
}

/* Runs one of our scripts with the options that are not NULL. */
static int
run_script(const char *script, const char *first, const char *second)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (first == NULL) {
			first = second;
			second = NULL;
		}
		execl(script, script, first, second, (char *)NULL);
		fprintf(stderr, "cargomailctl: %s: %s\n", script,
		    strerror(errno));
		_exit(EX_NOINPUT);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return EX_OSERR;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_NOINPUT)
		return EX_NOINPUT;
	return status == 0 ? 0 : EX_DATAERR;
}

static int
setup_postfix(bool outbound)
{
	static char values[VALUES][VALUE_MAX];
	struct ctl_setup_host host = {
		.hostname = values[0],
		.header_checks = values[1],
		.milters = values[2],
		.rspamd = access("/etc/rspamd", F_OK) == 0,
		.opendkim = access("/etc/opendkim.conf", F_OK) == 0,
		.outbound = outbound || is_outbound(),
	};
	const char *option = outbound ? " -o" : "";
	int code;

	if (read_lines(POSTCONF, values, VALUES) != VALUES) {
		fputs("cargomailctl: cannot ask postconf; is Postfix here?\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	read_own_milters(values[2]);
	ctl_setup_advise(&host, stdout);
	putchar('\n');
	code = run_script(POSTFIX_SETUP, "-p", outbound ? "-o" : NULL);
	if (code != 0)
		return code;
	printf("\n# To do this:      %s%s && postfix reload\n"
	       "# To be as before: %s -r && postfix reload\n",
	    POSTFIX_SETUP, option, POSTFIX_SETUP);
	return 0;
}

int
ctl_setup(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "apply", no_argument, NULL, 'a' },
		{ "outbound", no_argument, NULL, 'o' },
		{ "undo", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	const char *what = NULL, *out = NULL;
	int option;

	(void)ctl;
	optind = 0;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'o')
			out = "-o";
		else if (option == '?' || what != NULL)
			return EX_USAGE;
		else
			what = option == 'a' ? "-a" : "-u";
	}
	if (optind < argc) {
		if (argc - optind > 1 || what != NULL ||
		    strcmp(argv[optind], "postfix") != 0)
			return EX_USAGE;
		return setup_postfix(out != NULL);
	}
	return run_script(HOST_SETUP, what, out);
}

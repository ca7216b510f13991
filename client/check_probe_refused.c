/* SPDX-License-Identifier: ISC
 *
 * What it means that a server does not take a probe, by its reply.
 */
#include "check_probe.h"

#include <string.h>

/* What our scripts for verifiers answer (etc/milters). */
#define KEY_UNKNOWN_REPLY "key of the placeholder's signature"

static void
say_unreachable(struct check_probe *probe, const char *server, const char *way)
{
	struct check *check = probe->check;
	bool inner = strcmp(server, CHECK_PROBE_LOCALHOST) == 0;

	check_say(check, inner ? CHECK_FAIL : CHECK_WARN, way,
	    "nobody answers at %s port 25: %s", server, probe->reply.text);
	check_why(check,
	    inner ? "mail cannot come in, or only by another address; the "
		    "probe cannot be sent" :
		    "a probe cannot come as from outside; whether others can "
		    "send mail here is not seen");
	if (inner)
		check_cure(check,
		    "is Postfix running, \"smtp inet\" in master.cf, and "
		    "127.0.0.1 in inet_interfaces?");
	else
		check_cure(check,
		    "is inet_interfaces = all, port 25 open, the address of "
		    "%s right in the DNS? Behind NAT look from outside: "
		    "cargomailctl check --from HOST",
		    probe->hostname);
}

static bool
is_milter_down(const struct check_mail_reply *reply)
{
	return reply->code / 100 == 4 &&
	    strcasestr(reply->text, "4.7.1 Service unavailable") != NULL;
}

static bool
is_key_unknown(const struct check_mail_reply *reply)
{
	return reply->code / 100 == 4 &&
	    strstr(reply->text, KEY_UNKNOWN_REPLY) != NULL;
}

static void
say_put_off(struct check_probe *probe, const char *way)
{
	const struct check_mail_reply *reply = &probe->reply;
	struct check *check = probe->check;

	if (is_milter_down(reply)) {
		check_say(check, CHECK_FAIL, way,
		    "Postfix puts all mail off: %d %s", reply->code,
		    reply->text);
		check_why(check,
		    "one of its milters does not answer, and "
		    "milter_default_action is tempfail: no mail comes in");
		check_cure(check,
		    "start that milter: smtpd_milters is %s; its log tells "
		    "why it ended",
		    probe->milters);
	} else if (is_key_unknown(reply)) {
		check_say(check, CHECK_FAIL, way,
		    "the key of what was signed here is not found: %d %s",
		    reply->code, reply->text);
		check_why(check,
		    "either others cannot verify this domain's mail, or the "
		    "verifier has no DNS and puts all placeholders off");
		check_cure(check,
		    "opendkim-testkey -d %s -s SELECTOR -vvv; publish the key "
		    "at SELECTOR._domainkey.%s; if it is there: which resolver "
		    "does the milter ask?",
		    probe->domain, probe->domain);
	} else {
		check_say(check, CHECK_WARN, way, "the probe is put off: %d %s",
		    reply->code, reply->text);
		check_why(check,
		    "greylisting, a limit or a lack of room; what the milters "
		    "do is not seen");
		check_cure(check,
		    "the reply and /var/log/mail.log say which; let mail "
		    "from this host's own addresses pass, or check again "
		    "when the time is over");
	}
}

static void
say_refused(struct check_probe *probe, const char *way)
{
	const struct check_mail_reply *reply = &probe->reply;
	bool to_postmaster = check_probe_to_postmaster(probe);
	struct check *check = probe->check;

	if (reply->code / 100 == 4) {
		say_put_off(probe, way);
	} else if (reply->code == 0) {
		check_say(check, CHECK_FAIL, way, "Postfix hangs up: %s",
		    reply->text);
		check_why(check, "mail does not come in");
		check_cure(check, "/var/log/mail.log says why");
	} else {
		check_say(check, CHECK_WARN, way,
		    "Postfix refuses the probe to %s: %d %s", probe->address,
		    reply->code, reply->text);
		check_why(check,
		    to_postmaster ?
			"every mail domain must take mail to postmaster (RFC "
			"5321); what the milters do is not seen" :
			"mail to this address does not come in");
		check_cure(check,
		    "have %s delivered to somebody (%s), or mend what the "
		    "reply names",
		    probe->address,
		    to_postmaster ?
			"postmaster: root in /etc/aliases, then newaliases" :
			"is it right?");
	}
}

void
check_probe_say_refused(struct check_probe *probe, const char *server,
    const char *way)
{
	if (probe->reply.stage == CHECK_MAIL_CONNECT)
		say_unreachable(probe, server, way);
	else
		say_refused(probe, way);
}

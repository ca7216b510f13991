/* SPDX-License-Identifier: ISC
 *
 * check: Postfix, milters, what comes of a probe, and ports from outside.
 */
#include "check_fixture.h"

static void
postfix_down(void)
{
	fake.postfix = 1;
}
static void
postconf_bad(void)
{
	fake.postconf = 1;
}
static void
no_lines(void)
{
	fake.services = "smtp inet n - y - - smtpd\n";
}
static void
no_options(void)
{
	fake.options = "";
}
static void
no_header(void)
{
	fake.options = "smtp/inet/cleanup_service_name = cargomail-cleanup\n";
}
static void
more_tables(void)
{
	fake.settings = "header_checks = regexp:/b\nqueue_directory = "
			"/var/spool/postfix\n";
}
static void
delimiter(void)
{
	fake.settings = "recipient_delimiter = -\nqueue_directory = "
			"/var/spool/postfix\n";
}
static void
no_table(void)
{
	take("/etc/cargomail/postfix_header_checks");
}
static void
no_filter(void)
{
	put("/etc/cargomail/postfix_header_checks", "# FILTER x\n", 0644);
}
static void
elsewhere(void)
{
	put("/etc/cargomail/broker.conf", "listen = /run/in\n", 0644);
}
static void
out_elsewhere(void)
{
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\n"
	    "out_listen = /var/spool/postfix/cargomail/out.sock\n",
	    0644);
	fake.options = "submission/inet/content_filter = "
		       "cargomail-out:unix:other/out.sock\n";
}
static void
out_unheard(void)
{
	fake.options = "submission/inet/content_filter = "
		       "cargomail-out:unix:cargomail/out.sock\n";
}
static void
opendkim_name(void)
{
	put("/etc/opendkim.conf", "Mode v\nauthservid other.test\n", 0644);
}
static void
opendkim_mode(void)
{
	put("/etc/opendkim.conf", "Mode s\n", 0644);
}
static void
opendkim_fields(void)
{
	put("/etc/opendkim.conf", "Mode sv\nAuthservID mx.bar.test\n", 0644);
}
static void
opendkim_script(void)
{
	put("/etc/opendkim.conf",
	    "AuthservID mx.bar.test\nFinalPolicyScriptFile /etc/policy.lua\n",
	    0644);
}
static void
opendkim_other_script(void)
{
	put("/etc/policy.lua", "get(\"X-Origin-Resource-Mailbox-URL\")\n",
	    0644);
}
static void
opendkim_no_script(void)
{
	take("/etc/policy.lua");
}
static void
opendkim_include(void)
{
	put("/etc/opendkim.conf",
	    "AuthservID mx.bar.test\ninclude /etc/more.conf\n", 0644);
	put("/etc/more.conf", "Mode v\n  finalpolicyscript /etc/policy.lua\n",
	    0644);
}
static void
no_milter(void)
{
	fake.settings = "";
}
/* Alone, but for a file of what is not used, with what users submit. */
static void
put_rspamd(const char *signing)
{
	fake.settings = "smtpd_milters = inet:127.0.0.1:11332\n"
			"myhostname = mx.bar.test\n";
	put("/etc/rspamd/local.d/milter_headers.conf",
	    "use = [\"authentication-results\"];\n", 0644);
	put("/etc/rspamd/local.d/dkim_signing.conf", signing, 0644);
	put("/etc/rspamd/rspamd.local.lua", PLACEHOLDER_SCRIPT, 0644);
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\nout_listen = /x\n", 0644);
}
static void
rspamd_unsigned(void)
{
	put_rspamd("# allow_username_mismatch = true;\n"
		   "allow_username_mismatch = false;\n");
}
static void
rspamd_signed(void)
{
	put_rspamd("selector = \"mail\";\n allow_username_mismatch=true;\n");
}
static void
rspamd_and_other(void)
{
	rspamd_unsigned();
	fake.options = "cargomail-sign/unix/smtpd_milters = "
		       "inet:127.0.0.1:11332,unix:opendkim.sock\n";
}
static void
rspamd_script(void)
{
	rspamd_signed();
	take("/etc/rspamd/rspamd.local.lua");
}
static void
rspamd_old_script(void)
{
	rspamd_script();
	put("/etc/rspamd/lua/rspamd.local.lua", "", 0644);
}

static void
refuse_inner(enum check_mail_stage stage, int code, const char *text)
{
	fake.inner.stage = stage;
	fake.inner.code = code;
	strcpy(fake.inner.text, text);
}
static void
probe_none(void)
{
	fake.no_probe = true;
}
static void
probe_many(void)
{
	fake.down = "gripd-sign";
	put("/etc/cargomail/policy",
	    "_cb.a.test role=broker\n_cb.b.test role=broker\n"
	    "_cb.c.test role=broker\n_cb.d.test role=broker\n"
	    "_cb.e.test role=broker\n_cb.f.test role=broker\n",
	    0644);
}
static void
probe_nobody(void)
{
	refuse_inner(CHECK_MAIL_CONNECT, 0, "Connection refused");
}
static void
probe_milter(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 451,
	    "4.7.1 Service unavailable - try again later");
}
static void
probe_grey(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 450, "4.2.0 Greylisted");
}
static void
probe_put_off(void)
{
	fake.outer.stage = CHECK_MAIL_DATA;
	fake.outer.code = 451;
	strcpy(fake.outer.text,
	    "4.7.5 The key of the placeholder's signature cannot be looked up "
	    "now");
}
static void
probe_refused(void)
{
	refuse_inner(CHECK_MAIL_RCPT, 550, "5.1.1 User unknown");
}
static void
probe_hangs(void)
{
	refuse_inner(CHECK_MAIL_GREETING, 0, "no reply");
}
static void
probe_lost(void)
{
	fake.lost = true;
}
#define QUEUED(id, sender, address) \
	"\"queue_id\":\"" id "\",\"sender\":\"" sender "\"," \
	"\"recipients\":[{\"address\":\"" address \
	"\",\"delay_reason\":\"no such socket\"}]"

static void
probe_queued(void)
{
	fake.lost = true;
	fake.queued = QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test");
}
static void
probe_changed(void)
{
	fake.form = "form";
}
static void
probe_outbound(void)
{
	put("/etc/cargomail/broker.conf",
	    "authserv_ids = mx.bar.test\nout_listen = /x\n", 0644);
}
static void
probe_unsigned(void)
{
	probe_outbound();
	fake.signer = "";
}
static void
probe_unsigned_in(void)
{
	fake.signer = "";
	fake.proof = "result";
	fake.results = "Authentication-Results: mx.bar.test; dkim=none\r\n";
}
static void
probe_stranger(void)
{
	fake.signer = "DKIM-Signature: d=foo.test; h=From; b=x\r\n";
}
static void
probe_fields(void)
{
	fake.signer = SIGNED("Message-ID:Content-Type", "");
}
static void
probe_length(void)
{
	fake.signer = SIGNED(FIELDS, "l=9; ");
}
static void
judged(const char *proof, const char *results)
{
	fake.proof = proof;
	fake.results = results;
}
static void
probe_no_results(void)
{
	judged("result", "");
}
static void
probe_resigned(void)
{
	judged("result", SIGNED(FIELDS, ""));
}
static void
probe_name(void)
{
	judged("result", "Authentication-Results: other.test; dkim=pass\r\n");
}
static void
probe_order(void)
{
	judged("result",
	    "Authentication-Results: mx.bar.test; dmarc=pass\r\n"
	    "Authentication-Results: mx.bar.test; dkim=pass\r\n");
}
static void
probe_no_key(void)
{
	judged("result",
	    "Authentication-Results: mx.bar.test; dkim=permerror\r\n");
}
static void
probe_fail(void)
{
	judged("result", "Authentication-Results: mx.bar.test; dkim=fail\r\n");
}
static void
probe_no_dkim(void)
{
	judged("result", "Authentication-Results: mx.bar.test; spf=pass\r\n");
}
static void
probe_forged(void)
{
	fake.forged = "ok";
}
static void
probe_far(void)
{
	fake.outer.stage = CHECK_MAIL_CONNECT;
}
static void
probe_bare(void)
{
	fake.no_postmaster = true;
}
static void
probe_no_address(void)
{
	fake.no_record = "mx.bar.test";
}

static void
outside_good(void)
{
	fake.outside = "Warning: known hosts\n"
		       "{\"check\":\"peer\",\"level\":\"ok\","
		       "\"subject\":\"a\",\"what\":\"answers\"}\r\n";
}
static void
outside_closed(void)
{
	fake.outside = "{\"level\":\"fail\",\"subject\":\"a\","
		       "\"what\":\"closed\",\"do\":\"open it\"}\n";
}
static void
outside_refused(void)
{
	fake.outside = "root@foo: Permission denied (publickey).\n";
}
static void
outside_odd(void)
{
	fake.outside = "{\"level\":\"king\",\"subject\":\"a\","
		       "\"what\":\"b\"}\n[]\n7\n{\"level\":\"ok\"}\n";
}

TEST(each_fault_is_named)
{
	static const struct fault faults[] = {
		{ postfix_down, "postfix", "fail", "not running", "start" },
		{ postconf_bad, "postfix", "fail", "names itself",
		    "write out" },
		{ no_lines, "postfix", "fail", "is not in master.cf, but",
		    "postfix-setup" },
		{ no_header, "postfix", "fail", "among its header_checks",
		    "postfix-setup" },
		{ no_options, "postfix", "fail", "has not no_milters",
		    "postfix-setup" },
		{ more_tables, "postfix", "warn", "not all", "postfix-setup" },
		{ delimiter, "postfix", "warn", "\"-\" in Postfix",
		    "recipient_delimiter = -" },
		{ no_table, "postfix", "fail", "cannot be read", "cp " },
		{ no_filter, "postfix", "fail", "no FILTER", "cp " },
		{ elsewhere, "postfix", "fail", "listens at /run/in",
		    "\"listen\" of broker.conf and the FILTER lines" },
		{ out_elsewhere, "postfix", "fail",
		    "leads to /var/spool/postfix/other/out.sock",
		    "\"out_listen\" of broker.conf and content_filter" },
		{ out_unheard, "postfix", "fail",
		    "out.sock, but broker.conf has no out_listen",
		    "out_listen = /var/spool/postfix/cargomail/out.sock" },
		{ opendkim_name, "milters", "fail", "as other.test",
		    "authserv_ids = other.test" },
		{ opendkim_mode, "milters", "fail", "verifies nothing",
		    "Mode sv" },
		{ opendkim_fields, "milters", "warn", "does not sign",
		    "SignHeaders" },
		{ opendkim_script, "milters", "warn",
		    "takes placeholders whose key",
		    "opendkim-placeholder.lua /etc/ && echo "
		    "'FinalPolicyScript" },
		{ opendkim_other_script, "milters", "warn",
		    "takes placeholders whose key", "have /etc/policy.lua do" },
		{ opendkim_no_script, "milters", "fail",
		    "FinalPolicyScript /etc/policy.lua cannot be read",
		    "opendkim-placeholder.lua /etc/policy.lua; systemctl" },
		{ opendkim_include, "milters", "ok",
		    "results are written in a name", "" },
		{ rspamd_script, "milters", "warn",
		    "takes placeholders whose key",
		    "rspamd-placeholder.lua >> /etc/rspamd/rspamd.local.lua" },
		{ rspamd_old_script, "milters", "warn",
		    "takes placeholders whose key",
		    ">> /etc/rspamd/lua/rspamd.local.lua; " },
		{ rspamd_and_other, "milters", "ok",
		    "results are written in a name", "" },
		{ rspamd_unsigned, "milters", "fail",
		    "does not have rspamd sign",
		    "allow_username_mismatch = true" },
		{ rspamd_signed, "milters", "ok",
		    "results are written in a name", "" },
		{ no_milter, "milters", "fail", "is empty", "OpenDKIM" },
		{ probe_none, "probe", "warn", "cannot be asked to look",
		    "restart cargomail-broker" },
		{ probe_many, "probe", "ok",
		    "2 more mail domains were not tried", "" },
		{ probe_nobody, "probe", "fail", "127.0.0.1 port 25: Conn",
		    "inet_interfaces" },
		{ probe_milter, "probe", "fail", "puts all mail off: 451",
		    "start that milter" },
		{ probe_grey, "probe", "warn", "is put off: 450", "pass" },
		{ probe_put_off, "probe", "fail",
		    "what was signed here is not found: 451",
		    "testkey -d bar" },
		{ probe_refused, "probe", "warn",
		    "postmaster@bar.test: 550 5.1.1", "aliases" },
		{ probe_hangs, "probe", "fail", "hangs up", "mail.log" },
		{ probe_lost, "probe", "fail", "(4F) and did not give it",
		    "postfix-setup && postfix reload" },
		{ probe_queued, "probe", "fail", "queue: no such socket",
		    "postqueue -f" },
		{ probe_changed, "probe", "fail", "changed on its way: it is",
		    "rewrites" },
		{ probe_unsigned, "probe", "fail", "is not signed by DKIM",
		    "Domain bar.test" },
		{ probe_unsigned_in, "probe", "ok", "is verified, by mx", "" },
		{ probe_stranger, "probe", "warn", "signed as foo.test only",
		    "sign as bar.test" },
		{ probe_fields, "probe", "warn", "cover MIME-Version |",
		    "SignHeaders" },
		{ probe_length, "probe", "warn", "(l=9)",
		    "MaximumSignedBytes" },
		{ probe_no_results, "probe", "fail", "nobody writes",
		    "AlwaysAddARHeader" },
		{ probe_resigned, "probe", "warn", "for its own",
		    "InternalHosts" },
		{ probe_name, "probe", "fail", "as other.test, which",
		    "authserv_ids = other.test" },
		{ probe_order, "probe", "fail", "has no dkim=; one below",
		    "AuthservID" },
		{ probe_no_key, "probe", "fail", "dkim=permerror",
		    "_domainkey.bar.test" },
		{ probe_fail, "probe", "fail", "dkim=fail", "testkey" },
		{ probe_no_dkim, "probe", "fail", "says dkim=nothing",
		    "smtpd_milters" },
		{ probe_forged, "probe", "fail", "are believed",
		    "KeepAuthResults" },
		{ probe_far, "probe", "warn", "nobody answers at 192.0.2.1",
		    "--from" },
		{ probe_bare, "probe", "ok", "from outside is believed", "" },
		{ probe_no_address, "probe", "warn", "has no address",
		    "myhostname" },
		{ outside_good, "outside", "ok", "from foo: a: answers", "" },
		{ outside_closed, "outside", "fail", "from foo: a: closed",
		    "open it" },
		{ outside_refused, "outside", "warn",
		    "cannot look: root@foo: Permission denied", "BatchMode" },
		{ outside_odd, "outside", "warn",
		    "cannot look: ", "BatchMode" },
	};

	check_faults(faults, sizeof(faults) / sizeof(faults[0]));
}

/* What the queue holds under the id that the server told. */
TEST(only_the_probe_is_taken_out_of_the_queue)
{
	static const struct {
		const char *queued;
		int early; /* seconds that it came before the probe */
		bool bare; /* to "postmaster" */
		unsigned deleted;
		const char *what;
	} rows[] = {
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test"), 0,
		    false, 1, "postqueue -f\n" },
		{ QUEUED("4F", "nobody", "Postmaster@BAR.test"), 0, false, 1,
		    "postqueue -f\n" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@mx.bar.test"), 0,
		    true, 1, "postqueue -f\n" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@mx.bar.test"), 0,
		    false, 0, "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "MAILER-DAEMON", "bob@bar.test"), 0, true, 0,
		    "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "MAILER-DAEMON",
		      "postmaster@bar.test\"},{\"address\":\"bob@bar.test"),
		    0, false, 0, "if postcat -q 4F shows the probe" },
		{ QUEUED("4F", "alice@foo.test", "postmaster@bar.test"), 0,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("4F", "MAILER-DAEMON", "postmaster@bar.test"), 1,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("5F", "MAILER-DAEMON", "postmaster@bar.test"), 0,
		    false, 0, "did not give it to the broker" },
		{ QUEUED("", "MAILER-DAEMON", "postmaster@bar.test"), 0, false,
		    0, "did not give it to the broker" },
	};
	struct said said;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset();
		fake.lost = true;
		fake.settings = "empty_address_recipient = nobody\n"
				"myhostname = mx.bar.test\n";
		fake.queued = rows[i].queued;
		fake.arrival = fake.now - rows[i].early;
		fake.no_postmaster = rows[i].bare;
		run("probe", OTHER, &said);
		CHECK_FOR(fake.deleted == rows[i].deleted, "row %zu: %u", i,
		    fake.deleted);
		CHECK_FOR(strstr(said.text, rows[i].what) != NULL,
		    "row %zu: %s", i, said.text);
	}
}

int
main(void)
{
	if (host_begin() != 0)
		return 1;
	RUN(each_fault_is_named);
	RUN(only_the_probe_is_taken_out_of_the_queue);
	host_end();
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * What a probe tells of the milters: who signs, and how; who verifies, and
 * where the results stand. The broker's own verdict comes with each sight;
 * here is found why it is so.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth_results.h"
#include "check_probe.h"
#include "mail_header.h"
#include "memory.h"

static const char why_unbelieved[] =
    "the broker believes no sender: every placeholder is delivered as "
    "unauthenticated";
static const char why_elsewhere[] =
    "placeholders of our users are taken for unauthenticated elsewhere";

/* ---- who signs ----------------------------------------------------------- */

/* What the message has in signatures. */
struct signatures {
	size_t count;
	char *own; /* of the domain, or one above it; NULL */
	char *other; /* d= of another, NULL */
};

static bool
is_aligned(const char *domain, const char *signer)
{
	size_t from = strlen(domain), len = strlen(signer);

	return len > 0 && len <= from &&
	    strcasecmp(domain + from - len, signer) == 0 &&
	    (len == from || domain[from - len - 1] == '.');
}

static void
find_signatures(const char *message, size_t header, const char *domain,
    struct signatures *found_r)
{
	struct mail_field field;
	size_t at = 0;

	memset(found_r, 0, sizeof(*found_r));
	while (mail_header_next(message, header, &at, &field)) {
		char *text, *signer;

		if (!mail_header_is(&field, "DKIM-Signature"))
			continue;
		found_r->count++;
		text = mail_header_unfold(&field);
		signer = auth_results_tag(text, "d");
		if (signer != NULL && is_aligned(domain, signer) &&
		    found_r->own == NULL) {
			found_r->own = text;
			free(signer);
		} else {
			free(text);
			free(found_r->other);
			found_r->other = signer;
		}
	}
}

static void
free_signatures(struct signatures *found)
{
	free(found->own);
	free(found->other);
}

/* Fields that are believed, and are not in h=; the caller frees. NULL if
 * none. */
static char *
find_uncovered(const char *signature)
{
	static const char *const fields[] = { "From", "Message-ID",
		"MIME-Version", "Content-Type" };
	char *list = auth_results_tag(signature, "h"), *missing = NULL, *more;
	char *all = x_asprintf(":%s:", list != NULL ? list : "");

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		char *word = x_asprintf(":%s:", fields[i]);

		if (strcasestr(all, word) == NULL) {
			more =
			    x_asprintf("%s%s%s", missing != NULL ? missing : "",
				missing != NULL ? ", " : "", fields[i]);
			free(missing);
			missing = more;
		}
		free(word);
	}
	free(all);
	free(list);
	return missing;
}

static bool
is_outbound(const struct check_probe *probe)
{
	return probe->check->config.broker_keys.out_listen[0] != '\0';
}

/* With milters of its own, what is submitted is signed elsewhere. */
static bool
signs_elsewhere(const struct check_probe *probe)
{
	char *own = check_postfix_option(probe->postfix, "cargomail-sign/inet",
	    "smtpd_milters");
	bool elsewhere;

	if (own == NULL)
		own = check_postfix_option(probe->postfix,
		    "cargomail-sign/unix", "smtpd_milters");
	elsewhere = own != NULL && strcmp(own, probe->milters) != 0;
	free(own);
	return elsewhere;
}

static void
say_unsigned(struct check_probe *probe, const struct signatures *found)
{
	struct check *check = probe->check;

	if (found->other != NULL) {
		check_say(check, is_outbound(probe) ? CHECK_FAIL : CHECK_WARN,
		    probe->domain, "its mail is signed as %s only",
		    found->other);
		check_why(check, why_elsewhere);
		check_cure(check,
		    "sign as %s (OpenDKIM: Domain or SigningTable; rspamd: "
		    "dkim_signing.conf, use_domain = \"header\")",
		    probe->domain);
	} else if (is_outbound(probe) && !signs_elsewhere(probe)) {
		check_say(check, CHECK_FAIL, probe->domain,
		    "its mail is not signed by DKIM");
		check_why(check, why_elsewhere);
		check_cure(check,
		    "OpenDKIM: Mode sv, Domain %s, and 127.0.0.1 in "
		    "InternalHosts; rspamd: dkim_signing.conf with a key of "
		    "%s; smtpd_milters (%s) must name it",
		    probe->domain, probe->domain, probe->milters);
	} else {
		check_say(check, CHECK_OK, probe->domain,
		    "mail from this host is not signed at port 25%s",
		    is_outbound(probe) ?
			"; what users submit has milters of its own" :
			"; if it is nowhere, its users cannot send "
			"placeholders");
	}
}

static bool
judge_signature(struct check_probe *probe, const char *signature)
{
	enum check_level level = is_outbound(probe) ? CHECK_FAIL : CHECK_WARN;
	struct check *check = probe->check;
	char *length = auth_results_tag(signature, "l");
	char *missing = find_uncovered(signature);
	bool good = true;

	if (length != NULL) {
		good = false;
		check_say(check, level, probe->domain,
		    "its signatures cover a part of the body only (l=%s)",
		    length);
		check_why(check, why_elsewhere);
		check_cure(check,
		    "take MaximumSignedBytes and BodyLengthDB out of "
		    "/etc/opendkim.conf; systemctl restart opendkim");
	}
	if (missing != NULL) {
		good = false;
		check_say(check, level, probe->domain,
		    "its signatures do not cover %s", missing);
		check_why(check, why_elsewhere);
		check_cure(check,
		    "OpenDKIM: SignHeaders *,+Message-ID,+MIME-Version,"
		    "+Content-Type; rspamd: sign_headers of "
		    "dkim_signing.conf must have them");
	}
	free(length);
	free(missing);
	return good;
}

bool
check_probe_judge_signer(struct check_probe *probe,
    const struct check_sight *sight)
{
	struct check *check = probe->check;
	struct signatures found;
	bool is_signed;

	find_signatures(sight->message, sight->header, probe->domain, &found);
	is_signed = found.own != NULL;
	if (strcmp(sight->form, "ok") != 0) {
		check_say(check, CHECK_FAIL, probe->domain,
		    "the probe was changed on its way: %s", sight->form_text);
		check_why(check,
		    "no placeholder can be read by the broker, and none is "
		    "acted on");
		check_cure(check,
		    "what rewrites mail before the broker (a filter, a "
		    "milter, mime_header_checks, a disclaimer)? Placeholders "
		    "must pass it as they are");
	}
	if (!is_signed)
		say_unsigned(probe, &found);
	else if (judge_signature(probe, found.own))
		check_say(check, CHECK_OK, probe->domain,
		    "its mail is signed, with all fields that placeholders "
		    "need");
	free_signatures(&found);
	return is_signed;
}

/* ---- who verifies ------------------------------------------------------- */

/* What stands in Authentication-Results, from the top. */
struct results {
	size_t count;
	char top[256]; /* name of the topmost one that is ours, "" */
	const char *verdict; /* its dkim= for our domain, NULL: none */
	char below[256]; /* name of one of ours below it that has dkim= */
	char other[256]; /* a name that is not ours, with dkim= */
	struct auth_results first; /* holds `verdict` */
};

static bool
is_believed(const struct check_probe *probe, const char *name)
{
	const struct config_list *ids =
	    &probe->check->config.broker_keys.authserv_ids;

	for (size_t i = 0; i < ids->count; i++)
		if (strcasecmp(ids->items[i], name) == 0)
			return true;
	return false;
}

/* A pass is preferred: there may be several signatures. */
static const char *
find_dkim(const struct auth_results *results)
{
	const char *found = NULL;

	for (size_t i = 0; i < results->count; i++)
		if (strcmp(results->list[i].method, "dkim") == 0 &&
		    (found == NULL ||
			strcmp(results->list[i].result, "pass") == 0))
			found = results->list[i].result;
	return found;
}

static void
note_results(const struct check_probe *probe, const struct auth_results *one,
    struct results *all)
{
	const char *dkim = find_dkim(one);

	all->count++;
	if (!is_believed(probe, one->authserv_id)) {
		if (dkim != NULL && all->other[0] == '\0')
			strcpy(all->other, one->authserv_id);
	} else if (all->top[0] == '\0') {
		strcpy(all->top, one->authserv_id);
		all->first = *one;
		all->verdict = find_dkim(&all->first);
	} else if (dkim != NULL && all->below[0] == '\0') {
		strcpy(all->below, one->authserv_id);
	}
}

static void
find_results(const struct check_probe *probe, const struct check_sight *sight,
    struct results *all_r)
{
	struct auth_results one;
	struct mail_field field;
	size_t at = 0;

	memset(all_r, 0, sizeof(*all_r));
	while (mail_header_next(sight->message, sight->header, &at, &field)) {
		char *text;

		if (!mail_header_is(&field, "Authentication-Results"))
			continue;
		text = mail_header_unfold(&field);
		if (auth_results_parse(text, &one) == 0)
			note_results(probe, &one, all_r);
		free(text);
	}
}

/* Nobody wrote what the broker looks for. */
static void
say_no_results(struct check_probe *probe, const struct results *all,
    bool is_resigned)
{
	struct check *check = probe->check;

	if (all->other[0] != '\0') {
		check_say(check, CHECK_FAIL, probe->hostname,
		    "results are written as %s, which is not in authserv_ids",
		    all->other);
		check_why(check, why_unbelieved);
		check_cure(check,
		    "authserv_ids = %s in broker.conf, then restart "
		    "cargomail-broker",
		    all->other);
	} else if (is_resigned) {
		check_say(check, CHECK_WARN, probe->hostname,
		    "the milter takes mail from this host's public address "
		    "for its own: it signs it, and verifies nothing");
		check_why(check,
		    "whether mail of others is verified is not seen");
		check_cure(check,
		    "take that address out of InternalHosts (OpenDKIM) or "
		    "local_addrs (rspamd)");
	} else {
		check_say(check, CHECK_FAIL, probe->hostname,
		    "nobody writes Authentication-Results on mail from "
		    "outside (smtpd_milters is \"%s\")",
		    probe->milters);
		check_why(check, why_unbelieved);
		check_cure(check,
		    "have the milter of port 25 verify and say so: OpenDKIM: "
		    "Mode sv, AlwaysAddARHeader yes; rspamd: use = "
		    "[\"authentication-results\"]; is it running, is it "
		    "passed by (milter_default_action = accept)?");
	}
}

/* Our own signature did not pass. */
static void
say_no_pass(struct check_probe *probe, const char *verdict)
{
	struct check *check = probe->check;

	if (strcmp(verdict, "fail") == 0) {
		check_say(check, CHECK_FAIL, probe->hostname,
		    "dkim=fail for a message that was signed here");
		check_why(check,
		    "the key in the DNS is another, or something changes "
		    "mail behind the signer or before the verifier");
		check_cure(check,
		    "compare: opendkim-testkey -d %s -s SELECTOR -vvv; put "
		    "the milter that verifies before those that change mail",
		    probe->domain);
	} else {
		check_say(check, CHECK_FAIL, probe->hostname,
		    "dkim=%s for a message that was signed here", verdict);
		check_why(check,
		    "the verifier finds no key for our own signature, or "
		    "cannot ask the DNS");
		check_cure(check,
		    "publish SELECTOR._domainkey.%s (s= of the signature); "
		    "try opendkim-testkey -d %s -s SELECTOR -vvv",
		    probe->domain, probe->domain);
	}
}

static void
say_order(struct check_probe *probe, const struct results *all)
{
	struct check *check = probe->check;

	check_say(check, CHECK_FAIL, probe->hostname,
	    "the topmost Authentication-Results of %s has no dkim=; one below "
	    "has",
	    all->top);
	check_why(check,
	    "another milter writes in the same name behind the verifier, and "
	    "the broker believes only what stands on top: every placeholder "
	    "is delivered as unauthenticated");
	check_cure(check,
	    "give the other milter (OpenDMARC, an SPF milter) an AuthservID "
	    "of its own, or put the verifier last in smtpd_milters (now %s)",
	    probe->milters);
}

/* Words of sender_proof.h that speak of the signature, not of who verified:
 * judged where it was signed. That results speak of another domain's
 * ("alignment") is not among them: ours was there. */
static bool
is_of_signature(const char *word)
{
	return strcmp(word, "coverage") == 0 || strcmp(word, "length") == 0;
}

static void
say_other(struct check_probe *probe, const struct check_sight *sight,
    const struct results *all)
{
	struct check *check = probe->check;

	check_say(check, CHECK_FAIL, probe->hostname,
	    "%s says dkim=%s, and the broker does not believe it: %s (%s)",
	    all->top, all->verdict != NULL ? all->verdict : "nothing",
	    sight->proof_text, sight->proof);
	check_why(check, why_unbelieved);
	check_cure(check,
	    "who signs or verifies twice, or changes the header in between? "
	    "smtpd_milters is %s; broker(8) says what is believed",
	    probe->milters);
}

bool
check_probe_judge_verifier(struct check_probe *probe,
    const struct check_sight *sight, const struct buffer *sent, bool is_signed)
{
	struct signatures before, after;
	struct results all;
	bool is_own;
	size_t header =
	    mail_header_length((const char *)sent->data, sent->len, NULL);

	find_signatures((const char *)sent->data, header, probe->domain,
	    &before);
	find_signatures(sight->message, sight->header, probe->domain, &after);
	find_results(probe, sight, &all);
	is_own = all.count == 0 && after.count > before.count;
	if (strcmp(sight->proof, "ok") == 0)
		check_say(probe->check, CHECK_OK, probe->hostname,
		    "a placeholder that comes from outside is believed, by "
		    "%s",
		    all.top);
	else if (all.top[0] == '\0')
		say_no_results(probe, &all, is_own);
	else if (all.verdict == NULL && all.below[0] != '\0')
		say_order(probe, &all);
	else if (is_signed && all.verdict != NULL &&
	    strcmp(all.verdict, "pass") != 0)
		say_no_pass(probe, all.verdict);
	else if (all.verdict == NULL ||
	    (is_signed && !is_of_signature(sight->proof)))
		say_other(probe, sight, &all);
	else
		check_say(probe->check, CHECK_OK, probe->hostname,
		    "mail from outside is verified, by %s", all.top);
	free_signatures(&before);
	free_signatures(&after);
	return !is_own;
}

void
check_probe_judge_forged(struct check_probe *probe,
    const struct check_sight *sight)
{
	struct check *check = probe->check;

	if (strcmp(sight->proof, "ok") != 0)
		return;
	check_say(check, CHECK_FAIL, probe->hostname,
	    "Authentication-Results that a stranger puts into a message are "
	    "believed");
	check_why(check,
	    "anybody can send placeholders in the name of anybody: the "
	    "verifier leaves such fields, and writes none of its own above");
	check_cure(check,
	    "OpenDKIM: AlwaysAddARHeader yes, and no KeepAuthResults; rspamd: "
	    "leave \"remove\" of authentication-results as it was; "
	    "authserv_ids must have no name but the one that the verifier of "
	    "port 25 writes");
}

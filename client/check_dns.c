/* SPDX-License-Identifier: ISC
 *
 * The DNS as gripd sees it: does the resolver answer and validate, and does
 * it say of our names what those who verify us need. Answers may be anybody's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cargo_record.h"
#include "grip_name.h"
#include "grip_record.h"
#include "json_strict.h"
#include "memory.h"

/* ---- resolver ---------------------------------------------------------- */

/* A name of ours; NULL if there is none yet. */
static const char *
own_name(struct check *check)
{
	const cJSON *list = check_identities(check);

	return json_string(cJSON_GetArrayItem(list, 0), "name");
}

static bool
check_answering(struct check *check, const cJSON *answer, const char *error)
{
	if (answer != NULL)
		return true;
	check_say(check, CHECK_FAIL, "", "no answer from the DNS: %s", error);
	check_why(check,
	    "no token can be verified and nobody be reached "
	    "until it answers; mail waits");
	check_cure(check,
	    "is the resolver running? gripd asks those in \"resolvers\" of "
	    "gripd.conf, else those of /etc/resolv.conf");
	return false;
}

static void
check_validation(struct check *check, const cJSON *top, const cJSON *own)
{
	bool require = check->config.grip.require;

	if (json_boolean(top, "secure") == 1 ||
	    json_boolean(own, "secure") == 1) {
		check_say(check, CHECK_OK, "", "answers, and validates");
		return;
	}
	check_say(check, require ? CHECK_FAIL : CHECK_WARN, "",
	    "answers, but validates nothing (no AD)");
	check_why(check,
	    require ?
		"dnssec = require refuses every token then" :
		"keys in the DNS are believed without proof, and tls_trust = "
		"dns never works");
	check_cure(check,
	    "run a validating resolver here (unbound), and set "
	    "resolvers = 127.0.0.1 in gripd.conf");
}

void
check_resolver(struct check *check)
{
	char *error = NULL;
	cJSON *status, *top, *own;
	const char *name = own_name(check);
	bool trusted, there;

	if (!check->config.gripd)
		return;
	status = check_ask(check, "gripd-resolve", "status", &error);
	trusted = json_boolean(status, "dnssec_trusted") == 1;
	there = status != NULL;
	cJSON_Delete(status);
	if (!there) {
		check_say(check, CHECK_WARN, "",
		    "cannot be asked: gripd-resolve does not answer");
		check_why(check, "it is the only one that speaks DNS");
		check_cure(check, "mend that first, then check again");
		free(error);
		return;
	}
	if (!trusted) {
		check_say(check, CHECK_WARN, "/etc/resolv.conf",
		    "its servers' AD is not trusted");
		check_why(check,
		    "no \"options trust-ad\" there and no "
		    "\"resolvers\" in gripd.conf: answers count "
		    "as not validated");
		check_cure(check,
		    "run a validating resolver here (unbound), "
		    "and set resolvers = 127.0.0.1 in gripd.conf");
	}
	if (name == NULL)
		return;
	/* Top-level domains are signed: what a validating resolver says of
	 * them is validated, be it nothing. */
	top = check_lookup(check, strrchr(name, '.') + 1, "TXT", &error);
	x_free(&error);
	own = check_lookup(check, name, "TXT", &error);
	if (check_answering(check, top != NULL ? top : own, error) && trusted)
		check_validation(check, top, own);
	cJSON_Delete(top);
	cJSON_Delete(own);
	free(error);
}

/* ---- records ----------------------------------------------------------- */

/* The TXT of an identity. */
struct published {
	char *owner; /* where it stands */
	char text[GRIP_RECORD_TEXT_SIZE]; /* what it must be */
	uint8_t hash[SHA256_LEN];
	bool needed; /* others refuse us without */
};

static char *
owner_of(const char *name, const char *role)
{
	const char *rest = strchr(name, '.');

	if (strcmp(role, "broker") == 0 || strcmp(role, "agent") == 0)
		return x_strdup(name);
	if (strcmp(role, "mailbox") != 0 || rest == NULL ||
	    strchr(rest + 1, '.') == NULL)
		return NULL;
	return x_asprintf("_rm.%s", rest + 1);
}

/* How many of ours there are; *match_r: one is this key's. */
static size_t
count_records(const cJSON *answer, const struct published *published,
    bool *match_r)
{
	struct grip_record record;
	const cJSON *item;
	const char *text;
	size_t count = 0;

	*match_r = false;
	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		text = cJSON_GetStringValue(item);
		if (text == NULL ||
		    grip_record_parse(text, strlen(text), &record) != 0)
			continue;
		count++;
		if (memcmp(record.spki_sha256, published->hash, SHA256_LEN) ==
		    0)
			*match_r = true;
	}
	return count;
}

static void
judge_record(struct check *check, const struct published *published,
    const cJSON *answer)
{
	bool match, secure = json_boolean(answer, "secure") == 1;
	size_t count = count_records(answer, published, &match);
	bool unproven = check->config.grip.require && !secure;

	if (match && !unproven) {
		check_say(check, CHECK_OK, published->owner,
		    "publishes the loaded key%s",
		    secure ? "" : " (not validated)");
		return;
	}
	check_say(check, published->needed ? CHECK_FAIL : CHECK_WARN,
	    published->owner, "%s",
	    match	  ? "is not validated" :
		count > 0 ? "publishes another key than the loaded one" :
			    "has no record of ours");
	check_why(check,
	    published->needed ?
		"who verifies our tokens refuses them (\"published\")" :
		"who trusts by DNS (tls_trust = dns) does not speak to us");
	if (match)
		check_cure(check, "sign the zone (DNSSEC)");
	else
		check_cure(check,
		    "publish: %s. IN TXT \"%s\"; changed just now? wait for "
		    "its TTL",
		    published->owner, published->text);
}

static void
check_record(struct check *check, const cJSON *identity)
{
	struct published published = { 0 };
	const char *role = json_string(identity, "role");
	const char *key = json_string(identity, "key");
	struct grip_record record;
	char *error = NULL;
	cJSON *answer;

	published.owner = owner_of(json_string(identity, "name"), role);
	if (published.owner == NULL || key == NULL ||
	    hex_parse(key, published.hash, SHA256_LEN) != 0)
		goto out;
	published.needed = strcmp(role, "mailbox") != 0;
	memcpy(record.spki_sha256, published.hash, SHA256_LEN);
	grip_record_format(&record, published.text);
	answer = check_lookup(check, published.owner, "TXT", &error);
	if (answer != NULL) {
		judge_record(check, &published, answer);
	} else {
		check_say(check, CHECK_FAIL, published.owner, "%s", error);
		check_why(check,
		    "others cannot look it up either, or the "
		    "resolver is ill (see above)");
		check_cure(check,
		    "ask by hand: dig +dnssec TXT %s; SERVFAIL "
		    "with a signed zone: bogus signatures",
		    published.owner);
	}
	cJSON_Delete(answer);
	free(error);
out:
	free(published.owner);
}

/* Senders convert only if they find it. */
static void
check_marker(struct check *check, const char *identity)
{
	char *name = x_asprintf("_cargomail.%s", grip_name_domain(identity));
	char *error = NULL;
	cJSON *answer = check_lookup(check, name, "TXT", &error);
	const cJSON *item;
	bool found = false;

	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		const char *text = cJSON_GetStringValue(item);

		if (text != NULL && cargo_record_is(text, strlen(text)))
			found = true;
	}
	if (found) {
		check_say(check, CHECK_OK, name, "tells senders of us");
	} else if (answer != NULL) {
		check_say(check, CHECK_WARN, name, "has no record of ours");
		check_why(check,
		    "brokers of senders take this domain for one "
		    "without Cargomail, and send large mail as "
		    "ever");
		check_cure(check, "publish: %s. IN TXT \"v=cargomail1\"", name);
	}
	cJSON_Delete(answer);
	free(error);
	free(name);
}

static void
check_host(struct check *check, const char *name)
{
	char *error = NULL;
	cJSON *v4 = check_lookup(check, name, "A", &error);
	cJSON *v6;
	int count;

	x_free(&error);
	v6 = check_lookup(check, name, "AAAA", &error);
	count = cJSON_GetArraySize(json_array(v4, "records")) +
	    cJSON_GetArraySize(json_array(v6, "records"));
	if (count > 0) {
		check_say(check, CHECK_OK, name, "has %d address%s", count,
		    count > 1 ? "es" : "");
	} else {
		check_say(check, CHECK_FAIL, name, "has no address%s%s",
		    error != NULL ? ": " : "", error != NULL ? error : "");
		check_why(check, "nobody finds this mailbox");
		check_cure(check, "publish: %s. IN A (its public address)",
		    name);
	}
	cJSON_Delete(v4);
	cJSON_Delete(v6);
	free(error);
}

void
check_dns(struct check *check)
{
	const cJSON *list = check_identities(check), *identity;
	char *error = NULL;
	cJSON *status = check_ask(check, "gripd-resolve", "status", &error);
	bool asked = status != NULL;

	cJSON_Delete(status);
	free(error);
	if (!asked)
		return; /* `resolver` says so */
	cJSON_ArrayForEach(identity, list)
	{
		const char *name = json_string(identity, "name");
		const char *role = json_string(identity, "role");

		check_record(check, identity);
		if (strcmp(role, "broker") == 0 &&
		    grip_name_domain(name) != NULL)
			check_marker(check, name);
		if (strcmp(role, "mailbox") == 0 || strcmp(role, "web") == 0)
			check_host(check, name);
	}
}

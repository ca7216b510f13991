/* SPDX-License-Identifier: ISC
 *
 * Does the DNS, as gripd sees it, say of our names what those who verify and
 * seek us need? Answers may be anybody's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_record.h"
#include "check.h"
#include "check_rotation.h"
#include "grip_name.h"
#include "json_strict.h"
#include "memory.h"
#include "published_key.h"

/* The record of an identity. */
struct publication {
	const char *name; /* the identity's */
	const char *file; /* of its key: another name's if that is lent */
	char *owner; /* where the record stands */
	char hash[SHA256_HEX_SIZE];
	bool loaded; /* by the signer, that is; else it is not up */
	bool needed; /* others refuse us without */
	bool lent; /* only a CNAME of the key's name will do */
};

/* ---- records ----------------------------------------------------------- */

static bool
has_record(const cJSON *answer)
{
	struct grip_record record;
	const cJSON *item;

	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		const char *text = cJSON_GetStringValue(item);

		if (text != NULL &&
		    grip_record_parse(text, strlen(text), &record) == 0)
			return true;
	}
	return false;
}

static void
say_why(struct check *check, const struct publication *publication)
{
	check_why(check,
	    publication->needed ?
		"who verifies our tokens refuses them (\"published\")" :
		"who trusts by DNS (tls_trust = dns) does not speak to us");
}

/* A name with another's key: its certificate is that of the other, which
 * only the CNAME tells. */
static bool
judge_target(struct check *check, const struct publication *publication,
    const cJSON *answer)
{
	const char *target = json_string(answer, "target");

	if (!publication->lent ||
	    (target != NULL && strcmp(target, publication->file) == 0))
		return true;
	check_say(check, CHECK_FAIL, publication->owner, "is no CNAME of %s",
	    publication->file);
	check_why(check,
	    has_record(answer) ?
		"who verifies our tokens refuses them (\"subject\")" :
		"who verifies our tokens refuses them (\"published\")");
	check_cure(check,
	    "in the zone of that name publish: %s. IN CNAME %s.; changed just "
	    "now? wait for its TTL",
	    publication->owner, publication->file);
	return false;
}

static void
judge_record(struct check *check, const struct publication *publication,
    const cJSON *answer)
{
	bool match = published_key_in(answer, publication->hash);
	bool secure = json_boolean(answer, "secure") == 1;
	bool unproven = check->config.grip.require && !secure;
	char text[GRIP_RECORD_TEXT_SIZE];

	if (match && !unproven) {
		check_say(check, CHECK_OK, publication->owner,
		    "publishes %s key%s",
		    publication->loaded ? "the loaded" : "our",
		    secure ? "" : " (not validated)");
		return;
	}
	check_say(check, publication->needed ? CHECK_FAIL : CHECK_WARN,
	    publication->owner, "%s",
	    match		   ? "is not validated" :
		has_record(answer) ? "publishes another key than ours" :
				     "has no record of ours");
	say_why(check, publication);
	if (match) {
		check_cure(check, "sign the zone (DNSSEC)");
		return;
	}
	published_key_text(publication->hash, text);
	check_cure(check,
	    "publish: %s. IN TXT \"%s\"; changed just now? wait for its TTL",
	    publication->lent ? publication->file : publication->owner, text);
}

/* The key that the signer has loaded; if it does not say, that of the
 * certificate which it would load. False if there is neither. */
static bool
find_hash(struct check *check, const cJSON *identity,
    struct publication *publication)
{
	const char *key = json_string(identity, "key");
	struct published_key published = { .hash = "" };
	char *path, *full;

	if (key != NULL && hex_is_sha256(key)) {
		memcpy(publication->hash, key, SHA256_HEX_SIZE);
		publication->loaded = true;
		return true;
	}
	path = x_asprintf("%s/%s.crt", check->config.grip.keys_directory,
	    publication->file);
	full = check_path(check, path);
	if (published_key_read(full, &published) != 0)
		published.hash[0] = '\0';
	memcpy(publication->hash, published.hash, SHA256_HEX_SIZE);
	free(full);
	free(path);
	return publication->hash[0] != '\0';
}

/* Is the key's own name one of ours, too? Then it tells of the rotation. */
static bool
is_identity(struct check *check, const char *name)
{
	const cJSON *identity;

	cJSON_ArrayForEach(identity, check_identities(check))
	{
		const char *other = json_string(identity, "name");

		if (other != NULL && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static void
look_up(struct check *check, const struct publication *publication)
{
	char *error = NULL;
	cJSON *answer = check_lookup(check, publication->owner, "TXT", &error);

	if (answer == NULL) {
		check_say(check, CHECK_FAIL, publication->owner, "%s", error);
		check_why(check,
		    "others cannot look it up either, or the "
		    "resolver is ill (see above)");
		check_cure(check,
		    "ask by hand: dig +dnssec TXT %s; SERVFAIL "
		    "with a signed zone: bogus signatures",
		    publication->owner);
	} else if (judge_target(check, publication, answer)) {
		judge_record(check, publication, answer);
		if (!publication->lent ||
		    !is_identity(check, publication->file))
			check_rotation(check, publication->file,
			    publication->owner, answer);
	}
	cJSON_Delete(answer);
	free(error);
}

static void
check_record(struct check *check, const cJSON *identity)
{
	const char *role = json_string(identity, "role");
	struct publication publication = {
		.name = json_string(identity, "name"),
		.file = json_string(identity, "file"),
		.needed = strcmp(role, "mailbox") != 0,
	};

	/* Who believes the record of a mailbox must not believe a web host. */
	if (strcmp(role, "web") == 0 || publication.file == NULL)
		return;
	publication.owner = published_key_owner(publication.name);
	publication.lent = publication.needed &&
	    strcmp(publication.name, publication.file) != 0;
	if (publication.owner != NULL &&
	    find_hash(check, identity, &publication))
		look_up(check, &publication);
	free(publication.owner);
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

/* SPDX-License-Identifier: ISC
 *
 * The ways of a probe: from this host to itself, where the milters sign it;
 * then what came of that once more, to the public address, where they take
 * it for a stranger's and verify it; then a forged one.
 */
#include "check_probe.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"

#define MESSAGE_MAX 65536
#define DOMAINS_MAX 4 /* each takes seconds, or a minute if it is lost */
#define ADDRESSES_MAX 4

static size_t
add_addresses(struct check_probe *probe, const char *type, char **list,
    size_t max)
{
	char *error = NULL;
	cJSON *answer =
	    check_lookup(probe->check, probe->hostname, type, &error);
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		if (count < max && cJSON_IsString(item))
			list[count++] = x_strdup(cJSON_GetStringValue(item));
	}
	cJSON_Delete(answer);
	free(error);
	return count;
}

size_t
check_probe_addresses(struct check_probe *probe, char **list, size_t max)
{
	size_t count = add_addresses(probe, "A", list, max);

	return count + add_addresses(probe, "AAAA", list + count, max - count);
}

/* Results that a stranger brings along. A refusal is well: they are not
 * believed. */
static void
probe_forged(struct check_probe *probe, const char *server,
    const struct buffer *plain)
{
	struct check_sight sight;
	struct buffer forged;

	buffer_init(&forged, MESSAGE_MAX);
	check_probe_again(probe);
	check_probe_forge(probe, plain, &forged);
	check_probe_mail(probe, server, &forged);
	if (probe->reply.stage == CHECK_MAIL_DONE &&
	    check_probe_wait(probe, &sight)) {
		check_probe_judge_forged(probe, &sight);
		check_sight_free(&sight);
	}
	buffer_free(&forged);
}

/* As a stranger: to the public address, so that it comes from there. */
static void
probe_outside(struct check_probe *probe, const struct buffer *message,
    const struct buffer *plain, bool is_signed)
{
	char *list[ADDRESSES_MAX] = { NULL };
	size_t count = check_probe_addresses(probe, list, ADDRESSES_MAX);
	struct check_sight sight;
	bool is_stranger;

	if (count == 0) {
		check_say(probe->check, CHECK_WARN, probe->hostname,
		    "has no address in the DNS, or nobody can tell");
		check_why(probe->check,
		    "a probe cannot come as from outside; nor can mail, if "
		    "this is the MX");
		check_cure(probe->check,
		    "publish A or AAAA of %s, or set myhostname to the name "
		    "that the MX record has",
		    probe->hostname);
	} else if (check_probe_send(probe, list[0], list[0], message, &sight)) {
		is_stranger = check_probe_judge_verifier(probe, &sight, message,
		    is_signed);
		check_sight_free(&sight);
		if (is_stranger)
			probe_forged(probe, list[0], plain);
	}
	for (size_t i = 0; i < count; i++)
		free(list[i]);
}

static void
probe_domain(struct check_probe *probe)
{
	struct check_sight sight;
	struct buffer plain, message;
	struct reason why;
	bool is_signed;

	buffer_init(&plain, MESSAGE_MAX);
	buffer_init(&message, MESSAGE_MAX);
	if (!check_probe_begin(probe))
		goto out;
	if (check_probe_compose(probe, &plain, &why) != OUTCOME_OK) {
		check_say(probe->check, CHECK_WARN, probe->domain,
		    "no probe can be written: %s", why.text);
		check_why(probe->check, "what the milters do is not seen");
		check_cure(probe->check, "is this a mail domain?");
	} else if (check_probe_send(probe, CHECK_PROBE_LOCALHOST, probe->domain,
		       &plain, &sight)) {
		is_signed = check_probe_judge_signer(probe, &sight);
		check_probe_strip(&sight, &message);
		check_sight_free(&sight);
		check_probe_again(probe);
		probe_outside(probe, is_signed ? &message : &plain, &plain,
		    is_signed);
	}
	check_probe_end(probe);
out:
	buffer_free(&plain);
	buffer_free(&message);
}

static void
probe_name(struct check *check, const struct check_postfix *postfix,
    const char *domain)
{
	struct check_probe probe = { .check = check,
		.postfix = postfix,
		.domain = domain };

	probe.hostname = check_postfix_setting(postfix, "myhostname");
	probe.milters = check_postfix_effective(postfix,
	    check_postfix_front(postfix), "smtpd_milters");
	probe.address = x_asprintf("postmaster@%s", domain);
	probe.to = probe.address;
	probe_domain(&probe);
	free(probe.hostname);
	free(probe.milters);
	free(probe.address);
}

void
check_probe(struct check *check)
{
	struct check_postfix postfix;
	const cJSON *domain;
	cJSON *domains;
	int count = 0;

	if (!check->config.broker)
		return;
	if (check_postfix_read(check, &postfix) != 0) {
		check_postfix_free(&postfix);
		return; /* `postfix` says so */
	}
	domains = check_mail_domains(check);
	cJSON_ArrayForEach(domain, domains)
	{
		if (count++ < DOMAINS_MAX)
			probe_name(check, &postfix, domain->valuestring);
	}
	if (count > DOMAINS_MAX)
		check_say(check, CHECK_OK, "",
		    "%d more mail domains were not tried", count - DOMAINS_MAX);
	if (count == 0) {
		check_say(check, CHECK_WARN, "",
		    "the broker cannot be asked to look at a probe: no name "
		    "_cb.DOMAIN is known");
		check_why(check, "what the milters do is not seen");
		check_cure(check,
		    "if \"daemons\" is well: run this as root or in the "
		    "group cargomail-admin");
	}
	cJSON_Delete(domains);
	check_postfix_free(&postfix);
}

/* SPDX-License-Identifier: ISC
 *
 * Whom we believe and where we may connect; see outward.h. Reads only the
 * administrator's configuration.
 */
#include "outward.h"

#include <string.h>

#include "memory.h"

static int
outward_fail(char **error_r, char *error)
{
	*error_r = error;
	return -1;
}

static int
outward_check_trust(const struct config_list *trust, const char *path,
    char **error_r)
{
	for (size_t i = 0; i < trust->count; i++)
		if (strcmp(trust->items[i], "webpki") != 0 &&
		    strcmp(trust->items[i], "dns") != 0)
			return outward_fail(error_r,
			    x_asprintf("%s: "
				       "tls_trust: %s is neither webpki nor "
				       "dns",
				path, trust->items[i]));
	if (trust->count == 0)
		return outward_fail(error_r,
		    x_asprintf("%s: tls_trust: "
			       "nobody would be believed",
			path));
	return 0;
}

int
outward_derive(struct outward *outward, const char *path, char **error_r)
{
	const struct config_list *allowed = &outward->allow_addresses;

	if (service_ports_parse(outward->ports, &outward->port_list) < 0)
		return outward_fail(error_r,
		    x_asprintf("%s: ports: not a "
			       "list of ports",
			path));
	outward->policy = address_policy_new();
	for (size_t i = 0; i < allowed->count; i++)
		if (address_policy_add(outward->policy, allowed->items[i]) < 0)
			return outward_fail(error_r,
			    x_asprintf("%s: "
				       "allow_addresses: %s is no network (or "
				       "one too "
				       "many)",
				path, allowed->items[i]));
	return outward_check_trust(&outward->tls_trust, path, error_r);
}

int
outward_open(struct outward *outward, const char *path, char **error_r)
{
	struct reason why = { 0 };

	if (outward_trusts(outward, "webpki")) {
		outward->trust =
		    http_client_trust_load(outward->ca_bundle, &why);
		if (outward->trust == NULL)
			return outward_fail(error_r,
			    x_asprintf("%s: "
				       "ca_bundle: %s",
				path, why.text));
	}
	if (address_policy_read_interfaces(outward->policy) < 0)
		return outward_fail(error_r,
		    x_strdup("cannot read interface addresses"));
	return 0;
}

void
outward_close(struct outward *outward)
{
	address_policy_free(&outward->policy);
	http_client_trust_free(&outward->trust);
}

int
outward_trusts(const struct outward *outward, const char *word)
{
	return config_list_has(&outward->tls_trust, word);
}

/* SPDX-License-Identifier: ISC
 *
 * What a broker or a client needs to know of a server name. Open to all: it
 * says nothing but the configuration.
 */
#include <stdlib.h>

#include "cargo_api.h"
#include "json_strict.h"
#include "well_known.h"

static cJSON *
limits(const struct mailboxd_config *config)
{
	cJSON *object = cJSON_CreateObject();

	json_add_integer(object, "resource", config->resource_max);
	json_add_integer(object, "notification", CARGO_API_NOTIFICATION_MAX);
	json_add_integer(object, "resources", CARGO_API_RESOURCES_MAX);
	json_add_integer(object, "recipients", CARGO_API_RECIPIENTS_MAX);
	json_add_integer(object, "share", CARGO_API_SHARE_SECONDS_MAX);
	return object;
}

void
well_known_serve(struct visit *visit)
{
	const struct mailboxd_config *config = visit->mailboxd->config;
	const char *name = visit_server_name(visit);
	cJSON *body = cJSON_CreateObject();
	const char *web;
	char *url;

	/* On a Unix socket Host may be anything. */
	if (name == NULL || !config_list_has(&config->server_names, name))
		name = config->server_names.items[0];
	url = mailboxd_config_url(config, name);
	json_add_integer(body, "version", CARGO_API_VERSION);
	json_add_string(body, "mailbox", url);
	json_add_string(body, "agent", mailboxd_config_agent(config, name));
	web = mailboxd_config_web(config, name);
	if (web != NULL) {
		free(url);
		url = mailboxd_config_url(config, web);
		json_add_string(body, "web", url);
	}
	json_add_item(body, "limits", limits(config));
	free(url);
	visit_reply_json(visit, 200, body);
}

/* SPDX-License-Identifier: ISC
 *
 * Asking the mailboxes that are named here. The maps' own grammar is the
 * broker's to judge; what does not look like a URL is passed over.
 */
#include "check_origin.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "service_url.h"

static void
add(struct check *check, const char *text, const char *named_by)
{
	const struct service_ports any = { 0 };
	struct check_origins *origins = check->origins;
	struct check_origin *origin;
	struct service_url url;

	if (service_url_parse(text, &any, &url) < 0)
		return;
	for (size_t i = 0; i < origins->count; i++)
		if (strcmp(origins->items[i].url, url.text) == 0)
			return;
	if (origins->count == CHECK_ORIGINS_MAX) {
		origins->left++;
		return;
	}
	origin = &origins->items[origins->count++];
	origin->url = x_strdup(url.text);
	origin->named_by = named_by;
	origin->own = check->config.mailboxd &&
	    config_list_has(&check->config.mailbox.server_names, url.host);
}

/* The third word of each line. */
static void
add_map(struct check *check, const char *path)
{
	char *text = check_read(check, path), *rest = text, *line, *word;
	int number;

	while ((line = strsep(&rest, "\n")) != NULL) {
		line[strcspn(line, "#\r")] = '\0';
		number = 0;
		while ((word = strsep(&line, " \t")) != NULL)
			if (word[0] != '\0' && ++number == 3)
				add(check, word, path);
	}
	free(text);
}

static void
ask(struct check *check, struct check_origin *origin)
{
	char *url = x_asprintf("%s/.well-known/cargomail", origin->url);
	struct check_fetch fetch = { .url = url,
		.ca_bundle = check->config.broker_keys.ca_bundle };

	origin->outcome = check->world->fetch(check->world->arg, &fetch,
	    &origin->reply, &origin->why);
	free(url);
}

const struct check_origins *
check_origins(struct check *check)
{
	const struct check_config *config = &check->config;
	struct check_origins *origins = check->origins;

	if (origins != NULL)
		return origins;
	origins = check->origins = x_calloc(1, sizeof(*origins));
	if (config->broker) {
		add_map(check, config->broker_keys.destinations);
		if (config->broker_keys.out_listen[0] != '\0')
			add_map(check, config->broker_keys.origins);
		for (size_t i = 0;
		     i < config->broker_keys.local_mailboxes.count; i++)
			add(check, config->broker_keys.local_mailboxes.items[i],
			    "local_mailboxes");
	}
	if (check->peer != NULL)
		add(check, check->peer, "--peer");
	for (size_t i = 0; i < origins->count; i++)
		ask(check, &origins->items[i]);
	return origins;
}

void
check_origins_free(struct check_origins **origins)
{
	if (*origins == NULL)
		return;
	for (size_t i = 0; i < (*origins)->count; i++)
		free((*origins)->items[i].url);
	x_free(origins);
}

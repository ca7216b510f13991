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

static bool
parse(struct check *check, const char *text, const char *named_by,
    struct check_origin *origin_r)
{
	const struct service_ports any = { 0 };
	struct service_url url;

	if (service_url_parse(text, &any, &url) < 0)
		return false;
	origin_r->url = x_strdup(url.text);
	origin_r->named_by = named_by;
	origin_r->own = check->config.mailboxd &&
	    config_list_has(&check->config.mailbox.server_names, url.host);
	return true;
}

static void
add(struct check *check, const char *text, const char *named_by)
{
	struct check_origins *origins = check->origins;
	struct check_origin origin = { 0 };
	bool known = !parse(check, text, named_by, &origin);

	for (size_t i = 0; !known && i < origins->count; i++)
		known = strcmp(origins->items[i].url, origin.url) == 0;
	if (!known && origins->count < CHECK_ORIGINS_MAX) {
		origins->items[origins->count++] = origin;
		return;
	}
	origins->left += !known;
	free(origin.url);
}

void
check_map_each(const struct check *check, const char *path,
    void (*each)(const char *key, const char *url, void *context),
    void *context)
{
	char *text = check_read(check, path), *rest = text, *line, *word;
	const char *words[3];

	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t count = 0;

		line[strcspn(line, "#\r")] = '\0';
		while ((word = strsep(&line, " \t")) != NULL)
			if (word[0] != '\0' && count < 3)
				words[count++] = word;
		if (count == 3)
			each(words[0], words[2], context);
	}
	free(text);
}

struct source {
	struct check *check;
	const char *path;
};

static void
add_line(const char *key, const char *url, void *context)
{
	const struct source *source = context;

	(void)key;
	add(source->check, url, source->path);
}

static void
add_map(struct check *check, const char *path)
{
	struct source source = { check, path };

	check_map_each(check, path, add_line, &source);
}

static void
ask(struct check *check, struct check_origin *origin)
{
	char *url = x_asprintf("%s/.well-known/cargomail", origin->url);
	struct check_fetch fetch = { .url = url,
		.ca_bundle = check->config.broker_keys.ca_bundle };

	origin->outcome = check->world->fetch(check->world->arg, &fetch,
	    &origin->reply, &origin->why);
	origin->now = check->world->now(check->world->arg);
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
	for (size_t i = 0; i < origins->count; i++)
		ask(check, &origins->items[i]);
	return origins;
}

const struct check_origin *
check_origin_peer(struct check *check)
{
	struct check_origin *peer = check->peer_origin;

	if (peer != NULL || check->peer == NULL)
		return peer;
	peer = x_calloc(1, sizeof(*peer));
	if (!parse(check, check->peer, "--peer", peer)) {
		free(peer);
		return NULL;
	}
	ask(check, peer);
	check->peer_origin = peer;
	return peer;
}

void
check_origins_free(struct check *check)
{
	struct check_origins *origins = check->origins;

	for (size_t i = 0; origins != NULL && i < origins->count; i++)
		free(origins->items[i].url);
	x_free(&check->origins);
	if (check->peer_origin != NULL)
		free(check->peer_origin->url);
	x_free(&check->peer_origin);
}

/* SPDX-License-Identifier: ISC
 *
 * Which domains have Cargomail: see capability.h.
 */
#include "capability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grip_client.h"
#include "grip_name.h"
#include "log.h"
#include "memory.h"

struct known {
	char domain[GRIP_NAME_SIZE]; /* "": free */
	struct capability_answer answer;
	int64_t until;
};

struct capability_cache {
	struct grip_client *resolver;
	struct known known[CAPABILITY_CACHE_MAX];
	size_t next; /* to be forgotten */
};

struct capability_cache *
capability_new(const char *resolve_socket, int timeout_ms)
{
	struct capability_cache *cache = x_calloc(1, sizeof(*cache));

	cache->resolver =
	    grip_client_new(resolve_socket, GRIP_PROTOCOL_RESOLVE, timeout_ms);
	if (cache->resolver == NULL)
		abort(); /* out of memory, as x_calloc */
	return cache;
}

void
capability_free(struct capability_cache **cache)
{
	if (*cache == NULL)
		return;
	grip_client_free(&(*cache)->resolver);
	x_free(cache);
}

const char *
capability_name(enum capability capability)
{
	static const char *const names[] = { "yes", "no", "unknown" };

	return names[capability];
}

static void
log_answer(const char *domain, const char *id,
    const struct capability_answer *answer)
{
	struct log_line line;

	log_begin(&line,
	    answer->capability == CAPABILITY_UNKNOWN ? LOG_WARNING : LOG_INFO,
	    id, "capability");
	log_string(&line, LOG_KEY_HOST, domain);
	log_string(&line, LOG_KEY_CAPABILITY,
	    capability_name(answer->capability));
	if (answer->capability == CAPABILITY_UNKNOWN)
		log_reason(&line, &answer->why);
	else
		log_number(&line, LOG_KEY_SECURE, answer->secure);
	log_end(&line);
}

/* Asks gripd; for how many seconds to believe it goes to *seconds_r. */
static struct capability_answer
ask(struct capability_cache *cache, const char *domain, int64_t *seconds_r)
{
	struct capability_answer answer = { .capability = CAPABILITY_UNKNOWN };
	struct grip_capability told;

	*seconds_r = CAPABILITY_UNKNOWN_SECONDS;
	answer.why.outcome =
	    grip_client_cargomail(cache->resolver, domain, &told, &answer.why);
	if (answer.why.outcome != OUTCOME_OK) {
		/* What can be no name in the DNS has no record there. */
		if (answer.why.outcome == OUTCOME_PERMFAIL &&
		    !grip_name_is_host(domain))
			answer.capability = CAPABILITY_NO;
		return answer;
	}
	answer.capability = told.present ? CAPABILITY_YES : CAPABILITY_NO;
	answer.secure = told.secure;
	*seconds_r =
	    told.ttl < CAPABILITY_SECONDS ? told.ttl : CAPABILITY_SECONDS;
	return answer;
}

/* The entry of a domain that is still good, or NULL. */
static const struct known *
find_known(const struct capability_cache *cache, const char *domain,
    int64_t now)
{
	for (size_t i = 0; i < CAPABILITY_CACHE_MAX; i++)
		if (strcmp(cache->known[i].domain, domain) == 0 &&
		    now <= cache->known[i].until)
			return &cache->known[i];
	return NULL;
}

struct capability_answer
capability_find(struct capability_cache *cache, const char *domain, int64_t now,
    const char *id)
{
	const struct known *known = find_known(cache, domain, now);
	struct capability_answer answer;
	struct known *place;
	int64_t seconds;

	if (known != NULL && domain[0] != '\0')
		return known->answer;
	answer = ask(cache, domain, &seconds);
	log_answer(domain, id, &answer);
	if (strlen(domain) >= sizeof(place->domain))
		return answer;
	place = &cache->known[cache->next++ % CAPABILITY_CACHE_MAX];
	snprintf(place->domain, sizeof(place->domain), "%s", domain);
	place->answer = answer;
	place->until = now + seconds;
	return answer;
}

/* SPDX-License-Identifier: ISC
 *
 * Holding, rebuilding, replacing: see release.h.
 */
#include "release.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_original.h"
#include "cargo_rebuild.h"
#include "log.h"
#include "memory.h"

/* Seconds from the message's beginning until nothing more is waited for or
 * fetched. The delivery must still fit into Postfix's 600. */
#define RELEASE_SECONDS 360

/* Seconds for who finds all places taken. The usual case takes two. */
#define WAIT_WITHOUT_PLACE 5

/* A recipient whose message may be replaced. */
struct waiting {
	size_t index;
	struct release_place place;
};

struct release {
	const struct release_options *options;
	struct release_message message;
	struct waiting *list;
	size_t count;
	int64_t phase; /* when the first was waited for */
	int64_t patience; /* seconds from then on */
	struct spool *rebuilt; /* one for all: the hashes say it is the same */
	struct delivery_form form;
	struct reason hopeless; /* no outcome of another place would differ */
};

/* A rebuild under way: the resource at hand lies in a file. */
struct rebuilding {
	struct release *release;
	const struct release_place *place;
	struct spool *to, *from;
	size_t index; /* of the resource in `from` */
	size_t at; /* bytes of it that were read */
	struct reason why; /* of a fetch that failed */
};

struct release *
release_new(const struct release_options *options,
    const struct release_message *message)
{
	struct release *release = x_calloc(1, sizeof(*release));

	release->options = options;
	release->message = *message;
	return release;
}

void
release_free(struct release **release)
{
	if (*release == NULL)
		return;
	spool_free(&(*release)->rebuilt);
	free((*release)->list);
	x_free(release);
}

static void
log_release(const struct release *release, const struct waiting *waiting,
    const struct reason *why)
{
	struct log_line line;

	log_begin(&line,
	    why->outcome == OUTCOME_PERMFAIL ? LOG_WARNING : LOG_INFO,
	    release->message.id, "release");
	log_string(&line, LOG_KEY_MAILBOX, waiting->place.destination.mailbox);
	log_string(&line, LOG_KEY_DESTINATION,
	    waiting->place.destination.url.text);
	log_string(&line, LOG_KEY_MESSAGE, waiting->place.message);
	if (why->outcome == OUTCOME_OK)
		log_number(&line, LOG_KEY_SIZE, (int64_t)release->form.len);
	log_reason(&line, why);
	log_end(&line);
}

/* ---- who --------------------------------------------------------------- */

/* The least that the rebuilt message can have: what a converter tells; else a
 * resource in base64 has four characters for three bytes, and of a text
 * nothing is known before. The limit is held in any case. */
static int64_t
least_size(const struct release_message *message)
{
	const struct cargo_placeholder *p = message->placeholder;
	struct cargo_original original;
	int64_t size = 0;

	if (cargo_original_find(p, message->data, &original) == 1)
		return original.size;

	for (size_t i = 0; i < p->count; i++) {
		const struct cargo_resource *resource = &p->resources[i];

		if (resource->recipe.encoding == CARGO_RECIPE_BASE64 ||
		    (resource->recipe.encoding == CARGO_RECIPE_NONE &&
			strncmp(resource->type, "text/", 5) != 0))
			size += resource->size / 3 * 4;
		else
			size += resource->size;
	}
	return size;
}

void
release_add(struct release *release, size_t index,
    const struct destination *destination, const struct notify_answer *answer)
{
	const struct broker_config *config = release->options->config;
	struct waiting *waiting;

	if (!answer->release || config->deliver_original_up_to == 0 ||
	    !config_list_has(&config->local_mailboxes, destination->url.text) ||
	    least_size(&release->message) > config->deliver_original_up_to)
		return;
	release->list = x_realloc(release->list,
	    (release->count + 1) * sizeof(*release->list));
	waiting = &release->list[release->count++];
	waiting->index = index;
	waiting->place.destination = *destination;
	snprintf(waiting->place.message, sizeof(waiting->place.message), "%s",
	    answer->message);
}

/* ---- the rebuilt message ----------------------------------------------- */

static int64_t
seconds_left(const struct release *release)
{
	return release->message.began + RELEASE_SECONDS -
	    release->options->now();
}

/* Brings resource `index` into a file. */
static enum outcome
get_resource(struct rebuilding *r, size_t index)
{
	const struct release_options *options = r->release->options;
	const struct cargo_resource *resource =
	    &r->release->message.placeholder->resources[index];
	int64_t left = seconds_left(r->release);
	enum outcome outcome;

	spool_free(&r->from);
	if (left <= 0)
		return reason_set(&r->why, OUTCOME_TEMPFAIL, "timeout",
		    "no time left to fetch");
	r->from = spool_new(options->spool, resource->size);
	outcome = options->source->fetch(options->context, r->place,
	    resource->hash, left, r->from, &r->why);
	if (outcome != OUTCOME_OK || spool_finish(r->from) == 0)
		return outcome;
	if (errno == EFBIG)
		return reason_set(&r->why, OUTCOME_PERMFAIL, "digest",
		    "resource %s is longer than the placeholder says",
		    resource->hash);
	return reason_set(&r->why, OUTCOME_TEMPFAIL, "write",
	    "cannot spool: %s", strerror(errno));
}

static ssize_t
read_resource(void *context, size_t index, void *data_r, size_t max)
{
	struct rebuilding *r = context;
	const char *data;
	size_t len;

	if (r->from == NULL || r->index != index) {
		r->index = index;
		r->at = 0;
		r->why.outcome = get_resource(r, index);
		if (r->why.outcome != OUTCOME_OK)
			return -1;
	}
	data = spool_data(r->from, &len);
	if (max > len - r->at)
		max = len - r->at;
	memcpy(data_r, data + r->at, max);
	r->at += max;
	return (ssize_t)max;
}

static int
write_message(void *context, const void *data, size_t len)
{
	struct rebuilding *r = context;

	spool_add(r->to, data, len);
	return 0;
}

/* What a converter took apart must come back as it was; what cargomail(1)
 * composed has no other form than this. */
static bool
is_faithful(const struct release_message *message, bool exact)
{
	struct cargo_original original;

	return exact ||
	    cargo_original_find(message->placeholder, message->data,
		&original) == 0;
}

/* The outcome of a rebuild that came to its end, one way or the other. */
static enum outcome
finish_rebuild(struct rebuilding *r, enum outcome outcome, struct reason *why)
{
	if (outcome != OUTCOME_OK) {
		/* What the fetch said is the better reason. */
		if (reason_is(why, "read"))
			*why = r->why;
		return why->outcome;
	}
	if (spool_finish(r->to) == 0)
		return OUTCOME_OK;
	if (errno == EFBIG)
		return reason_set(why, OUTCOME_PERMFAIL, "too-large",
		    "the original is above deliver_original_up_to");
	return reason_set(why, OUTCOME_TEMPFAIL, "write", "cannot spool: %s",
	    strerror(errno));
}

static enum outcome
rebuild(struct release *release, const struct release_place *place,
    struct reason *why)
{
	const struct release_message *message = &release->message;
	struct rebuilding r = { .release = release, .place = place };
	const struct cargo_rebuild_io io = { read_resource, write_message, &r };
	enum outcome outcome;
	bool exact;

	r.to = spool_new(release->options->spool,
	    release->options->config->deliver_original_up_to);
	outcome = cargo_rebuild(message->placeholder, message->data,
	    message->len, &io, &exact, why);
	outcome = finish_rebuild(&r, outcome, why);
	if (outcome == OUTCOME_OK && !is_faithful(message, exact))
		outcome = reason_set(why, OUTCOME_PERMFAIL, "differs",
		    "what comes back is not what was taken apart");
	spool_free(&r.from);
	if (outcome == OUTCOME_OK)
		release->rebuilt = r.to;
	else
		spool_free(&r.to);
	return outcome;
}

/* Once for all recipients; what is wrong with the message is so for all. */
static enum outcome
get_original(struct release *release, const struct release_place *place,
    struct reason *why)
{
	enum outcome outcome;

	if (release->rebuilt != NULL)
		return OUTCOME_OK;
	if (release->hopeless.outcome != OUTCOME_OK) {
		*why = release->hopeless;
		return why->outcome;
	}
	outcome = rebuild(release, place, why);
	if (outcome == OUTCOME_PERMFAIL &&
	    (reason_is(why, "digest") || reason_is(why, "too-large") ||
		reason_is(why, "differs")))
		release->hopeless = *why;
	if (outcome != OUTCOME_OK)
		return outcome;
	if (release->message.form != NULL)
		release->form = *release->message.form;
	release->form.data = spool_data(release->rebuilt, &release->form.len);
	return OUTCOME_OK;
}

/* ---- each recipient ---------------------------------------------------- */

static bool
is_late(const struct release *release)
{
	return release->message.began - release->message.arrived >
	    release->options->config->release_give_up;
}

/* All wait at the same time: one after the other gets what is left. */
static int64_t
seconds_to_wait(const struct release *release)
{
	int64_t left =
	    release->phase + release->patience - release->options->now();

	if (left > seconds_left(release))
		left = seconds_left(release);
	return left < 0 || is_late(release) ? 0 : left;
}

/* What the outcome means. The prepended line of the destination stays with
 * the placeholder. */
static void
conclude(const struct release *release, struct envelope_recipient *r,
    const struct reason *why, bool pull_failed)
{
	size_t used = strlen(r->prepend);

	switch (why->outcome) {
	case OUTCOME_OK:
		r->form = &release->form;
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_STATUS ": original\r\n");
		break;
	case OUTCOME_PERMFAIL:
		if (pull_failed)
			snprintf(r->prepend + used, sizeof(r->prepend) - used,
			    CARGO_FIELD_STATUS ": failed; reason=%s\r\n",
			    why->word);
		break;
	default:
		if (!is_late(release))
			envelope_reply(r, "451 4.2.0",
			    "The original is still on its way");
	}
}

static void
serve(struct release *release, const struct waiting *waiting,
    struct envelope_recipient *r)
{
	const struct release_options *options = release->options;
	struct reason why = { OUTCOME_OK, "", "" };
	bool pull_failed;

	why.outcome = options->source->wait(options->context, &waiting->place,
	    seconds_to_wait(release), &why);
	/* That it is not given (any more) says nothing of the pull. */
	pull_failed = why.outcome == OUTCOME_PERMFAIL &&
	    !reason_is(&why, "not-released") && !reason_is(&why, "not-found");
	if (why.outcome == OUTCOME_OK)
		why.outcome = get_original(release, &waiting->place, &why);
	log_release(release, waiting, &why);
	conclude(release, r, &why, pull_failed);
}

void
release_run(struct release *release, struct envelope *envelope)
{
	struct breaker *breaker = release->options->breaker;
	bool held;

	if (release->count == 0)
		return;
	held = breaker == NULL || breaker_hold(breaker);
	release->phase = release->options->now();
	release->patience = release->options->config->release_wait;
	if (!held && release->patience > WAIT_WITHOUT_PLACE)
		release->patience = WAIT_WITHOUT_PLACE;
	for (size_t i = 0; i < release->count; i++)
		serve(release, &release->list[i],
		    &envelope->recipients[release->list[i].index]);
	if (held && breaker != NULL)
		breaker_let_go(breaker);
}

bool
release_again(struct release *release, struct envelope *envelope)
{
	bool again = false;

	for (size_t i = 0; i < release->count; i++) {
		const struct waiting *waiting = &release->list[i];
		struct envelope_recipient *r =
		    &envelope->recipients[waiting->index];
		struct reason why;

		if (r->form != &release->form ||
		    strncmp(r->reply, "552", 3) != 0)
			continue;
		reason_set(&why, OUTCOME_PERMFAIL, "too-large", "%s", r->reply);
		log_release(release, waiting, &why);
		r->reply[0] = '\0';
		r->form = release->message.form;
		snprintf(r->prepend, sizeof(r->prepend),
		    CARGO_FIELD_DESTINATION ": %s\r\n",
		    waiting->place.destination.url.text);
		again = true;
	}
	return again;
}

/* SPDX-License-Identifier: ISC
 *
 * The blocking client of gripd. Every request is one packet out and one
 * packet in; whatever disturbs that order ends the connection, so an answer
 * can never be taken for that of another request.
 *
 * Trust: reads packets of gripd through grip_protocol.
 */
#include "grip_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "encoding.h"
#include "json_strict.h"
#include "unix_socket.h"

struct grip_client {
	char *path;
	char *protocol;
	int timeout_ms;
	int pause_ms;
	int64_t not_before; /* ms of the monotonic clock: pausing until then */
	int fd; /* -1: not connected */
	pid_t pid; /* who connected: a child must not share it */
	int64_t last_id;
	char packet[GRIP_PROTOCOL_PACKET_MAX]; /* the last one received */
};

struct grip_client *
grip_client_new(const char *socket_path, const char *protocol, int timeout_ms)
{
	struct grip_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->path = strdup(socket_path);
	client->protocol = strdup(protocol);
	client->timeout_ms = timeout_ms;
	client->fd = -1;
	if (client->path == NULL || client->protocol == NULL)
		grip_client_free(&client);
	return client;
}

void
grip_client_set_pause(struct grip_client *client, int pause_ms)
{
	client->pause_ms = pause_ms;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
grip_client_drop(struct grip_client *client)
{
	if (client->fd != -1)
		close(client->fd);
	client->fd = -1;
}

void
grip_client_free(struct grip_client **client)
{
	if (*client == NULL)
		return;
	grip_client_drop(*client);
	free((*client)->path);
	free((*client)->protocol);
	free(*client);
	*client = NULL;
}

/* Tells of errno and leaves it as it is. */
static enum outcome
grip_client_trouble(const struct grip_client *client, const char *what,
    struct reason *why)
{
	int saved = errno;

	reason_set(why, OUTCOME_TEMPFAIL, "gripd", "%s %s: %s", what,
	    client->path, saved == EAGAIN ? "timed out" : strerror(saved));
	errno = saved;
	return OUTCOME_TEMPFAIL;
}

/* Receives into client->packet; its length, or -1 with a reason. */
static ssize_t
grip_client_receive(struct grip_client *client, struct reason *why)
{
	ssize_t n = unix_socket_receive(client->fd, client->packet,
	    sizeof(client->packet));

	if (n > 0)
		return n;
	if (n == 0)
		errno = ECONNRESET;
	grip_client_trouble(client, "answer from", why);
	return -1;
}

static enum outcome
grip_client_hello(struct grip_client *client, struct reason *why)
{
	char *hello = grip_protocol_hello_format(client->protocol);
	ssize_t n;
	int rc;

	if (hello == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	rc = unix_socket_send(client->fd, hello, strlen(hello));
	free(hello);
	if (rc != 0)
		return grip_client_trouble(client, "hello to", why);
	n = grip_client_receive(client, why);
	if (n == -1)
		return OUTCOME_TEMPFAIL;
	return grip_protocol_hello_parse(client->protocol, client->packet,
	    (size_t)n, why);
}

static enum outcome
grip_client_connect(struct grip_client *client, struct reason *why)
{
	enum outcome outcome;

	client->fd = unix_socket_connect(client->path, SOCK_SEQPACKET,
	    client->timeout_ms);
	if (client->fd == -1)
		return grip_client_trouble(client, "connect to", why);
	client->pid = getpid();
	outcome = grip_client_hello(client, why);
	if (outcome != OUTCOME_OK)
		grip_client_drop(client);
	return outcome;
}

/* Sends the packet, connecting first if need be. A connection kept from
 * before may have died with gripd's restart; that shows on sending, or as
 * an end while waiting, and is tried once more on a new one: asking twice
 * does no harm. */
static ssize_t
grip_client_exchange(struct grip_client *client, const char *packet,
    struct reason *why)
{
	bool kept, died;
	ssize_t n;

	if (monotonic_ms() < client->not_before) {
		errno = EAGAIN;
		grip_client_trouble(client, "lately", why);
		return -1;
	}
	if (client->fd != -1 && client->pid != getpid())
		grip_client_drop(client);
	do {
		kept = client->fd != -1;
		if (!kept && grip_client_connect(client, why) != OUTCOME_OK)
			return -1;
		n = -1;
		if (unix_socket_send(client->fd, packet, strlen(packet)) != 0)
			grip_client_trouble(client, "request to", why);
		else
			n = grip_client_receive(client, why);
		died = n == -1 && (errno == EPIPE || errno == ECONNRESET);
		if (n == -1)
			grip_client_drop(client);
	} while (kept && died);
	if (n == -1 && errno == EAGAIN)
		client->not_before = monotonic_ms() + client->pause_ms;
	return n;
}

static enum outcome
grip_client_run(struct grip_client *client, cJSON *request, cJSON **answer_r,
    struct reason *why)
{
	struct reason reason = { OUTCOME_OK, "", "" };
	int64_t id = ++client->last_id, answer_id;
	cJSON *answer = NULL;
	char *packet = NULL;
	ssize_t n;

	if (request != NULL && json_add_integer(request, "id", id) == 0)
		packet = json_format(request);
	if (packet == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	if (strlen(packet) > GRIP_PROTOCOL_PACKET_MAX) {
		free(packet);
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "the request is larger than a packet");
	}
	n = grip_client_exchange(client, packet, why);
	free(packet);
	if (n == -1)
		return OUTCOME_TEMPFAIL;
	if (grip_protocol_answer_parse(client->packet, (size_t)n, &answer_id,
		&answer, &reason) == 0 &&
	    answer_id != id)
		reason_set(&reason, OUTCOME_TEMPFAIL, "protocol",
		    "the answer to another request");
	if (reason_is(&reason, "protocol"))
		grip_client_drop(client);
	if (reason.outcome != OUTCOME_OK || answer_r == NULL)
		cJSON_Delete(answer);
	else
		*answer_r = answer;
	if (why != NULL)
		*why = reason;
	return reason.outcome;
}

enum outcome
grip_client_ask(struct grip_client *client, cJSON *request, cJSON **answer_r,
    struct reason *why)
{
	enum outcome outcome;

	if (answer_r != NULL)
		*answer_r = NULL;
	outcome = grip_client_run(client, request, answer_r, why);
	cJSON_Delete(request);
	return outcome;
}

/* ---- signer ---- */

enum outcome
grip_client_token(struct grip_client *client, const char *identity,
    enum grip_type type, const struct grip_claims *claims, char **token_r,
    struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	*token_r = NULL;
	outcome = grip_client_ask(client,
	    grip_protocol_token(identity, type, claims), &answer, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (json_string(answer, "token") == NULL)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "an answer without the token");
	else if ((*token_r = strdup(json_string(answer, "token"))) == NULL)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	cJSON_Delete(answer);
	return outcome;
}

enum outcome
grip_client_identities(struct grip_client *client,
    struct grip_identities **identities_r, struct reason *why)
{
	struct grip_identities *list = calloc(1, sizeof(*list));
	enum outcome outcome;
	cJSON *answer = NULL;
	bool more = true;
	size_t before;

	*identities_r = NULL;
	if (list == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	do { /* a packet holds only so many certificates */
		before = list->count;
		outcome = grip_client_ask(client,
		    grip_protocol_identities(
			before > 0 ? list->items[before - 1].name : NULL),
		    &answer, why);
		if (outcome != OUTCOME_OK)
			break;
		outcome =
		    grip_protocol_identities_parse(answer, list, &more, why);
		cJSON_Delete(answer);
	} while (outcome == OUTCOME_OK && more && list->count > before);
	if (outcome != OUTCOME_OK)
		grip_identities_free(&list);
	*identities_r = list;
	return outcome;
}

enum outcome
grip_client_handshake(struct grip_client *client, const char *identity,
    const void *content, size_t len, void *signature_r, size_t *len_r,
    struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	outcome = grip_client_ask(client,
	    grip_protocol_handshake(identity, content, len), &answer, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (grip_protocol_bytes(answer, "signature", signature_r, len_r) != 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "an answer without a signature");
	cJSON_Delete(answer);
	return outcome;
}

/* ---- resolver ---- */

enum outcome
grip_client_verify(struct grip_client *client, const struct grip_verify *verify,
    struct grip_verdict *verdict_r, struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	memset(verdict_r, 0, sizeof(*verdict_r));
	outcome =
	    grip_client_ask(client, grip_protocol_verify(verify), &answer, why);
	if (outcome == OUTCOME_OK)
		outcome = grip_protocol_verdict_parse(answer, verdict_r, why);
	cJSON_Delete(answer);
	return outcome;
}

enum outcome
grip_client_addresses(struct grip_client *client, const char *host,
    struct grip_addresses *addresses_r, struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	memset(addresses_r, 0, sizeof(*addresses_r));
	outcome = grip_client_ask(client, grip_protocol_addresses(host),
	    &answer, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    grip_protocol_addresses_parse(answer, addresses_r, why);
	cJSON_Delete(answer);
	return outcome;
}

enum outcome
grip_client_keys(struct grip_client *client, const char *name,
    struct grip_keys *keys_r, struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	memset(keys_r, 0, sizeof(*keys_r));
	outcome =
	    grip_client_ask(client, grip_protocol_keys(name), &answer, why);
	if (outcome == OUTCOME_OK)
		outcome = grip_protocol_keys_parse(answer, keys_r, why);
	cJSON_Delete(answer);
	return outcome;
}

enum outcome
grip_client_cargomail(struct grip_client *client, const char *domain,
    struct grip_capability *capability_r, struct reason *why)
{
	cJSON *answer = NULL;
	enum outcome outcome;

	memset(capability_r, 0, sizeof(*capability_r));
	outcome = grip_client_ask(client, grip_protocol_cargomail(domain),
	    &answer, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    grip_protocol_cargomail_parse(answer, capability_r, why);
	cJSON_Delete(answer);
	return outcome;
}

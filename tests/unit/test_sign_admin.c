/* SPDX-License-Identifier: ISC
 *
 * What the signer tells the administrator, over a real admin socket: all of
 * it, however many identities there are.
 */
#include "test.h"

#include <event2/event.h>

#include "control.h"
#include "json_strict.h"
#include "sign_admin.h"
#include "sign_fixture.h"

#define MANY 2000

static struct sign_fixture fixture;
static char path[96];

static void
on_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	cJSON *status = cJSON_CreateObject();

	(void)request;
	json_add_string(status, "outcome", "ok");
	json_add_integer(status, "pid", 7);
	sign_admin_status(context, status, connection);
}

static void
on_identities(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	sign_admin_identities(context, connection);
}

static const struct control_verb verbs[] = {
	{ "status", on_status },
	{ "identities", on_identities },
	{ NULL, NULL },
};

static pid_t
start_server(struct sign_ring *ring)
{
	struct unix_socket_owner owner = { 0, 0, 0600 };
	int fd = unix_socket_listen(path, SOCK_SEQPACKET, &owner);
	struct event_base *base;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		close(fd);
		return pid;
	}
	base = event_base_new();
	control_start(base, fd, verbs, ring);
	event_base_dispatch(base);
	_exit(0);
}

/* The packets of an answer, in an array; NULL if there is no whole one. */
static cJSON *
ask(const char *verb)
{
	cJSON *request = cJSON_CreateObject(), *list = cJSON_CreateArray();
	int fd = unix_socket_connect(path, SOCK_SEQPACKET, 20000);
	char *error = NULL;
	bool last = false;
	cJSON *packet;

	json_add_string(request, "verb", verb);
	packet = control_ask(fd, request, &error);
	while (packet != NULL) {
		CHECK_STRING(json_string(packet, "outcome"), "ok");
		last = json_boolean(packet, "last") == 1;
		cJSON_AddItemToArray(list, packet);
		packet = last ? NULL : control_next(fd, &error);
	}
	CHECK_FOR(last, "%s: %s", verb, error != NULL ? error : "-");
	free(error);
	close(fd);
	return list;
}

/* Names of the policy in their order; how many. */
static int
count_identities(const cJSON *packets)
{
	const cJSON *packet, *item;
	char name[64];
	int count = 0;

	cJSON_ArrayForEach(packet, packets)
	{
		cJSON_ArrayForEach(item, json_array(packet, "identities"))
		{
			snprintf(name, sizeof(name), "_cb.d%d.test", count);
			if (count++ > 0)
				CHECK_STRING(json_string(item, "name"), name);
			CHECK_STRING(json_string(item, "file"), "_cb.bar.test");
		}
	}
	return count;
}

static int
count_lines(const cJSON *packets)
{
	const cJSON *packet, *member;
	int count = 0;

	cJSON_ArrayForEach(packet, packets)
	{
		cJSON_ArrayForEach(member, packet)
		{
			if (strncmp(member->string, "_cb.", 4) == 0 &&
			    cJSON_IsString(member) &&
			    strstr(member->valuestring, "broker key=") != NULL)
				count++;
		}
	}
	return count;
}

/* The first identity so many times, under other names: reading the key as
 * often would take most of the time. */
static void
multiply(const struct sign_ring *ring, int count, struct sign_ring *many_r)
{
	*many_r = *ring;
	many_r->policy.count = (size_t)count;
	many_r->items = calloc((size_t)count, sizeof(*many_r->items));
	for (int i = 0; i < count; i++) {
		many_r->items[i] = ring->items[0];
		if (i > 0 &&
		    asprintf(&many_r->items[i].shown.name, "_cb.d%d.test", i) <
			0)
			abort();
	}
}

static void
check_all(int count)
{
	struct sign_ring many;
	cJSON *packets;
	pid_t pid;

	multiply(fixture.ring, count, &many);
	pid = start_server(&many);
	packets = ask("identities");
	CHECK(count_identities(packets) == count);
	cJSON_Delete(packets);
	packets = ask("status");
	CHECK(count_lines(packets) == count);
	/* What one packet holds comes in one, as it did. */
	CHECK((cJSON_GetArraySize(packets) == 1) == (count < 10));
	cJSON_Delete(packets);
	sign_fixture_stop(pid);
	for (int i = 1; i < count; i++)
		free(many.items[i].shown.name);
	free(many.items);
}

TEST(one_identity_is_told)
{
	check_all(1);
}

TEST(thousands_of_identities_are_told)
{
	check_all(MANY);
}

int
main(void)
{
	if (geteuid() != 0) {
		printf("1..0 # skip: needs root\n");
		return 0;
	}
	log_open("signer", LOG_ERROR + 1);
	if (sign_fixture_open(&fixture, "p256") != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/control.sock", fixture.directory);
	RUN(one_identity_is_told);
	RUN(thousands_of_identities_are_told);
	sign_fixture_close(&fixture);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * What is known of recipients' domains, with a gripd that is a table.
 */
#include "capability.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grip_protocol.h"
#include "json_strict.h"
#include "log.h"
#include "test.h"
#include "unix_socket.h"

#define SOCKET_PATH "/tmp/test_capability"
#define NOW 1795914000

static const struct {
	const char *domain, *answer; /* NULL: silence */
} gripd[] = {
	{ "bar.test",
	    "\"outcome\":\"ok\",\"present\":true,\"secure\":true,"
	    "\"ttl\":20" },
	{ "insecure.test",
	    "\"outcome\":\"ok\",\"present\":true,"
	    "\"secure\":false,\"ttl\":600" },
	{ "plain.test",
	    "\"outcome\":\"ok\",\"present\":false,"
	    "\"secure\":true,\"ttl\":600" },
	{ "bogus.test",
	    "\"outcome\":\"tempfail\",\"reason\":\"dns\","
	    "\"detail\":\"SERVFAIL\"" },
	{ "odd.test", "\"outcome\":\"ok\",\"present\":true" },
	{ "refused.test",
	    "\"outcome\":\"permfail\",\"reason\":\"form\",\"detail\":\"no\"" },
	{ "_x.test",
	    "\"outcome\":\"permfail\",\"reason\":\"form\",\"detail\":\"no\"" },
	{ "silent.test", NULL },
};

static int *questions; /* shared with the child */

static void
answer(int fd, const char *packet, size_t len)
{
	cJSON *request = json_parse(packet, len, NULL);
	const char *domain = json_string(request, "domain");
	char text[300] = "{\"protocol\":\"grip-resolve\",\"version\":1}";
	int64_t id = 0;

	if (domain != NULL) {
		++*questions;
		text[0] = '\0';
		json_integer(request, "id", 0, JSON_MAX_INTEGER, &id);
	}
	for (size_t i = 0; i < sizeof(gripd) / sizeof(gripd[0]); i++)
		if (domain != NULL && strcmp(domain, gripd[i].domain) == 0 &&
		    gripd[i].answer != NULL)
			snprintf(text, sizeof(text), "{\"id\":%lld,%s}",
			    (long long)id, gripd[i].answer);
	cJSON_Delete(request);
	if (text[0] != '\0')
		unix_socket_send(fd, text, strlen(text));
}

static void
serve(int listener)
{
	static char packet[GRIP_PROTOCOL_PACKET_MAX];
	fd_set set;

	for (;;) {
		ssize_t len;
		int fd;

		FD_ZERO(&set);
		FD_SET(listener, &set);
		select(listener + 1, &set, NULL, NULL, NULL);
		fd = accept(listener, NULL, NULL);
		while (
		    (len = unix_socket_receive(fd, packet, sizeof(packet))) > 0)
			answer(fd, packet, (size_t)len);
		close(fd);
	}
}

static pid_t
start(void)
{
	struct unix_socket_owner owner = { getuid(), getgid(), 0600 };
	int listener = unix_socket_listen(SOCKET_PATH, SOCK_SEQPACKET, &owner);
	pid_t pid = fork();

	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

TEST(unknown_is_never_yes)
{
	static const struct {
		const char *domain;
		enum capability capability;
		bool secure;
	} rows[] = {
		{ "bar.test", CAPABILITY_YES, true },
		{ "insecure.test", CAPABILITY_YES, false },
		{ "plain.test", CAPABILITY_NO, true },
		{ "bogus.test", CAPABILITY_UNKNOWN, false },
		{ "odd.test", CAPABILITY_UNKNOWN, false },
		{ "refused.test", CAPABILITY_UNKNOWN, false },
		{ "silent.test", CAPABILITY_UNKNOWN, false },
		{ "_x.test", CAPABILITY_NO, false },
	};
	struct capability_cache *cache = capability_new(SOCKET_PATH, 200);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capability_answer got =
		    capability_find(cache, rows[i].domain, NOW, "Q");

		CHECK_FOR(got.capability == rows[i].capability &&
			got.secure == rows[i].secure,
		    "%s: %s", rows[i].domain, capability_name(got.capability));
	}
	capability_free(&cache);
	cache = capability_new("/nonexistent/resolve.sock", 200);
	CHECK(capability_find(cache, "bar.test", NOW, "Q").capability ==
	    CAPABILITY_UNKNOWN);
	capability_free(&cache);
	CHECK(cache == NULL);
}

TEST(asks_once_for_a_while)
{
	static const struct {
		const char *domain;
		int64_t seconds;
	} rows[] = { { "bar.test", 20 }, { "plain.test", CAPABILITY_SECONDS },
		{ "bogus.test", CAPABILITY_UNKNOWN_SECONDS } };
	struct capability_cache *cache = capability_new(SOCKET_PATH, 200);

	for (size_t i = 0; i < 3; i++) {
		const char *domain = rows[i].domain;
		int64_t end = NOW + rows[i].seconds;
		enum capability first;

		*questions = 0;
		first = capability_find(cache, domain, NOW, "Q").capability;
		CHECK(capability_find(cache, domain, end, "Q").capability ==
		    first);
		CHECK_FOR(*questions == 1, "%s", domain);
		capability_find(cache, domain, end + 1, "Q");
		CHECK_FOR(*questions == 2, "%s", domain);
	}
	capability_free(&cache);
}

TEST(forgets_the_oldest)
{
	struct capability_cache *cache = capability_new(SOCKET_PATH, 5);
	char domain[40];

	capability_find(cache, "plain.test", NOW, "Q");
	for (int i = 0; i < CAPABILITY_CACHE_MAX; i++) {
		snprintf(domain, sizeof(domain), "_%d.test", i);
		capability_find(cache, domain, NOW, "Q");
	}
	*questions = 0;
	capability_find(cache, domain, NOW, "Q");
	CHECK(*questions == 0);
	CHECK(capability_find(cache, "plain.test", NOW, "Q").capability ==
	    CAPABILITY_NO);
	CHECK(*questions == 1);
	/* No domain is not the empty place of another. */
	CHECK(
	    capability_find(cache, "", NOW, "Q").capability != CAPABILITY_YES);
	capability_free(&cache);
}

int
main(void)
{
	pid_t pid;

	log_open("test", LOG_ERROR);
	questions = mmap(NULL, sizeof(*questions), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = start();
	RUN(unknown_is_never_yes);
	RUN(asks_once_for_a_while);
	RUN(forgets_the_oldest);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(SOCKET_PATH);
	return test_done();
}

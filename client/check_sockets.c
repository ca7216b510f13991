/* SPDX-License-Identifier: ISC
 *
 * Sockets. The place of a socket is the permission, so each one of
 * lib/peer_list must be in its client's room, the client's and closed to
 * everybody else. Under systemd a socket may be there while nobody serves it:
 * that is for `daemons`.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "memory.h"
#include "json_strict.h"
#include "peer_list.h"

static bool
is_here(const struct check *check, enum peer peer)
{
	const struct check_config *config = &check->config;
	const bool here[PEER_COUNT] = {
		[PEER_SIGN] = config->gripd,
		[PEER_RESOLVE] = config->gripd,
		[PEER_MAILBOX] = config->mailboxd,
		[PEER_RETRIEVAL] = config->retrievald,
		[PEER_BROKER] = config->broker,
	};

	return here[peer];
}

static const char *
daemon_of(enum peer peer)
{
	static const char *const names[PEER_COUNT] = {
		[PEER_SIGN] = "gripd-sign",
		[PEER_RESOLVE] = "gripd-resolve",
		[PEER_MAILBOX] = "mailboxd",
		[PEER_RETRIEVAL] = "retrievald",
		[PEER_BROKER] = "broker",
	};

	return names[peer];
}

/* A socket that must be `user`'s with this mode. Says what is wrong. */
static bool
check_one(struct check *check, const char *path, const char *user,
    const char *server)
{
	char *full = check_path(check, path);
	struct stat st;
	uid_t uid;
	int rc = lstat(full, &st);

	free(full);
	if (rc != 0 || !S_ISSOCK(st.st_mode)) {
		check_say(check, CHECK_FAIL, path, "%s",
		    rc == 0 ? "is no socket" : strerror(errno));
		check_why(check,
		    "its client cannot reach the server, and "
		    "waits");
		check_cure(check,
		    "%ssystemctl restart cargomail.target; without systemd, "
		    "restart %s",
		    rc == 0 ? "move it out of the way, then: " : "", server);
		return false;
	}
	if (check->world->user(check->world->arg, user, &uid) != 0) {
		check_say(check, CHECK_FAIL, path, "there is no user %s", user);
		check_why(check, "the socket must belong to that user");
		check_cure(check, PREFIX "/share/cargomail/create-users");
		return false;
	}
	if (st.st_uid == uid && (st.st_mode & 0177) == 0)
		return true;
	check_say(check, CHECK_FAIL, path,
	    "belongs to uid %u with mode %04o; wanted: %s, 0600",
	    (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777), user);
	check_why(check,
	    st.st_uid == uid ? "others than its client could connect" :
			       "its client cannot connect");
	check_cure(check, "chown %s %s; chmod 600 %s (a restart of %s does it)",
	    user, path, path, server);
	return false;
}

static void
check_routes(struct check *check, size_t *good)
{
	size_t count;
	const struct peer_route *routes = peer_list(&count);

	for (size_t i = 0; i < count; i++) {
		char *path;

		if (!is_here(check, routes[i].server) ||
		    !is_here(check, routes[i].client))
			continue;
		path = x_asprintf("%s/%s%s", check->config.grip.base_directory,
		    peer_directory(routes[i].client), routes[i].socket);
		*good += check_one(check, path, peer_user(routes[i].client),
		    daemon_of(routes[i].server));
		free(path);
	}
}

/* Postfix's public/, as the broker sees it: in its own mount namespace. */
static void
check_way_back(struct check *check, const char *reinject, size_t *good)
{
	char *error = NULL, *path, *full;
	bool hidden, there;
	cJSON *status;
	int64_t pid;

	if (strncmp(reinject, "unix:", 5) != 0)
		return;
	status = check_ask(check, "broker", "status", &error);
	free(error);
	if (json_integer(status, "pid", 1, INT32_MAX, &pid) != 0) {
		cJSON_Delete(status);
		return; /* `daemons` says so */
	}
	cJSON_Delete(status);
	path = x_asprintf("/proc/%d", (int)pid);
	full = check_path(check, path);
	hidden = access(full, F_OK) != 0; /* from this unit, or this user */
	free(path);
	free(full);
	path = x_asprintf("/proc/%d/root%s", (int)pid, reinject + 5);
	full = check_path(check, path);
	there = access(full, F_OK) == 0;
	if (there || hidden || errno == EACCES || errno == EPERM) {
		*good += there;
	} else {
		check_say(check, CHECK_FAIL, reinject,
		    "is not in the broker's room");
		check_why(check,
		    "the broker cannot give mail back: "
		    "placeholders wait in the queue with 451");
		check_cure(check,
		    "is the service in master.cf (postfix-setup, postfix "
		    "reload)? Then: systemctl restart cargomail-broker, which "
		    "mounts /var/spool/postfix/public at run/postfix; without "
		    "systemd, mount --bind it at %s/broker/run/postfix",
		    check->config.grip.base_directory);
	}
	free(path);
	free(full);
}

/* ---- the port ---------------------------------------------------------- */

/* Who listens at a port, by one family. */
struct listeners {
	size_t all, any; /* of which at any address */
};

/* Lines of /proc/net/tcp: "0: 00000000:01BB 00000000:0000 0A ...". ss(8) may
 * not be there, and no library reads them. */
static struct listeners
count_listeners(const struct check *check, const char *path, unsigned port)
{
	struct listeners count = { 0, 0 };
	char *text = check_read(check, path), *rest = text, *line;
	char address[33];
	unsigned at, state;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x",
			address, &at, &state) != 3 ||
		    at != port || state != TCP_LISTEN)
			continue;
		count.all++;
		count.any += strspn(address, "0") == strlen(address);
	}
	free(text);
	return count;
}

/* The unit of the port lets itself be opened beside another that does, too
 * (ReusePort); the kernel gives each a part of the connections. */
static void
check_port(struct check *check, unsigned port)
{
	static const char *const families[] = { "/proc/net/tcp",
		"/proc/net/tcp6" };
	char subject[16];

	snprintf(subject, sizeof(subject), "port %u", port);
	for (size_t i = 0; i < 2; i++) {
		struct listeners count =
		    count_listeners(check, families[i], port);

		if (count.any == 0 || count.all < 2)
			continue;
		check_say(check, CHECK_FAIL, subject,
		    "another program listens there, too");
		check_why(check,
		    "a part of the connections goes to it, and fails");
		check_cure(check,
		    "ss -ltnp sport = :%u shows it; stop it, then: systemctl "
		    "restart cargomail-https.socket",
		    port);
		return;
	}
}

void
check_sockets(struct check *check)
{
	const struct check_config *config = &check->config;
	size_t good = 0, before = check->count;

	check_routes(check, &good);
	if (config->mailboxd)
		check_port(check, (unsigned)config->mailbox.public_port);
	if (config->broker) {
		good += check_one(check, config->broker_keys.listen,
		    config->broker_keys.listen_user, "broker");
		check_way_back(check, config->broker_keys.reinject, &good);
	}
	if (config->broker && config->broker_keys.out_listen[0] != '\0') {
		good += check_one(check, config->broker_keys.out_listen,
		    config->broker_keys.listen_user, "broker");
		check_way_back(check, config->broker_keys.reinject_out, &good);
	}
	if (good > 0 && check->count == before)
		check_say(check, CHECK_OK, "", "all %zu in their places", good);
}

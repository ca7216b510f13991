/* SPDX-License-Identifier: ISC
 *
 * mailboxd.conf: what the administrator says, read once at the start as
 * root and checked as a whole. mailboxd.conf(5) lists every key.
 */
#ifndef MAILBOXD_CONFIG_H
#define MAILBOXD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config_file.h"
#include "service_url.h"

#define MAILBOXD_CONFIG_DEFAULT SYSCONFDIR "/cargomail/mailboxd.conf"

enum mailboxd_release { MAILBOXD_RELEASE_NEVER, MAILBOXD_RELEASE_BROKER };

struct mailboxd_config {
	char *base_directory;
	struct config_list listen; /* "0.0.0.0:443", "[::]:443" */
	struct config_list server_names; /* own host names */
	struct config_list web_hosts; /* for browsers: "web", "host:web" */
	int proxy_protocol; /* of load balancers at layer 4 */
	int64_t public_port; /* in the URLs told to others */
	char *ports; /* that an origin may name; */
	struct service_ports origin_ports; /* the same, parsed */
	char *agent; /* "_rra.…" of every server name */
	struct config_list agents; /* "host:_rra.…", before `agent` */
	struct config_list enrolled; /* "_cb.foo.test:foo.test" */
	struct config_list create_accounts; /* "foo.test": mail domains */
	int64_t create_accounts_per_hour; /* of one of them */
	int release; /* of accounts that say nothing of it */
	int64_t quota; /* bytes, of a new account */
	int64_t sent_keep; /* seconds behind a share's end */
	int64_t resource_max; /* bytes of one resource */
	int64_t free_space_floor; /* bytes to be left on the disk */
	int64_t session_lifetime; /* seconds of an app token */
	int64_t connections;
	int64_t connections_per_client; /* 0: no bound */
	int64_t disk_threads;
	int64_t lease_time; /* seconds */
	int64_t leases_per_origin;
	int64_t retry_first, retry_most; /* seconds */
	int64_t gripd_timeout; /* seconds */
};

/* The table of keys, ended by a NULL name. */
const struct config_key *mailboxd_config_keys(void);

/* Reads and checks the file; *config_r must be zeroed. 0, or -1 with one
 * line in *error_r (free()). */
int mailboxd_config_read(const char *path, struct mailboxd_config *config_r,
    char **error_r);
void mailboxd_config_free(struct mailboxd_config *config);

/* The retrieval agent of a server name. */
const char *mailboxd_config_agent(const struct mailboxd_config *config,
    const char *server_name);

/* The host for browsers of a server name, NULL if it has none. */
const char *mailboxd_config_web(const struct mailboxd_config *config,
    const char *server_name);

/* The host that an item of web_hosts speaks of. */
const char *mailboxd_config_web_host(const char *item);

/* True if this is one of the hosts for browsers. */
bool
mailboxd_config_is_web(const struct mailboxd_config *config, const char *host);

/* True if the configuration enrols this broker for the whole domain. */
bool mailboxd_config_enrolled(const struct mailboxd_config *config,
    const char *broker, const char *domain);

/* "https://host" or "https://host:port" of an own name, of a web host too;
 * owned by the caller. */
char *mailboxd_config_url(const struct mailboxd_config *config,
    const char *server_name);

#endif

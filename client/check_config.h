/* SPDX-License-Identifier: ISC
 *
 * What the daemons' configuration says that a check needs: few keys of each
 * file, with the daemons' own defaults (a test compares them), and the
 * names in the signer's policy. Mistakes in the files are found by the
 * daemons themselves (-n).
 */
#ifndef CHECK_CONFIG_H
#define CHECK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config_file.h"

struct check_config {
	/* Which daemons have a file, and so are meant to run here. */
	bool gripd, mailboxd, retrievald, broker;
	struct {
		char *base_directory, *keys_directory, *policy_file;
		int require; /* dnssec = require */
	} grip;
	struct {
		struct config_list server_names, web_hosts;
		char *agent;
		struct config_list agents; /* "host:_rra.…", before it */
		int64_t free_space_floor, public_port;
		int proxy_protocol;
	} mailbox;
	struct {
		char *listen, *listen_user, *reinject, *out_listen,
		    *reinject_out, *destinations, *origins, *ca_bundle;
		struct config_list authserv_ids, local_mailboxes;
		char *hostname, *recipient_delimiter;
		int64_t legacy_limit;
	} broker_keys;
};

/* The tables, for the test: keys of gripd, mailboxd and broker. */
extern const struct config_key check_config_gripd[], check_config_mailboxd[],
    check_config_broker[];

/* Reads <root>/etc/cargomail/<daemon>.conf of each; a file that is wrong
 * leaves the defaults. */
void check_config_read(const char *root, struct check_config *config_r);
void check_config_free(struct check_config *config);

#endif

/* SPDX-License-Identifier: ISC
 *
 * ~/.config/cargomail/config: who the user is and which Resource Mailboxes
 * they have. `key = value` lines as in all our files, and a section for each
 * mailbox, so that one who knows mbsync or aerc feels at home:
 *
 *   address = alice@foo.test
 *   sendmail = /usr/sbin/sendmail -i -t ...
 *
 *   [mailbox health]
 *   url = https://mailbox.hospital.test
 *   password_command = pass show hospital
 *   categories = healthcare
 *
 * Trusted: it is the user's own. It holds no password; one who may write to
 * it may run commands as the user, so it must belong to the user.
 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include <stdint.h>

#include "config_file.h"

#define CLIENT_CONFIG_MAX_MAILBOXES 64

struct client_mailbox {
	char *name; /* of the section */
	char *url; /* https://host[:port], normalised */
	char *user; /* name to log in with */
	char *password_command; /* run by /bin/sh -c */
	struct config_list categories; /* empty: for all others */
	int send; /* also for sending */
};

struct client_config {
	char *address; /* the user's, NULL-free */
	char *name; /* display name for From, may be "" */
	char *sendmail; /* command and arguments, by white space */
	int64_t expires; /* of a share, seconds */
	char *ca_bundle;
	int64_t wait; /* patience of `open` for what is pending, seconds */
	struct client_mailbox *mailboxes;
	size_t mailbox_count;
};

/* The keys before the first section and those of a mailbox; for the test of
 * the manual. */
extern const struct config_key client_config_keys[];
extern const struct config_key client_config_mailbox_keys[];

/* Reads `path`, which must be the user's own or root's and writable by
 * nobody else. 0, or -1 with *error_r (one line, free()). */
int client_config_read(const char *path, struct client_config *config_r,
    char **error_r);

/* The same from memory; `name` stands for the path. */
int client_config_parse(const char *name, const char *text, size_t len,
    struct client_config *config_r, char **error_r);

void client_config_free(struct client_config *config);

/* $XDG_CONFIG_HOME/cargomail/config or ~/.config/cargomail/config. The
 * caller frees; NULL if there is no home. */
char *client_config_default_path(void);

/* The mailbox to send from: the first for sending that names the category,
 * else the first that names none; NULL if there is neither. */
const struct client_mailbox *
client_config_for_category(const struct client_config *config,
    const char *category);

/* The mailbox at this URL (in any spelling that service_url accepts); NULL
 * if the user has none there. The only way a URL from a message gets near
 * a password. */
const struct client_mailbox *
client_config_for_url(const struct client_config *config, const char *url);

/* The mailbox of this section name, or NULL. */
const struct client_mailbox *
client_config_by_name(const struct client_config *config, const char *name);

#endif

/* SPDX-License-Identifier: ISC
 *
 * broker.conf(5).
 */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include <stdint.h>

#include "config_file.h"
#include "outward.h"

enum broker_unauthenticated {
	BROKER_UNAUTHENTICATED_DELIVER,
	BROKER_UNAUTHENTICATED_REJECT,
};

/* What becomes of a recipient without Cargomail to whom the original is too
 * large. */
enum broker_legacy {
	BROKER_LEGACY_PAGE,
	BROKER_LEGACY_BOUNCE,
};

struct broker_config {
	char *base_directory;
	char *group; /* supplementary: may use Postfix's sockets */
	char *hostname; /* in LHLO, EHLO and Received; "": the system's */
	char *listen; /* socket for Postfix's lmtp(8) */
	char *listen_user; /* who owns it */
	char *reinject; /* "unix:PATH" in the chroot or "inet:HOST:PORT" */
	struct config_list authserv_ids;
	int unauthenticated;
	char *destinations; /* path of the map */
	char *recipient_delimiter;
	struct config_list local_mailboxes; /* URLs reached by mailbox.sock */
	struct outward outward;
	int64_t connect_timeout; /* seconds */
	int64_t notify_timeout;
	int64_t notify_give_up;
	int64_t breaker_failures;
	int64_t breaker_pause;
	int64_t gripd_timeout;
	int64_t smtp_timeout;
	int64_t max_connections;
	int64_t max_message_size;
	/* The original in place of the placeholder. */
	int64_t deliver_original_up_to; /* bytes of it; 0: never */
	int64_t release_wait; /* seconds that Postfix waits with us */
	int64_t release_give_up; /* seconds since it came */
	/* Outbound. */
	char *out_listen; /* the other socket; "": none */
	char *reinject_out; /* where mail is signed */
	char *origins; /* path of the map */
	int convert; /* enum cargo_convert_mode */
	int64_t convert_threshold; /* bytes of a part as it stands */
	int64_t legacy_limit; /* bytes of a message */
	int legacy;
	int64_t share_lifetime; /* seconds */
};

/* For the test of the manual. */
extern const struct config_key broker_config_keys[];

/* 0, or -1 with *error_r (one line, free()). */
int broker_config_read(const char *path, struct broker_config *config_r,
    char **error_r);
void broker_config_free(struct broker_config *config);

#endif

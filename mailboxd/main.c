/* SPDX-License-Identifier: ISC
 *
 * mailboxd: the Resource Mailbox. The only durable state of the suite and
 * the only writer of it; no key, no DNS, no foreign token is read here.
 */
#include <stdio.h>
#include <sysexits.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdlib.h>

#include "daemon.h"
#include "log.h"
#include "mailboxd_config.h"
#include "memory.h"
#include "peer_list.h"
#include "server.h"

int
main(int argc, char **argv)
{
	/* Values that could not be completed for want of memory must not
	 * reach the disk: cJSON aborts like the rest of the daemon. */
	cJSON_Hooks hooks = { x_malloc, free };
	struct daemon_options options = { .config = MAILBOXD_CONFIG_DEFAULT };
	struct mailboxd_config config = { 0 };
	struct mailboxd mailboxd = { .config = &config };
	struct server_sockets sockets;
	char *error = NULL;
	int status;

	daemon_options(argc, argv, false, &options);
	log_open("mailboxd", options.debug ? LOG_DEBUG : LOG_INFO);
	cJSON_InitHooks(&hooks);
	if (sodium_init() == -1)
		log_fatal(EX_OSERR, "libsodium cannot start");
	/* OpenSSL reads its own configuration while it still can. */
	OPENSSL_init_crypto(0, NULL);
	if (mailboxd_config_read(options.config, &config, &error) == -1)
		log_fatal(EX_CONFIG, "%s", error);
	if (options.check) {
		mailboxd_config_free(&config);
		return EX_OK;
	}
	daemon_prepare();
	if (server_bind(&mailboxd, &sockets, &error) == -1)
		log_fatal(EX_OSERR, "%s", error);
	peer_enter_room(PEER_MAILBOX, config.base_directory, NULL);
	status = server_run(&mailboxd, &sockets);
	mailboxd_config_free(&config);
	return status;
}

/* SPDX-License-Identifier: ISC
 *
 * gripd: `-r sign` holds the keys, `-r resolve` asks the DNS and reads
 * foreign tokens; they are two processes under two users that share this
 * program only. `gripd keygen` makes keys, offline.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/crypto.h>
#include <sodium.h>

#include "daemon.h"
#include "gripd_config.h"
#include "keygen.h"
#include "log.h"
#include "peer_list.h"
#include "resolve.h"
#include "sign.h"

/* What cannot be opened although the configuration is good is the system's
 * refusal, as with the other daemons: a socket that cannot be bound. */
static void
fail(int checked, const char *error)
{
	log_fatal(checked == 0 ? EX_OSERR : EX_CONFIG, "%s", error);
}

static int
run_sign(const struct gripd_config *config)
{
	struct sign *sign;
	char *error = NULL, *other = NULL;

	sign = sign_open(config, &error);
	if (sign == NULL)
		fail(sign_check(config, &other), error);
	peer_enter_room(PEER_SIGN, config->base_directory, NULL);
	return sign_serve(&sign);
}

static int
run_resolve(const struct gripd_config *config)
{
	struct resolve *resolve;
	char *error = NULL, *other = NULL;

	resolve = resolve_open(config, &error);
	if (resolve == NULL)
		fail(resolve_check(config, &other), error);
	peer_enter_room(PEER_RESOLVE, config->base_directory, NULL);
	return resolve_serve(&resolve);
}

static const struct role {
	const char *name;
	const char *daemon; /* in the log */
	int (*check)(const struct gripd_config *, char **error_r);
	int (*run)(const struct gripd_config *);
} roles[] = {
	{ "sign", "gripd-sign", sign_check, run_sign },
	{ "resolve", "gripd-resolve", resolve_check, run_resolve },
};

#define ROLE_COUNT (sizeof(roles) / sizeof(roles[0]))

static const struct role *
find_role(const char *name)
{
	for (size_t i = 0; name != NULL && i < ROLE_COUNT; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	fprintf(stderr, "gripd: -r sign or -r resolve\n");
	exit(EX_USAGE);
}

int
main(int argc, char **argv)
{
	struct daemon_options options = {
		.config = SYSCONFDIR "/cargomail/gripd.conf",
	};
	struct gripd_config config;
	const struct role *role;
	char *error = NULL;
	int result;

	if (sodium_init() == -1)
		return EX_OSERR;
	if (argc > 1 && strcmp(argv[1], "keygen") == 0)
		return keygen_main(argc - 1, argv + 1);
	daemon_options(argc, argv, true, &options);
	role = find_role(options.role);
	log_open(role->daemon, options.debug ? LOG_DEBUG : LOG_INFO);
	/* OpenSSL reads its own configuration while it still can. */
	OPENSSL_init_crypto(0, NULL);
	if (gripd_config_read(options.config, &config, &error) != 0)
		log_fatal(EX_CONFIG, "%s", error);
	if (options.check) {
		if (role->check(&config, &error) != 0)
			log_fatal(EX_CONFIG, "%s", error);
		gripd_config_free(&config);
		return EX_OK;
	}
	daemon_prepare();
	result = role->run(&config);
	gripd_config_free(&config);
	return result == 0 ? EX_OK : EX_OSERR;
}

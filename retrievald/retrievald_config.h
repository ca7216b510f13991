/* SPDX-License-Identifier: ISC
 *
 * retrievald.conf(5).
 */
#ifndef RETRIEVALD_CONFIG_H
#define RETRIEVALD_CONFIG_H

#include <stdint.h>

#include "config_file.h"
#include "outward.h"

#define RETRIEVALD_MAX_WORKERS 64

struct retrievald_config {
	char *base_directory;
	int64_t workers;
	struct outward outward;
	int64_t connect_timeout; /* seconds */
	int64_t stall_timeout; /* seconds below minimum_rate */
	int64_t minimum_rate; /* bytes a second */
	int64_t slice; /* seconds of a pull while others wait */
	int64_t lease_wait; /* seconds of long poll */
	int64_t gripd_timeout; /* seconds, signer and resolver */
};

/* For the test of the manual. */
extern const struct config_key retrievald_config_keys[];

/* 0, or -1 with *error_r (one line, free()). */
int retrievald_config_read(const char *path, struct retrievald_config *config_r,
    char **error_r);
void retrievald_config_free(struct retrievald_config *config);

#endif

/* SPDX-License-Identifier: ISC
 *
 * broker.conf(5): what is checked beyond the types of its keys.
 */
#include <stdlib.h>
#include <unistd.h>

#include "broker_config.h"
#include "cargo_convert.h"
#include "test.h"

#define BASE \
	"authserv_ids = mx.foo.test\nhostname = mx.foo.test\n" \
	"ca_bundle =\n"

/* Reads a configuration from a file; 0, or -1 and the error in `text_r`. */
static int
read_text(const char *text, struct broker_config *config_r, char text_r[512])
{
	char path[] = "/tmp/test-broker-XXXXXX";
	int fd = mkstemp(path), result;
	char *error = NULL;

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	result = broker_config_read(path, config_r, &error);
	unlink(path);
	snprintf(text_r, 512, "%s", error != NULL ? error : "");
	free(error);
	return result;
}

TEST(outbound_keys)
{
	struct broker_config config;
	char error[512];

	CHECK_FOR(read_text(BASE, &config, error) == 0, "%s", error);
	CHECK_STRING(config.out_listen, "");
	CHECK_STRING(config.reinject_out, "unix:/run/postfix/cargomail-sign");
	CHECK(config.convert == CARGO_CONVERT_LARGE);
	CHECK(config.convert_threshold == 5 << 20);
	CHECK(config.legacy_limit == 25 << 20);
	CHECK(config.legacy == BROKER_LEGACY_PAGE);
	CHECK(config.share_lifetime == 14 * 86400);
	broker_config_free(&config);
	CHECK_FOR(read_text(BASE "convert = all\nlegacy = bounce\n"
				 "out_listen = /x/out.sock\n",
		      &config, error) == 0,
	    "%s", error);
	CHECK(config.convert == CARGO_CONVERT_ALL);
	CHECK(config.legacy == BROKER_LEGACY_BOUNCE);
	broker_config_free(&config);
}

TEST(what_is_refused)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{ "hostname = x\n", "authserv_ids" },
		{ BASE "user = nobody\n", "always cargomail-broker" },
		{ BASE "out_listen = out.sock\n", "absolute" },
		{ BASE "listen = /a\nout_listen = /a\n", "out_listen" },
		{ BASE "reinject_out = /a\n", "reinject_out" },
		{ BASE "reinject = nothing\n", "reinject:" },
		{ BASE "convert = some\n", "convert" },
		{ BASE "legacy = link\n", "legacy" },
		{ BASE "share_lifetime = 15d\n", "share_lifetime" },
		{ BASE "share_lifetime = 1m\n", "share_lifetime" },
	};
	struct broker_config config;
	char error[512];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		CHECK_FOR(read_text(table[i].text, &config, error) == -1,
		    "row %zu", i);
		CHECK_FOR(strstr(error, table[i].says) != NULL, "row %zu: %s",
		    i, error);
	}
}

int
main(void)
{
	RUN(outbound_keys);
	RUN(what_is_refused);
	return test_done();
}

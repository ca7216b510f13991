/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "retrievald_config.h"
#include "test.h"

static const struct {
	const char *text, *error; /* NULL: good */
} files[] = {
	{ "", NULL },
	{ "workers = 3\nports = 443\ntls_trust = webpki, dns\n"
	  "allow_addresses = 198.51.100.0/24, 2001:db8::/32\n",
	    NULL },
	{ "workers = 0\n", "workers" },
	{ "workers = 65\n", "workers" },
	{ "worker = 8\n", "worker" },
	{ "signer_timeout = 5s\n", "use gripd_timeout" },
	{ "user = nobody\n", "always cargomail-retrieval" },
	{ "ports = 443, http\n", "ports" },
	{ "tls_trust = everybody\n", "tls_trust" },
	{ "tls_trust =\n", "tls_trust" },
	{ "allow_addresses = 198.51.100.1/24\n", "allow_addresses" },
	{ "base_directory = var\n", "base_directory" },
};

static int
read_text(const char *text, struct retrievald_config *config, char **error)
{
	char path[] = "/tmp/test-retrievald-XXXXXX";
	int fd = mkstemp(path), result;

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	result = retrievald_config_read(path, config, error);
	unlink(path);
	return result;
}

TEST(files_are_taken_or_the_key_is_named)
{
	struct retrievald_config config;
	char *error;
	size_t i;
	int result;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		error = NULL;
		result = read_text(files[i].text, &config, &error);
		CHECK_FOR((result == 0) == (files[i].error == NULL), "%zu: %s",
		    i, error != NULL ? error : "taken");
		if (result == 0) {
			retrievald_config_free(&config);
			continue;
		}
		CHECK_FOR(strstr(error, files[i].error) != NULL, "%s", error);
		free(error);
	}
}

TEST(defaults_are_sane)
{
	struct retrievald_config config;
	char *error;

	CHECK(read_text("", &config, &error) == 0);
	CHECK(config.workers == 8);
	CHECK(config.outward.port_list.count == 2);
	CHECK(outward_trusts(&config.outward, "webpki"));
	CHECK(!outward_trusts(&config.outward, "dns"));
	retrievald_config_free(&config);
}

int
main(void)
{
	RUN(files_are_taken_or_the_key_is_named);
	RUN(defaults_are_sane);
	return test_done();
}

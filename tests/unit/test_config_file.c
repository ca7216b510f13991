/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdlib.h>

#include "config_file.h"
#include "test.h"

struct settings {
	char *name;
	struct config_list hosts;
	int64_t workers, limit, period;
	int strict, trust;
};

static const char *const words[] = { "webpki", "dns", NULL };

static const struct config_key keys[] = {
	{ "name", CONFIG_STRING, offsetof(struct settings, name), NULL, 0, 0,
	    NULL },
	{ "hosts", CONFIG_LIST, offsetof(struct settings, hosts), "", 0, 0,
	    NULL },
	{ "workers", CONFIG_INTEGER, offsetof(struct settings, workers), "8", 1,
	    64, NULL },
	{ "limit", CONFIG_SIZE, offsetof(struct settings, limit), "25M", 0, 0,
	    NULL },
	{ "period", CONFIG_DURATION, offsetof(struct settings, period), "1h", 0,
	    0, NULL },
	{ "strict", CONFIG_BOOLEAN, offsetof(struct settings, strict), "no", 0,
	    0, NULL },
	{ "trust", CONFIG_CHOICE, offsetof(struct settings, trust), "webpki", 0,
	    0, words },
	CONFIG_OLD("ceiling", "use limit"),
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

TEST(values_defaults_and_continuation)
{
	static const char text[] = "# comment\n"
				   "name = mailbox.hospital.test\n"
				   "hosts = a.test,\n"
				   "    b.test\n"
				   "\t# still a comment\n"
				   "\tc.test\n"
				   "\n"
				   "limit=2G\r\n"
				   "strict = yes\n"
				   "trust = dns";
	struct settings settings = { 0 };
	char *error = NULL;

	CHECK(config_file_parse("x.conf", text, strlen(text), keys, &settings,
		  &error) == 0);
	CHECK_STRING(settings.name, "mailbox.hospital.test");
	CHECK(settings.hosts.count == 3);
	CHECK(config_list_has(&settings.hosts, "c.test"));
	CHECK(settings.workers == 8);
	CHECK(settings.limit == 2LL << 30);
	CHECK(settings.period == 3600);
	CHECK(settings.strict == 1 && settings.trust == 1);
	config_file_free(keys, &settings);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ "name = a\nnmae = b\n", "x.conf:2: nmae: unknown key" },
	{ "name = a\nname = b\n", "x.conf:2: name: given twice" },
	{ "workers = 4\n", "x.conf: name: must be given" },
	{ "name = a\nworkers = 65\n", "x.conf:2: workers: out of range" },
	{ "name = a\nworkers = 4k\n",
	    "x.conf:2: workers: not a number with a known unit" },
	{ "name = a\nlimit = 99999999999T\n",
	    "x.conf:2: limit: not a number with a known unit" },
	{ "name = a\nstrict = maybe\n", "x.conf:2: strict: yes or no" },
	{ "name = a\ntrust = WEBPKI\n",
	    "x.conf:2: trust: not one of the words it takes" },
	{ "name = a\nhello\n", "x.conf:2: hello: no '=' in this line" },
	{ "name = a\nceiling = 25M\n",
	    "x.conf:2: ceiling: no longer a key: use limit" },
};

TEST(mistakes_name_file_line_and_key)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct settings settings = { 0 };
		char *error = NULL;

		CHECK(config_file_parse("x.conf", bad[i].text,
			  strlen(bad[i].text), keys, &settings, &error) == -1);
		CHECK_STRING(error, bad[i].error);
		CHECK(settings.name == NULL);
		free(error);
	}
}

TEST(nul_bytes_and_missing_files)
{
	struct settings settings = { 0 };
	char *error = NULL;

	CHECK(config_file_parse("x.conf", "name = a\0b", 10, keys, &settings,
		  &error) == -1);
	free(error);
	CHECK(config_file_read("/nonexistent/x.conf", keys, &settings,
		  &error) == -1);
	CHECK_STRING(error, "/nonexistent/x.conf: No such file or directory");
	free(error);
}

int
main(void)
{
	RUN(values_defaults_and_continuation);
	RUN(mistakes_name_file_line_and_key);
	RUN(nul_bytes_and_missing_files);
	return test_done();
}

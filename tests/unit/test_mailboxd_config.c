/* SPDX-License-Identifier: ISC
 *
 * mailboxd.conf: what is taken and what is refused, in one line.
 */
#include <stdlib.h>
#include <unistd.h>

#include "mailboxd_config.h"
#include "test.h"

#define NAMES "server_names = mailbox.a.test, mailbox.b.test\n"
#define GOOD NAMES "agent = _rra.a.test\n"

static int
read_text(const char *text, struct mailboxd_config *config, char **error_r)
{
	char path[] = "/tmp/mailboxd-conf-XXXXXX";
	int fd = mkstemp(path), result;

	memset(config, 0, sizeof(*config));
	*error_r = NULL;
	if (fd == -1 || write(fd, text, strlen(text)) == -1)
		abort();
	close(fd);
	result = mailboxd_config_read(path, config, error_r);
	unlink(path);
	return result;
}

TEST(the_example_is_good)
{
	struct mailboxd_config config = { 0 };
	char *error = NULL;

	CHECK(mailboxd_config_read("etc/mailboxd.conf", &config, &error) == 0);
	CHECK(config.lease_time == 120 && config.leases_per_origin == 4);
	CHECK(config.retry_first == 60 && config.retry_most == 14400);
	mailboxd_config_free(&config);
	free(error);
}

TEST(agents_enrolment_and_urls)
{
	struct mailboxd_config config;
	char *error, *url;

	CHECK(read_text(GOOD "agents = mailbox.b.test:_rra.b.test\n"
			     "enrolled = _cb.foo.test:foo.test\n",
		  &config, &error) == 0);
	CHECK_STRING(mailboxd_config_agent(&config, "mailbox.a.test"),
	    "_rra.a.test");
	CHECK_STRING(mailboxd_config_agent(&config, "mailbox.b.test"),
	    "_rra.b.test");
	CHECK(mailboxd_config_enrolled(&config, "_cb.foo.test", "foo.test"));
	CHECK(!mailboxd_config_enrolled(&config, "_cb.foo.test", "bar.test"));
	CHECK(!mailboxd_config_enrolled(&config, "_cb.evil.test", "foo.test"));
	url = mailboxd_config_url(&config, "mailbox.a.test");
	CHECK_STRING(url, "https://mailbox.a.test");
	free(url);
	mailboxd_config_free(&config);
	CHECK(read_text(GOOD "public_port = 8443\n", &config, &error) == 0);
	url = mailboxd_config_url(&config, "mailbox.a.test");
	CHECK_STRING(url, "https://mailbox.a.test:8443");
	free(url);
	mailboxd_config_free(&config);
}

TEST(hosts_for_browsers)
{
	struct mailboxd_config config;
	char *error;

	CHECK(read_text(GOOD, &config, &error) == 0);
	CHECK(mailboxd_config_web(&config, "mailbox.a.test") == NULL);
	CHECK(!mailboxd_config_is_web(&config, "mailbox.a.test"));
	mailboxd_config_free(&config);
	CHECK(read_text(GOOD "web_hosts = web.a.test, "
			     "mailbox.b.test:web.b.test\n",
		  &config, &error) == 0);
	CHECK_STRING(mailboxd_config_web(&config, "mailbox.a.test"),
	    "web.a.test");
	CHECK_STRING(mailboxd_config_web(&config, "mailbox.b.test"),
	    "web.b.test");
	CHECK(mailboxd_config_is_web(&config, "web.a.test"));
	CHECK(mailboxd_config_is_web(&config, "web.b.test"));
	CHECK(!mailboxd_config_is_web(&config, "mailbox.b.test"));
	mailboxd_config_free(&config);
}

TEST(mistakes_are_named)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "agent = _rra.a.test\n", "server_names" },
		{ "server_names =\nagent = _rra.a.test\n", "server_names" },
		{ "server_names = Mailbox.a.test\nagent = _rra.a.test\n",
		    "server_names" },
		{ NAMES, "agent" },
		{ GOOD "web_hosts = mailbox.a.test\n", "a name of their own" },
		{ GOOD "web_hosts = mailbox.a.test:mailbox.b.test\n",
		    "web_hosts" },
		{ GOOD "web_hosts = mailbox.c.test:www.a.test\n", "web_hosts" },
		{ GOOD "web_hosts = WWW.a.test\n", "web_hosts" },
		{ GOOD "web_hosts = a:b:c\n", "web_hosts" },
		{ NAMES "agent = _cb.a.test\n", "agent" },
		{ GOOD "agents = mailbox.c.test:_rra.a.test\n", "agents" },
		{ GOOD "agents = mailbox.b.test\n", "agents" },
		{ GOOD "enrolled = _cb.foo.test\n", "enrolled" },
		{ GOOD "enrolled = _rra.foo.test:foo.test\n", "enrolled" },
		{ GOOD "create_accounts = foo\n", "create_accounts: foo" },
		{ GOOD "create_accounts = foo.test, @bar.test\n",
		    "create_accounts: @bar.test" },
		{ GOOD "create_accounts = Foo.test\n", "create_accounts" },
		{ GOOD "create_accounts_per_hour = 0\n",
		    "create_accounts_per_hour" },
		{ GOOD "retry_first = 5h\n", "retry_first" },
		{ GOOD "ports = 443, https\n", "ports" },
		{ GOOD "base_directory = var\n", "base_directory" },
		{ GOOD "no_such_key = 1\n", "no_such_key" },
		{ GOOD "lease_time = soon\n", "lease_time" },
	};
	struct mailboxd_config config;
	char *error;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_FOR(read_text(rows[i].text, &config, &error) == -1,
		    "row %zu", i);
		CHECK_FOR(error != NULL && strstr(error, rows[i].word) != NULL,
		    "row %zu: %s", i, error != NULL ? error : "no error");
		free(error);
	}
}

int
main(void)
{
	RUN(the_example_is_good);
	RUN(agents_enrolment_and_urls);
	RUN(hosts_for_browsers);
	RUN(mistakes_are_named);
	return test_done();
}

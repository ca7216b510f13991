/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "client_config.h"
#include "test.h"

static const char good[] = "# me\n"
			   "address = alice@foo.test\n"
			   "expires = 2d\n"
			   "\n"
			   "[mailbox health]\n"
			   "url = https://mailbox.hospital.test/\n"
			   "password_command = cat ~/.hospital\n"
			   "categories = healthcare, insurance\n"
			   "[mailbox home]   \n"
			   "url = https://mailbox.foo.test:443\n"
			   "user = alice\n"
			   "password_command = pass show foo\n"
			   "[mailbox old]\n"
			   "url = https://mailbox.old.test:8443\n"
			   "password_command = pass show old\n"
			   "categories = healthcare\n"
			   "send = no\n";

#define MAILBOX(name, url) \
	"[mailbox " name "]\nurl = " url "\n" \
	"password_command = true\n"

static const struct {
	const char *text, *error; /* what the error must contain */
} bad[] = {
	{ "address = a@b\n[mailbox x]\nurl = http://a.b\n"
	  "password_command = x\n",
	    "mailbox x" },
	{ "address = a@b\n\n[mailbox x]\nurk = 1\n", "c:4: urk" },
	{ "[mailbox x]\n", "address" },
	{ "address = a@b\n[account x]\n", "c:2: expected [mailbox NAME]" },
	{ "address = a@b\n[mailbox ]\n", "c:2: expected" },
	{ "address = a@b\n[mailbox x\n", "c:2: expected" },
	{ "address = a@b\n[mailbox x] y\n", "c:2: expected" },
	{ "address = a@b\n[mailbox x]\nurl = https://a.test\n"
	  "password = secret\n",
	    "c:4: password" },
	{ "address = a@b\n" MAILBOX("x", "https://a.test")
		MAILBOX("x", "https://b.test"),
	    "mailbox x stands twice" },
	{ "address = a@b\n" MAILBOX("x", "https://a.test")
		MAILBOX("y", "https://a.test:443"),
	    "the same url" },
	{ "address = a@b\n" MAILBOX("x", "https://u:p@a.test"), "mailbox x" },
	{ "address = a@b\n" MAILBOX("x", "https://127.0.0.1"), "mailbox x" },
};

static int
parse(const char *text, struct client_config *config, char **error_r)
{
	return client_config_parse("c", text, strlen(text), config, error_r);
}

TEST(sections_are_mailboxes)
{
	struct client_config config;
	char *error = NULL;

	CHECK(parse(good, &config, &error) == 0);
	if (error != NULL)
		printf("# %s\n", error);
	CHECK_STRING(config.address, "alice@foo.test");
	CHECK(config.expires == 2 * 86400);
	CHECK(config.mailbox_count == 3);
	CHECK_STRING(config.mailboxes[0].name, "health");
	CHECK_STRING(config.mailboxes[0].url, "https://mailbox.hospital.test");
	CHECK_STRING(config.mailboxes[0].user, "alice@foo.test");
	CHECK_STRING(config.mailboxes[0].password_command, "cat ~/.hospital");
	CHECK_STRING(config.mailboxes[1].name, "home");
	CHECK_STRING(config.mailboxes[1].user, "alice");
	CHECK_STRING(config.mailboxes[2].url, "https://mailbox.old.test:8443");
	client_config_free(&config);
}

static void
check_category(const struct client_config *config, const char *category,
    const char *want)
{
	const struct client_mailbox *mailbox;

	mailbox = client_config_for_category(config, category);
	CHECK_STRING(mailbox != NULL ? mailbox->name : "none", want);
}

static void
check_url(const struct client_config *config, const char *url, const char *want)
{
	const struct client_mailbox *mailbox;

	mailbox = client_config_for_url(config, url);
	CHECK_STRING(mailbox != NULL ? mailbox->name : "none", want);
}

TEST(a_mailbox_is_chosen_only_among_the_configured)
{
	struct client_config config;
	char *error;

	CHECK(parse(good, &config, &error) == 0);
	check_category(&config, "healthcare", "health");
	check_category(&config, "insurance", "health");
	check_category(&config, "business", "home");
	check_category(&config, NULL, "home");
	check_url(&config, "https://mailbox.hospital.test", "health");
	check_url(&config, "https://mailbox.old.test:8443", "old");
	check_url(&config, "https://mailbox.old.test", "none");
	check_url(&config, "https://mailbox.evil.test", "none");
	check_url(&config, "https://mailbox.hospital.test@evil.test", "none");
	check_url(&config, "http://mailbox.hospital.test", "none");
	check_url(&config, "", "none");
	client_config_free(&config);
}

TEST(mistakes_are_named)
{
	struct client_config config;
	char *error;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error = NULL;
		CHECK_FOR(parse(bad[i].text, &config, &error) < 0, "%zu", i);
		CHECK_FOR(error != NULL && strstr(error, bad[i].error) != NULL,
		    "%zu: %s", i, error != NULL ? error : "-");
		free(error);
	}
}

int
main(void)
{
	RUN(sections_are_mailboxes);
	RUN(a_mailbox_is_chosen_only_among_the_configured);
	RUN(mistakes_are_named);
	return test_done();
}

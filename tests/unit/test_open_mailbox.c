/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "open_mailbox.h"
#include "test.h"

static const char config_text[] =
    "address = bob@bar.test\n"
    "[mailbox health]\n"
    "url = https://mailbox.insurance.test\npassword_command = x\n"
    "[mailbox home]\n"
    "url = https://mailbox.bar.test\npassword_command = x\n";

static const struct {
	const char *header, *want; /* mailbox, or word of the reason */
} rows[] = {
	{ "X-Destination-Resource-Mailbox-URL: "
	  "https://mailbox.insurance.test\r\n",
	    "health" },
	{ "x-destination-mailbox-service-url: https://mailbox.bar.test; "
	  "x=y\n",
	    "home" },
	{ "X-Destination-Resource-Mailbox-URL: https://mailbox.bar.test\r\n"
	  "X-Destination-Resource-Mailbox-URL: https://mailbox.evil.test\r\n",
	    "home" },
	{ "X-Destination-Resource-Mailbox-URL: https://mailbox.evil.test\r\n"
	  "X-Destination-Resource-Mailbox-URL: https://mailbox.bar.test\r\n",
	    "config" },
	{ "X-Destination-Resource-Mailbox-URL: "
	  "https://mailbox.bar.test@evil.test\r\n",
	    "config" },
	{ "X-Destination-Resource-Mailbox-URL:\r\n", "config" },
	{ "Subject: x\r\n", "undelivered" },
	{ "X-Cargomail-Status: refused; reason=no-account\r\n", "undelivered" },
};

static const char *
choose(const struct client_config *config, const char *header,
    const char *origin, struct reason *why)
{
	const struct client_mailbox *mailbox = NULL;
	char message[1024];

	memset(why, 0, sizeof(*why));
	snprintf(message, sizeof(message), "%s\r\nbody\r\n", header);
	if (open_mailbox_choose(config, message, strlen(message), origin,
		&mailbox, why) == OUTCOME_OK)
		return mailbox->name;
	return why->word;
}

TEST(the_topmost_field_selects_among_configured)
{
	struct client_config config;
	struct reason why;
	char *error;
	size_t i;

	CHECK(client_config_parse("c", config_text, strlen(config_text),
		  &config, &error) == 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STRING(choose(&config, rows[i].header,
				 "https://mailbox.hospital.test", &why),
		    rows[i].want);
	CHECK(strstr(why.text, "no-account") != NULL);
	/* One's own message, as it was sent. */
	CHECK_STRING(choose(&config, "Subject: x\r\n",
			 "https://mailbox.bar.test", &why),
	    "home");
	client_config_free(&config);
}

int
main(void)
{
	RUN(the_topmost_field_selects_among_configured);
	return test_done();
}

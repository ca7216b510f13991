/* SPDX-License-Identifier: ISC
 *
 * What postconf prints: "name/type/option = value" and lines of words.
 */
#include <stdlib.h>
#include <string.h>

#include "check_postfix.h"
#include "memory.h"

/* 0 and the output, or -1 and it is the error. */
static int
ask(struct check *check, const char *const argv[], char **text_r,
    char **error_r)
{
	int status;
	char *text = check->world->run(check->world->arg, argv, &status);

	if (status == 0) {
		*text_r = text;
		return 0;
	}
	text[strcspn(text, "\n")] = '\0';
	*error_r = text;
	return -1;
}

int
check_postfix_read(struct check *check, struct check_postfix *postfix_r)
{
	static const char *const services[] = { "postconf", "-M", NULL };
	static const char *const options[] = { "postconf", "-P", NULL };
	static const char *const settings[] = { "postconf", "header_checks",
		"smtpd_milters", "message_size_limit", "recipient_delimiter",
		"myhostname", "queue_directory", "cleanup_service_name",
		"config_directory", "empty_address_recipient",
		"smtpd_sender_login_maps", "smtpd_client_restrictions",
		"smtpd_helo_restrictions", "smtpd_sender_restrictions",
		"smtpd_relay_restrictions", "smtpd_recipient_restrictions",
		"smtpd_data_restrictions", NULL };

	memset(postfix_r, 0, sizeof(*postfix_r));
	if (ask(check, services, &postfix_r->services, &postfix_r->error) ==
		0 &&
	    ask(check, options, &postfix_r->options, &postfix_r->error) == 0 &&
	    ask(check, settings, &postfix_r->settings, &postfix_r->error) == 0)
		return 0;
	return -1;
}

void
check_postfix_free(struct check_postfix *postfix)
{
	x_free(&postfix->services);
	x_free(&postfix->options);
	x_free(&postfix->settings);
	x_free(&postfix->error);
}

/* What stands behind "key =" at the start of a line; NULL if nothing does. */
static char *
find_value(const char *text, const char *key)
{
	size_t len = strlen(key);
	const char *line = text;

	while (line != NULL && *line != '\0') {
		if (strncmp(line, key, len) == 0 &&
		    strncmp(line + len, " =", 2) == 0) {
			line += len + 2;
			line += strspn(line, " ");
			return x_strndup(line, strcspn(line, "\n"));
		}
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return NULL;
}

char *
check_postfix_setting(const struct check_postfix *postfix, const char *name)
{
	char *value = find_value(postfix->settings, name);

	return value != NULL ? value : x_strdup("");
}

char *
check_postfix_option(const struct check_postfix *postfix, const char *service,
    const char *option)
{
	char *key = x_asprintf("%s/%s", service, option);
	char *value = find_value(postfix->options, key);

	free(key);
	return value;
}

char *
check_postfix_effective(const struct check_postfix *postfix,
    const char *service, const char *option)
{
	char *value = check_postfix_option(postfix, service, option);

	return value != NULL ? value : check_postfix_setting(postfix, option);
}

char *
check_postfix_service(const struct check_postfix *postfix, const char *service,
    int word)
{
	size_t name = strcspn(service, "/");
	const char *line = postfix->services;

	for (; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		const char *at;

		line += *line == '\n';
		if (strncmp(line, service, name) != 0 ||
		    (line[name] != ' ' && line[name] != '\t'))
			continue;
		at = line + name + strspn(line + name, " \t");
		if (strncmp(at, service + name + 1,
			strlen(service + name + 1)) != 0)
			continue;
		at = line;
		for (int i = 0; i < word; i++) {
			at += strcspn(at, " \t\n");
			at += strspn(at, " \t");
		}
		return x_strndup(at, strcspn(at, " \t\n"));
	}
	return NULL;
}

const char *
check_postfix_front(const struct check_postfix *postfix)
{
	char *command = check_postfix_service(postfix, "smtp/inet", 7);
	bool screened = command != NULL && strcmp(command, "postscreen") == 0;

	free(command);
	return screened ? "smtpd/pass" : "smtp/inet";
}

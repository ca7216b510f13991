/* SPDX-License-Identifier: ISC
 *
 * SMTP and LMTP lines as syntax: see smtp_line.h.
 */
#include "smtp_line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum smtp_verb verb;
} verbs[] = {
	{ "LHLO", SMTP_LHLO },
	{ "MAIL", SMTP_MAIL },
	{ "RCPT", SMTP_RCPT },
	{ "DATA", SMTP_DATA },
	{ "RSET", SMTP_RSET },
	{ "NOOP", SMTP_NOOP },
	{ "QUIT", SMTP_QUIT },
	{ "VRFY", SMTP_VRFY },
	{ "XFORWARD", SMTP_XFORWARD },
};

static int
hex_digit(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return -1;
}

int
smtp_line_decode_xtext(const char *xtext, char *text_r, size_t size)
{
	size_t len = 0;

	for (; *xtext != '\0'; xtext++) {
		int byte = (unsigned char)*xtext;

		if (byte == '+') {
			int high = hex_digit((unsigned char)xtext[1]);
			int low =
			    high < 0 ? -1 : hex_digit((unsigned char)xtext[2]);

			if (low < 0)
				return -1;
			byte = high << 4 | low;
			xtext += 2;
		} else if (byte == '=')
			return -1;
		if (byte <= ' ' || byte == 0x7f || len + 1 >= size)
			return -1;
		text_r[len++] = (char)byte;
	}
	if (size == 0)
		return -1;
	text_r[len] = '\0';
	return 0;
}

/* ---- parameters of MAIL and RCPT ---------------------------------------- */

/* Copies a value once; -1 if it was there before or is too long. */
static int
take(char *target, size_t size, const char *value)
{
	if (target[0] != '\0' || value[0] == '\0' || strlen(value) >= size)
		return -1;
	memcpy(target, value, strlen(value) + 1);
	return 0;
}

static int
is_xtext(const char *value)
{
	char plain[512];

	return smtp_line_decode_xtext(value, plain, sizeof(plain)) == 0;
}

static int
take_size(struct smtp_parameters *p, const char *value)
{
	int64_t size = 0;

	if (p->size >= 0 || value[0] == '\0' || strlen(value) > 15)
		return -1;
	for (; *value != '\0'; value++) {
		if (*value < '0' || *value > '9')
			return -1;
		size = size * 10 + (*value - '0');
	}
	p->size = size;
	return 0;
}

static int
take_body(struct smtp_parameters *p, const char *value)
{
	if (strcasecmp(value, "7BIT") != 0 &&
	    strcasecmp(value, "8BITMIME") != 0)
		return -1;
	return take(p->body, sizeof(p->body), value);
}

static int
take_ret(struct smtp_parameters *p, const char *value)
{
	if (strcasecmp(value, "FULL") != 0 && strcasecmp(value, "HDRS") != 0)
		return -1;
	return take(p->ret, sizeof(p->ret), value);
}

static int
take_envid(struct smtp_parameters *p, const char *value)
{
	return is_xtext(value) ? take(p->envid, sizeof(p->envid), value) : -1;
}

static int
take_smtputf8(struct smtp_parameters *p, const char *value)
{
	if (value[0] != '\0' || p->smtputf8)
		return -1;
	p->smtputf8 = true;
	return 0;
}

/* NEVER alone, or a list of the other three (RFC 3461, 4.1). */
static int
take_notify(struct smtp_parameters *p, const char *value)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	const char *at = value;

	while (strcasecmp(value, "NEVER") != 0) {
		size_t len = strcspn(at, ","), i;

		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == len &&
			    strncasecmp(at, words[i], len) == 0)
				break;
		if (i == 3)
			return -1;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	return take(p->notify, sizeof(p->notify), value);
}

static int
take_orcpt(struct smtp_parameters *p, const char *value)
{
	const char *semicolon = strchr(value, ';');

	if (semicolon == NULL || semicolon == value || !is_xtext(semicolon + 1))
		return -1;
	for (const char *at = value; at < semicolon; at++)
		if (!isalnum((unsigned char)*at) && *at != '-')
			return -1;
	return take(p->orcpt, sizeof(p->orcpt), value);
}

static const struct {
	const char *name;
	enum smtp_verb verb;
	int (*take)(struct smtp_parameters *p, const char *value);
} parameters[] = {
	{ "SIZE", SMTP_MAIL, take_size },
	{ "BODY", SMTP_MAIL, take_body },
	{ "RET", SMTP_MAIL, take_ret },
	{ "ENVID", SMTP_MAIL, take_envid },
	{ "SMTPUTF8", SMTP_MAIL, take_smtputf8 },
	{ "NOTIFY", SMTP_RCPT, take_notify },
	{ "ORCPT", SMTP_RCPT, take_orcpt },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *
parse_parameter(const char *text, size_t len, struct smtp_command *command)
{
	char word[SMTP_LINE_MAX];
	char *value;

	memcpy(word, text, len);
	word[len] = '\0';
	value = strchr(word, '=');
	if (value != NULL)
		*value++ = '\0';
	for (size_t i = 0; i < COUNT(parameters); i++) {
		if (parameters[i].verb != command->verb ||
		    strcasecmp(parameters[i].name, word) != 0)
			continue;
		if (parameters[i].take(&command->parameters,
			value != NULL ? value : "") < 0)
			return "501 5.5.4 Bad parameter";
		return NULL;
	}
	return "555 5.5.4 Unknown parameter";
}

/* "FROM:<path> parameters" or "TO:<path> parameters". */
static const char *
parse_path_command(const char *word, struct smtp_command *command)
{
	const char *at = command->argument;

	if (strncasecmp(at, word, strlen(word)) != 0)
		return "501 5.5.4 Syntax error";
	at += strlen(word);
	at += strspn(at, " ");
	if (mail_address_parse_path(at, &at, command->path) < 0)
		return "501 5.1.3 Bad address";
	while (*at != '\0') {
		const char *error;
		size_t len;

		if (*at != ' ')
			return "501 5.5.4 Syntax error";
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (len == 0)
			break;
		if ((error = parse_parameter(at, len, command)) != NULL)
			return error;
		at += len;
	}
	return NULL;
}

const char *
smtp_line_parse(const char *line, size_t len, struct smtp_command *command_r)
{
	const char *error;
	size_t word;

	*command_r = (struct smtp_command){
		.verb = SMTP_UNKNOWN,
		.parameters.size = -1,
	};
	command_r->argument = line + len;
	if (len >= SMTP_LINE_MAX || line[len] != '\0')
		return "500 5.5.6 Line too long";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return "500 5.5.2 Control characters";
	word = strcspn(line, " ");
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strlen(verbs[i].name) == word &&
		    strncasecmp(line, verbs[i].name, word) == 0)
			command_r->verb = verbs[i].verb;
	command_r->argument = line + word + strspn(line + word, " ");
	switch (command_r->verb) {
	case SMTP_MAIL:
		return parse_path_command("FROM:", command_r);
	case SMTP_RCPT:
		error = parse_path_command("TO:", command_r);
		if (error == NULL && command_r->path[0] == '\0')
			error = "501 5.1.3 Bad recipient";
		return error;
	case SMTP_DATA:
	case SMTP_RSET:
	case SMTP_QUIT:
		return command_r->argument[0] != '\0' ?
		    "501 5.5.4 No argument wanted" :
		    NULL;
	case SMTP_UNKNOWN:
		return "500 5.5.2 Unknown command";
	default:
		return NULL;
	}
}

const char *
smtp_line_parse_xforward(const char *argument,
    void (*add)(void *context, const char *name, const char *value),
    void *context)
{
	static const char *const names[] = { "NAME", "ADDR", "PROTO", "HELO",
		"SOURCE", "PORT", "IDENT" };
	char word[256];

	if (argument[0] == '\0')
		return "501 5.5.4 Attributes wanted";
	while (*argument != '\0') {
		size_t len = strcspn(argument, " "), i;
		char *value;

		if (len >= sizeof(word))
			return "501 5.5.4 Bad attribute";
		memcpy(word, argument, len);
		word[len] = '\0';
		value = strchr(word, '=');
		if (value == NULL || value[1] == '\0' || !is_xtext(value + 1))
			return "501 5.5.4 Bad attribute";
		*value++ = '\0';
		for (i = 0; i < COUNT(names); i++)
			if (strcasecmp(names[i], word) == 0)
				break;
		if (i == COUNT(names))
			return "501 5.5.4 Unknown attribute";
		add(context, names[i], value);
		argument += len;
		argument += strspn(argument, " ");
	}
	return NULL;
}

int
smtp_line_parse_reply(const char *line, int *code_r, bool *more_r,
    const char **text_r)
{
	for (int i = 0; i < 3; i++)
		if (line[i] < '0' || line[i] > '9')
			return -1;
	if (line[0] < '2' || line[0] > '5' ||
	    (line[3] != ' ' && line[3] != '-' && line[3] != '\0'))
		return -1;
	*code_r = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
	*more_r = line[3] == '-';
	*text_r = line + (line[3] == '\0' ? 3 : 4);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Asking daemons over their admin sockets.
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "json_strict.h"
#include "memory.h"
#include "outcome.h"
#include "terminal.h"

cJSON *
ctl_request(const char *verb)
{
	cJSON *request = cJSON_CreateObject();

	if (request == NULL || json_add_string(request, "verb", verb) < 0)
		exit(EX_OSERR);
	return request;
}

static void
complain(const char *daemon, const char *reason, const char *detail)
{
	char *safe_reason = terminal_escape(reason);
	char *safe_detail = terminal_escape(detail);

	fprintf(stderr, "cargomailctl: %s: %s%s%s\n", daemon, safe_reason,
	    safe_reason[0] != '\0' && safe_detail[0] != '\0' ? ": " : "",
	    safe_detail);
	free(safe_reason);
	free(safe_detail);
}

/* The exit code that a packet stands for. */
static int
judge(const char *daemon, const cJSON *packet)
{
	const char *name = json_string(packet, "outcome");
	enum outcome outcome;

	if (name == NULL || outcome_parse(name, &outcome) < 0) {
		complain(daemon, "answer without outcome", NULL);
		return EX_PROTOCOL;
	}
	if (outcome == OUTCOME_OK)
		return 0;
	complain(daemon, json_string(packet, "reason"),
	    json_string(packet, "detail"));
	return outcome == OUTCOME_TEMPFAIL ? EX_TEMPFAIL : EX_DATAERR;
}

int
ctl_print_json(const cJSON *object)
{
	char *text = json_format(object);
	char *safe = terminal_escape_json(text != NULL ? text : "");
	int written = puts(safe);

	free(safe);
	free(text);
	return text != NULL && written >= 0 ? 0 : -1;
}

int
ctl_ask(const struct ctl *ctl, const char *daemon, cJSON *request,
    void (*show)(const cJSON *packet, void *context), void *context)
{
	return ctl_ask_text(ctl, daemon, request, NULL, show, context);
}

int
ctl_ask_text(const struct ctl *ctl, const char *daemon, cJSON *request,
    const char *text, void (*show)(const cJSON *packet, void *context),
    void *context)
{
	char *error = NULL;
	cJSON *packet;
	int fd, code = 0;
	bool last = false;

	fd = control_connect(daemon, ctl->timeout_ms, &error);
	if (fd < 0) {
		cJSON_Delete(request);
		complain(daemon, error, NULL);
		free(error);
		return EX_UNAVAILABLE;
	}
	packet = control_ask_text(fd, request, text, &error);
	while (packet != NULL && code == 0) {
		code = judge(daemon, packet);
		last = json_boolean(packet, "last") == 1;
		if (ctl->json)
			ctl_print_json(packet);
		else if (code == 0)
			show(packet, context);
		cJSON_Delete(packet);
		packet = NULL;
		if (last || code != 0)
			break;
		packet = control_next(fd, &error);
	}
	close(fd);
	if (code == 0 && !last) {
		complain(daemon, error, NULL);
		code = EX_TEMPFAIL;
	}
	free(error);
	return code;
}

#define MESSAGE_MIN 4 /* hex digits that mailboxd asks for */
#define MESSAGE_MAX 32

bool
ctl_is_message(const char *text)
{
	size_t len = strlen(text);

	if (len >= MESSAGE_MIN && len <= MESSAGE_MAX &&
	    strspn(text, "0123456789abcdef") == len)
		return true;
	fprintf(stderr,
	    "cargomailctl: a message is %d to %d of 0-9 and a-f, as queue "
	    "lists it\n",
	    MESSAGE_MIN, MESSAGE_MAX);
	return false;
}

void
ctl_print_string(const cJSON *object, const char *name, int width)
{
	const char *value = json_string(object, name);
	char *safe = terminal_escape(value != NULL ? value : "-");

	printf("%-*s ", width, safe);
	free(safe);
}

void
ctl_print_size(const cJSON *object, const char *name, int width)
{
	char text[TERMINAL_SIZE_SIZE] = "-";
	int64_t bytes;

	if (json_integer(object, name, 0, JSON_MAX_INTEGER, &bytes) == 0)
		terminal_format_size(bytes, text);
	printf("%*s ", width, text);
}

static void
print_field(const cJSON *object, const struct ctl_field *field)
{
	const char *value = json_string(object, field->member);
	char text[TERMINAL_SIZE_SIZE > CLOCK_TEXT_SIZE ? TERMINAL_SIZE_SIZE :
							 CLOCK_TEXT_SIZE] = "";
	int64_t number = 0;
	char *safe;

	(void)json_integer(object, field->member, 0, JSON_MAX_INTEGER, &number);
	if (field->kind == CTL_TIME && number != 0)
		clock_format_internet(number, text);
	else if (field->kind == CTL_SIZE)
		terminal_format_size(number, text);
	else if (field->kind == CTL_NUMBER)
		snprintf(text, sizeof(text), "%lld", (long long)number);
	if (field->kind != CTL_TEXT)
		value = number != 0 ? text : NULL;
	if (value == NULL || value[0] == '\0')
		return;
	safe = terminal_escape(value);
	printf("%-13s %s\n", field->label, safe);
	free(safe);
}

void
ctl_print_fields(const cJSON *object, const struct ctl_field *fields,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_field(object, &fields[i]);
}

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

static void
print_json(const cJSON *packet)
{
	char *text = json_format(packet);

	puts(text != NULL ? text : "");
	free(text);
}

int
ctl_ask(const struct ctl *ctl, const char *daemon, cJSON *request,
    void (*show)(const cJSON *packet, void *context), void *context)
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
	packet = control_ask(fd, request, &error);
	while (packet != NULL && code == 0) {
		code = judge(daemon, packet);
		last = json_boolean(packet, "last") == 1;
		if (ctl->json)
			print_json(packet);
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

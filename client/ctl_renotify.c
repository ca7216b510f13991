/* SPDX-License-Identifier: ISC
 *
 * cargomailctl renotify [--export] MESSAGE|--all | --import FILE
 *
 * Carries what mailboxd hands out of a pull (who and what for, and the
 * placeholder) to the broker, which notifies again. Where the two are on two
 * hosts it goes by a file: one JSON object a line, {"notice", "text"}. The
 * broker believes nothing of it.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buffer.h"
#include "cargo_placeholder.h"
#include "json_strict.h"
#include "terminal.h"

#define TEXT_MAX ((CARGO_MAX_PLACEHOLDER + 2) / 3 * 4)
#define LINE_MAX_BYTES (TEXT_MAX + 65536)
#define BROKER_TIMEOUT_MS 300000 /* for a notification */

/* ---- from mailboxd ------------------------------------------------------- */

/* What mailboxd hands out of one pull. */
struct parcel {
	cJSON *notice;
	struct buffer text;
};

static void
parcel_init(struct parcel *parcel)
{
	parcel->notice = NULL;
	buffer_init(&parcel->text, TEXT_MAX);
}

static void
parcel_free(struct parcel *parcel)
{
	cJSON_Delete(parcel->notice);
	buffer_free(&parcel->text);
}

static void
collect(const cJSON *packet, void *context)
{
	const cJSON *notice = json_object(packet, "notice"), *part;
	struct parcel *parcel = context;

	if (notice != NULL && parcel->notice == NULL)
		parcel->notice = cJSON_Duplicate(notice, 1);
	cJSON_ArrayForEach(part, json_array(packet, "text"))
	{
		if (cJSON_IsString(part))
			buffer_add_string(&parcel->text, part->valuestring);
	}
}

static int
fetch(const struct ctl *ctl, const char *message, struct parcel *parcel)
{
	struct ctl quiet = *ctl;
	cJSON *request = ctl_request("renotify");
	int code;

	quiet.json = false;
	json_add_string(request, "message", message);
	code = ctl_ask(&quiet, "mailboxd", request, collect, parcel);
	if (code == 0 && (parcel->notice == NULL || parcel->text.failed)) {
		fputs("cargomailctl: mailboxd: no notice in its answer\n",
		    stderr);
		code = EX_PROTOCOL;
	}
	return code;
}

/* ---- to the broker ------------------------------------------------------- */

struct told {
	const struct ctl *ctl;
	const char *message;
	bool same; /* the mailbox knew it */
};

static void
show_told(const cJSON *packet, void *context)
{
	const char *message = json_string(packet, "message");
	struct told *told = context;

	told->same = message != NULL && strcmp(message, told->message) == 0;
	if (!told->same)
		return;
	if (told->ctl->json) {
		ctl_print_json(packet);
		return;
	}
	fputs("notified ", stdout);
	ctl_print_string(packet, "message", 0);
	ctl_print_string(packet, "destination", 0);
	putchar('\n');
}

static int
hand_over(const struct ctl *ctl, const struct parcel *parcel)
{
	const char *message = json_string(parcel->notice, "message");
	struct told told = { ctl, message != NULL ? message : "", false };
	cJSON *request = cJSON_Duplicate(parcel->notice, 1);
	struct ctl patient = *ctl;
	int code;

	patient.json = false;
	patient.timeout_ms = BROKER_TIMEOUT_MS;
	cJSON_DeleteItemFromObjectCaseSensitive(request, "verb");
	json_add_string(request, "verb", "renotify");
	code = ctl_ask_text(&patient, "broker", request,
	    buffer_string(&parcel->text), show_told, &told);
	if (code == 0 && !told.same) {
		char *safe = terminal_escape(told.message);

		fprintf(stderr,
		    "cargomailctl: %s: the destination took it for a new "
		    "message; does the map name another mailbox now?\n",
		    safe);
		free(safe);
		code = EX_DATAERR;
	}
	return code;
}

/* ---- one, or all --------------------------------------------------------- */

static int
print_parcel(const struct parcel *parcel)
{
	cJSON *line = cJSON_CreateObject();
	int code;

	json_add_item(line, "notice", cJSON_Duplicate(parcel->notice, 1));
	json_add_string(line, "text", buffer_string(&parcel->text));
	code = ctl_print_json(line) == 0 ? 0 : EX_IOERR;
	cJSON_Delete(line);
	return code;
}

static int
serve_one(const struct ctl *ctl, const char *message, bool export)
{
	struct parcel parcel;
	int code;

	parcel_init(&parcel);
	code = fetch(ctl, message, &parcel);
	if (code == 0)
		code = export ? print_parcel(&parcel) : hand_over(ctl, &parcel);
	parcel_free(&parcel);
	return code;
}

static void
collect_messages(const cJSON *packet, void *context)
{
	const cJSON *pull;

	/* Those of this very server need no token. */
	cJSON_ArrayForEach(pull, json_array(packet, "pulls"))
	{
		if (json_string(pull, "message") != NULL &&
		    json_boolean(pull, "local") != 1)
			cJSON_AddItemToArray(context,
			    cJSON_CreateString(json_string(pull, "message")));
	}
}

/* Goes on after one that is refused; not after a daemon that is not there. */
static int
serve_all(const struct ctl *ctl, bool export)
{
	cJSON *messages = cJSON_CreateArray();
	struct ctl quiet = *ctl;
	const cJSON *message;
	int code, worst;

	quiet.json = false;
	quiet.timeout_ms = CTL_TIMEOUT_STORE_MS;
	worst = ctl_ask(&quiet, "mailboxd", ctl_request("queue"),
	    collect_messages, messages);
	if (worst == 0)
		cJSON_ArrayForEach(message, messages)
		{
			code = serve_one(ctl, message->valuestring, export);
			worst = code != 0 ? code : worst;
			if (code == EX_UNAVAILABLE || code == EX_IOERR)
				break;
		}
	cJSON_Delete(messages);
	return worst;
}

/* ---- from a file --------------------------------------------------------- */

/* A line of --export; 0, or -1. */
static int
parse_parcel(const char *line, size_t len, struct parcel *parcel)
{
	static const char *const members[] = { "notice", "text", NULL };
	cJSON *object = json_parse(line, len, NULL);
	const char *text = json_string(object, "text");
	int result = -1;

	parcel_init(parcel);
	if (json_members_exact(object, members) && text != NULL &&
	    json_object(object, "notice") != NULL &&
	    buffer_add_string(&parcel->text, text) == 0) {
		parcel->notice =
		    cJSON_Duplicate(json_object(object, "notice"), 1);
		result = parcel->notice != NULL ? 0 : -1;
	}
	cJSON_Delete(object);
	return result;
}

/* A line without its end; 1, 0 at the end of the file, -1 too long. */
static int
read_line(FILE *in, struct buffer *line)
{
	char c;
	int got;

	buffer_clear(line);
	while ((got = getc_unlocked(in)) != EOF && got != '\n') {
		c = (char)got;
		if (buffer_add(line, &c, 1) == -1)
			return -1;
	}
	return got != EOF || line->len > 0;
}

static int
import_line(const struct ctl *ctl, const struct buffer *line, int number)
{
	struct parcel parcel;
	int code = EX_DATAERR;

	if (parse_parcel(buffer_string(line), line->len, &parcel) == 0)
		code = hand_over(ctl, &parcel);
	else
		fprintf(stderr,
		    "cargomailctl: line %d is not of renotify --export\n",
		    number);
	parcel_free(&parcel);
	return code;
}

static int
import_lines(const struct ctl *ctl, FILE *in)
{
	int code, worst = 0, number = 0, more;
	struct buffer line;

	buffer_init(&line, LINE_MAX_BYTES);
	while ((more = read_line(in, &line)) == 1) {
		code = import_line(ctl, &line, ++number);
		worst = code != 0 ? code : worst;
		if (code == EX_UNAVAILABLE)
			break;
	}
	if (more == -1) {
		fprintf(stderr, "cargomailctl: line %d is too long\n",
		    number + 1);
		worst = EX_DATAERR;
	}
	buffer_free(&line);
	return worst;
}

static int
import_file(const struct ctl *ctl, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int code;

	if (in == NULL) {
		fprintf(stderr, "cargomailctl: %s: %s\n", path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	code = import_lines(ctl, in);
	if (in != stdin)
		fclose(in);
	return code;
}

int
ctl_renotify(const struct ctl *ctl, int argc, char **argv)
{
	bool export = argc == 3 && strcmp(argv[1], "--export") == 0;
	const char *which = argc >= 2 ? argv[argc - 1] : "";

	if (argc == 3 && strcmp(argv[1], "--import") == 0)
		return import_file(ctl, argv[2]);
	if (argc != 2 && !export)
		return EX_USAGE;
	if (strcmp(which, "--all") == 0)
		return serve_all(ctl, export);
	if (which[0] == '-')
		return EX_USAGE;
	return ctl_is_message(which) ? serve_one(ctl, which, export) :
				       EX_DATAERR;
}

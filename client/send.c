/* SPDX-License-Identifier: ISC
 *
 * cargomail send: text and files become resources in the user's mailbox,
 * shared with the recipients; a placeholder goes by mail. Either the mail
 * system has taken the placeholder, or the share is withdrawn again.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "buffer.h"
#include "cargo_api.h"
#include "cargo_placeholder.h"
#include "clock.h"
#include "compose.h"
#include "file_name.h"
#include "handover.h"
#include "html_view.h"
#include "json_strict.h"
#include "media_type.h"
#include "memory.h"
#include "open_message.h"
#include "send_options.h"
#include "transfer.h"
#include "utf8.h"

#define MIME_TYPES "/etc/mime.types"
#define TEXT_NAME "text"
#define HTML_MAX (16 * 1024 * 1024)
/* An --inline-text stays in the message, of which 1 MiB is the limit. */
#define INLINE_TEXT_MAX (512 * 1024)
/* Clocks differ; a share of exactly 14 days could be seconds too long. */
#define EXPIRY_RESERVE_S 300

/* A text or file on its way. */
struct item {
	struct transfer_source source;
	char *name; /* NULL for the text */
	char type[MEDIA_TYPE_SIZE];
};

struct sending {
	const struct client_config *config;
	struct send_options options;
	struct session *session;
	struct item items[CARGO_MAX_RESOURCES];
	size_t count;
	size_t html, related; /* index of the HTML; it and its pictures */
	char *inline_text;
	char *message_id;
	char share[CARGO_SHARE_LEN + 1];
	int64_t now, expires;
	char *message; /* the placeholder */
	size_t message_len;
};

/* ---- input ------------------------------------------------------------- */

/* Standard input as a file that can be read twice; -1 with errno. */
static int
spool_input(void)
{
	char data[65536];
	int fd = transfer_temporary();
	ssize_t got;

	if (fd < 0)
		return -1;
	while ((got = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (write(fd, data, (size_t)got) != got) {
			got = -1;
			break;
		}
	if (got < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum outcome
open_input(const char *path, int *fd_r, struct reason *why)
{
	struct stat st;

	*fd_r = strcmp(path, "-") == 0 ? spool_input() :
					 open(path, O_RDONLY | O_CLOEXEC);
	if (*fd_r < 0)
		return reason_set(why, OUTCOME_PERMFAIL, "input", "%s: %s",
		    path, strerror(errno));
	if (fstat(*fd_r, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(*fd_r);
		*fd_r = -1;
		return reason_set(why, OUTCOME_PERMFAIL, "input",
		    "%s: not a file", path);
	}
	return OUTCOME_OK;
}

/* What the text is written in. It is the user's own: a wrong guess shows
 * wrong letters, nothing more. */
static void
set_text_type(struct item *item, const char *subtype)
{
	size_t len = (size_t)item->source.size;
	void *text = len > 0 ?
	    mmap(NULL, len, PROT_READ, MAP_PRIVATE, item->source.fd, 0) :
	    MAP_FAILED;
	bool valid = true;

	if (text != MAP_FAILED) {
		valid = utf8_valid(text, len);
		munmap(text, len);
	}
	snprintf(item->type, sizeof(item->type), "text/%s; charset=%s", subtype,
	    valid ? "utf-8" : "unknown-8bit");
}

/* Opens one more item and hashes it. */
static enum outcome
add_item(struct sending *sending, const char *path, bool is_text,
    struct reason *why)
{
	struct item *item = &sending->items[sending->count];
	enum outcome outcome;

	if (sending->count == CARGO_MAX_RESOURCES)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "more than %d files", CARGO_MAX_RESOURCES);
	outcome = open_input(path, &item->source.fd, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	sending->count++;
	item->name = is_text ? NULL : file_name_clean(path, "attachment");
	item->source.type = item->type;
	item->source.name = item->name;
	item->source.label = is_text ? TEXT_NAME : item->name;
	outcome = transfer_hash(&item->source, why);
	if (is_text && outcome == OUTCOME_OK)
		set_text_type(item, "plain");
	else if (outcome == OUTCOME_OK)
		media_type_guess(item->name, MIME_TYPES, item->type);
	return outcome;
}

/* The text that stays in the message. */
static enum outcome
read_inline(struct sending *sending, struct reason *why)
{
	enum outcome outcome;
	ssize_t len = -1;
	int fd;

	outcome = open_input(sending->options.body, &fd, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	sending->inline_text = x_calloc(1, INLINE_TEXT_MAX + 2);
	len = pread(fd, sending->inline_text, INLINE_TEXT_MAX + 1, 0);
	close(fd);
	if (len < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local", "%s: %s",
		    sending->options.body, strerror(errno));
	if (len > INLINE_TEXT_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "the text is too long for --inline-text");
	if (!utf8_valid(sending->inline_text, (size_t)len) ||
	    strlen(sending->inline_text) != (size_t)len)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "the text is not UTF-8");
	return OUTCOME_OK;
}

/* The HTML with its pictures named by their hashes, as a file to be sent. */
static enum outcome
name_pictures(struct sending *sending, const struct html_view_part *parts,
    int *fd, struct reason *why)
{
	struct buffer html, named;
	enum outcome outcome = OUTCOME_OK;
	ssize_t got = -1;
	char *room;
	int out = transfer_temporary();

	buffer_init(&html, HTML_MAX);
	buffer_init(&named, 2 * HTML_MAX);
	while ((room = buffer_reserve(&html, 65536)) != NULL &&
	    (got = pread(*fd, room, 65536, (off_t)html.len)) > 0)
		html.len += (size_t)got;
	html_view_name(buffer_string(&html), html.len, parts,
	    sending->options.picture_count, &named);
	if (html.failed || named.failed)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "the HTML is too long");
	else if (got < 0 || out < 0 ||
	    open_message_write(out, buffer_string(&named), named.len) < 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "local", "%s: %s",
		    sending->options.html, strerror(errno));
	if (outcome == OUTCOME_OK) {
		close(*fd);
		*fd = out;
	} else if (out >= 0)
		close(out);
	buffer_free(&html);
	buffer_free(&named);
	return outcome;
}

/* HTML and pictures; the HTML comes first but is hashed last. */
static enum outcome
add_html(struct sending *sending, struct reason *why)
{
	const struct send_options *options = &sending->options;
	struct html_view_part parts[CARGO_MAX_RESOURCES];
	struct item *html = &sending->items[sending->count], *picture;
	enum outcome outcome;

	sending->html = sending->count;
	outcome = add_item(sending, options->html, true, why);
	for (size_t i = 0; i < options->picture_count && outcome == OUTCOME_OK;
	     i++) {
		picture = &sending->items[sending->count];
		outcome = add_item(sending, options->pictures[i], false, why);
		if (outcome == OUTCOME_OK)
			parts[i] = (struct html_view_part){ picture->name,
				picture->source.hash };
	}
	if (outcome == OUTCOME_OK)
		outcome = name_pictures(sending, parts, &html->source.fd, why);
	if (outcome == OUTCOME_OK)
		outcome = transfer_hash(&html->source, why);
	if (outcome == OUTCOME_OK)
		set_text_type(html, "html");
	sending->related = sending->count - sending->html;
	return outcome;
}

static enum outcome
add_items(struct sending *sending, struct reason *why)
{
	const struct send_options *options = &sending->options;
	enum outcome outcome = OUTCOME_OK;
	size_t i;

	if (options->inline_text)
		outcome = read_inline(sending, why);
	else if (options->body != NULL)
		outcome = add_item(sending, options->body, true, why);
	if (options->html != NULL && outcome == OUTCOME_OK)
		outcome = add_html(sending, why);
	for (i = 0; i < options->attachment_count && outcome == OUTCOME_OK; i++)
		outcome =
		    add_item(sending, options->attachments[i], false, why);
	return outcome;
}

/* ---- mailbox ----------------------------------------------------------- */

static enum outcome
put_items(struct sending *sending, struct reason *why)
{
	enum outcome outcome = OUTCOME_OK;
	bool sent;
	size_t i;

	for (i = 0; i < sending->count && outcome == OUTCOME_OK; i++)
		outcome = transfer_put(sending->session,
		    &sending->items[i].source, &sent, why);
	return outcome;
}

/* The same file twice is one resource. */
static bool
is_repeated(const struct sending *sending, size_t index)
{
	size_t i;

	for (i = 0; i < index; i++)
		if (strcmp(sending->items[i].source.hash,
			sending->items[index].source.hash) == 0)
			return true;
	return false;
}

static char *
format_share(const struct sending *sending)
{
	const struct send_options *options = &sending->options;
	cJSON *json = cJSON_CreateObject(), *recipients, *resources;
	char *text;
	size_t i;

	recipients = cJSON_CreateArray();
	resources = cJSON_CreateArray();
	for (i = 0; i < options->recipient_count; i++)
		cJSON_AddItemToArray(recipients,
		    cJSON_CreateString(options->normal[i]));
	for (i = 0; i < sending->count; i++)
		if (!is_repeated(sending, i))
			cJSON_AddItemToArray(resources,
			    cJSON_CreateString(sending->items[i].source.hash));
	json_add_string(json, "message", sending->message_id);
	json_add_item(json, "recipients", recipients);
	json_add_item(json, "resources", resources);
	json_add_string(json, "category",
	    options->category != NULL ? options->category : "");
	json_add_integer(json, "expires", sending->expires);
	text = json_format(json);
	cJSON_Delete(json);
	return text;
}

static enum outcome
put_share(struct sending *sending, struct reason *why)
{
	char *path = x_asprintf(CARGO_API_SHARE "%s", sending->share);
	char *body = format_share(sending);
	cJSON *answer = NULL;
	enum outcome outcome;

	if (body == NULL)
		outcome =
		    reason_set(why, OUTCOME_TEMPFAIL, "local", "out of memory");
	else
		outcome = session_json(sending->session, HTTP_PUT, path, body,
		    &answer, why);
	cJSON_Delete(answer);
	free(body);
	free(path);
	return outcome;
}

/* Nobody shall fetch what nobody was told of. */
static void
revoke_share(struct sending *sending)
{
	char *path = x_asprintf(CARGO_API_SHARE "%s", sending->share);
	struct reason why = { 0 };
	cJSON *answer = NULL;

	if (session_json(sending->session, HTTP_DELETE, path, NULL, &answer,
		&why) != OUTCOME_OK)
		client_complain(0, "share %s could not be withdrawn: %s",
		    sending->share, why.text);
	cJSON_Delete(answer);
	free(path);
}

/* ---- message ----------------------------------------------------------- */

static enum outcome
write_placeholder(struct sending *sending, struct reason *why)
{
	struct cargo_draft_resource resources[CARGO_MAX_RESOURCES];
	const struct send_options *options = &sending->options;
	struct compose compose = {
		.address = sending->config->address,
		.name = sending->config->name,
		.recipients = options->recipients,
		.recipient_count = options->recipient_count,
		.subject = options->subject,
		.message_id = sending->message_id,
		.now = sending->now,
	};
	struct cargo_draft draft = {
		.origin = session_mailbox(sending->session)->url,
		.share = sending->share,
		.category = options->category,
		.expires = sending->expires,
		.inline_text = sending->inline_text,
		.resources = resources,
		.count = sending->count,
		.related_first = sending->html,
		.related_count = sending->related,
		.alternative = sending->related > 0 && sending->html > 0,
	};
	enum outcome outcome;
	char *header;
	size_t i;

	header = compose_header(&compose);
	if (header == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "name, subject or a recipient cannot stand in a header");
	for (i = 0; i < sending->count; i++) {
		const struct item *item = &sending->items[i];

		resources[i] = (struct cargo_draft_resource){
			.hash = item->source.hash,
			.size = item->source.size,
			.type = item->type,
			.name = item->name,
			.disposition = item->name == NULL ||
				(i >= sending->html &&
				    i < sending->html + sending->related) ?
			    "inline" :
			    "attachment",
		};
	}
	draft.header = header;
	outcome = cargo_placeholder_compose(&draft, &sending->message,
	    &sending->message_len, why);
	free(header);
	return outcome;
}

/* From the share on a signal would leave a share without a message. */
static enum outcome
share_and_hand_over(struct sending *sending, struct reason *why)
{
	const struct send_options *options = &sending->options;
	sigset_t all, old;
	enum outcome outcome;

	sigemptyset(&all);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGHUP);
	sigprocmask(SIG_BLOCK, &all, &old);
	outcome = put_share(sending, why);
	if (outcome == OUTCOME_OK) {
		outcome = handover_send(sending->config->sendmail,
		    sending->config->address, options->recipients,
		    options->recipient_count, sending->message,
		    sending->message_len, why);
		if (outcome != OUTCOME_OK)
			revoke_share(sending);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return outcome;
}

static enum outcome
send_all(struct sending *sending, struct reason *why)
{
	enum outcome outcome;

	outcome = add_items(sending, why);
	if (outcome == OUTCOME_OK)
		outcome = write_placeholder(sending, why);
	if (outcome == OUTCOME_OK)
		outcome = put_items(sending, why);
	if (outcome == OUTCOME_OK)
		outcome = share_and_hand_over(sending, why);
	return outcome;
}

static void
report(const struct sending *sending)
{
	const struct item *item;
	size_t i;

	printf("sent <%s> by %s\n", sending->message_id,
	    session_mailbox(sending->session)->url);
	for (i = 0; i < sending->count; i++) {
		item = &sending->items[i];
		printf("%s  %s\n", item->source.hash,
		    item->name != NULL ? item->name : TEXT_NAME);
	}
}

static void
prepare(struct sending *sending, const struct client_config *config)
{
	int64_t lifetime = sending->options.expires != 0 ?
	    sending->options.expires :
	    config->expires;

	if (lifetime > CARGO_MAX_LIFETIME - EXPIRY_RESERVE_S)
		lifetime = CARGO_MAX_LIFETIME - EXPIRY_RESERVE_S;
	sending->config = config;
	sending->now = clock_now();
	sending->expires = sending->now + lifetime;
	sending->message_id = compose_message_id(config->address);
	cargo_share_new(sending->share);
}

static void
clean_up(struct sending *sending)
{
	size_t i;

	for (i = 0; i < sending->count; i++) {
		close(sending->items[i].source.fd);
		free(sending->items[i].name);
	}
	session_close(&sending->session);
	free(sending->inline_text);
	free(sending->message_id);
	free(sending->message);
	send_options_free(&sending->options);
	free(sending);
}

int
client_send(const struct client_config *config, int argc, char **argv)
{
	struct sending *sending = x_calloc(1, sizeof(*sending));
	const struct client_mailbox *mailbox;
	struct reason why = { 0 };
	int code;

	code = send_options_parse(argc, argv, &sending->options);
	if (code != 0)
		goto out;
	mailbox = client_config_for_category(config, sending->options.category);
	if (mailbox == NULL) {
		code = client_complain(EX_CONFIG,
		    "no mailbox for this "
		    "category in the configuration");
		goto out;
	}
	prepare(sending, config);
	sending->session = session_open(config, mailbox, &why);
	if (sending->session == NULL || send_all(sending, &why) != OUTCOME_OK)
		code = client_fail("not sent", &why);
	else
		report(sending);
out:
	clean_up(sending);
	return code;
}

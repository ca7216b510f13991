/* SPDX-License-Identifier: ISC
 *
 * The LMTP server: see lmtp_session.h.
 */
#include "lmtp_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "smtp_stream.h"
#include "spool.h"

#define ERRORS_MAX 20 /* bad commands before we hang up */

struct session {
	const struct lmtp_session_options *options;
	struct smtp_stream *stream;
	struct envelope envelope;
	bool greeted;
	int errors;
	bool over;
};

static void
reply(struct session *session, const char *text)
{
	if (smtp_stream_format(session->stream, "%s\r\n", text) < 0)
		session->over = true;
}

static void
set_busy(const struct session *session, bool is_busy)
{
	if (session->options->busy != NULL)
		session->options->busy(is_busy);
}

static void
refuse(struct session *session, const char *text)
{
	reply(session, text);
	if (++session->errors > ERRORS_MAX)
		session->over = true;
}

/* ---- commands ---------------------------------------------------------- */

static void
do_lhlo(struct session *session, const struct smtp_command *command)
{
	if (command->argument[0] == '\0') {
		refuse(session, "501 5.5.4 A name, please");
		return;
	}
	envelope_reset(&session->envelope);
	session->envelope.forward_count = 0;
	session->greeted = true;
	if (smtp_stream_format(session->stream,
		"250-%s\r\n250-PIPELINING\r\n250-SIZE %lld\r\n250-8BITMIME\r\n"
		"250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n"
		"250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n",
		session->options->hostname,
		(long long)session->options->max_size) < 0)
		session->over = true;
}

static void
do_mail(struct session *session, const struct smtp_command *command)
{
	struct envelope *envelope = &session->envelope;

	if (!session->greeted || envelope->started) {
		refuse(session, "503 5.5.1 Not now");
		return;
	}
	if (command->parameters.size > session->options->max_size) {
		refuse(session, "552 5.3.4 Message too large");
		return;
	}
	envelope_reset(envelope);
	envelope->started = true;
	envelope->parameters = command->parameters;
	memcpy(envelope->sender, command->path, sizeof(envelope->sender));
	reply(session, "250 2.1.0 Ok");
}

static void
do_rcpt(struct session *session, const struct smtp_command *command)
{
	if (!session->envelope.started)
		refuse(session, "503 5.5.1 MAIL first");
	else if (envelope_add_recipient(&session->envelope, command) < 0)
		refuse(session, "452 4.5.3 Too many recipients");
	else
		reply(session, "250 2.1.5 Ok");
}

static void
add_to_spool(void *context, const void *data, size_t len)
{
	spool_add(context, data, len);
}

/* Reads the message to its end. 0, or -1 if the connection died. */
static int
read_message(struct session *session, struct lmtp_data *data)
{
	int end = 0;

	while (!end) {
		const char *bytes;
		long len = smtp_stream_read(session->stream, &bytes);
		size_t used;

		if (len < 0)
			return -1;
		used = lmtp_data_read(data, bytes, (size_t)len, &end);
		smtp_stream_unread(session->stream, (size_t)len - used);
	}
	return 0;
}

static void
take_message(struct session *session, struct spool *spool,
    const struct lmtp_data *data)
{
	struct envelope *envelope = &session->envelope;
	const char *message;
	size_t len;

	if (data->bare_newline)
		envelope_reply_all(envelope, "550 5.6.11", "Bare newline");
	else if (spool_finish(spool) == 0) {
		message = spool_data(spool, &len);
		session->options->deliver(session->options->context, envelope,
		    message, len);
	} else if (errno == EFBIG)
		envelope_reply_all(envelope, "552 5.3.4", "Too large");
	/* Whatever was forgotten stays in Postfix's queue. */
	envelope_reply_all(envelope, "451 4.3.0", "No room, or trouble here");
	for (size_t i = 0; i < envelope->count; i++)
		reply(session, envelope->recipients[i].reply);
}

static void
do_data(struct session *session, const struct smtp_command *command)
{
	struct spool *spool;
	struct lmtp_data data = { .add = add_to_spool };

	(void)command;
	if (session->envelope.count == 0) {
		refuse(session, "503 5.5.1 RCPT first");
		return;
	}
	spool = spool_new(session->options->spool, session->options->max_size);
	data.context = spool;
	set_busy(session, true);
	reply(session, "354 Go ahead");
	if (smtp_stream_flush(session->stream) < 0 ||
	    read_message(session, &data) < 0)
		session->over = true;
	else
		take_message(session, spool, &data);
	spool_free(&spool);
	envelope_reset(&session->envelope);
}

static void
do_rset(struct session *session, const struct smtp_command *command)
{
	(void)command;
	envelope_reset(&session->envelope);
	reply(session, "250 2.0.0 Ok");
}

static void
do_noop(struct session *session, const struct smtp_command *command)
{
	(void)command;
	reply(session, "250 2.0.0 Ok");
}

static void
do_vrfy(struct session *session, const struct smtp_command *command)
{
	(void)command;
	reply(session, "252 2.0.0 Send it and see");
}

static void
do_quit(struct session *session, const struct smtp_command *command)
{
	(void)command;
	reply(session, "221 2.0.0 Bye");
	session->over = true;
}

static void
do_xforward(struct session *session, const struct smtp_command *command)
{
	const char *error;

	if (session->envelope.started) {
		refuse(session, "503 5.5.1 Not now");
		return;
	}
	error = smtp_line_parse_xforward(command->argument,
	    envelope_set_forward, &session->envelope);
	if (error != NULL)
		refuse(session, error);
	else
		reply(session, "250 2.0.0 Ok");
}

static void (*const handlers[])(struct session *session,
    const struct smtp_command *command) = {
	[SMTP_LHLO] = do_lhlo,
	[SMTP_MAIL] = do_mail,
	[SMTP_RCPT] = do_rcpt,
	[SMTP_DATA] = do_data,
	[SMTP_RSET] = do_rset,
	[SMTP_NOOP] = do_noop,
	[SMTP_QUIT] = do_quit,
	[SMTP_VRFY] = do_vrfy,
	[SMTP_XFORWARD] = do_xforward,
};

static void
do_line(struct session *session)
{
	char line[SMTP_LINE_MAX];
	struct smtp_command command;
	const char *error;
	long len;

	/* Replies gather until the client waits: one write for a pipeline. */
	if (session->stream->start == session->stream->end) {
		if (smtp_stream_flush(session->stream) < 0) {
			session->over = true;
			return;
		}
		set_busy(session, false);
	}
	len = smtp_stream_read_line(session->stream, line);
	if (len == -1) {
		session->over = true;
		return;
	}
	error = len < 0 ? "500 5.5.6 Line too long" :
			  smtp_line_parse(line, (size_t)len, &command);
	if (error != NULL)
		refuse(session, error);
	else
		handlers[command.verb](session, &command);
}

static bool
has_hung_up(void *connection)
{
	const struct session *session = connection;

	return smtp_stream_is_closed(session->stream);
}

void
lmtp_session_run(int fd, const struct lmtp_session_options *options)
{
	struct session session = { .options = options };

	session.stream = x_malloc(sizeof(*session.stream));
	smtp_stream_init(session.stream, fd, options->timeout_ms);
	envelope_reset(&session.envelope);
	session.envelope.is_given_up = has_hung_up;
	session.envelope.connection = &session;
	if (smtp_stream_format(session.stream, "220 %s LMTP Cargomail\r\n",
		options->hostname) < 0)
		session.over = true;
	while (!session.over)
		do_line(&session);
	smtp_stream_flush(session.stream);
	envelope_reset(&session.envelope);
	free(session.stream);
}

/* ---- the message ------------------------------------------------------- */

enum data_state { DATA_START, DATA_DOT, DATA_DOT_CR, DATA_BODY, DATA_CR };

/* The state after a byte that is kept. */
static int
data_next(struct lmtp_data *data, char byte, int before)
{
	if (byte == '\r')
		return DATA_CR;
	if (byte != '\n')
		return DATA_BODY;
	if (before == DATA_CR)
		return DATA_START;
	data->bare_newline = 1;
	return DATA_BODY;
}

size_t
lmtp_data_read(struct lmtp_data *data, const char *bytes, size_t len,
    int *end_r)
{
	size_t kept = 0, at; /* bytes[kept..at) are to be passed on */

	*end_r = 0;
	for (at = 0; at < len; at++) {
		char byte = bytes[at];

		if (data->state == DATA_START && byte == '.') {
			data->add(data->context, bytes + kept, at - kept);
			kept = at + 1;
			data->state = DATA_DOT;
			continue;
		}
		if (data->state == DATA_DOT && byte == '\r') {
			kept = at + 1;
			data->state = DATA_DOT_CR;
			continue;
		}
		if (data->state == DATA_DOT_CR) {
			if (byte == '\n') {
				*end_r = 1;
				return at + 1;
			}
			data->add(data->context, "\r", 1);
			data->state = DATA_CR;
		}
		data->state = data_next(data, byte, data->state);
	}
	data->add(data->context, bytes + kept, at - kept);
	return len;
}

/* SPDX-License-Identifier: ISC
 *
 * The exposition on its way over an admin socket: see metrics_verb.h. The
 * filter reads what a daemon that was taken over may have written.
 */
#include "metrics_verb.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"
#include "outcome.h"

#define PACKET_TEXT_MAX 24576 /* twice that once quotes are escaped */
#define EXPOSITION_MAX 1048576
#define LINE_MAX_LEN 512

static cJSON *
new_packet(const char *text, size_t len)
{
	cJSON *packet = cJSON_CreateObject();
	char *part = x_strndup(text, len);

	json_add_string(packet, "outcome", outcome_name(OUTCOME_OK));
	json_add_string(packet, "text", part);
	free(part);
	return packet;
}

/* As many whole lines as go into a packet. */
static size_t
lines_length(const char *text, size_t len)
{
	const char *end;

	if (len <= PACKET_TEXT_MAX)
		return len;
	end = memrchr(text, '\n', PACKET_TEXT_MAX);
	return end != NULL ? (size_t)(end - text) + 1 : PACKET_TEXT_MAX;
}

void
metrics_verb_reply(const struct metrics *metrics,
    struct control_connection *connection)
{
	struct buffer text;
	size_t len;

	buffer_init(&text, EXPOSITION_MAX);
	metrics_format(metrics, &text);
	while (
	    (len = lines_length(buffer_string(&text), text.len)) < text.len) {
		control_reply(connection, new_packet(buffer_string(&text), len),
		    0);
		buffer_consume(&text, len);
	}
	control_reply(connection, new_packet(buffer_string(&text), len), 1);
	buffer_free(&text);
}

static bool
is_own(const char *line, size_t len, const char *prefix)
{
	static const char *const comments[] = { "# TYPE ", "# UNIT ",
		"# HELP " };
	size_t skip = 0, prefix_len = strlen(prefix);

	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++)
		if (len > 7 && memcmp(line, comments[i], 7) == 0)
			skip = 7;
	if (len > LINE_MAX_LEN || len < skip + prefix_len ||
	    memcmp(line + skip, prefix, prefix_len) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return false;
	return true;
}

size_t
metrics_verb_filter(const char *daemon, const char *text, struct buffer *text_r)
{
	char *prefix = x_asprintf("cargomail_%s_", daemon);
	size_t left_out = 0, len;

	for (char *at = prefix; *at != '\0'; at++)
		if (*at == '-')
			*at = '_';
	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (is_own(text, len, prefix)) {
			buffer_add(text_r, text, len);
			buffer_add_string(text_r, "\n");
		} else
			left_out++;
	}
	free(prefix);
	return left_out;
}

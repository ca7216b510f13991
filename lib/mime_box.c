/* SPDX-License-Identifier: ISC
 *
 * The MIME box: see mime_box.h. The child writes one line a part:
 *
 *   <parent> <depth> <encoding> <start> <body> <end> <type>\n
 *
 * and at last "ok <count>\n", or "no <word> <text>\n". The parent believes
 * nothing of it that it has not checked.
 */
#include "mime_box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libetpan/libetpan.h>

#include "buffer.h"
#include "clock.h"
#include "memory.h"
#include "mime_scan.h"
#include "mime_skeleton.h"
#include "privileges.h"

#define BOX_CPU_SECONDS 10
#define BOX_WALL_MS 30000 /* above the CPU bound: a busy machine */
#define BOX_LINE_MAX 256
#define BOX_READ 4096 /* bytes at a time */
#define BOX_ANSWER_MAX ((MIME_MAX_PARTS + 2) * BOX_LINE_MAX + BOX_READ)

/* ---- in the box: libetpan's tree becomes a list ------------------------ */

struct box_walk {
	const char *message;
	size_t len;
	struct mime_parts *list;
	bool too_much;
};

static const char *
box_discrete_name(const struct mailmime_discrete_type *type)
{
	switch (type->dt_type) {
	case MAILMIME_DISCRETE_TYPE_TEXT:
		return "text";
	case MAILMIME_DISCRETE_TYPE_IMAGE:
		return "image";
	case MAILMIME_DISCRETE_TYPE_AUDIO:
		return "audio";
	case MAILMIME_DISCRETE_TYPE_VIDEO:
		return "video";
	case MAILMIME_DISCRETE_TYPE_APPLICATION:
		return "application";
	default:
		return type->dt_extension != NULL ? type->dt_extension : "x";
	}
}

static const char *
box_composite_name(const struct mailmime_composite_type *type)
{
	switch (type->ct_type) {
	case MAILMIME_COMPOSITE_TYPE_MESSAGE:
		return "message";
	case MAILMIME_COMPOSITE_TYPE_MULTIPART:
		return "multipart";
	default:
		return type->ct_token != NULL ? type->ct_token : "x";
	}
}

/* "type/subtype" in lower case; odd characters become "?". */
static void
box_type(const struct mailmime_content *content, char type_r[64])
{
	const char *type = "text", *subtype = "plain";

	if (content != NULL) {
		const struct mailmime_type *t = content->ct_type;

		subtype = content->ct_subtype;
		type = t->tp_type == MAILMIME_TYPE_DISCRETE_TYPE ?
		    box_discrete_name(t->tp_data.tp_discrete_type) :
		    box_composite_name(t->tp_data.tp_composite_type);
	}
	snprintf(type_r, 64, "%s/%s", type, subtype);
	for (; *type_r != '\0'; type_r++) {
		if (*type_r >= 'A' && *type_r <= 'Z')
			*type_r += 32;
		else if (*type_r <= ' ' || *type_r >= 0x7f)
			*type_r = '?';
	}
}

static enum mime_encoding
box_encoding(struct mailmime_fields *fields)
{
	switch (fields != NULL ? mailmime_transfer_encoding_get(fields) :
				 MAILMIME_MECHANISM_7BIT) {
	case MAILMIME_MECHANISM_7BIT:
		return MIME_7BIT;
	case MAILMIME_MECHANISM_8BIT:
		return MIME_8BIT;
	case MAILMIME_MECHANISM_BINARY:
		return MIME_BINARY;
	case MAILMIME_MECHANISM_BASE64:
		return MIME_BASE64;
	case MAILMIME_MECHANISM_QUOTED_PRINTABLE:
		return MIME_QUOTED_PRINTABLE;
	default:
		return MIME_OTHER;
	}
}

/* Appends one part whose header begins at `start`; its index, or -1. */
static int
box_add(struct box_walk *walk, struct mailmime *mime, int parent, size_t start)
{
	struct mime_parts *list = walk->list;
	const struct mailmime_data *data = mime->mm_body;
	struct mime_part *part;
	int depth = parent < 0 ? 0 : list->parts[parent].depth + 1;

	if (list->count == MIME_MAX_PARTS || depth > MIME_MAX_DEPTH)
		return -1;
	list->parts =
	    x_realloc(list->parts, (list->count + 1) * sizeof(*list->parts));
	part = &list->parts[list->count];
	*part = (struct mime_part){
		.parent = parent,
		.depth = depth,
		.encoding = box_encoding(mime->mm_mime_fields),
		.start = start,
		.body = walk->len,
		.end = walk->len,
	};
	if (data != NULL && data->dt_type == MAILMIME_DATA_TEXT) {
		part->body =
		    (size_t)(data->dt_data.dt_text.dt_data - walk->message);
		part->end = part->body + data->dt_data.dt_text.dt_length;
	}
	box_type(mime->mm_content_type, part->type);
	return (int)list->count++;
}

/* libetpan gives the body of an embedded message the start of the part that
 * holds it: where its own header begins is told by the caller. */
static void
box_visit(struct box_walk *walk, struct mailmime *mime, int parent,
    size_t start)
{
	int index = box_add(walk, mime, parent, start);
	clistiter *at;

	if (index < 0) {
		walk->too_much = true;
		return;
	}
	if (mime->mm_type == MAILMIME_MESSAGE &&
	    mime->mm_data.mm_message.mm_msg_mime != NULL)
		box_visit(walk, mime->mm_data.mm_message.mm_msg_mime, index,
		    walk->list->parts[index].body);
	if (mime->mm_type != MAILMIME_MULTIPLE)
		return;
	for (at = clist_begin(mime->mm_data.mm_multipart.mm_mp_list);
	     at != NULL && !walk->too_much; at = clist_next(at)) {
		struct mailmime *child = clist_content(at);

		box_visit(walk, child, index,
		    (size_t)(child->mm_mime_start - walk->message));
	}
}

/* libetpan converts encoded words by iconv, which loads modules from disk by
 * charsets that a stranger names. We want none of that text: copied. */
static int
box_no_conversion(const char *to, const char *from, const char *text,
    size_t len, char *result, size_t *result_len)
{
	(void)to;
	(void)from;
	if (len > *result_len)
		return MAIL_CHARCONV_ERROR_CONV;
	memcpy(result, text, len);
	*result_len = len;
	return MAIL_CHARCONV_NO_ERROR;
}

enum outcome
mime_box_parse(const char *message, size_t len, struct mime_parts *parts_r,
    struct reason *why)
{
	struct box_walk walk = { .message = message,
		.len = len,
		.list = parts_r };
	struct mailmime *mime = NULL, *top;
	const char *error = mime_scan_check(message, len);
	size_t at = 0;

	*parts_r = (struct mime_parts){ .parts = NULL };
	if (error != NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "limit", "%s", error);
	extended_charconv = box_no_conversion;
	if (mailmime_parse(message, len, &at, &mime) != MAILIMF_NO_ERROR ||
	    mime == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "message cannot be parsed");
	/* The message as a whole comes wrapped in a message part. */
	top = mime->mm_type == MAILMIME_MESSAGE ?
	    mime->mm_data.mm_message.mm_msg_mime :
	    mime;
	if (top != NULL)
		box_visit(&walk, top, -1, 0);
	mailmime_free(mime);
	if (walk.too_much || parts_r->count == 0) {
		mime_parts_free(parts_r);
		return reason_set(why, OUTCOME_PERMFAIL,
		    walk.too_much ? "limit" : "form",
		    "message is nested too deep, or has no part");
	}
	return OUTCOME_OK;
}

static void
box_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, text, len);

		if (done <= 0)
			_exit(1);
		text += done;
		len -= (size_t)done;
	}
}

/* The whole life of the child. */
static void
box_child(int fd, const char *message, size_t len)
{
	struct mime_parts list = { .parts = NULL };
	struct reason why;
	struct buffer out;

	/* Nothing stays open but the pipe. */
	if (dup2(fd, 0) < 0 || close_range(1, ~0U, 0) < 0 ||
	    privileges_lock_child(BOX_CPU_SECONDS) < 0)
		_exit(1);
	buffer_init(&out, BOX_ANSWER_MAX);
	if (mime_box_parse(message, len, &list, &why) != OUTCOME_OK)
		buffer_add_format(&out, "no %s %s\n", why.word, why.text);
	else {
		for (size_t i = 0; i < list.count; i++) {
			const struct mime_part *p = &list.parts[i];

			buffer_add_format(&out, "%d %d %d %zu %zu %zu %s\n",
			    p->parent, p->depth, (int)p->encoding, p->start,
			    p->body, p->end, p->type);
		}
		buffer_add_format(&out, "ok %zu\n", list.count);
	}
	if (out.failed)
		_exit(1);
	box_write(0, out.data, out.len);
	_exit(0);
}

/* ---- outside of the box ------------------------------------------------ */

/* The child's answer until it closes the pipe. 0, or -1. */
static int
box_read_answer(int fd, struct buffer *answer)
{
	int64_t deadline = clock_monotonic_ms() + BOX_WALL_MS;

	for (;;) {
		int64_t left = deadline - clock_monotonic_ms();
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		char *room = buffer_reserve(answer, BOX_READ);
		ssize_t got;

		if (left <= 0 || room == NULL)
			return -1;
		if (poll(&poller, 1, (int)left) < 0 && errno != EINTR)
			return -1;
		if (poller.revents == 0)
			continue;
		got = read(fd, room, BOX_READ);
		if (got < 0 && errno != EINTR)
			return -1;
		if (got == 0)
			return 0;
		if (got > 0)
			answer->len += (size_t)got;
	}
}

/* One line about a part. 0, or -1 if it cannot be true. */
static int
box_check_part(const char *line, size_t len, struct mime_parts *list)
{
	struct mime_part *part;
	unsigned encoding;
	int used = 0;

	if (list->count == MIME_MAX_PARTS)
		return -1;
	list->parts =
	    x_realloc(list->parts, (list->count + 1) * sizeof(*list->parts));
	part = &list->parts[list->count];
	*part = (struct mime_part){ .parent = -1 };
	if (sscanf(line, "%d %d %u %zu %zu %zu %63s%n", &part->parent,
		&part->depth, &encoding, &part->start, &part->body, &part->end,
		part->type, &used) != 7 ||
	    line[used] != '\0' || encoding > MIME_OTHER ||
	    part->start > part->body || part->body > part->end ||
	    part->end > len || strchr(part->type, '/') == NULL)
		return -1;
	part->encoding = (enum mime_encoding)encoding;
	if (list->count == 0 ?
		part->parent != -1 || part->depth != 0 :
		part->parent < 0 || (size_t)part->parent >= list->count ||
		    part->depth != list->parts[part->parent].depth + 1)
		return -1;
	/* Parts lie within their parents and in the order of the message. */
	if (list->count > 0 &&
	    (part->start < list->parts[part->parent].body ||
		part->end > list->parts[part->parent].end ||
		part->start < list->parts[list->count - 1].start))
		return -1;
	list->count++;
	return 0;
}

static enum outcome
box_check_refusal(const char *line, struct reason *why)
{
	if (strncmp(line, "limit ", 6) == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "message has too many parts or is nested too deep");
	return reason_set(why, OUTCOME_PERMFAIL, "form",
	    "message cannot be parsed");
}

static enum outcome
box_check_answer(char *answer, size_t len, struct mime_parts *list,
    struct reason *why)
{
	char *line, *rest = answer;
	size_t count;

	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (strncmp(line, "no ", 3) == 0)
			return box_check_refusal(line + 3, why);
		if (sscanf(line, "ok %zu", &count) == 1) {
			if (count == list->count && count > 0 && *rest == '\0')
				return OUTCOME_OK;
			break;
		}
		if (box_check_part(line, len, list) < 0)
			break;
	}
	return reason_set(why, OUTCOME_TEMPFAIL, "box",
	    "the MIME box gave no good answer");
}

/* Runs the child and waits for its end. 0 if it ended well. */
static int
box_run(const char *message, size_t len, struct buffer *answer)
{
	int ends[2], status = -1, result;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0)
		box_child(ends[1], message, len);
	close(ends[1]);
	result = child > 0 ? box_read_answer(ends[0], answer) : -1;
	close(ends[0]);
	if (child < 0)
		return -1;
	if (result < 0)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return result == 0 && status == 0 ? 0 : -1;
}

/* Parses what is mapped read-only, with a NUL behind. */
static enum outcome
box_read_map(const char *map, size_t len, struct mime_parts *parts_r,
    struct reason *why)
{
	struct buffer answer;
	enum outcome outcome;

	buffer_init(&answer, BOX_ANSWER_MAX);
	if (box_run(map, len, &answer) < 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "box",
		    "the MIME box died");
	else {
		buffer_add(&answer, "", 1); /* ends it as a string */
		outcome = answer.failed ?
		    reason_set(why, OUTCOME_TEMPFAIL, "box", "too long") :
		    box_check_answer(answer.data, len, parts_r, why);
	}
	if (outcome != OUTCOME_OK)
		mime_parts_free(parts_r);
	buffer_free(&answer);
	return outcome;
}

enum outcome
mime_box_read(const char *message, size_t len, struct mime_parts *parts_r,
    struct reason *why)
{
	struct mime_skeleton skeleton;
	enum outcome outcome;
	const char *error;
	char *map;

	*parts_r = (struct mime_parts){ .parts = NULL };
	if (len == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "form", "empty");
	error = mime_skeleton_make(message, len, &skeleton);
	if (error != NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "limit", "%s", error);
	/* One byte more, a NUL: a parser that looks beyond the end sees it. */
	map = mmap(NULL, skeleton.len + 1, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "box",
		    "cannot map %zu bytes", skeleton.len);
	else {
		mime_skeleton_copy(&skeleton, message, map);
		mprotect(map, skeleton.len + 1, PROT_READ);
		outcome = box_read_map(map, skeleton.len, parts_r, why);
		munmap(map, skeleton.len + 1);
	}
	for (size_t i = 0; i < parts_r->count; i++) {
		struct mime_part *part = &parts_r->parts[i];

		part->start = mime_skeleton_offset(&skeleton, part->start);
		part->body = mime_skeleton_offset(&skeleton, part->body);
		part->end = mime_skeleton_offset(&skeleton, part->end);
	}
	mime_skeleton_free(&skeleton);
	return outcome;
}

void
mime_parts_free(struct mime_parts *parts)
{
	free(parts->parts);
	*parts = (struct mime_parts){ .parts = NULL };
}

bool
mime_part_is_embedded(const struct mime_parts *parts, size_t index)
{
	int parent = parts->parts[index].parent;

	for (; parent >= 0; parent = parts->parts[parent].parent)
		if (strncmp(parts->parts[parent].type, "message/", 8) == 0)
			return true;
	return false;
}

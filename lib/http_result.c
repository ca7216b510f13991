/* SPDX-License-Identifier: ISC
 *
 * Results of HTTP calls; see http_result.h.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_header.h"
#include "http_result.h"
#include "json_strict.h"

#define RETRY_AFTER_MAX (30 * 86400)

void
http_result_init(struct http_result *result)
{
	memset(result, 0, sizeof(*result));
	result->retry_after = -1;
	buffer_init(&result->fields, HTTP_RESULT_FIELDS_MAX);
	buffer_init(&result->body, HTTP_RESULT_PROBLEM_MAX);
}

void
http_result_free(struct http_result *result)
{
	buffer_free(&result->fields);
	buffer_free(&result->body);
}

void
http_result_clear(struct http_result *result)
{
	struct buffer fields = result->fields, body = result->body;

	buffer_clear(&fields);
	buffer_clear(&body);
	memset(result, 0, sizeof(*result));
	result->retry_after = -1;
	result->fields = fields;
	result->body = body;
}

int
http_result_add_field(struct http_result *result, const char *line, size_t len)
{
	size_t start = result->fields.len, i;
	bool in_name = true;
	char *p;

	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	if (buffer_add(&result->fields, line, len) != 0 ||
	    buffer_add(&result->fields, "\n", 1) != 0)
		return -1;
	p = result->fields.data + start;
	for (i = 0; i < len; i++) {
		if (p[i] == ':')
			in_name = i == 0;
		if ((p[i] < 0x20 && p[i] != '\t') || p[i] >= 0x7f ||
		    (in_name && !http_is_token_char((unsigned char)p[i])))
			break;
		if (in_name && p[i] >= 'A' && p[i] <= 'Z')
			p[i] += 'a' - 'A';
	}
	if (i < len || in_name) {
		result->fields.len = start;
		p[0] = '\0';
	}
	return 0;
}

const char *
http_result_field(const struct buffer *fields, const char *name, char *text_r,
    size_t size)
{
	const char *line = buffer_string(fields), *end;
	size_t len = strlen(name);

	for (; *line != '\0'; line = end + 1) {
		if ((end = strchr(line, '\n')) == NULL)
			return NULL;
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		len = line < end ? (size_t)(end - line) : 0;
		if (len >= size)
			return NULL;
		memcpy(text_r, line, len);
		text_r[len] = '\0';
		return text_r;
	}
	return NULL;
}

const char *
http_result_header(const struct http_result *result, const char *name,
    char *text_r, size_t size)
{
	return http_result_field(&result->fields, name, text_r, size);
}

/* Seconds or a date (RFC 9110, section 10.2.3), -1 if neither. */
static int64_t
retry_after(const struct http_result *result, int64_t now)
{
	char text[64], *end;
	int64_t when;

	if (http_result_header(result, "retry-after", text, sizeof(text)) ==
	    NULL)
		return -1;
	if (text[0] >= '0' && text[0] <= '9') {
		when = strtoll(text, &end, 10);
		if (*end != '\0')
			return -1;
	} else {
		if (clock_parse_mail(text, &when) != 0)
			return -1;
		when = when > now ? when - now : 0;
	}
	return when < RETRY_AFTER_MAX ? when : RETRY_AFTER_MAX;
}

/* "/problems/<name>", a name of lower-case letters, digits and hyphens. */
static void
take_problem(struct http_result *result, const char *type)
{
	static const char prefix[] = "/problems/";
	size_t len;

	if (type == NULL || strncmp(type, prefix, sizeof(prefix) - 1) != 0)
		return;
	type += sizeof(prefix) - 1;
	len = strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (len > 0 && type[len] == '\0' && len < sizeof(result->problem))
		memcpy(result->problem, type, len + 1);
}

static void
take_detail(struct http_result *result, const char *detail)
{
	size_t i;

	if (detail == NULL)
		return;
	for (i = 0; detail[i] != '\0' && i + 1 < sizeof(result->detail); i++)
		result->detail[i] =
		    detail[i] >= 0x20 && detail[i] < 0x7f ? detail[i] : '?';
	result->detail[i] = '\0';
}

void
http_result_interpret(struct http_result *result, int64_t now)
{
	static const char problem[] = "application/problem+json";
	const char *detail;
	char type[128];
	cJSON *json;

	result->retry_after = retry_after(result, now);
	if (http_result_header(result, "content-type", type, sizeof(type)) ==
		NULL ||
	    strncasecmp(type, problem, sizeof(problem) - 1) != 0 ||
	    strchr("; \t", type[sizeof(problem) - 1]) == NULL)
		return;
	json = json_parse(buffer_string(&result->body), result->body.len, NULL);
	if (json == NULL)
		return;
	take_problem(result, json_string(json, "type"));
	if ((detail = json_string(json, "detail")) == NULL)
		detail = json_string(json, "title");
	take_detail(result, detail);
	cJSON_Delete(json);
}

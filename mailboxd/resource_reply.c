/* SPDX-License-Identifier: ISC
 *
 * A resource as an answer: fields, name, ranges. See resource_reply.h.
 */
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "buffer.h"
#include "resource_commit.h"
#include "resource_reply.h"

static bool
is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("-._~", c) != NULL);
}

/* RFC 6266 and 8187: the name in UTF-8, all but letters, digits and a few
 * others escaped. Who knows only `filename` gets it with underscores. */
void
resource_reply_name(struct http_header_list *headers, const char *name)
{
	struct buffer value;
	const char *at;

	buffer_init(&value, 4 * RESOURCE_NAME_MAX + 128);
	buffer_add_string(&value, "attachment");
	if (name != NULL && *name != '\0') {
		buffer_add_string(&value, "; filename=\"");
		for (at = name; *at != '\0'; at++)
			buffer_add(&value, is_plain(*at) ? at : "_", 1);
		buffer_add_string(&value, "\"; filename*=UTF-8''");
	}
	for (; name != NULL && *name != '\0'; name++)
		if (is_plain(*name))
			buffer_add(&value, name, 1);
		else
			buffer_add_format(&value, "%%%02X",
			    (unsigned char)*name);
	http_header_add(headers, "Content-Disposition", buffer_string(&value));
	buffer_free(&value);
}

void
resource_reply_headers(struct http_header_list *headers, const char *hash)
{
	char digest[sodium_base64_ENCODED_LEN(SHA256_LEN,
	    sodium_base64_VARIANT_ORIGINAL)];
	uint8_t bytes[SHA256_LEN];

	hex_parse(hash, bytes, sizeof(bytes));
	sodium_bin2base64(digest, sizeof(digest), bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
	http_header_add_format(headers, "ETag", "\"%s\"", hash);
	/* RFC 9530. */
	http_header_add_format(headers, "Repr-Digest", "sha-256=:%s:", digest);
	http_header_add(headers, "Accept-Ranges", "bytes");
	http_header_add(headers, "X-Content-Type-Options", "nosniff");
	http_header_add(headers, "Content-Security-Policy",
	    "default-src 'none'; sandbox");
}

/* True if the list of entity tags has this one. RFC 9110, 13.1.2: the weak
 * comparison, which for our strong tags is a plain one. */
bool
resource_reply_matches(const char *list, const char *hash)
{
	const char *found;

	if (list == NULL)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	found = strstr(list, hash);
	return found != NULL && found > list && found[-1] == '"' &&
	    found[SHA256_HEX_LEN] == '"';
}

/* The file, or a range of it. RFC 9110, sections 13 and 14. */
void
resource_reply(struct visit *visit, const struct store_blob *blob,
    struct http_header_list *headers, int fd)
{
	const char *range = http_request_get(visit->request, "range");
	const char *condition = http_request_get(visit->request, "if-range");
	int64_t offset = 0, len = blob->size;
	int partial;

	if (condition != NULL && !resource_reply_matches(condition, blob->hash))
		range = NULL;
	partial = http_parse_range(range, blob->size, &offset, &len);
	if (partial == -1) {
		close(fd);
		visit_problem(visit, "range", "it has %lld bytes",
		    (long long)blob->size);
		return;
	}
	if (partial == 0) {
		offset = 0;
		len = blob->size;
	} else {
		http_header_add_format(headers, "Content-Range",
		    "bytes %lld-%lld/%lld", (long long)offset,
		    (long long)(offset + len - 1), (long long)blob->size);
	}
	visit_reply_file(visit, partial ? 206 : 200, headers, fd, offset, len);
}

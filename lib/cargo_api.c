/* SPDX-License-Identifier: ISC
 *
 * Targets and fields of requests to a Resource Mailbox.
 */
#include "cargo_api.h"

#include <string.h>

#include "buffer.h"
#include "memory.h"

#define PATH_MAX_BYTES 4096

bool
cargo_api_is_queue_id(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len > 0 && len < CARGO_API_QUEUE_ID_SIZE &&
	    strspn(text,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}

char *
cargo_api_resource_path(const char *hash, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	struct buffer path;
	char *copy;

	if (name == NULL)
		name = "";
	buffer_init(&path, PATH_MAX_BYTES);
	buffer_add_format(&path, CARGO_API_RESOURCE "%s%s", hash,
	    name[0] != '\0' ? "?name=" : "");
	for (; *name != '\0'; name++)
		if (strchr(plain, *name) != NULL)
			buffer_add(&path, name, 1);
		else
			buffer_add_format(&path, "%%%02X",
			    (unsigned char)*name);
	copy = x_strdup(buffer_string(&path));
	buffer_free(&path);
	return copy;
}

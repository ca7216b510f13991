/* SPDX-License-Identifier: ISC
 *
 * Views of HTML: see open_view.h. The file that the hash names stays as it
 * is.
 */
#include "open_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "buffer.h"
#include "file_name.h"
#include "html_view.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"
#include "new_file.h"
#include "open_message.h"

#define HTML_MAX (16 * 1024 * 1024) /* larger is no letter */
#define ORIGINAL_ID "X-Original-Content-ID" /* of a converted part */

struct viewing {
	const char *directory, *message;
	const struct cargo_placeholder *placeholder;
	struct html_view_part *parts; /* two for each resource at most */
	size_t count;
	char *ids[CARGO_MAX_RESOURCES]; /* owned */
	struct reason *why;
};

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* By its hash, as cargomail(1) writes it, and by the name that it had. */
static void
add_part(struct viewing *viewing, size_t index, const char *path)
{
	const struct cargo_resource *r =
	    &viewing->placeholder->resources[index];
	char *id = mail_header_get(viewing->message + r->inner_start,
	    r->inner_len, ORIGINAL_ID);
	size_t len = id != NULL ? strlen(id) : 0;

	viewing->parts[viewing->count++] =
	    (struct html_view_part){ r->hash, base_name(path) };
	viewing->ids[index] = id;
	if (len < 3 || id[0] != '<' || id[len - 1] != '>')
		return;
	id[len - 1] = '\0';
	viewing->parts[viewing->count++] =
	    (struct html_view_part){ id + 1, base_name(path) };
}

static enum outcome
read_html(const char *path, struct buffer *html, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got = -1;
	char *room;

	while (fd >= 0 && (room = buffer_reserve(html, 65536)) != NULL &&
	    (got = read(fd, room, 65536)) > 0)
		html->len += (size_t)got;
	if (fd >= 0)
		close(fd);
	if (got < 0 && !html->failed)
		return reason_set(why, OUTCOME_TEMPFAIL, "local", "%s: %s",
		    path, strerror(errno));
	return OUTCOME_OK;
}

static char *
find_charset(const struct viewing *viewing, const struct cargo_resource *r)
{
	struct mail_parameters list;
	char *field = mail_header_get(viewing->message + r->inner_start,
	    r->inner_len, "Content-Type");
	char *charset = NULL;
	const char *value;

	if (field != NULL && mail_parameters_parse(field, &list) == 0) {
		value = mail_parameters_get(&list, "charset");
		if (value != NULL)
			charset = x_strdup(value);
		mail_parameters_free(&list);
	}
	free(field);
	return charset;
}

/* "letter.html" becomes "letter-view.html". */
static char *
view_name(const char *path)
{
	const char *name = base_name(path), *dot = strrchr(name, '.');
	size_t len = dot != NULL && dot > name && strlen(dot) <= 6 ?
	    (size_t)(dot - name) :
	    strlen(name);
	char *full = x_asprintf("%.*s-view.html", (int)len, name);
	char *clean = file_name_clean(full, "view.html");

	free(full);
	return clean;
}

static enum outcome
write_view(struct viewing *viewing, const char *path, const struct buffer *view)
{
	unsigned char digest[SHA256_LEN];
	char hash[SHA256_HEX_SIZE], *name, *written = NULL;
	struct new_file file;
	enum outcome outcome;

	outcome = new_file_open(&file, viewing->directory, viewing->why);
	if (outcome != OUTCOME_OK)
		return outcome;
	name = view_name(path);
	if (open_message_write(file.fd, view->data, view->len) < 0)
		outcome = reason_set(viewing->why, OUTCOME_TEMPFAIL, "local",
		    "%s: %s", name, strerror(errno));
	else
		outcome = new_file_commit(&file, name, &written, viewing->why);
	if (outcome == OUTCOME_OK) {
		crypto_hash_sha256(digest, (unsigned char *)view->data,
		    view->len);
		hex_format(digest, sizeof(digest), hash);
		printf("%s  %s\n", hash, written);
	}
	new_file_close(&file);
	free(written);
	free(name);
	return outcome;
}

static enum outcome
make_view(struct viewing *viewing, const struct cargo_resource *r,
    const char *path)
{
	struct buffer html, view;
	char *charset = find_charset(viewing, r);
	enum outcome outcome;

	buffer_init(&html, HTML_MAX);
	buffer_init(&view, 2 * HTML_MAX);
	outcome = read_html(path, &html, viewing->why);
	if (outcome == OUTCOME_OK && !html.failed && html.len > 0 &&
	    html_view_format(html.data, html.len, charset, viewing->parts,
		viewing->count, &view) > 0 &&
	    !view.failed)
		outcome = write_view(viewing, path, &view);
	buffer_free(&html);
	buffer_free(&view);
	free(charset);
	return outcome;
}

enum outcome
open_view_write(const char *directory, const char *message,
    const struct cargo_placeholder *placeholder, char **paths,
    struct reason *why)
{
	struct viewing viewing = { directory, message, placeholder,
		.why = why };
	enum outcome outcome = OUTCOME_OK;

	viewing.parts =
	    x_malloc(2 * placeholder->count * sizeof(*viewing.parts));
	for (size_t i = 0; i < placeholder->count; i++)
		if (paths[i] != NULL)
			add_part(&viewing, i, paths[i]);
	for (size_t i = 0; i < placeholder->count && outcome == OUTCOME_OK; i++)
		if (paths[i] != NULL &&
		    strcmp(placeholder->resources[i].type, "text/html") == 0)
			outcome = make_view(&viewing,
			    &placeholder->resources[i], paths[i]);
	for (size_t i = 0; i < placeholder->count; i++)
		free(viewing.ids[i]);
	free(viewing.parts);
	return outcome;
}

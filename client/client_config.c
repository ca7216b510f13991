/* SPDX-License-Identifier: ISC
 *
 * The user's configuration. Sections are cut out by line and each is read
 * by config_file, over a copy of the text in which all other lines are
 * blank, so that an error names the true line.
 *
 * The section line is read by hand: config_file has no sections, and no
 * library of the set reads such files.
 */
#include "client_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "memory.h"
#include "service_url.h"

#define MAX_FILE 262144

#define AT(member) offsetof(struct client_config, member)
const struct config_key client_config_keys[] = {
	{ "address", CONFIG_STRING, AT(address), NULL, 0, 0, NULL },
	{ "name", CONFIG_STRING, AT(name), "", 0, 0, NULL },
	{ "sendmail", CONFIG_STRING, AT(sendmail), "/usr/sbin/sendmail -i", 0,
	    0, NULL },
	{ "expires", CONFIG_DURATION, AT(expires), "14d", 60, 14 * 86400,
	    NULL },
	{ "ca_bundle", CONFIG_STRING, AT(ca_bundle),
	    "/etc/ssl/certs/ca-certificates.crt", 0, 0, NULL },
	{ "wait", CONFIG_DURATION, AT(wait), "10m", 0, 7 * 86400, NULL },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};
#undef AT

#define AT(member) offsetof(struct client_mailbox, member)
const struct config_key client_config_mailbox_keys[] = {
	{ "url", CONFIG_STRING, AT(url), NULL, 0, 0, NULL },
	{ "user", CONFIG_STRING, AT(user), "", 0, 0, NULL },
	{ "password_command", CONFIG_STRING, AT(password_command), NULL, 0, 0,
	    NULL },
	{ "categories", CONFIG_LIST, AT(categories), "", 0, 0, NULL },
	{ "send", CONFIG_BOOLEAN, AT(send), "yes", 0, 0, NULL },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};
#undef AT

static int
fail(char **error_r, char *error)
{
	*error_r = error;
	return -1;
}

/* One spelling: a slash at the end is forgiven. */
static int
normalise_url(const char *text, char url_r[SERVICE_URL_SIZE])
{
	struct service_url url;
	char *copy = x_strdup(text);
	size_t len = strlen(copy);
	int result;

	if (len > 0 && copy[len - 1] == '/')
		copy[len - 1] = '\0';
	result = service_url_parse(copy, NULL, &url);
	free(copy);
	if (result == 0)
		memcpy(url_r, url.text, sizeof(url.text));
	return result;
}

/* One section: lines [first, end) of the text, counted from 0, behind its
 * own title line. */
struct section {
	char *mailbox; /* NULL: the keys before any section */
	size_t first, end;
};

/* "[mailbox NAME]": the name (free()), or NULL if it is not that. */
static char *
parse_title(const char *line, size_t len)
{
	const char *end = memchr(line, ']', len), *at = line + 1;
	const char *rest;
	size_t name_len;

	if (end == NULL || len < 9 || memcmp(at, "mailbox", 7) != 0)
		return NULL;
	for (rest = end + 1; rest < line + len; rest++)
		if (strchr(" \t\r", *rest) == NULL)
			return NULL;
	at += 7;
	if (*at != ' ' && *at != '\t')
		return NULL;
	at += strspn(at, " \t");
	name_len = (size_t)(end - at);
	while (name_len > 0 && at[name_len - 1] == ' ')
		name_len--;
	if (name_len == 0 || memchr(at, '[', name_len) != NULL)
		return NULL;
	return x_strndup(at, name_len);
}

/* Finds the sections; their number, or -1. */
static int
find_sections(const char *name, const char *text, size_t len,
    struct section sections[CLIENT_CONFIG_MAX_MAILBOXES + 1], char **error_r)
{
	size_t at, line = 0, line_len;
	int count = 1;

	memset(&sections[0], 0, sizeof(sections[0]));
	for (at = 0; at < len; at += line_len + 1, line++) {
		const char *end = memchr(text + at, '\n', len - at);

		line_len = end != NULL ? (size_t)(end - text) - at : len - at;
		sections[count - 1].end = line + 1;
		if (line_len == 0 || text[at] != '[')
			continue;
		sections[count - 1].end = line;
		if (count > CLIENT_CONFIG_MAX_MAILBOXES)
			return fail(error_r,
			    x_asprintf("%s:%zu: more than %d mailboxes", name,
				line + 1, CLIENT_CONFIG_MAX_MAILBOXES));
		sections[count].mailbox = parse_title(text + at, line_len);
		if (sections[count].mailbox == NULL)
			return fail(error_r,
			    x_asprintf("%s:%zu: expected "
				       "[mailbox NAME]",
				name, line + 1));
		sections[count].first = line + 1;
		sections[count].end = line + 1;
		count++;
	}
	return count;
}

/* The lines of one section, behind as many empty ones as stood before it. */
static void
cut_section(const char *text, size_t len, const struct section *section,
    struct buffer *cut)
{
	const char *end;
	size_t at, line = 0, line_len;

	buffer_init(cut, MAX_FILE + 1);
	for (at = 0; at < len && line < section->end; at += line_len, line++) {
		end = memchr(text + at, '\n', len - at);
		line_len =
		    end != NULL ? (size_t)(end - text) - at + 1 : len - at;
		if (line < section->first)
			buffer_add_string(cut, "\n");
		else
			buffer_add(cut, text + at, line_len);
	}
}

static int
read_mailbox(const char *name, const char *text, size_t len,
    struct client_mailbox *mailbox, char **error_r)
{
	char url[SERVICE_URL_SIZE];

	if (config_file_parse(name, text, len, client_config_mailbox_keys,
		mailbox, error_r) < 0)
		return -1;
	if (normalise_url(mailbox->url, url) < 0)
		return fail(error_r,
		    x_asprintf("%s: mailbox %s: url must be "
			       "https://HOST[:PORT]",
			name, mailbox->name));
	free(mailbox->url);
	mailbox->url = x_strdup(url);
	return 0;
}

/* Two sections of one name or one URL would make the choice a matter of
 * their order. */
static int
check_unique(const char *name, const struct client_config *config,
    char **error_r)
{
	const struct client_mailbox *a, *b;
	size_t i, j;

	for (i = 0; i < config->mailbox_count; i++)
		for (j = i + 1; j < config->mailbox_count; j++) {
			a = &config->mailboxes[i];
			b = &config->mailboxes[j];
			if (strcmp(a->name, b->name) == 0)
				return fail(error_r,
				    x_asprintf("%s: mailbox %s stands twice",
					name, a->name));
			if (strcmp(a->url, b->url) == 0)
				return fail(error_r,
				    x_asprintf("%s: mailboxes %s and %s have "
					       "the same "
					       "url",
					name, a->name, b->name));
		}
	return 0;
}

static int
read_sections(const char *name, const char *text, size_t len,
    struct section *sections, int count, struct client_config *config,
    char **error_r)
{
	struct client_mailbox *mailbox;
	struct buffer cut;
	int i, failed = 0;

	config->mailboxes = x_calloc((size_t)count, sizeof(*mailbox));
	for (i = 0; i < count && !failed; i++) {
		cut_section(text, len, &sections[i], &cut);
		if (i == 0) {
			failed = config_file_parse(name, buffer_string(&cut),
				     cut.len, client_config_keys, config,
				     error_r) < 0;
		} else {
			mailbox = &config->mailboxes[config->mailbox_count++];
			mailbox->name = sections[i].mailbox;
			sections[i].mailbox = NULL;
			failed = read_mailbox(name, buffer_string(&cut),
				     cut.len, mailbox, error_r) < 0;
			if (!failed && mailbox->user[0] == '\0') {
				free(mailbox->user);
				mailbox->user = x_strdup(config->address);
			}
		}
		buffer_free(&cut);
	}
	return failed ? -1 : 0;
}

int
client_config_parse(const char *name, const char *text, size_t len,
    struct client_config *config_r, char **error_r)
{
	struct section sections[CLIENT_CONFIG_MAX_MAILBOXES + 1];
	int count, i, result = -1;

	memset(config_r, 0, sizeof(*config_r));
	memset(sections, 0, sizeof(sections));
	if (len > MAX_FILE)
		return fail(error_r, x_asprintf("%s: too long", name));
	count = find_sections(name, text, len, sections, error_r);
	if (count >= 0 &&
	    read_sections(name, text, len, sections, count, config_r,
		error_r) == 0 &&
	    check_unique(name, config_r, error_r) == 0)
		result = config_r->mailbox_count > 0 ?
		    0 :
		    fail(error_r,
			x_asprintf("%s: no line \"[mailbox NAME]\" in it; do "
				   "lines begin with blanks that should not?",
			    name));
	for (i = 0; i <= CLIENT_CONFIG_MAX_MAILBOXES; i++)
		free(sections[i].mailbox);
	if (result < 0)
		client_config_free(config_r);
	return result;
}

/* The file names commands that are run as the user. */
static int
check_owner(const char *path, int fd, char **error_r)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(error_r, x_asprintf("%s: not a file", path));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fail(error_r,
		    x_asprintf("%s: belongs to somebody "
			       "else",
			path));
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fail(error_r,
		    x_asprintf("%s: others may write to it; "
			       "cure: chmod go-w %s",
			path, path));
	return 0;
}

int
client_config_read(const char *path, struct client_config *config_r,
    char **error_r)
{
	struct buffer text;
	char *room;
	ssize_t got = -1;
	int fd, result = -1;

	memset(config_r, 0, sizeof(*config_r));
	buffer_init(&text, MAX_FILE + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(error_r,
		    x_asprintf("%s: %s", path, strerror(errno)));
	if (check_owner(path, fd, error_r) < 0)
		goto out;
	while (text.len <= MAX_FILE &&
	    (room = buffer_reserve(&text, 4096)) != NULL &&
	    (got = read(fd, room, 4096)) > 0)
		text.len += (size_t)got;
	if (got < 0) {
		fail(error_r, x_asprintf("%s: cannot be read", path));
		goto out;
	}
	result = client_config_parse(path, buffer_string(&text), text.len,
	    config_r, error_r);
out:
	close(fd);
	buffer_free(&text);
	return result;
}

void
client_config_free(struct client_config *config)
{
	size_t i;

	for (i = 0; i < config->mailbox_count; i++) {
		free(config->mailboxes[i].name);
		config_file_free(client_config_mailbox_keys,
		    &config->mailboxes[i]);
	}
	free(config->mailboxes);
	config_file_free(client_config_keys, config);
	memset(config, 0, sizeof(*config));
}

char *
client_config_default_path(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (base != NULL && base[0] == '/')
		return x_asprintf("%s/cargomail/config", base);
	if (home != NULL && home[0] == '/')
		return x_asprintf("%s/.config/cargomail/config", home);
	return NULL;
}

const struct client_mailbox *
client_config_for_category(const struct client_config *config,
    const char *category)
{
	const struct client_mailbox *mailbox, *fallback = NULL;
	size_t i;

	for (i = 0; i < config->mailbox_count; i++) {
		mailbox = &config->mailboxes[i];
		if (!mailbox->send)
			continue;
		if (category != NULL &&
		    config_list_has(&mailbox->categories, category))
			return mailbox;
		if (fallback == NULL && mailbox->categories.count == 0)
			fallback = mailbox;
	}
	return fallback;
}

const struct client_mailbox *
client_config_for_url(const struct client_config *config, const char *url)
{
	char wanted[SERVICE_URL_SIZE];
	size_t i;

	if (normalise_url(url, wanted) < 0)
		return NULL;
	for (i = 0; i < config->mailbox_count; i++)
		if (strcmp(config->mailboxes[i].url, wanted) == 0)
			return &config->mailboxes[i];
	return NULL;
}

const struct client_mailbox *
client_config_by_name(const struct client_config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->mailbox_count; i++)
		if (strcmp(config->mailboxes[i].name, name) == 0)
			return &config->mailboxes[i];
	return NULL;
}

/* SPDX-License-Identifier: ISC
 *
 * The signer's policy: reads the file, judges requests for tokens.
 *
 * Trust: the file is root's. Claims come from a client and are hostile;
 * their shapes have been checked.
 */
#include "sign_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grip_name.h"
#include "memory.h"

#define POLICY_SIZE_MAX (1 << 20)
#define POLICY_LINE_MAX 4096
#define POLICY_LIFETIME_MAX GRIP_LIFETIME_NOTIFY

/* ---- reading ---- */

static void
policy_identity_free(struct sign_policy_identity *identity)
{
	struct config_list *lists[] = { &identity->domains,
		&identity->audiences };

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < lists[i]->count; j++)
			free(lists[i]->items[j]);
		free(lists[i]->items);
	}
	free(identity->name);
	free(identity->key);
	memset(identity, 0, sizeof(*identity));
}

void
sign_policy_free(struct sign_policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		policy_identity_free(&policy->items[i]);
	free(policy->items);
	memset(policy, 0, sizeof(*policy));
}

static void
policy_list_add(struct config_list *list, const char *item)
{
	list->items =
	    x_realloc(list->items, (list->count + 1) * sizeof(*list->items));
	list->items[list->count++] = x_strdup(item);
}

/* The attributes: each returns what is wrong with the value, or NULL. */

static const char *
policy_set_role(struct sign_policy_identity *identity, char *value)
{
	if (grip_role_parse(value, &identity->role) != 0)
		return "is not broker, agent, mailbox or web";
	return NULL;
}

static const char *
policy_set_hosts(struct config_list *list, char *value)
{
	char *next;

	for (char *item = strtok_r(value, ",", &next); item != NULL;
	     item = strtok_r(NULL, ",", &next)) {
		if (!grip_name_is_host(item))
			return "is not a list of lower-case domain names";
		policy_list_add(list, item);
	}
	return list->count > 0 ? NULL : "is an empty list";
}

static const char *
policy_set_domains(struct sign_policy_identity *identity, char *value)
{
	return policy_set_hosts(&identity->domains, value);
}

static const char *
policy_set_audiences(struct sign_policy_identity *identity, char *value)
{
	if (strcmp(value, "*") == 0)
		return NULL; /* an empty list is everybody */
	return policy_set_hosts(&identity->audiences, value);
}

static const char *
policy_set_lifetime(struct sign_policy_identity *identity, char *value)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit;
	char *end;

	if (*value < '1' || *value > '9')
		return "is not a duration as 5m, 12h or 14d";
	errno = 0;
	identity->lifetime = strtol(value, &end, 10);
	unit = *end != '\0' ? strchr(units, *end) : NULL;
	if (errno != 0 || unit == NULL || end[1] != '\0')
		return "is not a duration as 5m, 12h or 14d";
	if (identity->lifetime > POLICY_LIFETIME_MAX / seconds[unit - units])
		return "is longer than 14d";
	identity->lifetime *= seconds[unit - units];
	return NULL;
}

static const char *
policy_set_key(struct sign_policy_identity *identity, char *value)
{
	if (!grip_name_is_host(value) && !grip_name_is_service(value, NULL))
		return "is not a name of a key";
	identity->key = x_strdup(value);
	return NULL;
}

static const struct policy_attribute {
	const char *name;
	const char *(*set)(struct sign_policy_identity *, char *);
	unsigned roles; /* that may have it */
} policy_attributes[] = {
	{ "role", policy_set_role, ~0u },
	{ "domains", policy_set_domains, 1u << GRIP_ROLE_BROKER },
	{ "audiences", policy_set_audiences,
	    1u << GRIP_ROLE_BROKER | 1u << GRIP_ROLE_AGENT },
	{ "lifetime", policy_set_lifetime,
	    1u << GRIP_ROLE_BROKER | 1u << GRIP_ROLE_AGENT },
	{ "key", policy_set_key, ~(1u << GRIP_ROLE_WEB) },
	{ NULL, NULL, 0 },
};

/* Where a line stands, for messages. */
struct policy_line {
	const char *file;
	size_t number;
	char **error_r;
	unsigned seen; /* attributes, as bits of their table */
};

static int
policy_error(const struct policy_line *line, const char *word, const char *what)
{
	*line->error_r =
	    x_asprintf("%s:%zu: %s: %s", line->file, line->number, word, what);
	return -1;
}

static int
policy_read_attribute(struct policy_line *line, char *word,
    struct sign_policy_identity *identity)
{
	char *value = strchr(word, '=');
	const char *wrong;
	size_t i = 0;

	if (value == NULL)
		return policy_error(line, word, "is not name=value");
	*value++ = '\0';
	while (policy_attributes[i].name != NULL &&
	    strcmp(policy_attributes[i].name, word) != 0)
		i++;
	if (policy_attributes[i].name == NULL)
		return policy_error(line, word, "unknown attribute");
	if ((line->seen & 1u << i) != 0)
		return policy_error(line, word, "given twice");
	line->seen |= 1u << i;
	wrong = policy_attributes[i].set(identity, value);
	return wrong == NULL ? 0 : policy_error(line, word, wrong);
}

/* What the words of a line must be together. */
static int
policy_finish(struct policy_line *line, struct sign_policy_identity *identity)
{
	static const char *const prefixes[] = {
		[GRIP_ROLE_BROKER] = "_cb",
		[GRIP_ROLE_AGENT] = "_rra",
		[GRIP_ROLE_MAILBOX] = NULL,
		[GRIP_ROLE_WEB] = NULL,
	};
	const char *prefix;

	if ((line->seen & 1u) == 0)
		return policy_error(line, identity->name,
		    "has no role=broker, agent, mailbox or web");
	for (size_t i = 0; policy_attributes[i].name != NULL; i++)
		if ((line->seen & 1u << i) != 0 &&
		    (policy_attributes[i].roles & 1u << identity->role) == 0)
			return policy_error(line, policy_attributes[i].name,
			    "means nothing for this role");
	prefix = prefixes[identity->role];
	if (prefix == NULL && !grip_name_is_host(identity->name))
		return policy_error(line, identity->name,
		    "is not a lower-case host name");
	if (prefix != NULL && !grip_name_is_service(identity->name, prefix))
		return policy_error(line, identity->name,
		    "is not _cb.DOMAIN for a broker, _rra.DOMAIN for an agent");
	if (identity->role == GRIP_ROLE_BROKER && identity->domains.count == 0)
		policy_list_add(&identity->domains,
		    grip_name_domain(identity->name));
	if (identity->lifetime == 0)
		identity->lifetime = POLICY_LIFETIME_MAX;
	if (identity->key == NULL)
		identity->key = x_strdup(identity->name);
	return 0;
}

static int
policy_read_line(struct policy_line *line, char *text,
    struct sign_policy *policy)
{
	static const char blanks[] = " \t\r";
	struct sign_policy_identity *identity;
	char *next, *word;

	text[strcspn(text, "#")] = '\0';
	word = strtok_r(text, blanks, &next);
	if (word == NULL)
		return 0;
	for (size_t i = 0; i < policy->count; i++)
		if (strcmp(policy->items[i].name, word) == 0)
			return policy_error(line, word, "given twice");
	policy->items = x_realloc(policy->items,
	    (policy->count + 1) * sizeof(*policy->items));
	identity =
	    memset(&policy->items[policy->count++], 0, sizeof(*identity));
	identity->name = x_strdup(word);
	line->seen = 0;
	while ((word = strtok_r(NULL, blanks, &next)) != NULL)
		if (policy_read_attribute(line, word, identity) != 0)
			return -1;
	return policy_finish(line, identity);
}

/* What a web host's key signs under TLS 1.2 says less of what it is for: no
 * other identity may have that key. */
static int
policy_check_web_keys(const struct policy_line *line,
    const struct sign_policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		for (size_t j = 0; j < policy->count; j++)
			if (i != j && policy->items[i].role == GRIP_ROLE_WEB &&
			    strcmp(policy->items[i].key,
				policy->items[j].key) == 0)
				return policy_error(line, policy->items[j].name,
				    "has the key of a web host");
	return 0;
}

int
sign_policy_parse(const char *name, const char *text, size_t len,
    struct sign_policy *policy_r, char **error_r)
{
	struct policy_line line = { name, 0, error_r, 0 };
	const char *at = text, *end = text + len;
	char copy[POLICY_LINE_MAX];
	int rc = 0;

	memset(policy_r, 0, sizeof(*policy_r));
	while (rc == 0 && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop != NULL ? stop : end) - at);

		line.number++;
		if (n >= sizeof(copy) || memchr(at, '\0', n) != NULL) {
			rc = policy_error(&line, "line",
			    "too long, or not text");
			break;
		}
		memcpy(copy, at, n);
		copy[n] = '\0';
		rc = policy_read_line(&line, copy, policy_r);
		at += n + 1;
	}
	if (rc == 0)
		rc = policy_check_web_keys(&line, policy_r);
	if (rc == 0 && policy_r->count == 0) {
		*error_r = x_asprintf("%s: names no identity", name);
		rc = -1;
	}
	if (rc != 0)
		sign_policy_free(policy_r);
	return rc;
}

/* Whoever may write the policy may have anything signed. */
static char *
policy_file_trouble(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_size > POLICY_SIZE_MAX)
		return x_asprintf("%s: not a regular file below 1 MiB", path);
	if (st->st_uid != 0)
		return x_asprintf("%s: owned by uid %u; do: chown root %s",
		    path, (unsigned)st->st_uid, path);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return x_asprintf("%s: others may write it; do: chmod go-w %s",
		    path, path);
	return NULL;
}

int
sign_policy_read(const char *path, struct sign_policy *policy_r, char **error_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = -1;
	char *text = NULL;
	struct stat st;
	ssize_t n;

	memset(policy_r, 0, sizeof(*policy_r));
	if (fd == -1 || fstat(fd, &st) != 0) {
		*error_r = x_asprintf("%s: %s", path, strerror(errno));
		goto out;
	}
	*error_r = policy_file_trouble(path, &st);
	if (*error_r != NULL)
		goto out;
	text = x_malloc((size_t)st.st_size + 1);
	n = read(fd, text, (size_t)st.st_size);
	if (n != st.st_size) {
		*error_r = x_asprintf("%s: cannot be read whole", path);
		goto out;
	}
	rc = sign_policy_parse(path, text, (size_t)n, policy_r, error_r);
out:
	free(text);
	if (fd != -1)
		close(fd);
	return rc;
}

/* ---- judging ---- */

static enum outcome
policy_no(struct reason *why, const char *what, const char *value)
{
	return reason_set(why, OUTCOME_PERMFAIL, "policy", "%s %s", what,
	    value);
}

static enum outcome
policy_check_role(const struct sign_policy_identity *identity,
    enum grip_type type, struct reason *why)
{
	static const char *const roles[] = {
		[GRIP_ROLE_BROKER] = "_cb",
		[GRIP_ROLE_AGENT] = "_rra",
		[GRIP_ROLE_MAILBOX] = "",
		[GRIP_ROLE_WEB] = "",
	};

	if (strcmp(roles[identity->role], grip_type_role(type)) != 0)
		return policy_no(why, identity->name,
		    "issues no tokens of this type");
	return OUTCOME_OK;
}

static enum outcome
policy_check_expiry(const struct sign_policy_identity *identity,
    enum grip_type type, struct grip_claims *claims, int64_t now,
    struct reason *why)
{
	int64_t longest = grip_type_max_lifetime(type);

	if (identity->lifetime < longest)
		longest = identity->lifetime;
	if (claims->exp == 0)
		claims->exp = now + longest;
	if (claims->exp <= now)
		return policy_no(why, "exp", "has passed");
	if (claims->exp > now + longest)
		return policy_no(why, "exp",
		    "is later than type and policy allow");
	return OUTCOME_OK;
}

/* The addresses that a broker speaks for must be in its domains. */
static enum outcome
policy_check_addresses(const struct sign_policy_identity *identity,
    const struct grip_claims *claims, struct reason *why)
{
	const char *addresses[] = { claims->recipient, claims->mailbox,
		claims->user };
	const char *domain;

	for (size_t i = 0; i < 3; i++) {
		if (addresses[i] == NULL)
			continue;
		domain = grip_name_address_domain(addresses[i]);
		if (domain == NULL ||
		    !config_list_has(&identity->domains, domain))
			return policy_no(why,
			    "not in its domains:", addresses[i]);
	}
	return OUTCOME_OK;
}

/* Token A goes only to the origin that token B names, and only from the
 * agent that B names. Whether B is true, its reader finds out. */
static enum outcome
policy_check_nested(const struct sign_policy_identity *identity,
    const struct grip_claims *claims, int64_t now, struct reason *why)
{
	struct grip_token *inner = NULL;
	char host[GRIP_NAME_SIZE];
	enum outcome outcome;

	outcome =
	    grip_token_parse(claims->token, strlen(claims->token), &inner, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (inner->type != GRIP_NOTIFY)
		outcome = policy_no(why, "the nested token is a",
		    grip_type_name(inner->type));
	else if (strcmp(inner->claims.agent, identity->name) != 0)
		outcome = policy_no(why, "the nested token is for the agent",
		    inner->claims.agent);
	else if (!grip_name_is_origin(inner->claims.origin, host) ||
	    strcmp(host, claims->aud) != 0)
		outcome = policy_no(why, "the nested token is for the origin",
		    inner->claims.origin);
	else if (inner->claims.exp <= now)
		outcome = policy_no(why, "the nested token", "has expired");
	grip_token_free(&inner);
	return outcome;
}

enum outcome
sign_policy_allows(const struct sign_policy_identity *identity,
    enum grip_type type, struct grip_claims *claims, int64_t now,
    struct reason *why)
{
	enum outcome outcome;

	outcome = policy_check_role(identity, type, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (identity->audiences.count > 0 &&
	    !config_list_has(&identity->audiences, claims->aud))
		return policy_no(why, "not among its audiences:", claims->aud);
	outcome = policy_check_expiry(identity, type, claims, now, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (type == GRIP_GET)
		return policy_check_nested(identity, claims, now, why);
	return policy_check_addresses(identity, claims, why);
}

/* SPDX-License-Identifier: ISC
 *
 * cargomailctl check: is this host in order? A table of checks, each with a
 * name and a function in a check_*.c of its area; each says lines: ok, warn
 * or fail, what was found, why it matters, what to do. Nothing is changed.
 *
 * A check sees the host only through `struct check_world` and paths below
 * `root`, so that a test can show it any host. Answers of daemons, of Postfix
 * and of foreign servers are printed escaped.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "check_config.h"
#include "encoding.h"
#include "outcome.h"

struct check_origin;
struct check_origins;
struct check_mail;
struct check_mail_reply;

enum check_level { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_line {
	enum check_level level;
	const char *name; /* of the check */
	char *subject; /* what it is about: a file, a name, a service */
	char *what, *why, *cure; /* the last two NULL for ok */
};

/* One GET. */
struct check_fetch {
	const char *url;
	const char *ca_bundle; /* NULL: not believed by certificate */
	const char *key; /* hex: the SPKI hash to believe, NULL: none */
};

struct check_reply {
	unsigned status;
	int64_t date; /* of the server's clock; 0 if it did not say */
	char agent[256]; /* of /.well-known/cargomail, "" if it is none */
};

struct check_room {
	int64_t bytes; /* for others than root */
	int64_t files; /* INT64_MAX: as many as one likes */
	bool read_only;
};

/* How the host is seen; `arg` is the first parameter of each. */
struct check_world {
	void *arg;
	int64_t (*now)(void *arg);
	/* The packets of a daemon's answer joined: arrays are appended. The
	 * request is taken over. NULL with *error_r (free()). */
	cJSON *(*ask)(void *arg, const char *daemon, cJSON *request,
	    char **error_r);
	/* Standard output and error of a program, NULL-ended argv, as much as
	 * 16 MiB of it; the caller frees. *status_r: its exit code, -1 if it
	 * could not run. */
	char *(*run)(void *arg, const char *const argv[], int *status_r);
	enum outcome (*fetch)(void *arg, const struct check_fetch *fetch,
	    struct check_reply *reply_r, struct reason *why);
	/* One message by SMTP: check_mail.h. */
	void (*mail)(void *arg, const struct check_mail *mail,
	    struct check_mail_reply *reply_r);
	void (*pause)(void *arg, int ms);
	/* 0, or -1 if there is no such user. */
	int (*user)(void *arg, const char *name, uid_t *uid_r);
	/* What there is left where `path` is; -1 if that is nowhere. */
	int (*room)(void *arg, const char *path, struct check_room *room_r);
};

struct check {
	const struct check_world *world;
	const char *root; /* put before each path; "" */
	struct check_config config;
	const char *peer; /* --peer, or NULL */
	const char *canary; /* --canary, or NULL */
	const char *from; /* --from, or NULL */
	const char *name; /* of the check that runs */
	struct check_line *lines;
	size_t count;
	cJSON *identities; /* check_identities() */
	bool identities_asked;
	struct check_origins *origins; /* check_origin.h, as is the next */
	struct check_origin *peer_origin;
};

struct check_item {
	const char *name;
	void (*run)(struct check *check);
	const char *about;
};

/* The checks, in order; ends with a NULL name. */
extern const struct check_item check_items[];

/* ---- for the checks ---------------------------------------------------- */

/* A new line; for what is not ok check_why() and check_cure() follow. */
void check_say(struct check *check, enum check_level level, const char *subject,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void check_why(struct check *check, const char *text);
void check_cure(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* root + path; the caller frees. */
char *check_path(const struct check *check, const char *path);

/* The text of a file of at most 1 MiB below root; NULL with errno. */
char *check_read(const struct check *check, const char *path);

/* Asks and says nothing; `name` and `value` may be NULL. */
cJSON *check_ask(struct check *check, const char *daemon, const char *verb,
    char **error_r);

/* What the signer has loaded, [{name, role, key, file, until}]; if it does
 * not answer, what the policy names, without key and until. Each has name,
 * role and file, and they are such: two labels at least, one of the roles.
 * NULL if there is no policy. Owned by `check`. */
const cJSON *check_identities(struct check *check);

/* The same of the policy, as it would be loaded now: {identities: [...]}. NULL
 * if there is none. The caller deletes. */
cJSON *check_policy(const struct check *check);

/* The domain of each of the broker's names (_cb.DOMAIN) once, an array of
 * strings: a key on its way in has an identity of its own. The caller
 * deletes. */
cJSON *check_mail_domains(struct check *check);

/* What the DNS says, by gripd: {status, secure, ttl, target, records}. NULL
 * with *error_r. The caller deletes. */
cJSON *check_lookup(struct check *check, const char *name, const char *type,
    char **error_r);

/* ---- the areas --------------------------------------------------------- */

void check_time(struct check *check);
void check_configuration(struct check *check);
void check_daemons(struct check *check);
void check_sockets(struct check *check);
void check_files(struct check *check);
void check_keys(struct check *check);
void check_certificates(struct check *check);
void check_resolver(struct check *check);
void check_dns(struct check *check);
void check_public(struct check *check);
void check_maps(struct check *check);
void check_postfix(struct check *check);
void check_milters(struct check *check);
void check_probe(struct check *check);
void check_store(struct check *check);
void check_queue(struct check *check);
void check_peer(struct check *check);
void check_canary(struct check *check);
void check_outside(struct check *check);

/* Port 25 of a host, for `peer` of smtp://host. */
void check_outside_mail(struct check *check, const char *host);

/* Runs the table, or the one called `only`; the worst level. Lines are
 * handed to `emit` after each check and freed. -1 if there is no such. */
int check_run(struct check *check, const char *only,
    void (*emit)(const struct check_line *line, void *arg), void *arg);

/* Frees what it holds. */
void check_close(struct check *check);

#endif

/* SPDX-License-Identifier: ISC
 *
 * What the verbs of cargomailctl(8) share. It runs as root or as a member of
 * cargomail-admin, on the host of the daemons; what a daemon answers is
 * printed escaped, since it may quote strangers.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* Time for an answer; and where it takes as long as the store is large. */
#define CTL_TIMEOUT_MS 10000
#define CTL_TIMEOUT_STORE_MS 3600000

struct ctl {
	bool json; /* print answers as they came, one object a line */
	const char *keys_directory; /* NULL: that of gripd.conf */
	int timeout_ms; /* for an answer of a daemon */
};

/* A verb: argv[0] is its name. Returns an exit code of sysexits.h. */
struct ctl_verb {
	const char *name;
	int (*run)(const struct ctl *ctl, int argc, char **argv);
	const char *usage;
};

int ctl_account(const struct ctl *ctl, int argc, char **argv);
int ctl_check(const struct ctl *ctl, int argc, char **argv);
int ctl_config(const struct ctl *ctl, int argc, char **argv);
int ctl_dns(const struct ctl *ctl, int argc, char **argv);
int ctl_flush(const struct ctl *ctl, int argc, char **argv);
int ctl_fsck(const struct ctl *ctl, int argc, char **argv);
int ctl_gc(const struct ctl *ctl, int argc, char **argv);
int ctl_keys(const struct ctl *ctl, int argc, char **argv);
int ctl_metrics(const struct ctl *ctl, int argc, char **argv);
int ctl_queue(const struct ctl *ctl, int argc, char **argv);
int ctl_renotify(const struct ctl *ctl, int argc, char **argv);
int ctl_setup(const struct ctl *ctl, int argc, char **argv);
int ctl_share(const struct ctl *ctl, int argc, char **argv);
int ctl_status(const struct ctl *ctl, int argc, char **argv);

/*
 * Asks a daemon (`request` is taken over) and hands each packet of its
 * answer to `show` unless they go out as JSON. Says on standard error what
 * went wrong. Returns 0; 69 if the daemon is not there; 75 or 65 if it
 * answered with a temporary or permanent failure.
 */
int ctl_ask(const struct ctl *ctl, const char *daemon, cJSON *request,
    void (*show)(const cJSON *packet, void *context), void *context);

/* The same with a text that may be larger than a packet (control.h). */
int ctl_ask_text(const struct ctl *ctl, const char *daemon, cJSON *request,
    const char *text, void (*show)(const cJSON *packet, void *context),
    void *context);

/* True if `text` may name a pull: the beginning of a message id. Else says so
 * on standard error. */
bool ctl_is_message(const char *text);

/* {"verb":name}; ends the program for want of memory. */
cJSON *ctl_request(const char *verb);

/* An object in one line, escaped: whoever reads it may be a terminal, or a
 * monitoring that takes strict JSON. -1 if it could not be written. */
int ctl_print_json(const cJSON *object);

/* Text of a member, escaped, "-" if it is absent; printed to `width`
 * columns (0: as it is) and a blank. */
void ctl_print_string(const cJSON *object, const char *name, int width);
/* A number of bytes for people, the same way. */
void ctl_print_size(const cJSON *object, const char *name, int width);

/* Members of an object, one a line behind their names; those that are absent
 * or 0 are passed over. */
enum ctl_kind { CTL_TEXT, CTL_NUMBER, CTL_SIZE, CTL_TIME };
struct ctl_field {
	const char *member;
	enum ctl_kind kind;
	const char *label;
};
void ctl_print_fields(const cJSON *object, const struct ctl_field *fields,
    size_t count);

#endif

/* SPDX-License-Identifier: ISC
 *
 * Probe mail: a small placeholder that goes through the real Postfix to the
 * broker, which shows it here and lets it vanish (broker/probe.h). What
 * milters, tables and services do to a placeholder is so seen, not guessed.
 */
#ifndef CHECK_PROBE_H
#define CHECK_PROBE_H

#include "buffer.h"
#include "cargo_placeholder.h"
#include "check.h"
#include "check_mail.h"
#include "check_postfix.h"

#define CHECK_PROBE_LOCALHOST "127.0.0.1"

/* What the broker saw. */
struct check_sight {
	int64_t arrivals, recipients;
	cJSON *answer; /* owns the strings */
	const char *proof, *proof_text, *form, *form_text;
	char *message; /* hostile, NUL-terminated */
	size_t len, header;
};

struct check_probe {
	struct check *check;
	const struct check_postfix *postfix;
	const char *domain; /* whose mail it is */
	char *hostname; /* Postfix's own */
	char *milters; /* of mail from outside */
	char *address; /* postmaster of the domain */
	const char *to; /* what Postfix took: `address` or "postmaster" */
	char share[CARGO_SHARE_LEN + 1];
	int64_t mailed; /* when, the last time */
	struct check_mail_reply reply;
};

/* True if the broker waits for probe->share now; else it has been said why
 * not. */
bool check_probe_begin(struct check_probe *probe);
void check_probe_again(struct check_probe *probe);
void check_probe_end(struct check_probe *probe);

/* Sends to this server and waits for the broker to see it. `data` is
 * borrowed. True if it did, then *sight_r is to be freed. What went wrong
 * has been said otherwise, with `way` as the subject. */
bool check_probe_send(struct check_probe *probe, const char *server,
    const char *way, const struct buffer *data, struct check_sight *sight_r);
void check_sight_free(struct check_sight *sight);

/* Why the last one still is in Postfix's queue, from where it is taken out;
 * NULL if it is not there. The caller frees. *stays_r: we may not, or its
 * recipient is another now, so that it may be somebody's. */
char *check_probe_take_back(struct check_probe *probe, bool *stays_r);

/* Is it for postmaster of its domain? */
bool check_probe_to_postmaster(const struct check_probe *probe);

/* Says why the last one was not taken. */
void check_probe_say_refused(struct check_probe *probe, const char *server,
    const char *way);

/* The two steps of that alone; nothing is said. */
void check_probe_mail(struct check_probe *probe, const char *server,
    const struct buffer *data);
bool check_probe_wait(struct check_probe *probe, struct check_sight *sight_r);

/* ---- the messages (check_probe_write.c) ---------------------------------- */

/* The placeholder of `share`; PERMFAIL if it cannot be written. */
enum outcome check_probe_compose(const struct check_probe *probe,
    struct buffer *message, struct reason *why);

/* The message as it was signed: without what was put on its way here. */
void check_probe_strip(const struct check_sight *sight, struct buffer *out);

/* One with signature and results that are made up, as a stranger would. */
void check_probe_forge(const struct check_probe *probe,
    const struct buffer *message, struct buffer *out);

/* Addresses of Postfix's host name as the world knows it, at most `max`; the
 * caller frees each. */
size_t
check_probe_addresses(struct check_probe *probe, char **list, size_t max);

/* ---- judgement (check_probe_judge.c) ------------------------------------ */

/* Of what this host signed. True if there is a signature of the domain. */
bool check_probe_judge_signer(struct check_probe *probe,
    const struct check_sight *sight);

/* Of what came back from outside. False if it was not taken for a
 * stranger's. */
bool check_probe_judge_verifier(struct check_probe *probe,
    const struct check_sight *sight, const struct buffer *sent, bool is_signed);

void check_probe_judge_forged(struct check_probe *probe,
    const struct check_sight *sight);

#endif

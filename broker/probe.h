/* SPDX-License-Identifier: ISC
 *
 * Probe mail: placeholders that cargomailctl check(8) sends through the real
 * Postfix, to see what its milters make of them. One that is expected is
 * looked at and answered with 250, and nothing else happens to it: it is not
 * notified, not given back, not delivered.
 *
 * A probe is known by its share id alone, and that is made here: 128 random
 * bits that only the admin socket tells, for two minutes. So no stranger can
 * have the broker look at mail or swallow it, and no administrator can make
 * it swallow a placeholder that somebody else sends.
 *
 * Lies in memory that the processes of connections share; what is kept of a
 * message is hostile, and only handed to the admin socket.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cargo_placeholder.h"
#include "config_file.h"
#include "control.h"
#include "envelope.h"
#include "mail_address.h"

#define PROBE_SLOTS 4
#define PROBE_SECONDS 120 /* from when it is begun */
#define PROBE_MESSAGE_MAX 24576 /* bytes kept: the whole header, at least */
#define PROBE_WORD_SIZE 32
#define PROBE_TEXT_SIZE 256

/* One message that came, and what the broker thought of it. */
struct probe_sight {
	unsigned arrivals; /* since the last probe_again() */
	int64_t recipients; /* of the first one, as the rest */
	char id[64]; /* Postfix's queue id */
	char sender[MAIL_ADDRESS_SIZE]; /* proven, or "" */
	char proof[PROBE_WORD_SIZE]; /* "ok", or a word of sender_proof.h */
	char proof_text[PROBE_TEXT_SIZE];
	char form[PROBE_WORD_SIZE]; /* "ok", or of cargo_placeholder_parse */
	char form_text[PROBE_TEXT_SIZE];
	size_t len;
	char message[PROBE_MESSAGE_MAX];
};

struct probe;

/* NULL if there is no memory. Before the processes are made. */
struct probe *probe_new(void);
void probe_free(struct probe **probe);

/* Begins one. False if all places are taken. `now` in seconds, any clock
 * that does not jump. */
bool probe_begin(struct probe *probe, int64_t now,
    char share_r[CARGO_SHARE_LEN + 1]);

/* Forgets what came under it; it goes on. False if there is none. */
bool probe_again(struct probe *probe, int64_t now, const char *share);

bool probe_end(struct probe *probe, int64_t now, const char *share);

/* What came so far. False if there is none. */
bool probe_look(struct probe *probe, int64_t now, const char *share,
    struct probe_sight *sight_r);

/* A process of a connection: true if this message is a probe. Then it was
 * looked at, and each recipient has its 250. */
bool probe_take(struct probe *probe, int64_t now,
    const struct config_list *authserv_ids, struct envelope *envelope,
    const char *message, size_t len);

/* The verb "probe" of the admin socket: {"do":"begin"} answers {"share"},
 * {"do":"look"|"again"|"end","share"}; "look" answers the members of struct
 * probe_sight, the message in base64. */
void probe_answer(struct probe *probe, struct control_connection *connection,
    const cJSON *request);

#endif

/* SPDX-License-Identifier: ISC
 *
 * The verb `metrics` of an admin socket, and the reading of its answer. The
 * answer is packets with whole lines in "text". Whoever gathers the answers
 * of several daemons does not believe any of them about another: of an
 * answer only lines pass that speak of the daemon itself.
 */
#ifndef METRICS_VERB_H
#define METRICS_VERB_H

#include "buffer.h"
#include "control.h"
#include "metrics.h"

/* Answers `connection` with what stands in the table. */
void metrics_verb_reply(const struct metrics *metrics,
    struct control_connection *connection);

/* Adds those lines of `text` that may come from `daemon`: comments and
 * samples of its own families, printable, none longer than 512 bytes. How
 * many were left out. */
size_t metrics_verb_filter(const char *daemon, const char *text,
    struct buffer *text_r);

#endif

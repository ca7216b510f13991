/* SPDX-License-Identifier: ISC
 *
 * The whole answer of a daemon on its admin socket, for the checks. A daemon
 * that was taken over may send without end; what is kept of it is bounded.
 */
#ifndef CHECK_ANSWER_H
#define CHECK_ANSWER_H

#include <cjson/cJSON.h>

/* Objects, members and elements of all packets: some 150 MB of memory, and
 * some 80,000 pulls of a queue. */
#define CHECK_ANSWER_VALUES_MAX 1000000

/* Asks (`request` is taken over) and joins the packets of the answer: arrays
 * are appended, of other members the first counts. NULL with *error_r
 * (free()). */
cJSON *check_answer_read(int fd, cJSON *request, char **error_r);

#endif

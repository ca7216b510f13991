/* SPDX-License-Identifier: ISC
 *
 * The DNS record of a GRIP identity, a TXT at its name:
 *
 *   v=grip1; h=sha256; p=<hex of SHA-256 over the DER SubjectPublicKeyInfo>
 *
 * Reads hostile text.
 */
#ifndef GRIP_RECORD_H
#define GRIP_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "visibility.h"

struct grip_record {
	uint8_t spki_sha256[32];
};

#define GRIP_RECORD_TEXT_SIZE 128

/*
 * `text` is the joined strings of one TXT record, which need no NUL. 0 if it
 * is a record of ours; -1 if it is to be skipped: something else, an unknown
 * version or hash, or one that is malformed. "v" comes first, "h" and "p"
 * stand once each; unknown tags are ignored.
 */
GRIP_EXPORT int
grip_record_parse(const void *text, size_t len, struct grip_record *record_r);

/* Writes the record as text with NUL. */
GRIP_EXPORT void grip_record_format(const struct grip_record *record,
    char text_r[GRIP_RECORD_TEXT_SIZE]);

#endif

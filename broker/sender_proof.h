/* SPDX-License-Identifier: ISC
 *
 * Is the From address of a placeholder proven? Postfix's DKIM verifier has
 * checked the signatures and said so in Authentication-Results; here it is
 * decided whether what it said covers what a placeholder is believed for.
 * Reads hostile bytes.
 */
#ifndef SENDER_PROOF_H
#define SENDER_PROOF_H

#include <stddef.h>

#include "config_file.h"
#include "mail_address.h"
#include "outcome.h"

/*
 * OK and the From address in normal form, or PERMFAIL with the word
 *   header      the header cannot be read
 *   from        not exactly one From with exactly one address
 *   result      no Authentication-Results of ours, or no dkim=pass in it
 *   alignment   a pass, but for no domain that From belongs to
 *   signature   the signature that it speaks of is not there (or ambiguous)
 *   length      it covers only a part of the body (l=)
 *   coverage    it does not cover From, Message-ID, MIME-Version and
 *               Content-Type
 *   duplicate   one of these does not stand exactly once in the message
 */
enum outcome sender_proof_check(const char *message, size_t len,
    const struct config_list *authserv_ids, char sender_r[MAIL_ADDRESS_SIZE],
    struct reason *why);

#endif

/* SPDX-License-Identifier: ISC
 *
 * What only this host's broker knows, so that nobody can compute the name of
 * a share. The name follows from the message and all its recipients
 * (outbound_share.h): without a secret, a recipient who has the message could
 * try whom else it went to, and see the Bcc.
 *
 * It lies in the spool directory, since Postfix may bring a message again to
 * the broker after this one. Lost, it only costs that: the share of a message
 * that was under way stands until it expires.
 */
#ifndef SHARE_SECRET_H
#define SHARE_SECRET_H

#define SHARE_SECRET_LEN 32

/* Reads the secret, or makes one. When it cannot be kept it is good for this
 * process; why is logged. */
void share_secret_open(const char *directory,
    unsigned char secret_r[SHARE_SECRET_LEN]);

#endif

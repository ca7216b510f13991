/* SPDX-License-Identifier: ISC
 *
 * Mail addresses (RFC 5321, RFC 6531) and their one normal form, in which
 * they are compared, looked up and put into tokens: local part in ASCII
 * lower case and unquoted where quotes are not needed, extension kept,
 * domain in lower-case A-labels. Reads hostile bytes.
 *
 * Written by hand because libetpan reads RFC 5322 mailboxes in its own
 * process only, and knows neither SMTP paths nor xtext. Fuzzed by
 * fuzz_lmtp_command.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stddef.h>

#define MAIL_ADDRESS_SIZE 321 /* RFC 5321, 4.5.3.1: 64 + 1 + 255, and NUL */

/* Writes the normal form of local@domain. 0, or -1 if it is none: no or
 * empty part, too long, control bytes, address literal, bad UTF-8. */
int
mail_address_normalise(const char *address, char normal_r[MAIL_ADDRESS_SIZE]);

/* The same for a domain alone: at most 255 bytes and a NUL. */
int mail_address_normalise_domain(const char *domain, size_t len,
    char normal_r[256]);

/* What follows the last "@" ("" if there is none). Points into `normal`. */
const char *mail_address_domain(const char *normal);

/* The address without the extension that begins at the first of
 * `delimiters` (as Postfix's recipient_delimiter; may be "") behind the first
 * character. 1 and the address, or 0 if it has no extension. */
int mail_address_strip(const char *normal, const char *delimiters,
    char base_r[MAIL_ADDRESS_SIZE]);

/* Parses the path at the start of `text`: "<>", "<local@domain>" or
 * "<@relay:local@domain>", and sets *end_r behind ">". What stands between
 * the brackets, without a source route, goes to path_r as it is (not
 * normalised; "" for <>). A path without "@" ("<postmaster>") is taken. 0,
 * or -1. */
int mail_address_parse_path(const char *text, const char **end_r,
    char path_r[MAIL_ADDRESS_SIZE]);

/* Normal form of the address in an ORCPT value, "rfc822;bob+2Bx@bar.test"
 * (RFC 3461, xtext) or "utf-8;..." (RFC 6533). 0, or -1. */
int
mail_address_parse_orcpt(const char *orcpt, char normal_r[MAIL_ADDRESS_SIZE]);

#endif

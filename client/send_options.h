/* SPDX-License-Identifier: ISC
 *
 * The command line of `cargomail send`.
 */
#ifndef SEND_OPTIONS_H
#define SEND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct send_options {
	char **recipients; /* as given */
	char **normal; /* the same in normal form */
	size_t recipient_count;
	char **attachments; /* paths, of argv */
	size_t attachment_count;
	const char *html; /* path, "-" or NULL */
	char **pictures; /* paths, of argv; those of the HTML */
	size_t picture_count;
	const char *subject, *category;
	const char *body; /* path, "-" or NULL */
	int64_t expires; /* seconds, 0: as configured */
	bool inline_text;
};

/* 0, or an exit code after one line on standard error. Free afterwards in
 * either case. */
int send_options_parse(int argc, char **argv, struct send_options *options_r);
void send_options_free(struct send_options *options);

#endif

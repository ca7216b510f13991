/* SPDX-License-Identifier: ISC
 *
 * App tokens between runs: one file (0600) for each mailbox and user, in
 * $XDG_RUNTIME_DIR/cargomail or ~/.cache/cargomail (0700). Losing one costs
 * a login, nothing else: no function tells of trouble.
 */
#ifndef TOKEN_CACHE_H
#define TOKEN_CACHE_H

/* The kept token (free()), or NULL. */
char *token_cache_read(const char *url, const char *user);
void token_cache_write(const char *url, const char *user, const char *token);
void token_cache_remove(const char *url, const char *user);

#endif

/* SPDX-License-Identifier: ISC
 *
 * The signer role: the only holder of private keys. It has no network. A
 * request for a token gives typed fields; the signer composes the token itself
 * within the policy. A request for a handshake gives the whole content, which
 * must be that of a TLS 1.3 CertificateVerify of the caller's side, or for a
 * web host of a TLS 1.2 ServerKeyExchange. By the socket a caller came in on
 * it knows the caller's role.
 *
 * Trust: reads packets of broker, retrievald and mailboxd as hostile; keys,
 * certificates and policy are root's.
 */
#ifndef SIGN_H
#define SIGN_H

#include "gripd_config.h"

struct sign;

/* As root, before the chroot: policy, keys and certificates, all sockets.
 * Borrows `config`. NULL with *error_r (one line, what is wrong and the
 * cure; free()). */
struct sign *sign_open(const struct gripd_config *config, char **error_r);

/* Reads policy, keys and certificates and nothing else, for -n. 0, or -1
 * with *error_r (free()). */
int sign_check(const struct gripd_config *config, char **error_r);

/* After privileges were dropped: runs until SIGTERM; SIGHUP reads the
 * certificate chains anew. Frees *sign. The exit status. */
int sign_serve(struct sign **sign);

#endif

/* SPDX-License-Identifier: ISC
 *
 * The signer: the only process that holds private keys. It has no network.
 * A request for a token gives typed fields; the signer composes the token
 * itself within the policy. A request for a handshake gives the whole
 * content, which must be that of a TLS 1.3 CertificateVerify of the caller's
 * side. By the socket a caller came in on it knows the caller's role.
 *
 * Trust: reads packets of broker, retrievald and mailboxd as hostile; keys,
 * certificates and policy are root's.
 */
#ifndef SIGN_H
#define SIGN_H

struct sign_options {
	const char *base_directory; /* with the clients' rooms in it */
	const char *policy;	    /* path of the policy file */
	const char *keys;	    /* directory of keys and certificates */
};

struct sign;

/* Reads policy, keys and certificates, opens all sockets. Before privileges
 * are dropped. NULL with *error_r (one line: what and the cure; free()). */
struct sign *sign_open(const struct sign_options *options, char **error_r);

/* Reads policy, keys and certificates only, for -n. 0, or -1 with *error_r
 * (free()). */
int sign_check(const struct sign_options *options, char **error_r);

/* Serves on a loop of its own until SIGTERM or SIGINT; SIGHUP reads the
 * certificate chains anew. Tells systemd. After privileges are dropped.
 * 0, or -1 if the loop could not be made. */
int sign_serve(struct sign *sign);

/* Closes, wipes, frees and sets to NULL. */
void sign_close(struct sign **sign);

#endif

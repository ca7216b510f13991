/* SPDX-License-Identifier: ISC
 *
 * Keys and certificates on disk: <name>.key (PEM, PKCS #8) and <name>.crt
 * (PEM, leaf first), in the directory of the configuration or among systemd's
 * credentials, where a whole directory may have been named: then they are
 * called keys_<name>.key. Keys come from the credentials if they are there,
 * certificates only if the directory has none, since credentials never change.
 * Keys are P-256 or Ed25519, belong to root or to the signer's user and are
 * closed to everybody else. Both directories are opened before the chroot and
 * stay open, so that certificates can be read again; keys are read once.
 *
 * Trust: the files are root's, but a mistake in them must be told by path
 * and cure.
 */
#ifndef KEY_FILES_H
#define KEY_FILES_H

#include <openssl/evp.h>

#include "grip_protocol.h"

/* Below the directory: where a rotation keeps the next key and certificate
 * (cargomailctl keys rotate, client/rotation.h). */
#define KEY_FILES_NEXT "rotation"

struct key_files;

/* Opens the directories; `credentials` may be NULL. NULL with *error_r (one
 * line, free()). */
struct key_files *
key_files_open(const char *keys, const char *credentials, char **error_r);
void key_files_close(struct key_files **files);

/* The open directories, for the signer's fence: at most two; their number. */
size_t key_files_directories(const struct key_files *files, int fds_r[2]);

/* The private key of this name (EVP_PKEY_free). NULL with *error_r. */
EVP_PKEY *key_files_read_key(const struct key_files *files, const char *name,
    char **error_r);

/*
 * Reads the chain of identity->name from the certificate of this name into
 * identity->chain, replacing what is there. The leaf must hold `key` and must
 * be for the identity: by CN (also that of the key's own name, for an
 * identity that is a CNAME) or, for a mailbox, by a DNS name of RFC 9525. If
 * that certificate will not do, the next one does that holds `key`: so taking
 * a new key is one rename, whatever happens before the next.
 * 0, or -1 with *error_r and the old chain unchanged.
 */
int key_files_read_chain(const struct key_files *files, const char *name,
    EVP_PKEY *key, struct grip_identity *identity, char **error_r);

/* Frees the chain. */
void key_files_free_chain(struct grip_identity *identity);

/* True if the key is of a kind that GRIP knows. */
bool key_files_supported(const EVP_PKEY *key);

#endif

/* SPDX-License-Identifier: ISC
 *
 * The blocking client of gripd, signer or resolver. It connects when first
 * needed and again after trouble; one request at a time, its id checked in
 * the answer; on a time-out, a wrong id or garbage the connection is dropped
 * and the outcome is temporary. Not for two threads at once. After a fork
 * the child makes a connection of its own by itself.
 *
 * Functions return the outcome and reason of the answer. Trouble on the way
 * is a tempfail with the word "gripd" (not there, time-out) or "protocol".
 * Returns errors for want of memory ("memory").
 */
#ifndef GRIP_CLIENT_H
#define GRIP_CLIENT_H

#include "grip_protocol.h"
#include "grip_token.h"
#include "outcome.h"
#include "visibility.h"

struct grip_client;

/* `protocol` is GRIP_PROTOCOL_SIGN or GRIP_PROTOCOL_RESOLVE; `timeout_ms`
 * bounds each send and each receive. Does not connect yet. NULL for want of
 * memory. */
GRIP_EXPORT struct grip_client *
grip_client_new(const char *socket_path, const char *protocol, int timeout_ms);

/* Closes, frees and sets to NULL; NULL is fine. */
GRIP_EXPORT void grip_client_free(struct grip_client **client);

/* For who serves others meanwhile: when gripd did not answer in time, whatever
 * is asked within the next `pause_ms` fails at once. 0 (the default): it is
 * waited for each time. */
GRIP_EXPORT void
grip_client_set_pause(struct grip_client *client, int pause_ms);

/* Sends `request` (taken over, also on failure; NULL counts as want of
 * memory) and waits for its answer. A connection that had been idle and died
 * is made anew once. *answer_r (may be NULL) is the whole answer when OK,
 * owned by the caller: cJSON_Delete(). */
GRIP_EXPORT enum outcome grip_client_ask(struct grip_client *client,
    cJSON *request, cJSON **answer_r, struct reason *why);

/* ---- signer ---- */

/* A token of `type` by `identity`; of `claims` aud, exp (0: the longest
 * allowed) and the typed claims are read. *token_r belongs to the caller
 * (free()). Refusals: policy, form, unknown-identity. */
GRIP_EXPORT enum outcome grip_client_token(struct grip_client *client,
    const char *identity, enum grip_type type, const struct grip_claims *claims,
    char **token_r, struct reason *why);

/* What the caller may use: grip_identities_free(). */
GRIP_EXPORT enum outcome grip_client_identities(struct grip_client *client,
    struct grip_identities **identities_r, struct reason *why);

/* Signs the content of a TLS 1.3 CertificateVerify; the signature (DER for
 * P-256, 64 bytes for Ed25519) goes to signature_r, *len_r bytes at most; its
 * length to *len_r.
 * Refusals: content, unknown-identity. */
GRIP_EXPORT enum outcome grip_client_handshake(struct grip_client *client,
    const char *identity, const void *content, size_t len, void *signature_r,
    size_t *len_r, struct reason *why);

/* ---- resolver ---- */

/* *verdict_r is filled when OK: grip_verdict_free(). A refusal has the name
 * of the failed check (grip(7)). */
GRIP_EXPORT enum outcome
grip_client_verify(struct grip_client *client, const struct grip_verify *verify,
    struct grip_verdict *verdict_r, struct reason *why);

GRIP_EXPORT enum outcome grip_client_addresses(struct grip_client *client,
    const char *host, struct grip_addresses *addresses_r, struct reason *why);

GRIP_EXPORT enum outcome grip_client_keys(struct grip_client *client,
    const char *name, struct grip_keys *keys_r, struct reason *why);

/* Has this mail domain Cargomail? Whatever is no clear answer of the DNS is
 * a tempfail. */
GRIP_EXPORT enum outcome
grip_client_cargomail(struct grip_client *client, const char *domain,
    struct grip_capability *capability_r, struct reason *why);

#endif

/* SPDX-License-Identifier: ISC
 *
 * What a broker may read back: the messages that it notified itself, where
 * the account says `release = broker`, while their shares last. Part of
 * access: asked of a snapshot, nothing here knows HTTP or tokens. A message
 * that is absent, of another account or of another broker is one and the
 * same answer for the same work.
 */
#ifndef ACCESS_RELEASE_H
#define ACCESS_RELEASE_H

#include "access.h"

/* Claims of a release token that gripd has verified. */
struct access_release {
	const char *broker; /* who asks */
	const char *mailbox; /* whose message it is said to be */
	const char *message; /* its id */
};

/*
 * May the broker see this message now? Its account goes to account_r.
 * PERMFAIL "not-found"; or, told only to who notified it, "not-released" or
 * "expired".
 */
enum outcome access_release_message(struct store_view *view,
    const struct mailboxd_config *config, const struct access_release *claim,
    int64_t now, char account_r[STORE_ID_SIZE], struct reason *why);

/* The same for a resource of the message, which must have come for it. */
enum outcome access_release_resource(struct store_view *view,
    const struct mailboxd_config *config, const struct access_release *claim,
    const char *hash, int64_t now, struct store_blob *blob_r,
    struct reason *why);

/* Does the account give back to brokers? 1, 0, -1 trouble. */
int access_releases(struct store_view *view,
    const struct mailboxd_config *config, const char *account);

#endif

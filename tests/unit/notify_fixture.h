/* SPDX-License-Identifier: ISC
 *
 * Notifications of resources that do not matter, for addresses that may have
 * no account, as mailboxd has them once the body is read.
 */
#ifndef NOTIFY_FIXTURE_H
#define NOTIFY_FIXTURE_H

#include "access.h"
#include "notification_store.h"
#include "store_fixture.h"
#include "test.h"

#define NOTIFY_HASH \
	"2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"

/* Lives as long as the work. */
struct notify_fixture {
	struct notification_work work;
	struct cargo_notification notification;
	struct cargo_notified resource;
	char mailbox[64], message[64], type[16];
};

/* A message of `size` bytes, `number` tells them apart; the placeholder's
 * bytes are those of fixture->blob. */
static inline void
notify_init(struct notify_fixture *notify, const struct store_fixture *fixture,
    const char *mailbox, int number, int64_t size, int64_t now)
{
	struct notification_work *work = &notify->work;

	memset(notify, 0, sizeof(*notify));
	snprintf(notify->mailbox, sizeof(notify->mailbox), "%s", mailbox);
	snprintf(notify->message, sizeof(notify->message), "%d@foo.test",
	    number);
	strcpy(notify->type, "text/plain");
	strcpy(notify->resource.hash, NOTIFY_HASH);
	notify->resource.size = size;
	notify->resource.type = notify->type;
	notify->notification.resources = &notify->resource;
	notify->notification.count = 1;
	work->notification = &notify->notification;
	work->claims = (struct notification_claims){ "_cb.bar.test",
		"alice@foo.test", notify->mailbox, notify->mailbox,
		"https://mailbox.hospital.test", "AAAAAAAAAAAAAAAAAAAAAA",
		notify->message, "_rra.bar.test", "token", now + 86400 };
	notification_work_init(work);
	work->placeholder.blob = fixture->blob;
	work->placeholder.now = now;
}

/* What mailboxd asks before it reads the body: "ok", or the reason. */
static inline const char *
notify_ask(struct notify_fixture *notify, struct store_fixture *fixture,
    const struct mailboxd_config *config)
{
	struct notification_work *work = &notify->work;
	const struct access_asked asked = { notify->mailbox, work->claims.iss };
	struct store_view *view = store_read_begin(fixture->store);
	enum outcome outcome;

	outcome = access_account_or_new(view, config, &asked,
	    work->placeholder.account, &fixture->why);
	store_read_end(&view);
	if (outcome != OUTCOME_OK)
		return fixture->why.word;
	if (work->placeholder.account[0] == '\0')
		account_make_init(&work->make, config, asked.address,
		    asked.broker);
	return "ok";
}

#endif

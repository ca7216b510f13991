/* SPDX-License-Identifier: ISC
 *
 * The canary: one message of a user to himself through everything. What is
 * put at the mailbox and shared goes by its placeholder through the milters
 * that sign, from outside through those that verify, to the broker, to the
 * mailbox, and is fetched and compared. The first step that fails is named.
 * Nothing is left in the store; the mail itself is delivered.
 */
#include "check_canary.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_placeholder.h"
#include "check_probe.h"
#include "clock.h"
#include "compose.h"
#include "mail_address.h"
#include "memory.h"

#define SECONDS 60 /* for the mailbox to have it */
#define LIFETIME 900 /* of the share, seconds */
#define MESSAGE_MAX 65536

struct canary {
	struct check *check;
	struct check_probe probe;
	struct canary_user user;
	char *message_id;
	int64_t expires;
	struct buffer message; /* as it is sent now */
};

static const char why_users[] = "so it goes for users";

static bool
fail(struct canary *canary, const char *what, const struct reason *why)
{
	check_say(canary->check, CHECK_FAIL, canary->user.address, "%s: %s",
	    what, why->text);
	check_why(canary->check, why_users);
	return false;
}

static bool
open_user(struct canary *canary)
{
	struct reason why = { .word = "" };

	if (canary_user_open(&canary->user, &why) == OUTCOME_OK)
		return true;
	fail(canary, "no session with a mailbox", &why);
	check_cure(canary->check,
	    "cargomailctl account add %s where the mailbox is here; else "
	    "write its mailbox and password_command into "
	    "~/.config/cargomail/config of who runs this, see "
	    "cargomail-config(5)",
	    canary->user.address);
	return false;
}

static bool
put(struct canary *canary)
{
	struct reason why = { .word = "" };

	if (canary_user_put(&canary->user, canary->message_id, canary->expires,
		&why) == OUTCOME_OK)
		return true;
	fail(canary, "nothing can be put and shared at its mailbox", &why);
	check_cure(canary->check,
	    "%s: does \"public\" say that it answers? quota, room: "
	    "cargomailctl account list, cargomailctl check store",
	    canary->user.mailbox->url);
	return false;
}

static bool
write_message(struct canary *canary)
{
	static const char text[] =
	    "This is a canary of \"cargomailctl check --canary\".\r\n"
	    "What belonged to it is gone again; delete this message.\r\n";
	char *self[] = { x_strdup(canary->user.address) };
	struct compose compose = { .address = canary->user.address,
		.name = "",
		.recipients = self,
		.recipient_count = 1,
		.subject = "cargomailctl check --canary",
		.message_id = canary->message_id,
		.now = clock_now() };
	struct cargo_draft_resource resource = { .hash = canary->user.hash,
		.size = CANARY_BYTES,
		.type = "application/octet-stream",
		.name = "canary",
		.disposition = "attachment" };
	char *header = compose_header(&compose);
	struct cargo_draft draft = { .header = header,
		.origin = canary->user.mailbox->url,
		.share = canary->probe.share,
		.expires = canary->expires,
		.inline_text = text,
		.resources = &resource,
		.count = 1 };
	struct reason why = { .word = "" };
	enum outcome outcome = OUTCOME_PERMFAIL;
	char *whole;
	size_t len;

	if (header != NULL)
		outcome = cargo_placeholder_compose(&draft, &whole, &len, &why);
	free(self[0]);
	free(header);
	if (outcome != OUTCOME_OK) {
		fail(canary, "no placeholder can be written", &why);
		check_cure(canary->check, "is this a mail address of ours?");
		return false;
	}
	buffer_add(&canary->message, whole, len);
	free(whole);
	return true;
}

/* By the milters of this host, which then is told to the broker no more. */
static bool
sign(struct canary *canary)
{
	struct check *check = canary->check;
	struct check_probe *probe = &canary->probe;
	struct check_sight sight;
	bool is_signed;

	if (!check_probe_send(probe, CHECK_PROBE_LOCALHOST,
		canary->user.address, &canary->message, &sight))
		return false;
	is_signed = check_probe_judge_signer(probe, &sight);
	buffer_clear(&canary->message);
	check_probe_strip(&sight, &canary->message);
	check_sight_free(&sight);
	if (!is_signed) {
		check_say(check, CHECK_FAIL, canary->user.address,
		    "the canary cannot fly: its mail is not signed here");
		check_why(check,
		    "a placeholder whose sender is not proven is not acted "
		    "on");
		check_cure(check,
		    "sign mail of %s, or send a canary from an account at "
		    "another domain: cargomail send --to %s",
		    probe->domain, canary->user.address);
	}
	return is_signed;
}

static bool
mail(struct canary *canary)
{
	struct check_probe *probe = &canary->probe;
	char *address = NULL;
	bool sent;

	if (check_probe_addresses(probe, &address, 1) == 0) {
		check_say(canary->check, CHECK_FAIL, probe->hostname,
		    "has no address in the DNS, or nobody can tell");
		check_why(canary->check, "mail cannot come from outside");
		check_cure(canary->check, "publish A or AAAA of %s",
		    probe->hostname);
		return false;
	}
	check_probe_mail(probe, address, &canary->message);
	sent = probe->reply.stage == CHECK_MAIL_DONE;
	if (!sent)
		check_probe_say_refused(probe, address, canary->user.address);
	free(address);
	return sent;
}

/* It was mailed, and did not come to the end. */
static void
say_lost(struct canary *canary, const struct reason *why)
{
	struct check *check = canary->check;
	struct check_probe *probe = &canary->probe;
	bool stays;
	char *delay = check_probe_take_back(probe, &stays);

	if (delay != NULL) {
		check_say(check, CHECK_FAIL, canary->user.address,
		    "after %d s the message waits in Postfix's queue: %s",
		    SECONDS, delay);
		check_why(check, why_users);
		check_cure(check,
		    "mend what the reason names: the broker, or the mailbox "
		    "that it names, could not be reached or did not take it");
	} else if (reason_is(why, "nothing")) {
		fail(canary, "it was delivered, but", why);
		check_cure(check,
		    "journalctl -u cargomail-broker | grep %s says why "
		    "(unauthenticated, no destination in %s, refused); if it "
		    "was notified to another mailbox, write that into "
		    "~/.config/cargomail/config of who runs this",
		    probe->reply.queue_id,
		    check->config.broker_keys.destinations);
	} else {
		fail(canary, "it did not come to the end", why);
		check_cure(check,
		    "journalctl -u cargomail-mailboxd -u cargomail-retrievald "
		    "| grep %s; cargomailctl queue",
		    probe->share);
	}
	free(delay);
}

static void
fly(struct canary *canary)
{
	int64_t began = clock_monotonic_ms(), mailed;
	struct reason why = { .word = "" };

	if (!put(canary) || !write_message(canary) || !sign(canary))
		return;
	/* From now on it is a placeholder as any other. */
	check_probe_end(&canary->probe);
	mailed = clock_monotonic_ms();
	if (!mail(canary))
		return;
	if (canary_user_get(&canary->user, SECONDS, &why) != OUTCOME_OK) {
		say_lost(canary, &why);
		return;
	}
	check_say(canary->check, CHECK_OK, canary->user.address,
	    "put, shared, signed in %lld ms; mailed, verified, notified, "
	    "%s and fetched in %lld ms: %d bytes, all right",
	    (long long)(mailed - began),
	    canary->user.receiver == canary->user.session ? "linked" : "pulled",
	    (long long)(clock_monotonic_ms() - mailed), CANARY_BYTES);
}

static void
clean(struct canary *canary)
{
	struct reason why = { .word = "" };

	check_probe_end(&canary->probe);
	if (canary_user_close(&canary->user, &why) == OUTCOME_OK)
		return;
	check_say(canary->check, CHECK_WARN, canary->user.address,
	    "the canary's resource or share could not be taken away: %s",
	    why.text);
	check_why(canary->check,
	    "the share ends by itself in 15 minutes; the resource stays, 64 "
	    "KiB of the user's quota");
	check_cure(canary->check, "cargomail rm, as that user");
}

static void
run(struct canary *canary, const struct check_postfix *postfix)
{
	struct check_probe *probe = &canary->probe;

	probe->hostname = check_postfix_setting(postfix, "myhostname");
	probe->milters = check_postfix_effective(postfix,
	    check_postfix_front(postfix), "smtpd_milters");
	canary->message_id = compose_message_id(canary->user.address);
	canary->expires = clock_now() + LIFETIME;
	buffer_init(&canary->message, MESSAGE_MAX);
	if (check_probe_begin(probe) && open_user(canary))
		fly(canary);
	clean(canary);
	buffer_free(&canary->message);
	free(canary->message_id);
	free(probe->hostname);
	free(probe->milters);
}

void
check_canary(struct check *check)
{
	char address[MAIL_ADDRESS_SIZE];
	struct check_postfix postfix;
	struct canary canary = { .check = check };

	if (check->canary == NULL)
		return;
	if (mail_address_normalise(check->canary, address) != 0) {
		check_say(check, CHECK_FAIL, check->canary,
		    "is no mail address");
		check_why(check, "nobody can send from it");
		check_cure(check, "say --canary bob@bar.test");
		return;
	}
	if (!check->config.broker || check_postfix_read(check, &postfix) != 0) {
		check_say(check, CHECK_FAIL, address,
		    "the broker, or Postfix, does not run here");
		check_why(check, "a canary starts and ends there");
		check_cure(check, "run this on the mail host of the address");
		return;
	}
	canary.user = (struct canary_user){ .check = check,
		.address = address,
		.share = canary.probe.share };
	canary.probe = (struct check_probe){ .check = check,
		.postfix = &postfix,
		.domain = mail_address_domain(address),
		.address = address,
		.to = address };
	run(&canary, &postfix);
	check_postfix_free(&postfix);
}

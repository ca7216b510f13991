/* SPDX-License-Identifier: ISC
 *
 * The table of the administrator's verbs, and the end of every answer.
 */
#include "admin.h"

#include "json_strict.h"

void
admin_reply(struct control_connection *connection, enum outcome outcome,
    const struct reason *why, cJSON *object)
{
	if (object == NULL)
		object = cJSON_CreateObject();
	json_add_string(object, "outcome", outcome_name(outcome));
	if (outcome != OUTCOME_OK) {
		json_add_string(object, "reason", why->word);
		json_add_string(object, "detail", why->text);
	}
	control_reply(connection, object, 1);
}

const struct control_verb admin_verbs[] = {
	{ "status", admin_status },
	{ "metrics", admin_metrics },
	{ "queue", admin_queue },
	{ "queue-show", admin_queue_show },
	{ "queue-retry", admin_queue_retry },
	{ "queue-drop", admin_queue_drop },
	{ "renotify", admin_renotify },
	{ "share-list", admin_share_list },
	{ "share-show", admin_share_show },
	{ "share-revoke", admin_share_revoke },
	{ "account-list", admin_account_list },
	{ "account-add", admin_account_add },
	{ "account-rm", admin_account_remove },
	{ "account-enroll", admin_account_enrol },
	{ "account-change", admin_account_change },
	{ "session-begin", admin_session_begin },
	{ "session-end", admin_session_end },
	{ "fsck", admin_fsck },
	{ "gc", admin_gc },
	{ NULL, NULL },
};

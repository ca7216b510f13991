-- SPDX-License-Identifier: ISC
--
-- For rspamd.local.lua of rspamd. A placeholder is believed only if its
-- signature is verified, and Postfix asks once, as it comes in. rspamd takes a
-- message whose key it could not look up, and the recipient would never get
-- what the placeholder refers to. So the sender's server is asked to come
-- again (RFC 6376, section 6.1.2). All other mail goes on as before.

rspamd_config:register_symbol({
	name = 'CARGOMAIL_KEY_UNKNOWN',
	type = 'postfilter',
	callback = function(task)
		if task:get_header('X-Origin-Resource-Mailbox-URL') and
		    task:has_symbol('R_DKIM_TEMPFAIL') and
		    not task:has_symbol('R_DKIM_ALLOW') then
			task:set_pre_result('soft reject', "The key of the " ..
			    "placeholder's signature cannot be looked up now")
		end
	end,
})

-- SPDX-License-Identifier: ISC
--
-- For rspamd.local.lua of rspamd. A placeholder is believed only if its
-- signature is verified, and Postfix asks once, as it comes in. rspamd takes a
-- message whose key it could not look up, and the recipient would never get
-- what the placeholder refers to. So the sender's server is asked to come
-- again (RFC 6376, section 6.1.2). All other mail goes on as before.

-- Does the symbol speak of a signature ("DOMAIN:s=SELECTOR") of the domain in
-- From, or of one above it?
local function is_aligned(task, symbol)
	local found = task:get_symbol(symbol)
	local from = task:get_from('mime')
	local domain = from and from[1] and string.lower(from[1].domain) or ''

	for _, option in ipairs(found and found[1].options or {}) do
		local signer = string.lower(string.match(option, '^[^:]*'))

		if domain == signer or
		    string.sub(domain, -#signer - 1) == '.' .. signer then
			return true
		end
	end
	return false
end

-- The field has two names.
local function has_origin(task)
	return task:get_header('X-Origin-Resource-Mailbox-URL') or
	    task:get_header('X-Origin-Mailbox-Service-URL')
end

-- What is refused, or put off, for another reason stays so.
local function is_decided(task)
	return task:has_pre_result() or task:get_metric_action() == 'reject'
end

rspamd_config:register_symbol({
	name = 'CARGOMAIL_KEY_UNKNOWN',
	type = 'postfilter',
	callback = function(task)
		if has_origin(task) and not is_decided(task) and
		    is_aligned(task, 'R_DKIM_TEMPFAIL') and
		    not is_aligned(task, 'R_DKIM_ALLOW') then
			task:set_pre_result('soft reject', "The key of the " ..
			    "placeholder's signature cannot be looked up now")
		end
	end,
})

-- SPDX-License-Identifier: ISC
--
-- FinalPolicyScript of OpenDKIM. A placeholder is believed only if its
-- signature is verified, and Postfix asks once, as it comes in. OpenDKIM takes
-- a message whose key it could not look up, whatever On-DNSError says (seen
-- with 2.11.0~beta2 of Debian 12), and the recipient would never get what the
-- placeholder refers to. So the sender's server is asked to come again (RFC
-- 6376, section 6.1.2). All other mail goes on as before.

-- DKIM_SIGERROR_OK, _NOKEY and _KEYFAIL of dkim.h. A failure that its resolver
-- remembers OpenDKIM calls a key that is not there, so a missing key is asked
-- for again, too; in the end the sender hears of it.
local VERIFIED, NO_KEY, KEY_UNKNOWN = 0, 22, 24

-- `cargomailctl check` sends a placeholder whose key is not there, to see what
-- is said of it. No signer makes such a hash; who imitates it gains nothing.
local function is_probe()
	local field = odkim.get_header(ctx, "DKIM-Signature", 0) or ""

	return string.find(field, "bh=" ..
	    "Zm9yZ2VkIGZvcmdlZCBmb3JnZWQgZm9yZ2VkIGZvcmc=", 1, true) ~= nil
end

-- Is it the signature of the domain in From, or of one above it?
local function is_aligned(signature)
	local domain = string.lower(odkim.sig_getdomain(signature) or "")
	local from = string.lower(odkim.get_fromdomain(ctx) or "")

	return from == domain or string.sub(from, -#domain - 1) == "." .. domain
end

local function is_unknown()
	local unknown = false

	for i = 0, (odkim.get_sigcount(ctx) or 0) - 1 do
		local signature = odkim.get_sighandle(ctx, i)
		local result = odkim.sig_result(signature)

		if result == VERIFIED and is_aligned(signature) then
			return false
		end
		if is_aligned(signature) and (result == KEY_UNKNOWN or
		    (result == NO_KEY and not is_probe())) then
			unknown = true
		end
	end
	return unknown
end

-- OpenDKIM runs this when it starts, too, without a message: then no field has
-- a URL, nor are domains text.
local function has_origin(name)
	local field = odkim.get_header(ctx, name, 0) or ""

	return string.find(field, "https://", 1, true) ~= nil
end

-- The field has two names.
if (has_origin("X-Origin-Resource-Mailbox-URL") or
    has_origin("X-Origin-Mailbox-Service-URL")) and is_unknown() then
	odkim.set_reply(ctx, "451", "4.7.5",
	    "The key of the placeholder's signature cannot be looked up now")
	odkim.set_result(ctx, SMFIS_TEMPFAIL)
end
return nil

# SPDX-License-Identifier: ISC
#
# What the attacks share (sourced after tap.sh): tokens by forge, requests by
# curl, a share of alice's that an honest recipient could pull.
#
#   key HOST NAME            path of the key of NAME on HOST
#   token_b HOST [CLAIM=V]...    a notification token as _cb.bar.test would
#                            make it, changed by what is given; signed on HOST
#   notify HOST FILE TOKEN   POST it to insurance.test; prints status and
#                            problem name: "401 published"
#   fetch HOST TOKEN HASH [CURL OPTION]...   GET it from hospital.test: the same

keys=/etc/cargomail/keys
destination=https://mailbox.insurance.test
origin=https://mailbox.hospital.test

# "STATUS NAME" of an answer: the name is that of the problem, "-" for none.
problem_of() {	# STATUS BODY
	local name
	name=$(grep -o '"/problems/[a-z-]*"' <<< "$2" | head -n 1)
	name=${name##*/}
	echo "$1 ${name:-"-"}" | tr -d '"'
}

# request HOST IDENTITY URL [CURL OPTION]...: with the identity's certificate
# and key ("" for none), in HOST's network.
request() {
	local host=$1 identity=$2 url=$3 answer
	shift 3
	[ -z "$identity" ] || set -- --cert "$keys/$identity.crt" \
	    --key "$keys/$identity.key" "$@"
	answer=$(hx "$host" curl -s --max-time 30 -w '\n%{http_code}' "$@" "$url" |
	    tr -d '\0')
	problem_of "${answer##*$'\n'}" "${answer%$'\n'*}"
}

new_id() {
	head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'
}

digest_of() { hx "$1" sha256sum "$2" | cut -d' ' -f1; }

# The honest claims of B for $share and $body; later ones win.
token_b() {
	local host=$1
	shift
	hx "$host" forge ${FORGE:-} -k "$keys/${SIGNER:-_cb.bar.test}.key" \
	    "${TYP:-grip-notify+jwt}" iss=_cb.bar.test \
	    aud=mailbox.insurance.test exp=86400 sender=alice@foo.test \
	    recipient=bob@bar.test mailbox=bob@bar.test "share=$share" \
	    message=attack@foo.test "origin=$origin" \
	    agent=_rra.insurance.test "digest=$digest" "$@"
}

token_a() {	# HOST TOKEN-B [CLAIM=VALUE]...
	local host=$1 inner=$2
	shift 2
	hx "$host" forge ${FORGE:-} \
	    -k "$keys/${SIGNER:-_rra.insurance.test}.key" \
	    "${TYP:-grip-get+jwt}" iss=_rra.insurance.test \
	    aud=mailbox.hospital.test exp=300 "token=$inner" "$@"
}

notify() {
	local host=$1 body=$2 token=$3
	request "$host" "${IDENTITY-_cb.bar.test}" \
	    "$destination/v1/notifications" -H "Authorization: GRIP $token" \
	    -H 'Content-Type: application/json' --data-binary "@$body"
}

fetch() {
	local host=$1 token=$2 hash=$3
	shift 3
	request "$host" "${IDENTITY-_rra.insurance.test}" \
	    "$origin/v1/resources/$hash" -H "Authorization: GRIP $token" "$@"
}

# logged HOST DAEMON TEXT: its log has a line with TEXT.
logged() { daemon "$1" "$2" log | grep -Fe "$3" > /dev/null; }

# placeholder SUBJECT ORIGIN SHARE HASH: a placeholder message as mallory at
# evil.test would write it, with body and header in agreement. Environment:
# FROM, HEADER (further header lines), HEADER_ORIGIN, CATEGORY, SIZE, EXPIRES
# (as date -d takes it).
placeholder() {
	local subject=$1 origin=$2 share=$3 hash=$4 expires
	expires=$(LC_ALL=C date -u -d "${EXPIRES:-+3 days}" '+%a, %d %b %Y %H:%M:%S +0000')
	cat <<END
From: ${FROM:-mallory@evil.test}
To: bob@bar.test
Subject: $subject
Date: $(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S +0000')
Message-ID: <$(new_id)@evil.test>
${HEADER:+$HEADER
}X-Origin-Resource-Mailbox-URL: ${HEADER_ORIGIN:-$origin}; share=$share;
  expiration="$expires"
X-Correspondence-Category: ${CATEGORY:-healthcare}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=42

--42
Content-Type: message/external-body;
  access-type=content-addressed-uri; hash-algorithm=sha256;
  size=${SIZE:-5000}; expiration="$expires"; origin="$origin";
  share=$share; category=${CATEGORY:-healthcare}

Content-Type: application/octet-stream; name=film
Content-Disposition: attachment; filename=film
Content-ID: <$hash>

--42--
END
}

# arrives SUBJECT: waits for it at bob's; true if it came.
arrives() { wait_for 25 mail_with bar bob "Subject: $1"; }

# header_of SUBJECT NAME: values of a field of bob's message, one a line.
header_of() {
	hx bar sed -n "/^\$/q; s/^$2: *//Ip" \
	    "$(mail_with bar bob "Subject: $1")" | tr -d '\r'
}
not_logged() { ! logged "$@"; }

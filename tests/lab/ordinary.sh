# SPDX-License-Identifier: ISC
#
# Ordinary clients of people who never heard of Cargomail (sourced after
# tap.sh). Messages lie in $mail, which all hosts see as /run/lab/mail.
#
#   compose NAME [OPTION]... FILE...   a message of alice's with subject NAME
#   smtp USER NAME TO...     curl submits it at foo (or $AT) as USER, whose
#                            address is at that host, or $FROM
#   arrives NAME [USER]      waits for it at bar
#   fetched NAME [USER]      what curl gets by IMAP of it, on standard output
#   identical NAME [USER]    does that end with all that was submitted?
#   opened_identical NAME [USER]   the same of what cargomail(1) makes of it
#   field NAME FIELD [USER]  values of a header field of it

mail=$LAB/share/mail
mkdir -p -m 777 "$mail"

# random NAME SIZE: a file for alice to attach
random() {
	head -c "$2" /dev/urandom > "$mail/$1"
	chmod 644 "$mail/$1"
}

compose() {
	local name=$1
	shift
	hx -u "${BY:-alice}" "${AT:-foo}" sh -c 'cd /run/lab/mail && name=$1 && shift &&
	    exec /run/lab-scripts/make-message --subject "$name" "$@" \
	    > "$name.eml"' sh "$name" "$@"
}

smtp() {
	local user=$1 name=$2 host=${AT:-foo} to
	shift 2
	for to in "$@"; do
		set -- "$@" --mail-rcpt "$to"
		shift
	done
	hx -u "$user" "$host" curl -sS --ssl-reqd \
	    --url "smtp://mx.$host.test:587" --user "$user:secret" \
	    --mail-from "${FROM:-$user@$host.test}" "$@" \
	    --upload-file "/run/lab/mail/$name.eml"
}

arrives() {
	wait_for "${WAIT:-30}" mail_with "${HOST:-bar}" "${2:-bob}" \
	    "Subject: $1"
}

fetched() {
	local host=${HOST:-bar} number
	set -- "$1" "${2:-bob}"
	number=$(hx "$host" curl -s --user "$2:secret" \
	    --url "imaps://mx.$host.test/INBOX" \
	    -X "SEARCH HEADER SUBJECT \"$1\"" | tr -d '\r' |
	    sed -n 's/^\* SEARCH *//p')
	hx "$host" curl -s --user "$2:secret" \
	    --url "imaps://mx.$host.test/INBOX;MAILINDEX=${number##* }"
}

# ends_with NAME: does standard input end with the submitted message? The
# transport puts fields on top and changes nothing.
ends_with() {
	tail -c "$(stat -c %s "$mail/$1.eml")" | cmp - "$mail/$1.eml"
}

identical() { fetched "$@" | ends_with "$1"; }

opened_identical() {
	fetched "$@" | hx -u "${2:-bob}" "${HOST:-bar}" cargomail open --mime \
	    --wait 120 | ends_with "$1"
}

field() {
	fetched "$1" "${3:-bob}" | tr -d '\r' | sed "/^\$/q" |
	    sed -e ':a' -e '$!N; s/\n[ \t]/ /; ta' -e 'P; D' |
	    sed -n "s/^$2: *//Ip"
}

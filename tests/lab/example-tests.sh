# SPDX-License-Identifier: ISC
#
# What the tests of the worlds of etc/examples share (sourced). People write
# by cargomail send and open by cargomail open (cargo_*), or submit and read
# with ordinary clients (see ordinary.sh).
#
#   literal HOST...          its files are those of the example
#   cargo_send WHO NAME TO [OPTION]...   WHO is USER@HOST; file $mail/NAME
#   cargo_open WHO NAME      waits for the message, opens it, compares
#   submits WHO NAME TO [OPTION]...   a message with that file, by curl
#   reads WHO NAME           opened by cargomail it is what was submitted
#   status_of WHO NAME       its X-Cargomail-Status
#   holders NAME HOST...     on which of them the file is stored
#   in_order HOST...         check is green, fsck finds nothing

. "$LAB_DIR/tap.sh"
. "$LAB_DIR/ordinary.sh"
. "$LAB_DIR/hosts.sh"

hash_of() { sha256sum "$mail/$1" | cut -d' ' -f1; }
user_of() { echo "${1%@*}"; }
host_of() { echo "${1#*@}"; }

literal() {
	local host file name
	for host in "$@"; do
		for file in "$LAB_TOP/etc/examples/${EXAMPLE_DIR[$host]}"/*; do
			name=${file##*/}
			is "$host has $name of ${EXAMPLE_DIR[$host]}" \
			    "$(hx "$host" cat "/etc/cargomail/$name" |
			    grep -vE '^(allow_addresses|listen) = ')" \
			    "$(cat "$file")"
		done
	done
}

cargo_send() {
	local who=$1 name=$2 to=$3
	shift 3
	ok "$who sends $to $name" hx -u "$(user_of "$who")" \
	    "$(host_of "$who")" sh -c 'name=$1 && shift && echo "About $name" |
	    cargomail send --subject "$name" --attach "/run/lab/mail/$name" \
	    "$@" -' sh "$name" --to "$to" "$@"
}

cargo_open() {
	local user host
	user=$(user_of "$1") host=$(host_of "$1")
	ok "$1 has $2" wait_for 30 mail_with "$host" "$user" "Subject: $2"
	ok "$1 opens it" hx -u "$user" "$host" cargomail open --wait 60 \
	    --output got "$(mail_with "$host" "$user" "Subject: $2")"
	is "its SHA-256 is that of $2" "$(hx "$host" \
	    sha256sum "/home/$user/got/$2" | cut -d' ' -f1)" "$(hash_of "$2")"
}

submits() {
	local who=$1 name=$2 to=$3 from
	shift 3
	from=${FROM:-$who.test}
	BY=$(user_of "$who") AT=$(host_of "$who") compose "$name" \
	    --from "$from" --to "$to" "$@" "$name"
	ok "$who submits $name to $to" eval \
	    'AT=$(host_of "$who") FROM=$from smtp "$(user_of "$who")" \
	    "$name" "$to"'
}

reads() {
	local user host
	user=$(user_of "$1") host=$(host_of "$1")
	ok "$1 has $2" wait_for 30 mail_with "$host" "$user" "Subject: $2"
	HOST=$host ok "opened it is what was submitted, every byte" \
	    opened_identical "$2" "$user"
}

header_of() {	# WHO NAME FIELD
	HOST=$(host_of "$1") field "$2" "$3" "$(user_of "$1")"
}
status_of() { header_of "$1" "$2" X-Cargomail-Status; }
origin_of() {
	header_of "$1" "$2" X-Origin-Resource-Mailbox-URL | cut -d';' -f1
}
destination_of() { header_of "$1" "$2" X-Destination-Resource-Mailbox-URL; }

holders() {
	local hash host
	hash=$(hash_of "$1")
	shift
	for host in "$@"; do
		[ -z "$(hx "$host" find /var/lib/cargomail/mailbox/store \
		    -type f -name "*$hash*")" ] || echo "$host"
	done | xargs
}

in_order() {
	local host said
	for host in "$@"; do
		said=$(hx "$host" cargomailctl check)
		is "$host is in order" "$(grep -v '^ok ' <<< "$said" |
		    sed 's/[0-9][0-9]* ok/N ok/')" "N ok, 0 warn, 0 fail"
		! has "$host" mailboxd ||
		    ok "fsck of $host is clean" hx "$host" cargomailctl fsck
	done
}

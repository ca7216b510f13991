# SPDX-License-Identifier: ISC
#
# What the tests of the install cell share (sourced): the README's lines typed
# on a host, the authority, the users.

# ---- the README, typed ----------------------------------------------------------

# block HEADING N: the Nth block of lines to type below a heading of README.md
# (or of the file README).
block() {
	awk -v heading="$1" -v want="$2" '
	/^#+ / { sub(/^#+ /, ""); inside = $0 == heading; next }
	!inside { next }
	/^    / {
		if (!typing) n++
		typing = 1
		if (n == want) {
			printf "%s%s\n", gap, substr($0, 5)
			found = 1
		}
		gap = ""
		next
	}
	/^$/ { if (typing) gap = gap "\n"; next }
	{ typing = 0; gap = "" }
	END { exit !found }' "${README:-$INSTALL_TOP/README.md}"
}

# What stands there for a reader at bar.test, for one at this host.
names() {	# HOST
	[ "$1" = bar ] && cat ||
	    sed 's/foo\.test/FOO/g; s/bar\.test/foo.test/g; s/FOO/bar.test/g
		s/\balice\b/ALICE/g; s/\bbob\b/alice/g; s/ALICE/bob/g'
}

# type HOST HEADING [N]: as root, in one shell after the block that sets
# domain; where the packages are.
type_block() {
	block "$2" "${3:-1}" > /run/install/block || return 1
	{
		echo 'set -eu; cd /root/packages'
		[ "$2" = Install ] || block Install 1 | sed -n '/^domain=/p'
		cat /run/install/block
	} | names "$1" | hx "$1" bash
}

as() {	# HOST USER CMD...
	local host=$1 user=$2
	shift 2
	hx "$host" setpriv --reuid "$user" --regid "$user" --init-groups \
	    env HOME="/home/$user" "$@"
}
type_as() {	# HOST USER HEADING N
	block "$3" "$4" > /run/install/block || return 1
	{ echo 'set -eu; cd'; cat /run/install/block; } | names "$1" |
	    as "$1" "$2" bash
}

# What a network, an authority and a laboratory's addresses are in real life:
# apt takes what is there and does not ask; certbot's part is played by a
# script that has our CA sign and calls the deploy hook as certbot does.
prepare() {	# HOST
	hx "$1" sh -c '
		echo "APT::Get::Assume-Yes true; APT::Install-Recommends false;" \
		    > /etc/apt/apt.conf.d/90test
		cat > /usr/bin/certbot && chmod 755 /usr/bin/certbot' <<-'END'
		#!/bin/bash
		set -eu
		while [ $# -gt 0 ]; do
			case $1 in
			-d)	name=$2; shift ;;
			--deploy-hook)	hook=$2; shift ;;
			esac
			shift
		done
		live=/etc/letsencrypt/live/$name
		mkdir -p -m 700 "$live"
		cd "$live"
		[ -f privkey.pem ] || openssl ecparam -genkey -noout \
		    -name prime256v1 -out privkey.pem
		openssl req -new -key privkey.pem -subj "/CN=$name" \
		    -addext "subjectAltName=DNS:$name" > /root/request.csr
		mkdir -p /etc/letsencrypt/renewal
		printf '%s\n' "reuse_key = True" "renew_hook = $hook" \
		    > "/etc/letsencrypt/renewal/$name.conf"
		echo "$name" > /root/wanted
		for try in {1..200}; do [ -s /root/signed.crt ] || sleep 0.1; done
		mv /root/signed.crt fullchain.pem
		RENEWED_LINEAGE=$live RENEWED_DOMAINS=$name $hook
	END
}

# The authority: signs what certbot on the host asks for.
authority() {	# HOST
	wait_for 20 hx "$1" test -s /root/wanted || return 1
	hx "$1" rm /root/wanted
	hx "$1" cat /root/request.csr |
	    openssl x509 -req -copy_extensions copy -days 30 \
	    -CA /run/install/ca.pem -CAkey /run/install/ca.key 2> /dev/null |
	    hx "$1" sh -c 'cat > /root/signing; mv /root/signing /root/signed.crt'
}

# The last command of the block prints what is to be published.
keys() {	# HOST
	authority "$1" &
	type_block "$1" Keys > /run/install/records || return 1
	wait $!
	echo "mailbox A 198.51.100.$([ $1 = foo ] && echo 10 || echo 20)" |
	    cat - <(hx "$1" cargomailctl dns) | publish "$1.test"
}

# set_up HOST VERIFIER: README from a name in the DNS to the start, and what it
# prints into the zone.
declare -A address=([foo]=198.51.100.10 [bar]=198.51.100.20)
set_up() {
	echo "mailbox IN A ${address[$1]}" | publish "$1.test" || return 1
	authority "$1" &
	type_block "$1" "Three commands" > "/run/install/$1.said" || return 1
	wait $! || return 1
	sed -n '/ IN TXT /p' "/run/install/$1.said" | publish "$1.test"
	allow "$1" && hx "$1" systemctl restart cargomail.target
}

# Which block of "Two files" is the host's.
declare -A verifier=([foo]=2 [bar]=1)

# Every line of it ok.
check() { type_block $1 "A green check" > "/run/install/$1.check"; }

allow() {	# HOST: the documentation's addresses
	hx "$1" sh -c 'for file in gripd broker retrievald; do
		echo "allow_addresses = 198.51.100.0/24" >> /etc/cargomail/$file.conf
	done'
}

running() {	# HOST
	hx "$1" systemctl is-active --quiet cargomail-gripd-sign \
	    cargomail-gripd-resolve cargomail-mailboxd cargomail-retrievald \
	    cargomail-broker
}

# user HOST USER: the account, and what the user types.
user() {
	type_block "$1" Users 1 > /run/install/account || return 1
	as "$1" "$2" mkdir -p "/home/$2/.config/cargomail"
	sed -n 's/^password //p' /run/install/account |
	    as "$1" "$2" sh -c 'umask 077; cat > ~/.config/cargomail/password'
	type_as "$1" "$2" Users 2
}

# outbound HOST: what the README has for those who need not know.
outbound() {
	local heading="For those who need not know"
	[ ${verifier[$1]} = 1 ] || type_block $1 "$heading" 1 || return 1
	type_block $1 "$heading" 2 && type_block $1 "$heading" 3
}

# submit HOST USER TO [SWAKS OPTION]...: as an ordinary client does.
submit() {
	local host=$1 user=$2 to=$3
	shift 3
	as "$host" "$user" swaks --server 127.0.0.1 --port 587 --auth PLAIN \
	    --auth-user "$user" --auth-password secret \
	    --from "$user@$host.test" --to "$to" \
	    --attach-type application/octet-stream "$@"
}

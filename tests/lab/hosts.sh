# SPDX-License-Identifier: ISC
#
# The hosts of the lab and where they are (sourced). RFC 5737 and RFC 3849
# addresses: nothing here can be mistaken for somebody's machine.
#
# LAB_WORLD says which hosts there are and what runs on them:
#   full       two distinguished resource servers: alice's at hospital, bob's
#              at insurance (health) and bar (the rest); foo has mail only
#   outbound   the same, with a broker at foo through which submitted mail
#              goes, and plain, a mail host that knows nothing of Cargomail
#   shared     a resource server on each side's mail host, brokers on both
#   single     one resource server, hospital, for alice and bob
#   mail       mail and DNS only

case ${LAB_WORLD:=full} in
mail)		HOSTS="dns foo bar hospital insurance evil"
		MAIL_HOSTS="foo bar evil" CARGO_HOSTS= OUTBOUND_HOSTS= ;;
full)		HOSTS="dns foo bar hospital insurance evil"
		MAIL_HOSTS="foo bar evil" CARGO_HOSTS="bar hospital insurance"
		OUTBOUND_HOSTS= ;;
outbound)	HOSTS="dns foo bar plain hospital insurance"
		MAIL_HOSTS="foo bar plain"
		CARGO_HOSTS="foo bar hospital insurance" OUTBOUND_HOSTS=foo ;;
shared)		HOSTS="dns foo bar" MAIL_HOSTS="foo bar"
		CARGO_HOSTS="foo bar" OUTBOUND_HOSTS="foo bar" ;;
single)		HOSTS="dns foo bar hospital" MAIL_HOSTS="foo bar"
		CARGO_HOSTS="foo bar hospital" OUTBOUND_HOSTS=foo ;;
*)		echo "no such world: $LAB_WORLD" >&2; exit 64 ;;
esac

host_number() {
	case $1 in
	dns)		echo 2 ;;
	foo)		echo 10 ;;
	bar)		echo 20 ;;
	hospital)	echo 30 ;;
	insurance)	echo 40 ;;
	evil)		echo 50 ;;
	plain)		echo 60 ;;
	*)		echo "no such host: $1" >&2; return 1 ;;
	esac
}

host_ip() { echo "198.51.100.$(host_number "$1")"; }
host_ip6() { echo "2001:db8::$(host_number "$1")"; }

# listed WORD LIST: is it one of the words?
listed() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }

# runs HOST: our daemons there besides gripd.
runs() {
	listed "$1" "$CARGO_HOSTS" || return 0
	case $LAB_WORLD,$1 in
	shared,*|full,bar|outbound,bar)	echo "mailboxd retrievald broker" ;;
	*,foo|single,bar)		echo broker ;;
	*)				echo "mailboxd retrievald" ;;
	esac
}

# has HOST DAEMON; signs HOST: does its mail carry DKIM signatures?
has() { listed "$2" "$(runs "$1")"; }
signs() { listed "$1" "foo evil $OUTBOUND_HOSTS"; }

# say TEXT: how long the cell has been up, and what it does.
LAB_START=${EPOCHREALTIME/./}
say() {
	local us=$((${EPOCHREALTIME/./} - LAB_START))
	[ -z "${LAB_VERBOSE:-}" ] ||
	    printf '%3d.%03d s  %s\n' $((us / 1000000)) \
	    $((us / 1000 % 1000)) "$*" >&2
}

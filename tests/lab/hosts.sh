# SPDX-License-Identifier: ISC
#
# The hosts of the lab and where they are (sourced). RFC 5737 and RFC 3849
# addresses: nothing here can be mistaken for somebody's machine.
#
# LAB_WORLD (full) names a file in worlds/, which is sourced at the end of
# this one. It sets
#
#   HOSTS            all hosts; dns is one of them
#   MAIL_HOSTS       those with Postfix, Dovecot and OpenDKIM
#   CARGO_HOSTS      those with daemons of ours
#   OUTBOUND_HOSTS   mail hosts that sign and verify, and whose broker, if it
#                    is wired by host-mail, has what users submit, too
#   ZONES            below test., if these are not one for each host
#
# and redefines what differs of the functions world_* below. What is in
# conf/HOST and conf/WORLD/HOST is laid into /etc/cargomail, unless the host
# is one of an example (see example.sh).

# Our daemons on HOST besides gripd, if it is none of an example.
world_daemons() { :; }
# The accounts of the mailbox on HOST, by add and releases of host-cargo.
world_accounts() { :; }
# What cargomail(1) of the people on HOST is told, by people and mailbox of
# host-user.
world_clients() { :; }

# The people of HOST.
world_users() {
	case $1 in
	foo)	echo alice carol ;;
	bar)	echo bob carol u{01..50} ;;
	plain)	echo bob carol ;;
	evil)	echo mallory ;;
	esac
}

# The zones whose mail HOST takes.
world_mail_domains() { echo "$1"; }
# world_zone_host ZONE LABEL: which host the name is (@, mx, mailbox, web);
# nothing: the name is not there.
world_zone_host() { echo "$1"; }

# More records of ZONE, as lines of its file.
world_records() { :; }

host_number() {
	case $1 in
	dns)		echo 2 ;;
	foo)		echo 10 ;;
	bar)		echo 20 ;;
	hospital)	echo 30 ;;
	insurance)	echo 40 ;;
	evil)		echo 50 ;;
	plain)		echo 60 ;;
	post)		echo 70 ;;
	*)		echo "no such host: $1" >&2; return 1 ;;
	esac
}

# What HOST calls itself.
host_name() { echo "${EXAMPLE_NAME[$1]:-$1.test}"; }

host_ip() { echo "198.51.100.$(host_number "$1")"; }
host_ip6() { echo "2001:db8::$(host_number "$1")"; }

# listed WORD LIST: is it one of the words?
listed() { case " $2 " in *" $1 "*) ;; *) return 1 ;; esac; }

# runs HOST: our daemons there besides gripd.
runs() {
	if is_example "$1"; then
		example_daemons "$1"
	elif listed "$1" "$CARGO_HOSTS"; then
		world_daemons "$1"
	fi
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

worlds=${BASH_SOURCE[0]%/*}/worlds
[ -f "$worlds/${LAB_WORLD:=full}" ] ||
    { echo "no such world: $LAB_WORLD" >&2; exit 64; }
. "${worlds%/*}/example.sh"
. "$worlds/$LAB_WORLD"
: "${ZONES:=${HOSTS#dns }}"

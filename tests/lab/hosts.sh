# SPDX-License-Identifier: ISC
#
# The hosts of the lab and where they are (sourced). RFC 5737 and RFC 3849
# addresses: nothing here can be mistaken for somebody's machine.

HOSTS="dns foo bar hospital insurance evil"
MAIL_HOSTS="foo bar evil"
CARGO_HOSTS="bar hospital insurance"	# those that run our daemons
[ "${LAB_WORLD:-}" != mail ] || CARGO_HOSTS=

host_number() {
	case $1 in
	dns)		echo 2 ;;
	foo)		echo 10 ;;
	bar)		echo 20 ;;
	hospital)	echo 30 ;;
	insurance)	echo 40 ;;
	evil)		echo 50 ;;
	*)		echo "no such host: $1" >&2; return 1 ;;
	esac
}

host_ip() { echo "198.51.100.$(host_number "$1")"; }
host_ip6() { echo "2001:db8::$(host_number "$1")"; }

# say TEXT: how long the cell has been up, and what it does.
LAB_START=${EPOCHREALTIME/./}
say() {
	local us=$((${EPOCHREALTIME/./} - LAB_START))
	[ -z "${LAB_VERBOSE:-}" ] ||
	    printf '%3d.%03d s  %s\n' $((us / 1000000)) \
	    $((us / 1000 % 1000)) "$*" >&2
}

# SPDX-License-Identifier: ISC
#
# What runs on the hosts, in order (sourced by cell). Each host sets itself
# up with a script of its own inside; this file only says which and when.

# on HOST SCRIPT [ARG]...: a script of this directory, inside the host.
on() {
	local host=$1 script=$2
	shift 2
	hx "$host" /run/lab-scripts/"$script" "$@" ||
	    { echo "lab: $script failed on $host" >&2; return 1; }
}

# on_all SCRIPT HOST...: at once, and wait for all.
on_all() {
	local script=$1 host pid pids=
	shift
	for host in "$@"; do
		on "$host" "$script" "$host" &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
}

on_all host-base $HOSTS
[ -z "$CARGO_HOSTS" ] || on_all host-keys $CARGO_HOSTS
on dns dns-zones
say "DNS is up"
on_all host-resolver $HOSTS
on_all host-mail $MAIL_HOSTS
say "mail is up"
if [ -n "$CARGO_HOSTS" ]; then
	on_all host-user $MAIL_HOSTS
	on_all host-cargo $CARGO_HOSTS
	say "our daemons are up"
fi

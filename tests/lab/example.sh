# SPDX-License-Identifier: ISC
#
# Hosts that are set up as a README below etc/examples says, by its very
# commands (sourced by hosts.sh).
#
#   example HOST EXAMPLE DIRECTORY NAME [DOMAIN]
#
# HOST is what the README calls NAME, with the files of DIRECTORY. DOMAIN
# stands in the first line of the commands, "domain=", in place of bar.test.
#
# A README has steps, "2. Files and keys", and in them paragraphs "On NAME:"
# (none if there is but one host); what is indented by four blanks below that
# are commands. Indented lines of the step "DNS" that begin with a name and
# have a quoted text or a CNAME are records.

declare -A EXAMPLE_OF EXAMPLE_DIR EXAMPLE_NAME EXAMPLE_DOMAIN

example() {
	EXAMPLE_OF[$1]=$2
	EXAMPLE_DIR[$1]=$2/$3
	EXAMPLE_NAME[$1]=$4
	EXAMPLE_DOMAIN[$1]=${5:-bar.test}
}

is_example() { [ -n "${EXAMPLE_OF[$1]:-}" ]; }

# example_daemons HOST: those for which its directory has a file.
example_daemons() {
	local etc=${LAB_TOP:+$LAB_TOP/etc} daemon
	[ -d "$etc" ] || etc=/run/lab-etc
	for daemon in mailboxd retrievald broker; do
		[ ! -f "$etc/examples/${EXAMPLE_DIR[$1]}/$daemon.conf" ] ||
		    echo $daemon
	done | xargs
}

# readme HOST STEP: what its README has it type there. Runs on the host.
readme() {
	awk -v step="$2" -v name="${EXAMPLE_NAME[$1]}" '
		/^[0-9]+\. / { inside = substr($0, index($0, " ") + 1) == step
			mine = 1 }
		/^On .*:$/ { mine = $2 == name ":" }
		inside && mine && /^    / { print substr($0, 5) }' \
	    "/run/lab-etc/examples/${EXAMPLE_OF[$1]}/README" |
	    sed "s/^domain=bar\.test$/domain=${EXAMPLE_DOMAIN[$1]}/"
}

# SPDX-License-Identifier: ISC
#
# Hosts that are set up as a README below etc/examples says, by its very
# commands (sourced by hosts.sh).
#
#   example HOST EXAMPLE DIRECTORY NAME [SED]
#
# HOST is what the README calls NAME, with the files of DIRECTORY. SED is what
# an administrator writes in place of the names in the README; in general he
# writes nothing, since the lab has these names.
#
# A README has steps, "2. Files and keys", and in them paragraphs "On NAME:" or
# "On NAME and NAME:"; without that line they are for all hosts. What is
# indented by four blanks are commands; in the step "DNS" also records.

declare -A EXAMPLE_OF EXAMPLE_DIR EXAMPLE_NAME EXAMPLE_SED

example() {
	EXAMPLE_OF[$1]=$2
	EXAMPLE_DIR[$1]=$2/$3
	EXAMPLE_NAME[$1]=$4
	EXAMPLE_SED[$1]=${5:-}
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
		/^On .*:$/ { mine = 0
			for (i = 2; i <= NF; i++)
				mine = mine || $i == name || $i == name ":" }
		inside && mine && /^    / { print substr($0, 5) }' \
	    "/run/lab-etc/examples/${EXAMPLE_OF[$1]}/README" |
	    sed "${EXAMPLE_SED[$1]}"
}

# one_host HOST USER: a host as in the example for one, with an account for
# USER: whom people of other examples write to.
one_host() {
	example "$1" one-host . "mx.$1.test" \
	    "s/bob@bar\.test/$2@$1.test/; s/bar\.test/$1.test/g"
}

# SPDX-License-Identifier: ISC
#
# What the tests of the lab share (sourced): results as TAP lines, and waits
# that end.
#
#   ok TEXT CMD [ARG]...    one result: does CMD succeed?
#   is TEXT GOT WANT        one result: are the two strings equal?
#   like TEXT GOT REGEX     one result: does the extended regex match?
#   wait_for SECONDS CMD [ARG]...   true as soon as CMD succeeds; SECONDS is
#                           what it may take on a machine that does nothing
#                           else, and three times that is waited
#   note TEXT               a line for the reader
#   done_testing            the plan; ends the script, 1 if something failed
#
# CMD may be a function of the test. With pipefail a pipe must not end in
# grep -q: it leaves early and whoever writes to it is killed.

tap_count=0
tap_failed=0

tap_result() {	# STATUS TEXT
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
}

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

ok() {
	local text=$1 rc=0 out
	shift
	out=$("$@" 2>&1) || rc=$?
	tap_result $rc "$text"
	[ $rc = 0 ] || note "status $rc: $* : ${out:0:2000}"
}

is() {
	local rc=0
	[ "$2" = "$3" ] || rc=1
	tap_result $rc "$1"
	if [ $rc != 0 ]; then
		note "got:  ${2:0:1000}"
		note "want: ${3:0:1000}"
	fi
}

like() {
	local rc=0
	grep -Eqe "$3" <<< "$2" || rc=1
	tap_result $rc "$1"
	[ $rc = 0 ] || note "no match for $3 in: ${2:0:2000}"
}

wait_for() {
	local until=$((${EPOCHREALTIME/./} + $1 * 3000000))
	shift
	while ! "$@" > /dev/null 2>&1; do
		[ ${EPOCHREALTIME/./} -lt $until ] || return 1
		sleep 0.05
	done
}

done_testing() {
	echo "1..$tap_count"
	[ $tap_failed = 0 ] || note "$tap_failed of $tap_count failed"
	exit $((tap_failed > 0))
}

# ---- mail, as every test of it needs --------------------------------------

# mail_with HOST USER TEXT: the file of USER's message that holds TEXT.
mail_with() {
	hx "$1" sh -c 'grep -rlF -e "$2" /home/$1/Maildir/new \
	    /home/$1/Maildir/cur 2>/dev/null | head -n 1 | grep .' sh "$2" "$3"
}

# mail_count HOST USER TEXT: how many messages of USER hold TEXT.
mail_count() {
	hx "$1" sh -c 'grep -rlF -e "$2" /home/$1/Maildir/new \
	    /home/$1/Maildir/cur 2>/dev/null | wc -l' sh "$2" "$3"
}

# submit FROM-USER TO SUBJECT [SWAKS OPTION]...: from foo by submission.
submit() {
	local user=$1 to=$2 subject=$3
	shift 3
	hx foo swaks --server mx.foo.test:587 -tls --auth plain \
	    --auth-user "$user" --auth-password secret \
	    --from "$user@foo.test" --to "$to" --header "Subject: $subject" \
	    --silent 2 "$@"
}

# imap_search USER QUERY / imap_fetch USER INDEX: over TLS at bar.
imap_search() {
	hx bar curl -s --user "$1:secret" --url imaps://mx.bar.test/INBOX \
	    -X "SEARCH $2" | tr -d '\r' | sed -n 's/^\* SEARCH *//p'
}

imap_fetch() {
	hx bar curl -s --user "$1:secret" \
	    --url "imaps://mx.bar.test/INBOX;MAILINDEX=$2"
}

# SPDX-License-Identifier: ISC
#
# What the tests of `cargomailctl check` share (sourced after tap.sh). A fault
# is made on bar, found, and mended; what was said of it goes to the log, where
# check-faults looks for every sentence that check has.
#
# $make makes the fault, $undo takes it back, as an administrator does who
# follows what check says to do. If that is a command, $mend is this command:
# it must stand there word for word, and is typed in the place of $undo, which
# then only tidies up. $at is another host than bar to look at.

jobs=0
make=: undo=: mend= said= todo= PRELOAD= at=bar

# Every file that a fault may touch, as it is.
hx bar sh -c 'cp -a /etc/cargomail /root/c; cp -a /etc/postfix /root/p
    cp -a /etc/opendkim.conf /root/'
restore() {
	hx bar sh -c 'cp -a /root/c/. /etc/cargomail/
	    cp -a /root/p/. /etc/postfix/; cp -a /root/opendkim.conf /etc/'
}

check() {	# ARG...: its exit code, and what it says
	local said code
	said=$(ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 \
	    hx $at timeout 100 ${PRELOAD:+env LD_PRELOAD=$PRELOAD} \
	    /usr/local/sbin/cargomailctl check "$@" 2>&1)
	code=$?
	printf '%s\n%s\n' "$code" "$said"
}

# For check-faults: each line that is not ok.
saw() {
	note "$(sed -nE 's/^(warn|fail) /said: &/p' <<< "$1")"
}

typed() {	# COMMAND: on bar, where systemctl is the lab's
	hx bar env PATH="/run/lab-scripts/host-bin:/usr/local/sbin:$PATH" \
	    sh -c "$1"
}

in_order() { [ "$(check "$@" | head -n 1)" = 0 ]; }

# finds TEXT LEVEL WHAT CURE CHECK [ARG]...: WHAT must stand in a line of this
# level, CURE in what it says to do. All of it is in $said then, that in $todo.
finds() {
	local text=$1 level=$2 what=$3 cure=$4 code=1
	shift 4
	[ "$level" = warn ] || code=2
	said=$(check "$@")
	saw "$said"
	todo=$(grep -Ee "^$level .*$what" -A2 <<< "$said" | grep '^ *do:')
	is "$text: exit code" "$(head -n 1 <<< "$said")" "$code"
	like "$text: what" "$said" "^$level +$1: .*$what"
	like "$text: what to do" "$todo" "$cure"
}

# fault, with the words of finds: made, found and mended; in the end the check
# has nothing to say.
fault() {
	jobs=$((jobs + 1))
	eval "$make"
	finds "$@"
	mended "$@"
}
mended() {	# TEXT LEVEL WHAT CURE CHECK [ARG]...
	local text=$1
	shift 4
	if [ -n "$mend" ]; then
		is "$text: word for word" "$(grep -oF -e "$mend" <<< "$todo" |
		    head -n 1)" "$mend"
		ok "$text: it can be typed" typed "$mend"
	else
		eval "$undo"
	fi
	ok "$text: it is mended" wait_for 10 in_order "$@"
	[ -z "$mend" ] || eval "$undo"
	mend=
}

on_bar() { make="hx bar sh -c '$1'" undo=restore; }
down() { make="daemon bar $1 stop" undo="daemon bar $1 start"; }
wiring() {	# POSTCONF ARG...
	make="hx bar postconf $*; hx bar touch -d -1minute \
	    /etc/postfix/main.cf /etc/postfix/master.cf"
	undo=restore
}

# clock NAME EXPRESSION: $PRELOAD=/run/lab/NAME.so has this one.
clock() {
	echo "#include <time.h>
	    time_t time(time_t *t) { struct timespec s;
	    clock_gettime(CLOCK_REALTIME, &s); s.tv_sec = $2;
	    if (t) *t = s.tv_sec; return s.tv_sec; }" |
	    gcc -shared -fPIC -x c -o "$LAB/share/$1.so" -
}
at_clock() { make="PRELOAD=/run/lab/$1.so" undo='PRELOAD='; }

# The zone of bar.test as it is, and changes of it.
dnszone bar.test show > "$LAB/share/bar.zone"
record() { grep "^$1[. ]" "$LAB/share/bar.zone"; }
zone() {	# REGEX NAME [RECORD]
	make="dnszone bar.test del '$1'"
	[ -z "${3:-}" ] || make="dnszone bar.test set '$1' '$3'"
	undo="dnszone bar.test del '$1'; record $2 |
	    while IFS= read -r r; do dnszone bar.test add \"\$r\"; done"
}
# A fault of the zone that is mended by the record that check prints.
zone_fault() {	# TEXT LEVEL WHAT CURE
	local line
	jobs=$((jobs + 1))
	eval "$make"
	finds "$@" dns
	line=$(sed -n 's/^.*: \([^ ]*\. IN \(TXT "[^"]*"\|CNAME [^ ;]*\)\).*/\1/p' \
	    <<< "$todo")
	ok "$1: the record can be published" dnszone bar.test add "$line"
	ok "$1: it is mended" wait_for 10 in_order dns
	eval "$undo"
}

# ---- Postfix that runs with it --------------------------------------------------

flush() { hx bar unbound-control flush_zone bar.test > /dev/null; }
reload_postfix() {
	hx bar sh -c 'touch -d "-1 minute" /etc/postfix/*.cf
	    postfix reload' > /dev/null 2>&1
}
milter() {	# SED SCRIPT of opendkim.conf
	make="hx bar sed -i '$1' /etc/opendkim.conf
	    daemon bar opendkim kill; daemon bar opendkim start"
	undo='restore; daemon bar opendkim kill; daemon bar opendkim start'
}

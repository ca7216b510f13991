# SPDX-License-Identifier: ISC
#
# What the parts of the benchmark share (sourced after tap.sh, attack.sh).
#
#   row WHAT OURS ANCHOR RATIO GOAL VERDICT   one line of the table
#   result WHAT UNIT "OURS..." "ANCHOR..." GOAL   a line from samples, taken
#                            in turn: their medians, and the median of the
#                            ratios of each round, since the speed of a shared
#                            machine changes; GOAL as "<=1.6", ">=0.3", or "-"
#   median NUMBER...         the middle one (the lower of two)
#   calc EXPRESSION          awk's arithmetic
#   not_measured WHAT WHY    a line that says so; the run fails
#   cpu_of HOST COMM...      CPU so far of all processes of these names on
#                            HOST, with children that ended; in us
#   cpu_of_cell              the same of everything in the cell
#   blink                    20 ms without a process
#   new_file HOST USER NAME SIZE   content that was never there before
#   forget HASH              bob and alice let go of it, everywhere
#   pulled                   the times in ms of all pulls by insurance.test
#   wait_pulls N SECONDS     until N pulls have ended

bench_failed=0
tick_us=$((1000000 / $(getconf CLK_TCK)))
exec {blink_fd}<> <(:)

row() { printf '%-46s %10s %10s %6s %7s  %s\n' "$@"; }

calc() { awk "BEGIN { printf \"%.6g\", $* }"; }

median() {
	[ $# -gt 0 ] || return
	printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"
}

ratios() {	# "OURS..." "ANCHOR..."
	paste <(xargs -n 1 <<< "$1") <(xargs -n 1 <<< "$2") |
	    awk 'NF == 2 { print $1 / $2 }'
}

verdict() {	# RATIO GOAL
	case $2 in
	-)	;;
	'<='*)	awk "BEGIN { exit !($1 <= ${2#<=}) }" ;;
	'>='*)	awk "BEGIN { exit !($1 >= ${2#>=}) }" ;;
	esac && echo met || echo "falls short"
}

result() {
	local what=$1 unit=$2 ours anchor ratio goal=$5 said
	# Lists of samples: split on purpose.
	# shellcheck disable=SC2086
	ours=$(median $3) anchor=$(median $4)
	if [ -z "$ours" ] || [ -z "$anchor" ]; then
		not_measured "$what" "no figures"
		return
	fi
	# shellcheck disable=SC2046
	ratio=$(median $(ratios "$3" "$4"))
	said=$(verdict "$ratio" "$goal")
	[ "$goal" != - ] || said=
	row "$what" "$(printf %.5g "$ours") $unit" \
	    "$(printf %.5g "$anchor") $unit" "$(printf %.2f "$ratio")" \
	    "$goal" "$said"
}

not_measured() {
	row "$1" - - - - "not measured: $2"
	bench_failed=1
}

cpu_of() {
	local host=$1 names
	shift
	names=$*
	# The name stands in brackets and may hold anything.
	hx "$host" sh -c 'cat /proc/[0-9]*/stat 2> /dev/null' |
	    awk -v names="${names// /|}" -v tick="$tick_us" '
		{ name = $0; sub(/^[0-9]+ \(/, "", name); sub(/\).*/, "", name)
		  sub(/.*\) /, "")
		  if (name ~ "^(" names ")$") sum += $12 + $13 + $14 + $15 }
		END { printf "%d\n", sum * tick }'
}

cpu_of_cell() {
	cat /proc/[0-9]*/stat 2> /dev/null | awk -v tick="$tick_us" '
		{ sub(/.*\) /, ""); sum += $12 + $13 + $14 + $15 }
		END { printf "%d\n", sum * tick }'
}

blink() { read -rt 0.02 -u "$blink_fd" || :; }

# A head of random bytes before zeros, which cost no disk: nothing on the
# way compresses or looks for holes.
new_file() {
	hx -u "$2" "$1" sh -c 'head -c 1M /dev/urandom > "$1" &&
	    truncate -s "$2" "$1"' sh "$3" "$4"
}

forget() {
	hx -u bob bar cargomail rm "$1" > /dev/null
	hx -u alice foo cargomail rm "$1" > /dev/null
}

bench_send() {	# SUBJECT FILE...
	local subject=$1 file attach=()
	shift
	for file in "$@"; do attach+=(--attach "$file"); done
	hx -u alice foo cargomail send --to bob@bar.test --subject "$subject" \
	    --category healthcare "${attach[@]}" > /dev/null
}

# retrievald says itself how long it took from lease to done. The log is
# read from outside of the host: looking must not cost what is measured.
pulled() {
	sed -n 's/.* done .* ms=\([0-9]*\).*/\1/p' \
	    "$LAB/upper/insurance/u/var/log/cargomail/retrievald.log" \
	    2> /dev/null
}

wait_pulls() {
	local until=$((SECONDS + $2))
	while [ "$(pulled | wc -l)" -lt "$1" ]; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.2
	done
}

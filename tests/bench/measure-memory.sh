# SPDX-License-Identifier: ISC
#
# The peak of each daemon's anonymous memory (with its children) while a
# file is sent, pulled and fetched: 400 MB, and ten times as much.

memory_daemons() {
	case $1 in
	bar)	echo gripd-resolve gripd-sign mailboxd broker ;;
	*)	echo gripd-resolve gripd-sign mailboxd retrievald ;;
	esac
}

# The same start for both sizes.
memory_restart() {
	local host name
	for host in hospital insurance bar; do
		for name in $(memory_daemons $host); do
			daemon $host "$name" stop && daemon $host "$name" start
		done
	done
}

memory_sample() {	# HOST: "HOST-DAEMON KIB" lines
	local name files=()
	for name in $(memory_daemons "$1"); do
		files+=("/run/cargomail-lab/$name.pid")
	done
	hx "$1" /run/lab/bench/bench_anonymous /run/lab/sampling \
	    "${files[@]}" | sed "s/^/$1 /; s/\.pid / /"
}

memory_way() {	# SIZE: lines "HOST DAEMON KIB"
	local host n hash status=0 pids=
	new_file foo alice film "$1"
	memory_restart
	: > "$LAB/share/sampling"
	for host in hospital insurance bar; do
		memory_sample $host > "$LAB/sample.$host" &
		pids="$pids $!"
	done
	n=$(pulled | wc -l)
	bench_send "memory $1" film && wait_pulls $((n + 1)) 240 &&
	    hash=$(hx -u alice foo openssl dgst -sha256 -r film |
		cut -d' ' -f1) &&
	    hx -u bob bar cargomail get --output - "$hash" > /dev/null ||
	    status=1
	rm -f "$LAB/share/sampling"
	# shellcheck disable=SC2086
	wait $pids
	cat "$LAB"/sample.*
	[ -z "$hash" ] || forget "$hash"
	hx foo rm -f /home/alice/film
	return $status
}

measure_memory() {
	local free host name small large said
	free=$(df -BG --output=avail "$LAB_WORK" | tail -n 1 | tr -dc 0-9)
	if [ "$free" -lt 15 ]; then
		not_measured "memory" "only $free GB free on the disk"
		return
	fi
	memory_way 400M > "$LAB/memory.small" &&
	    memory_way 4096M > "$LAB/memory.large" || {
		not_measured "memory" "the file did not arrive"
		return
	}
	while read -r host name large; do
		small=$(sed -n "s/^$host $name //p" "$LAB/memory.small")
		said=$(verdict "$large" "<=16384")
		[ "$(verdict "$(calc "$large / $small")" '<=1.1')" = met ] ||
		    said="falls short"
		row "memory, 4 GB (400 MB): $host $name" \
		    "$(calc "int($large / 102.4 + 0.5) / 10") MB" \
		    "$(calc "int($small / 102.4 + 0.5) / 10") MB" \
		    "$(printf %.2f "$(calc "$large / $small")")" \
		    "<=16 MB" "$said"
	done < "$LAB/memory.large"
}

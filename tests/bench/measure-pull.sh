# SPDX-License-Identifier: ISC
#
# A pull, from lease to done by retrievald's own log, against a copy of the
# same file to the same disk with SHA-256 and fsync.

pull_rounds() {	# WHAT SIZE ROUNDS
	local what=$1 size=$2 i n blob hash ours= anchor=
	for ((i = 0; i < $3; i++)); do
		new_file foo alice film "$size"
		hash=$(hx foo sha256sum /home/alice/film | cut -d' ' -f1)
		n=$(pulled | wc -l)
		bench_send "$what $i" film || break
		wait_pulls $((n + 1)) 120 || break
		ours="$ours $(calc "$(pulled | tail -n 1) / 1000")"
		# The origin's copy is in memory for both.
		blob=$(newest "$size")
		anchor="$anchor $("$LAB/share/bench/bench_copy" "$blob" \
		    "$LAB_WORK/store/copied")" || break
		rm -f "$LAB_WORK/store/copied"
		forget "$hash"
	done
	result "$what" s "$ours" "$anchor" '<=1.6'
}

# The origin's file of this size that came last.
newest() {
	find "$LAB_WORK/store/hospital" -type f -size "$1" \
	    -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
}

measure_pull() {
	pull_rounds "pull of 100 MB" 100M 5
	pull_rounds "pull of 1 GB" 1024M 3
}

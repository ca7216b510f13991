# SPDX-License-Identifier: ISC
#
# Durable puts of 16 KiB a second: at the store's interface against one file
# that is appended to and synced after each 100, and through HTTPS; 256 at
# once in both.

app_token() {
	hx foo curl -s --user alice@foo.test:secret -X POST \
	    -H 'Content-Type: application/json' --data '{}' \
	    "$origin/v1/sessions" | sed -n 's/.*"token":"\([^"]*\)".*/\1/p'
}

# HTTPS comes first: ext4 makes creating files dearer for minutes after the
# files of the other have been removed.
measure_store() {
	local token i ours anchor puts=
	token=$(app_token)
	for i in 1 2 3; do
		puts="$puts $(hx foo /run/lab/bench/bench_put -n 5000 -j 256 \
		    "$(host_ip hospital)" 443 mailbox.hospital.test "$token")"
	done
	mkdir -p "$LAB_WORK/bench-store"
	"$LAB/share/bench/bench_store" "$LAB_WORK/bench-store" 10000 16384 |
	    grep ' failed 0 ' > "$LAB/store"
	ours=$(sed 's/.* store \([0-9]*\).*/\1/' "$LAB/store")
	anchor=$(sed 's/.* pack \([0-9]*\).*/\1/' "$LAB/store")
	result "16 KiB puts a second, store" /s "$ours" "$anchor" '>=0.3'
	result "16 KiB puts a second, through HTTPS" /s "$puts" "$anchor" -
	result "  the same, of what the store does" /s "$puts" "$ours" -
}

# SPDX-License-Identifier: ISC
#
# A file of 100 MB from alice's disk to bob's, as Cargomail and as an
# attachment, through the same Postfix, OpenDKIM and Dovecot. Time, and CPU
# of everything in the cell. The attachment is made and taken apart by the
# cheapest means there are: base64(1), and handed over by sendmail(1) as the
# placeholder is.

mail_send_cargo() { bench_send "$1" film; }
mail_open_cargo() { hx -u bob bar cargomail open --output got > /dev/null; }

mail_send_plain() {
	hx -u alice foo sh -c '{ cat <<-END
		From: alice@foo.test
		To: bob@bar.test
		Subject: $1
		MIME-Version: 1.0
		Content-Type: application/octet-stream; name=film
		Content-Disposition: attachment; filename=film
		Content-Transfer-Encoding: base64

		END
		base64 film
	    } | /usr/sbin/sendmail -i -f alice@foo.test -- bob@bar.test' sh "$1"
}
mail_open_plain() {
	hx -u bob bar sh -c 'mkdir got && sed "1,/^\r*\$/d" |
	    base64 -di > got/film'
}

# One way of KIND: "SECONDS CPU-SECONDS". All mail before it has been seen by
# an IMAP client, so that the new one is what lies in new/.
mail_way() {
	local kind=$1 subject=$2 cpu start until count
	local maildir=$LAB/upper/bar/u/home/bob/Maildir
	hx bar rm -rf /home/bob/got
	imap_search bob ALL > /dev/null
	count=$(find "$maildir/cur" -type f | wc -l)
	sync
	cpu=$(cpu_of_cell)
	start=${EPOCHREALTIME/./}
	until=$((SECONDS + 120))
	"mail_send_$kind" "$subject" || return 1
	while ! compgen -G "$maildir/new/*" > /dev/null; do
		[ $SECONDS -lt $until ] || return 1
		blink
	done
	imap_fetch bob $((count + 1)) | "mail_open_$kind" || return 1
	start=$((${EPOCHREALTIME/./} - start))
	cpu=$(($(cpu_of_cell) - cpu))
	cmp "$LAB/upper/foo/u/home/alice/film" \
	    "$LAB/upper/bar/u/home/bob/got/film" >&2 || return 1
	calc "$start / 1e6"; echo -n " "; calc "$cpu / 1e6"; echo
}

measure_mail() {
	local i seconds cpu hash ours= anchor= ours_cpu= anchor_cpu=
	for i in 1 2 3; do
		hx -u alice foo sh -c 'head -c 100M /dev/urandom > film'
		hash=$(hx foo sha256sum /home/alice/film | cut -d' ' -f1)
		read -r seconds cpu < <(mail_way cargo "cargo $i") || break
		ours="$ours $seconds" ours_cpu="$ours_cpu $cpu"
		forget "$hash"
		read -r seconds cpu < <(mail_way plain "plain $i") || break
		anchor="$anchor $seconds" anchor_cpu="$anchor_cpu $cpu"
	done
	result "100 MB from alice to bob, time" s "$ours" "$anchor" '<=0.33'
	result "100 MB from alice to bob, CPU" s "$ours_cpu" "$anchor_cpu" \
	    '<=0.25'
	hx bar rm -rf /home/bob/got
}

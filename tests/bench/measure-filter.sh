# SPDX-License-Identifier: ISC
#
# What Cargomail costs a mail host (foo, in the world "shared"), each way set
# against the same Postfix without it, by turns:
#
#   mail from outside   port 25 as postfix-setup leaves it, against a copy of
#                       it on port 2525 without our cleanup service
#   what users submit   port 587 by way of the broker, against a copy of it on
#                       port 2587 whose content_filter is the re-injection
#                       service itself ("loop": two passes through the queue
#                       and no filter code). The copy of that service listens
#                       on port 2588, since smtp(8) knows no Unix socket
#
# Clients log in, since other mail is not looked at. All goes to a sink behind
# relayhost; the time is that from the first command until the sink has the
# last message.

filter_sink=2600
FILTER_MAIL=${LAB_FILTER_MAIL:-2000}
FILTER_ROUNDS=${LAB_FILTER_ROUNDS:-5}
FILTER_SIZE=${LAB_FILTER_SIZE:-100M}

# copy_service SERVICE NEW LINE: with all its options.
copy_service='copy_service() {
	postconf -M "$2=$3"
	postconf -P "$1/*" | while IFS= read -r option; do
		value=${option#* =} option=${option#"$1/"}
		postconf -P "$2/${option%% =*}=${value# }"
	done
}'

# No milters, no TLS, no DNS: they cost both ways the same, and much.
filter_postfix() {
	daemon foo postfix stop && hx foo sh -ec "$copy_service"'
		postconf -e "relayhost = [127.0.0.1]:$1" smtpd_milters= \
		    non_smtpd_milters= smtp_tls_security_level=none \
		    smtp_dns_support_level=disabled in_flow_delay=0 \
		    smtpd_tls_security_level=none \
		    queue_run_delay=1h minimal_backoff_time=1h \
		    maximal_backoff_time=1h
		postconf -P submission/inet/smtpd_tls_security_level=none
		copy_service smtp/inet 2525/inet "2525 inet n - y - - smtpd"
		postconf -PX 2525/inet/cleanup_service_name
		copy_service submission/inet 2587/inet \
		    "2587 inet n - y - - smtpd"
		postconf -P "2587/inet/content_filter=loop:[127.0.0.1]:2588"
		copy_service cargomail-sign/unix 127.0.0.1:2588/inet \
		    "127.0.0.1:2588 inet n - y - 10 smtpd"
		postconf -M "loop/unix=loop unix - - y - 10 smtp"
		postconf -P loop/unix/disable_mime_output_conversion=yes \
		    loop/unix/smtp_send_xforward_command=yes \
		    loop/unix/smtp_data_done_timeout=7200s
		touch -d "-1 minute" /etc/postfix/*.cf' \
	    sh "$filter_sink" && daemon foo postfix start
}

# alice's mailbox is on the same host, carol's on another.
filter_accounts() {
	hx bar sh -c 'echo secret | cargomailctl account add \
	    --broker _cb.foo.test carol@foo.test' > /dev/null &&
	    echo "carol@foo.test * https://mailbox.bar.test" |
	    hx foo sh -c 'cat >> /etc/cargomail/origins' &&
	    daemon foo broker stop && daemon foo broker start
}

# The processes of connections that Postfix keeps open end after some seconds,
# and their CPU is known to the last nanosecond only then.
filter_idle() {
	local until=$((SECONDS + 30)) pid
	pid=$(daemon foo broker pid)
	while [ "$(hx foo pgrep -c -P "$pid")" != 0 ]; do
		[ $SECONDS -lt $until ] || return 1
		blink
	done
}

# filter_way COUNT CMD [ARG]...: the seconds until the sink has COUNT messages
# of CMD, which runs on foo.
filter_way() {
	local count=$1 sink start
	shift
	hx foo timeout 300 smtp-sink -u nobody -M "$count" \
	    127.0.0.1:$filter_sink 256 &
	sink=$!
	until hx foo bash -c ": < /dev/tcp/127.0.0.1/$filter_sink" \
	    2> /dev/null; do
		blink
	done
	start=${EPOCHREALTIME/./}
	hx foo "$@" >&2 || { kill $sink; return 1; }
	wait $sink || return 1
	start=$((${EPOCHREALTIME/./} - start))
	# It leaves without a reply to the last, which would come again.
	hx foo timeout 60 sh -c 'cd /var/spool/postfix
		while [ -n "$(find incoming active -type f)" ]; do :; done
		postsuper -d ALL' 2> /dev/null || return 1
	calc "$start / 1e6"
}

filter_mail() {	# PORT [OPTION]...: messages a second
	local port=$1 seconds
	shift
	seconds=$(filter_way "$FILTER_MAIL" /run/lab/bench/bench_submit \
	    -n "$FILTER_MAIL" "$@" "$port" alice@foo.test bob@bar.test) &&
	    calc "$FILTER_MAIL / $seconds"
}

filter_in() {
	local i rate ours= anchor=
	for ((i = 0; i < FILTER_ROUNDS; i++)); do
		rate=$(filter_mail 25) && ours="$ours $rate" &&
		    rate=$(filter_mail 2525) && anchor="$anchor $rate" || break
	done
	result "4 KB mail from outside, with the wiring" /s "$ours" \
	    "$anchor" '>=0.97'
}

filter_out() {
	local i rate cpu ours= anchor= used=
	for ((i = 0; i < FILTER_ROUNDS; i++)); do
		filter_idle && cpu=$(cpu_of foo broker) &&
		    rate=$(filter_mail 587 -u alice:secret) &&
		    filter_idle && cpu=$(($(cpu_of foo broker) - cpu)) || break
		ours="$ours $rate"
		used="$used $(calc "$cpu / $FILTER_MAIL / 1e3")"
		rate=$(filter_mail 2587 -u alice:secret) || break
		anchor="$anchor $rate"
	done
	result "4 KB mail submitted, not converted" /s "$ours" "$anchor" \
	    '>=0.9'
	# shellcheck disable=SC2086
	set -- "$(median ${used:-999})"
	row "  the broker's CPU for one" "$(printf %.3f "$1") ms" - - \
	    "<=0.3 ms" "$(verdict "$1" '<=0.3')"
}

# A message from USER, with content that was never there before.
filter_write() {
	hx foo sh -c '{ cat <<-END
		From: $1@foo.test
		To: bob@bar.test
		Subject: film
		Message-ID: <$(date +%s.%N)@foo.test>
		Date: Thu, 1 Jan 2026 00:00:00 +0000
		MIME-Version: 1.0
		Content-Type: application/octet-stream; name=film
		Content-Disposition: attachment; filename=film
		Content-Transfer-Encoding: base64

		END
		head -c "$2" /dev/urandom | base64
	    } | sed "s/\$/\r/" > /var/tmp/film.eml' sh "$1" "$FILTER_SIZE"
}

filter_large() {	# USER PORT: seconds
	filter_write "$1" && hx foo sync && filter_way 1 curl -s --user \
	    "$1:secret" --mail-from "$1@foo.test" --mail-rcpt bob@bar.test \
	    --upload-file /var/tmp/film.eml "smtp://127.0.0.1:$2"
}

filter_converted() {
	daemon foo broker log | grep -c ' convert .*sender='
}

filter_convert() {	# USER TEXT
	local user=$1 text=$2 i seconds before ours= anchor=
	before=$(filter_converted)
	for ((i = 0; i < FILTER_ROUNDS; i++)); do
		seconds=$(filter_large "$user" 587) && ours="$ours $seconds" &&
		    seconds=$(filter_large "$user" 2587) &&
		    anchor="$anchor $seconds" || break
	done
	if [ $(($(filter_converted) - before)) != "$FILTER_ROUNDS" ]; then
		not_measured "$text" "not all were converted"
		return
	fi
	result "$text" s "$ours" "$anchor" '<=1.6'
}

filter_memory() {	# USER TEXT
	local pid peak
	: > "$LAB/share/sampling"
	hx foo /run/lab/bench/bench_anonymous /run/lab/sampling \
	    /run/cargomail-lab/broker.pid > "$LAB/sample.foo" & pid=$!
	filter_large "$1" 587 > /dev/null
	rm -f "$LAB/share/sampling"
	wait $pid
	peak=$(sed -n 's/^broker.pid //p' "$LAB/sample.foo")
	row "$2" "$(calc "int(${peak:-0} / 102.4 + 0.5) / 10") MB" - - \
	    "<=24 MB" "$(verdict "${peak:-99999}" '<=24576')"
}

measure_filter() {
	filter_postfix && filter_accounts || {
		not_measured "filter" "the host could not be set up"
		return
	}
	filter_in
	filter_out
	filter_convert alice "$FILTER_SIZE submitted, mailbox on the host"
	filter_convert carol "$FILTER_SIZE submitted, mailbox elsewhere"
	filter_memory alice "  the broker's memory, mailbox on the host"
	filter_memory carol "  the broker's memory, mailbox elsewhere"
	hx foo rm -f /var/tmp/film.eml
}

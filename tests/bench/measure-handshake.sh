# SPDX-License-Identifier: ISC
#
# A handshake with client certificate and a key that only gripd has, by CPU
# of all of ours on the server's host, against both ends of OpenSSL in
# memory with the same kind of keys (the server's part of it). Since that
# knows no sockets, a line for nginx, which holds its key itself, says what a
# server can reach.

measure_handshake() {
	local ours= anchor= nginx= i count=1000
	nginx_start
	for i in 1 2 3 4 5; do
		ours="$ours $(load "mailboxd gripd" 443 "" $count)"
		anchor="$anchor $(hx hospital /run/lab/bench/bench_handshake \
		    "$keys/mailbox.hospital.test.crt" \
		    "$keys/mailbox.hospital.test.key" \
		    "$keys/_rra.hospital.test.crt" \
		    "$keys/_rra.hospital.test.key" $count)"
		nginx="$nginx $(load nginx 8443 "" $count)"
	done
	result "mutual TLS handshake, server CPU" us "$ours" "$anchor" '<=1.3'
	result "  the same of nginx with its own key" us "$nginx" "$anchor" -
	nginx_stop
}

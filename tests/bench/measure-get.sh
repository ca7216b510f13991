# SPDX-License-Identifier: ISC
#
# GET with a GRIP token on a kept connection, by CPU of all of ours on the
# server's host, against nginx with mutual TLS, the same key and client
# certificate, the same bytes. Both write one log line for a request.

get_rounds() {	# FILE COUNT
	local hash ours= anchor= i
	hash=$(hx foo sha256sum "/home/alice/$1" | cut -d' ' -f1)
	hx foo cat "/home/alice/$1" |
	    hx hospital tee "/var/lib/nginx-bench/root/$1" > /dev/null
	for i in 1 2 3 4 5; do
		ours="$ours $(load "mailboxd gripd" 443 "/v1/resources/$hash" \
		    "$2" -a "GRIP $(token_a insurance "$token")")"
		anchor="$anchor $(load nginx 8443 "/$1" "$2")"
	done
	result "GET of $1 with token, server CPU" us "$ours" "$anchor" '<=1.2'
}

measure_get() {
	local n share digest token
	hx -u alice foo sh -c 'head -c 1K /dev/urandom > 1KB
	    head -c 64K /dev/urandom > 64KB'
	n=$(pulled | wc -l)
	bench_send get 1KB 64KB && wait_pulls $((n + 1)) 60 &&
	    wait_for 20 mail_with bar bob "Subject: get" && nginx_start || {
		not_measured "GET with token" "cannot prepare it"
		return
	}
	share=$(hx bar sed -n \
	    's/.*share="\{0,1\}\([A-Za-z0-9_-]\{22\}\).*/\1/p' \
	    "$(mail_with bar bob "Subject: get")" | head -n 1)
	digest=$(printf '' | sha256sum | cut -d' ' -f1)
	token=$(token_b bar)
	get_rounds 1KB 10000
	get_rounds 64KB 5000
	nginx_stop
}

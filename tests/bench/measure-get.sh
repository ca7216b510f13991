# SPDX-License-Identifier: ISC
#
# GET with a GRIP token on a kept connection, by CPU of all of ours on the
# server's host, against nginx with mutual TLS, the same key and client
# certificate, the same bytes. Both write one log line for a request.

nginx_start() {
	local crt=/var/lib/nginx-bench/client.crt
	hx hospital mkdir -p /var/lib/nginx-bench/root
	hx insurance cat "$keys/_rra.insurance.test.crt" |
	    hx hospital tee "$crt" > /dev/null
	hx hospital tee /var/lib/nginx-bench/conf > /dev/null <<-END
		user root;
		worker_processes 1;
		pid /run/nginx.pid;
		error_log /var/lib/nginx-bench/error.log;
		events { worker_connections 1000; }
		http {
		  access_log /var/lib/nginx-bench/access.log;
		  sendfile on;
		  tcp_nopush on;
		  keepalive_requests 100000000;
		  default_type application/octet-stream;
		  server {
		    listen 8443 ssl;
		    ssl_protocols TLSv1.3;
		    ssl_certificate $keys/mailbox.hospital.test.crt;
		    ssl_certificate_key $keys/mailbox.hospital.test.key;
		    ssl_client_certificate $crt;
		    ssl_verify_client on;
		    ssl_session_cache off;
		    root /var/lib/nginx-bench/root;
		  }
		}
	END
	hx hospital nginx -c /var/lib/nginx-bench/conf
}

# load COMM-LIST PORT PATH COUNT [OPTION]...: us of CPU for one.
load() {
	local comm=$1 port=$2 path=$3 count=$4 before
	shift 4
	before=$(cpu_of hospital $comm)
	hx insurance /run/lab/bench/bench_load \
	    -c "$keys/_rra.insurance.test.crt" \
	    -k "$keys/_rra.insurance.test.key" -n "$count" "$@" \
	    "$(host_ip hospital)" "$port" mailbox.hospital.test $path \
	    > /dev/null || return 1
	calc "($(cpu_of hospital $comm) - $before) / $count"
}

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
	hx hospital nginx -c /var/lib/nginx-bench/conf -s stop
}

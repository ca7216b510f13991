# SPDX-License-Identifier: ISC
#
# The yardstick of servers, nginx with mutual TLS on hospital's port 8443,
# with mailboxd's own key and certificate; and the load for both (sourced).

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
		    ssl_session_tickets off;
		    root /var/lib/nginx-bench/root;
		  }
		}
	END
	hx hospital nginx -c /var/lib/nginx-bench/conf
}

nginx_stop() {
	hx hospital nginx -c /var/lib/nginx-bench/conf -s stop 2> /dev/null
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

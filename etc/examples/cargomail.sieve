# SPDX-License-Identifier: ISC
#
# Rebuilds messages on delivery, by Dovecot's Pigeonhole, so that the mailbox
# holds the message as it was written. What is not there in time stays a
# placeholder, and "cargomail open" opens it later. In dovecot.conf:
#
#   protocol lmtp {
#     mail_plugins = $mail_plugins sieve
#   }
#   plugin {
#     sieve = file:~/sieve;active=~/.dovecot.sieve
#     sieve_plugins = sieve_extprograms
#     sieve_extensions = +vnd.dovecot.filter
#     sieve_filter_bin_dir = /usr/local/lib/dovecot/sieve-filter
#     sieve_filter_exec_timeout = 60s
#   }
#
# cargomail-rebuild of this directory goes to sieve_filter_bin_dir; it runs as
# the user, whose ~/.config/cargomail/config it needs.
require ["vnd.dovecot.filter"];

if exists ["X-Destination-Resource-Mailbox-URL"] {
	if not filter "cargomail-rebuild" {
		keep;
	}
}

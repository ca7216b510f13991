/* SPDX-License-Identifier: ISC
 *
 * To which addresses we connect when a stranger named the host: those that
 * IANA's special-purpose registries leave as global unicast, only. Not:
 * loopback, private, link-local, shared 100.64/10, 192.0.0/24, benchmarking,
 * documentation, multicast, 240/4, v4-mapped, NAT64, 6to4, Teredo, ULA, and
 * the addresses of our own interfaces. Exceptions are configured.
 */
#ifndef ADDRESS_POLICY_H
#define ADDRESS_POLICY_H

#include <stdbool.h>

#include <sys/socket.h>

struct address_policy;

/* A policy without exceptions. Aborts for want of memory. */
struct address_policy *address_policy_new(void);
void address_policy_free(struct address_policy **policy);

/* Adds an exception, "198.51.100.0/24", "2001:db8::/32" or one address:
 * allowed whatever the rules say, but an address of our own interfaces only
 * if it is named by itself. 0, or -1 (syntax; bits set beyond the prefix;
 * more than 64). */
int address_policy_add(struct address_policy *policy, const char *prefix);

/* Reads this host's interface addresses, to refuse them. Replaces what an
 * earlier call read. 0, or -1 with errno. */
int address_policy_read_interfaces(struct address_policy *policy);

/* True if we may connect there. `policy` NULL: no exceptions. */
bool address_policy_allows(const struct sockaddr *address,
    const struct address_policy *policy);

#endif

/* SPDX-License-Identifier: ISC
 *
 * The PROXY protocol, versions 1 and 2: a load balancer of layer 4 says
 * whose connection it passes on, before the first byte of TLS. By hand, for
 * no library we use has it. Read only where it was configured; what it says
 * goes to the log and grants nothing.
 */
#ifndef PROXY_PROTOCOL_H
#define PROXY_PROTOCOL_H

#include <stddef.h>
#include <sys/socket.h>

/* A longer header (only its extensions could make it so) is refused. */
#define PROXY_PROTOCOL_MAX 1024

/* The length of the header at `data`, 0 if more bytes are needed (all of
 * those given then belong to it), -1 if it is none. The client's address
 * goes to *source_r; it is left alone for LOCAL and UNKNOWN. */
long proxy_protocol_parse(const char *data, size_t len,
    struct sockaddr_storage *source_r);

#endif

/* SPDX-License-Identifier: ISC
 *
 * `gripd keygen`: makes keys, self-signed certificates, certificate requests
 * and the TXT records that publish them. Offline and for root only.
 */
#ifndef KEYGEN_H
#define KEYGEN_H

/* argv[0] is "keygen". Prints records to standard output, trouble to
 * standard error; returns an exit code of sysexits.h. */
int keygen_main(int argc, char **argv);

#endif

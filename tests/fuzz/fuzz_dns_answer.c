/* SPDX-License-Identifier: ISC
 *
 * DNS packets: the first byte chooses the type that was asked for, the rest
 * is what came. Id and question fit those of the corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_question question = { 0x1234, DNS_TXT, "_cb.bar.test" };
	struct dns_answer answer;

	if (size == 0)
		return 0;
	question.type = (enum dns_type)(data[0] % 3);
	if (dns_answer_parse(&question, data + 1, size - 1, &answer) != 0)
		return 0;
	if (answer.count > DNS_RECORDS_MAX || answer.hops > DNS_CHASE_MAX ||
	    strlen(answer.target) >= DNS_NAME_SIZE ||
	    (answer.status == DNS_DATA) != (answer.count > 0))
		abort();
	dns_answer_free(&answer);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Landlock by its three system calls. The rights are given by number, since
 * older headers lack the younger ones; what the running kernel does not know
 * is left out.
 */
#include "sign_fence.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as of ABI 4. */
struct fence_rules {
	uint64_t files;
	uint64_t network;
};

#define FENCE_FILES_1 ((UINT64_C(1) << 13) - 1) /* all of ABI 1 */
#define FENCE_REFER (UINT64_C(1) << 13) /* ABI 2 */
#define FENCE_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#define FENCE_IOCTL (UINT64_C(1) << 15) /* ABI 5 */
#define FENCE_TCP UINT64_C(3) /* ABI 4: bind, connect */

static int
fence_make(void)
{
	struct fence_rules rules = { FENCE_FILES_1, 0 };
	size_t size = sizeof(rules.files);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return -1;
	if (abi >= 2)
		rules.files |= FENCE_REFER;
	if (abi >= 3)
		rules.files |= FENCE_TRUNCATE;
	if (abi >= 4) {
		rules.network = FENCE_TCP;
		size = sizeof(rules);
	}
	if (abi >= 5)
		rules.files |= FENCE_IOCTL;
	return (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
}

static int
fence_allow_reading(int fence, int directory)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = directory,
	};

	return (int)syscall(SYS_landlock_add_rule, fence,
	    LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

int
sign_fence_raise(const int *fds, size_t count)
{
	int fence = fence_make(), rc = 0, saved;

	if (fence == -1)
		return -1;
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = fence_allow_reading(fence, fds[i]);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, fence, 0);
	saved = errno;
	close(fence);
	errno = saved;
	return rc;
}

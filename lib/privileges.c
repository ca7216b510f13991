/* SPDX-License-Identifier: ISC
 *
 * Giving up root. Every step is checked and the result verified by trying
 * to go back; whatever fails ends the program before it has read a hostile
 * byte.
 */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

int
privileges_find_user(const char *user, uid_t *uid_r, gid_t *gid_r)
{
	const struct passwd *entry = getpwnam(user);

	if (entry == NULL)
		return -1;
	*uid_r = entry->pw_uid;
	*gid_r = entry->pw_gid;
	return 0;
}

static void
privileges_check(int failed, const char *step)
{
	if (failed)
		log_fatal(EX_OSERR, "cannot drop privileges: %s: %s", step,
		    strerror(errno));
}

static void
privileges_clear_bounding_set(void)
{
	/* EINVAL: beyond the last capability this kernel knows. */
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
			privileges_check(errno != EINVAL, "bounding set");
			return;
		}
}

static int
privileges_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) != 0)
		return -1;
	return (data[0].effective | data[1].effective | data[0].permitted |
		   data[1].permitted | data[0].inheritable |
		   data[1].inheritable) != 0;
}

/* Nothing is left that could bring anything back. */
static void
privileges_verify(void)
{
	uid_t real, effective, saved;

	privileges_check(getresuid(&real, &effective, &saved) != 0,
	    "getresuid");
	if (real == 0 || effective == 0 || saved == 0 || setuid(0) == 0 ||
	    seteuid(0) == 0)
		log_fatal(EX_OSERR, "cannot drop privileges: still root");
	if (privileges_capabilities() != 0)
		log_fatal(EX_OSERR,
		    "cannot drop privileges: capabilities "
		    "are left");
}

static void
privileges_become(const struct privileges *privileges)
{
	const struct group *group;
	gid_t gid, groups[1];
	uid_t uid;
	int count = 0;

	if (privileges_find_user(privileges->user, &uid, &gid) != 0)
		log_fatal(EX_NOUSER,
		    "there is no user %s: run "
		    "create-users or install the package",
		    privileges->user);
	if (uid == 0)
		log_fatal(EX_CONFIG, "user %s is root", privileges->user);
	if (privileges->extra_group != NULL) {
		group = getgrnam(privileges->extra_group);
		if (group == NULL)
			log_fatal(EX_NOUSER, "there is no group %s",
			    privileges->extra_group);
		groups[count++] = group->gr_gid;
	}
	if (chdir(privileges->root) != 0 || chroot(privileges->root) != 0 ||
	    chdir("/") != 0)
		log_fatal(EX_OSERR, "cannot enter %s: %s", privileges->root,
		    strerror(errno));
	privileges_clear_bounding_set();
	privileges_check(setgroups((size_t)count, groups) != 0, "setgroups");
	privileges_check(setresgid(gid, gid, gid) != 0, "setresgid");
	privileges_check(setresuid(uid, uid, uid) != 0, "setresuid");
}

void
privileges_drop(const struct privileges *privileges)
{
	if (geteuid() == 0)
		privileges_become(privileges);
	privileges_verify();
	privileges_check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0,
	    "no-new-privs");
	/* No core with keys or mail in it, no ptrace by the same user. */
	privileges_check(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0, "dumpable");
}

/*
 * What a child needs that only computes: memory, the pipe it answers on,
 * its end. futex and friends are for malloc and the sanitizers' exits. All
 * else kills it, which its parent takes as a temporary failure.
 */
static const int privileges_child_calls[] = {
	SYS_read,
	SYS_write,
	SYS_exit,
	SYS_exit_group,
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_futex,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_sigaltstack,
	SYS_sched_yield,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_getpid,
	SYS_gettid,
	SYS_close,
};

#define CHILD_CALLS \
	(sizeof(privileges_child_calls) / sizeof(privileges_child_calls[0]))

static int
privileges_filter_child(void)
{
	struct sock_filter code[5 + 2 * CHILD_CALLS];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch));
#if defined(__x86_64__)
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	    AUDIT_ARCH_X86_64, 1, 0);
#else
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	    AUDIT_ARCH_AARCH64, 1, 0);
#endif
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CHILD_CALLS; i++) {
		code[n++] =
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(unsigned)privileges_child_calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_KILL_PROCESS);
	program.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int
privileges_limit(int resource, rlim_t value)
{
	struct rlimit limit = { value, value };

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

int
privileges_lock_child(int cpu_seconds)
{
	if (privileges_limit(RLIMIT_CPU, (rlim_t)cpu_seconds) != 0 ||
	    privileges_limit(RLIMIT_NOFILE, 0) != 0 ||
	    privileges_limit(RLIMIT_CORE, 0) != 0 ||
	    privileges_limit(RLIMIT_FSIZE, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return privileges_filter_child();
}

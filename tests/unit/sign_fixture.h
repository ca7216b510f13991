/* SPDX-License-Identifier: ISC
 *
 * For tests of the signer and its clients: a directory with keys,
 * certificates and a policy, and a signer in a child process that serves one
 * role on a socket there. Needs root, since the policy must be root's.
 */
#ifndef SIGN_FIXTURE_H
#define SIGN_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grip_protocol.h"
#include "keygen.h"
#include "log.h"
#include "sign_answer.h"
#include "sign_ring.h"
#include "unix_socket.h"

struct sign_fixture {
	char directory[64];
	char policy[96];
	struct sign_ring *ring;
};

/* Runs keygen without its output: 0 if it made the key. */
static inline int
sign_fixture_keygen(const char *directory, const char *type, const char *name)
{
	char words[3][128], program[] = "keygen", d[] = "-d", t[] = "-t";
	char *argv[] = { program, d, words[0], t, words[1], words[2], NULL };
	int saved[2] = { dup(1), dup(2) }, null = open("/dev/null", O_WRONLY);
	int rc;

	snprintf(words[0], sizeof(words[0]), "%s", directory);
	snprintf(words[1], sizeof(words[1]), "%s", type);
	snprintf(words[2], sizeof(words[2]), "%s", name);
	fflush(stdout);
	dup2(null, 1);
	dup2(null, 2);
	rc = keygen_main(6, argv);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	close(null);
	return rc;
}

static inline int
sign_fixture_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return -1;
	fputs(text, file);
	return fclose(file);
}

/* The world of the tests: a broker (P-256), an agent (`type`), a mailbox
 * (`type`) and a web host (P-256). 0, or -1. */
static inline int
sign_fixture_open(struct sign_fixture *fixture, const char *type)
{
	char *error = NULL;

	strcpy(fixture->directory, "/tmp/sign_fixture.XXXXXX");
	if (mkdtemp(fixture->directory) == NULL)
		return -1;
	snprintf(fixture->policy, sizeof(fixture->policy), "%s/policy",
	    fixture->directory);
	if (sign_fixture_write(fixture->policy,
		"_cb.bar.test role=broker domains=bar.test audiences=* "
		"lifetime=14d\n"
		"_rra.insurance.test role=agent\n"
		"mailbox.insurance.test role=mailbox\n"
		"web.insurance.test role=web\n") != 0 ||
	    sign_fixture_keygen(fixture->directory, "p256", "_cb.bar.test") ||
	    sign_fixture_keygen(fixture->directory, "p256",
		"web.insurance.test") ||
	    sign_fixture_keygen(fixture->directory, type,
		"_rra.insurance.test") ||
	    sign_fixture_keygen(fixture->directory, type,
		"mailbox.insurance.test"))
		return -1;
	fixture->ring =
	    sign_ring_open(fixture->policy, fixture->directory, NULL, &error);
	if (fixture->ring == NULL)
		printf("# %s\n", error);
	free(error);
	return fixture->ring != NULL ? 0 : -1;
}

static inline void
sign_fixture_close(struct sign_fixture *fixture)
{
	char command[128];

	sign_ring_close(&fixture->ring);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
	if (system(command) != 0)
		printf("# %s failed\n", command);
}

/* One connection, to its end. */
static inline void
sign_fixture_serve(const struct sign_fixture *fixture, enum grip_role role,
    int fd)
{
	struct sign_caller caller = { fixture->ring, role, "test", NULL };
	char packet[GRIP_PROTOCOL_PACKET_MAX], *answer;
	ssize_t n;

	n = unix_socket_receive(fd, packet, sizeof(packet));
	if (n <= 0)
		return;
	answer = grip_protocol_hello_format(GRIP_PROTOCOL_SIGN);
	unix_socket_send(fd, answer, strlen(answer));
	free(answer);
	while ((n = unix_socket_receive(fd, packet, sizeof(packet))) > 0) {
		answer = sign_answer(&caller, packet, (size_t)n, time(NULL));
		if (answer == NULL)
			return;
		unix_socket_send(fd, answer, strlen(answer));
		free(answer);
	}
}

/* A child that is the signer of one role at <directory>/<role>.sock, one
 * connection after the other. Its pid, or -1. */
static inline pid_t
sign_fixture_start(const struct sign_fixture *fixture, enum grip_role role,
    char path_r[96])
{
	struct unix_socket_owner owner = { 0, 0, 0600 };
	int listener, fd;
	pid_t pid;

	snprintf(path_r, 96, "%s/%s.sock", fixture->directory,
	    grip_role_name(role));
	listener = unix_socket_listen(path_r, SOCK_SEQPACKET, &owner);
	if (listener == -1)
		return -1;
	fcntl(listener, F_SETFL, 0); /* blocking */
	fflush(stdout);
	pid = fork();
	if (pid != 0) {
		close(listener);
		return pid;
	}
	log_open("signer", LOG_ERROR + 1);
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		sign_fixture_serve(fixture, role, fd);
		close(fd);
	}
	_exit(0);
}

static inline void
sign_fixture_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#endif

/* SPDX-License-Identifier: ISC
 *
 * The client's side of the admin sockets: cargomailctl. What a daemon answers
 * is checked like everything else: strict JSON, one packet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "json_strict.h"
#include "memory.h"
#include "unix_socket.h"

#define CONTROL_PART 48000 /* characters of text in a packet */

static char *
socket_path(const char *daemon)
{
	return x_asprintf("%s/%s.sock", CONTROL_DIRECTORY, daemon);
}

bool
control_exists(const char *daemon)
{
	char *path = socket_path(daemon);
	bool exists = access(path, F_OK) == 0;

	free(path);
	return exists;
}

int
control_connect(const char *daemon, int timeout_ms, char **error_r)
{
	char *path = socket_path(daemon);
	int fd = unix_socket_connect(path, SOCK_SEQPACKET, timeout_ms);

	if (fd == -1)
		*error_r = x_asprintf("%s: %s", path, strerror(errno));
	free(path);
	return fd;
}

cJSON *
control_next(int fd, char **error_r)
{
	char *packet = x_malloc(UNIX_PACKET_MAX);
	const char *error = NULL;
	cJSON *answer = NULL;
	ssize_t len = unix_socket_receive(fd, packet, UNIX_PACKET_MAX);

	if (len > 0)
		answer = json_parse(packet, (size_t)len, &error);
	if (answer == NULL)
		*error_r = x_asprintf("no answer: %s",
		    len == 0		? "the daemon closed the connection" :
			error != NULL	? error :
			errno == EAGAIN ? "is it running?" :
					  strerror(errno));
	free(packet);
	return answer;
}

/* Sends an object, taken over. 0, -1 with errno. */
static int
send_object(int fd, cJSON *object)
{
	char *text = json_format(object);
	int rc = -1;

	cJSON_Delete(object);
	if (text != NULL)
		rc = unix_socket_send(fd, text, strlen(text));
	free(text);
	return rc;
}

static int
send_text(int fd, const char *text)
{
	size_t left = strlen(text), len;
	char part[CONTROL_PART + 1];
	cJSON *packet;
	int rc;

	do {
		len = left < CONTROL_PART ? left : CONTROL_PART;
		memcpy(part, text, len);
		part[len] = '\0';
		text += len;
		left -= len;
		packet = cJSON_CreateObject();
		json_add_string(packet, "text", part);
		if (left > 0)
			json_add_boolean(packet, "more", true);
		rc = send_object(fd, packet);
	} while (rc == 0 && left > 0);
	return rc;
}

cJSON *
control_ask_text(int fd, cJSON *request, const char *text, char **error_r)
{
	int rc;

	if (text != NULL)
		json_add_boolean(request, "more", true);
	rc = send_object(fd, request);
	if (rc == 0 && text != NULL)
		rc = send_text(fd, text);
	/* Who was dropped in the middle may have been told why. */
	if (rc != 0 && errno != EPIPE) {
		*error_r = x_asprintf("cannot ask: %s", strerror(errno));
		return NULL;
	}
	return control_next(fd, error_r);
}

cJSON *
control_ask(int fd, cJSON *request, char **error_r)
{
	return control_ask_text(fd, request, NULL, error_r);
}

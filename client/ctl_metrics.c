/* SPDX-License-Identifier: ISC
 *
 * cargomailctl metrics [--http]: the exposition of every daemon of this host.
 *
 * With --http it serves one connection, on standard input and output, for a
 * socket of systemd on the loopback interface: no daemon opens a port. The
 * request comes from whoever is on this host, and this process may speak to
 * the admin sockets; so it gathers first, then gives up every system call
 * but read, write, exit and those for memory, and only then reads. (seccomp's
 * strict mode is refused to whom systemd has given a filter already.)
 */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "buffer.h"
#include "control.h"
#include "ctl_metrics.h"
#include "json_strict.h"
#include "metrics_verb.h"
#include "privileges.h"

#define TEXT_MAX 4194304
#define CPU_SECONDS 5 /* to read a request and to write the answer */
#define DAEMON_TIMEOUT_MS 2000 /* Prometheus waits 10 seconds by default */

static const char *const daemons[] = { "gripd-sign", "gripd-resolve",
	"mailboxd", "retrievald", "broker", NULL };

/* One daemon's lines. False if it does not answer as it should. */
static bool
gather_one(const char *daemon, struct buffer *text)
{
	char *error = NULL;
	int fd = control_connect(daemon, DAEMON_TIMEOUT_MS, &error);
	cJSON *packet = NULL;
	bool last = false, ok = true;

	if (fd >= 0)
		packet = control_ask(fd, ctl_request("metrics"), &error);
	while (packet != NULL) {
		const char *part = json_string(packet, "text");

		last = json_boolean(packet, "last") == 1;
		if (part == NULL || metrics_verb_filter(daemon, part, text) > 0)
			ok = false;
		cJSON_Delete(packet);
		packet = last ? NULL : control_next(fd, &error);
	}
	if (fd >= 0)
		close(fd);
	free(error);
	return ok && last;
}

/* All that have a socket here; a daemon that has none is another host's. */
static int
gather(struct buffer *text)
{
	struct buffer up;
	int answered = 0;

	buffer_init(&up, TEXT_MAX);
	buffer_add_string(&up,
	    "# TYPE cargomail_up gauge\n"
	    "# HELP cargomail_up Whether a daemon of this host answers.\n");
	for (size_t i = 0; daemons[i] != NULL; i++) {
		bool ok;

		if (!control_exists(daemons[i]))
			continue;
		ok = gather_one(daemons[i], text);
		answered += ok;
		buffer_add_format(&up, "cargomail_up{daemon=\"%s\"} %d\n",
		    daemons[i], ok);
	}
	buffer_add(text, buffer_string(&up), up.len);
	buffer_add_string(text, "# EOF\n");
	buffer_free(&up);
	return text->failed ? EX_OSERR : answered > 0 ? 0 : EX_UNAVAILABLE;
}

/* ---- http ---------------------------------------------------------------- */

/* Nothing here may allocate or call more than read and write. */

static void
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void
write_text(const char *text)
{
	write_all(text, strlen(text));
}

enum ctl_metrics_request
ctl_metrics_parse(const char *request, size_t len)
{
	static const struct {
		const char *line;
		enum ctl_metrics_request meaning;
	} table[] = {
		{ "GET /metrics HTTP/1.", CTL_METRICS_GET },
		{ "GET /metrics?", CTL_METRICS_GET },
		{ "HEAD /metrics HTTP/1.", CTL_METRICS_HEAD },
		{ "GET ", CTL_METRICS_ELSEWHERE },
		{ "HEAD ", CTL_METRICS_ELSEWHERE },
	};

	if (memmem(request, len, "\r\n\r\n", 4) == NULL &&
	    memmem(request, len, "\n\n", 2) == NULL)
		return CTL_METRICS_MORE;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = strlen(table[i].line);

		if (len >= n && memcmp(request, table[i].line, n) == 0)
			return table[i].meaning;
	}
	return CTL_METRICS_BAD;
}

static enum ctl_metrics_request
read_request(void)
{
	static char request[CTL_METRICS_REQUEST_MAX];
	enum ctl_metrics_request meaning = CTL_METRICS_MORE;
	size_t len = 0;

	while (meaning == CTL_METRICS_MORE && len < sizeof(request)) {
		ssize_t n =
		    read(STDIN_FILENO, request + len, sizeof(request) - len);

		if (n <= 0)
			return CTL_METRICS_MORE;
		len += (size_t)n;
		meaning = ctl_metrics_parse(request, len);
	}
	return meaning == CTL_METRICS_MORE ? CTL_METRICS_BAD : meaning;
}

/* Does not come back: in strict mode there is only exit(2) of a thread. */
static void __attribute__((noreturn))
serve(const char *head, const struct buffer *text)
{
	static const char refused[] = "Content-Length: 0\r\nConnection: close"
				      "\r\n\r\n";
	enum ctl_metrics_request meaning = read_request();

	if (meaning == CTL_METRICS_GET || meaning == CTL_METRICS_HEAD)
		write_text(head);
	if (meaning == CTL_METRICS_GET)
		write_all(text->data, text->len);
	if (meaning == CTL_METRICS_ELSEWHERE)
		write_text("HTTP/1.1 404 Not Found\r\n");
	if (meaning == CTL_METRICS_BAD)
		write_text("HTTP/1.1 400 Bad Request\r\n");
	if (meaning == CTL_METRICS_ELSEWHERE || meaning == CTL_METRICS_BAD)
		write_text(refused);
	for (;;)
		syscall(SYS_exit, 0);
}

static int
serve_http(const struct buffer *text)
{
	struct buffer head;

	buffer_init(&head, 1024);
	buffer_add_format(&head,
	    "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; "
	    "version=1.0.0; charset=utf-8\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n",
	    text->len);
	if (head.failed || privileges_lock_child(CPU_SECONDS) != 0)
		return EX_OSERR;
	serve(head.data, text);
}

int
ctl_metrics(const struct ctl *ctl, int argc, char **argv)
{
	bool http = argc == 2 && strcmp(argv[1], "--http") == 0;
	struct buffer text;
	int code;

	(void)ctl;
	if (argc != 1 && !http)
		return EX_USAGE;
	buffer_init(&text, TEXT_MAX);
	code = gather(&text);
	if (http && !text.failed)
		code = serve_http(&text);
	else if (!text.failed)
		write_all(text.data, text.len);
	buffer_free(&text);
	return code;
}

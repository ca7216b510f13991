/* SPDX-License-Identifier: ISC
 *
 * An HTTP server in a child process, for the tests of server and client:
 * TLS on a loopback port, plain on a Unix socket. What it does is told by
 * the path; `routes` below is the list.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "encoding.h"
#include "http_server.h"
#include "tls_fixture.h"

#define FIXTURE_FILE_SIZE (8 * 1024 * 1024 + 123)

struct fixture {
	struct tls_server *tls; /* names to be added by the test */
	struct http_server_limits limits;
	unsigned flags; /* of the TLS door */
	/* From fixture_start on: */
	uint16_t port;
	char directory[32]; /* holds "sock" and "file" */
	char socket[48];
	pid_t pid;
	/* In the child: */
	struct http_server *server;
	struct event_base *base;
	unsigned gone, refused;
};

/* What the child keeps of one exchange. */
struct visit {
	crypto_hash_sha256_state hash;
	int64_t bytes;
	struct event *timer;
	bool slow, paused;
};

static inline void
fixture_reply_text(struct http_exchange *x, unsigned status, const char *text)
{
	struct http_header_list headers;

	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "text/plain");
	http_reply(x, status, &headers, text, strlen(text));
}

static inline void
fixture_later(evutil_socket_t fd, short what, void *arg)
{
	struct visit *visit = http_exchange_get_state(arg);

	(void)fd;
	(void)what;
	visit->paused = false;
	if (visit->slow)
		http_exchange_resume_body(arg);
	else
		fixture_reply_text(arg, 200, "later");
}

static inline void
fixture_set_timer(struct http_exchange *x, struct visit *visit)
{
	static const struct timeval soon = { 0, 1000 };
	struct fixture *f = http_exchange_context(x);

	if (visit->timer == NULL)
		visit->timer = event_new(f->base, -1, 0, fixture_later, x);
	event_add(visit->timer, &soon);
}

static inline void
route_file(struct fixture *f, struct http_exchange *x)
{
	const char *range = http_request_get(http_exchange_request(x), "range");
	struct http_header_list headers;
	char path[64];
	int64_t offset = 0, len = FIXTURE_FILE_SIZE;
	int found;

	snprintf(path, sizeof(path), "%s/file", f->directory);
	http_header_init(&headers);
	found = http_parse_range(range, FIXTURE_FILE_SIZE, &offset, &len);
	if (found < 0) {
		fixture_reply_text(x, 416, "");
		return;
	}
	if (found > 0)
		http_header_add_format(&headers, "Content-Range",
		    "bytes %lld-%lld/%d", (long long)offset,
		    (long long)(offset + len - 1), FIXTURE_FILE_SIZE);
	http_reply_file(x, found > 0 ? 206 : 200, &headers,
	    open(path, O_RDONLY | O_CLOEXEC), offset, len);
}

static inline void
route_short(struct fixture *f, struct http_exchange *x)
{
	char path[64];

	/* A file that is shorter than it was said to be. */
	snprintf(path, sizeof(path), "%s/file", f->directory);
	http_reply_file(x, 200, NULL, open(path, O_RDONLY | O_CLOEXEC), 0,
	    FIXTURE_FILE_SIZE + 100000);
}

static inline void
route_put(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	http_exchange_accept_body(x);
}

static inline void
route_slow(struct fixture *f, struct http_exchange *x)
{
	struct visit *visit = http_exchange_get_state(x);

	(void)f;
	visit->slow = true;
	http_exchange_accept_body(x);
}

static inline void
route_echo(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	if (http_exchange_gather_body(x, 100000) != 0)
		fixture_reply_text(x, 413, "too much");
}

static inline void
route_later(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	fixture_set_timer(x, http_exchange_get_state(x));
}

static inline void
route_never(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	(void)x;
}

static inline void
route_hello(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	fixture_reply_text(x, 200, "hello");
}

static inline void
route_empty(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	http_reply(x, 204, NULL, NULL, 0);
}

static inline void
route_large(struct fixture *f, struct http_exchange *x)
{
	size_t len = 3 * 1024 * 1024;
	char *text = malloc(len + 1);

	(void)f;
	memset(text, 'x', len);
	text[len] = '\0';
	fixture_reply_text(x, 200, text);
	free(text);
}

static inline void
route_refuse(struct fixture *f, struct http_exchange *x)
{
	static const char body[] =
	    "{\"type\":\"/problems/not-shared\","
	    "\"title\":\"Not shared\",\"status\":404,\"detail\":\"no\"}";
	struct http_header_list headers;

	(void)f;
	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "application/problem+json");
	http_header_add(&headers, "Retry-After", "120");
	http_reply(x, 404, &headers, body, sizeof(body) - 1);
}

static inline void
route_bad_header(struct fixture *f, struct http_exchange *x)
{
	struct http_header_list headers;

	(void)f;
	http_header_init(&headers);
	http_header_add(&headers, "X-Split", "a\r\nSet-Cookie: b");
	http_reply(x, 200, &headers, "hello", 5);
}

static inline void
route_redirect(struct fixture *f, struct http_exchange *x)
{
	struct http_header_list headers;

	(void)f;
	http_header_init(&headers);
	http_header_add(&headers, "Location", "/hello");
	http_header_add(&headers, "Set-Cookie", "a=b");
	http_reply(x, 302, &headers, NULL, 0);
}

/* What the server knows of who asks. */
static inline void
route_who(struct fixture *f, struct http_exchange *x)
{
	const struct http_request *r = http_exchange_request(x);
	void **data = http_exchange_connection_data(x);
	size_t len;
	char text[512];

	(void)f;
	if (*data == NULL)
		*data = calloc(1, sizeof(unsigned));
	++*(unsigned *)*data;
	http_exchange_certificate(x, &len);
	snprintf(text, sizeof(text),
	    "door=%d name=%s certificate=%d "
	    "client=%.10s nth=%u cookie=%s",
	    http_exchange_door(x), http_exchange_server_name(x), len > 0,
	    http_exchange_client(x), *(unsigned *)*data,
	    http_request_get(r, "cookie") != NULL ? "yes" : "no");
	fixture_reply_text(x, 200, text);
}

static inline void
route_counts(struct fixture *f, struct http_exchange *x)
{
	struct http_server_stats stats;
	char text[128];

	http_server_get_stats(f->server, &stats);
	snprintf(text, sizeof(text), "gone=%u refused=%u connections=%u",
	    f->gone, f->refused, stats.connections);
	fixture_reply_text(x, 200, text);
}

static inline void
fixture_stopped(void *arg)
{
	struct fixture *f = arg;

	event_base_loopexit(f->base, NULL);
}

static inline void
route_stop(struct fixture *f, struct http_exchange *x)
{
	http_server_stop(f->server, 5000, fixture_stopped, f);
	fixture_reply_text(x, 200, "stopping");
}

static inline void
route_abort(struct fixture *f, struct http_exchange *x)
{
	(void)f;
	http_exchange_abort(x);
}

static const struct {
	const char *name;
	void (*serve)(struct fixture *f, struct http_exchange *x);
} routes[] = {
	{ "hello", route_hello },
	{ "file", route_file },
	{ "short", route_short },
	{ "put", route_put },
	{ "slow", route_slow },
	{ "echo", route_echo },
	{ "later", route_later },
	{ "never", route_never },
	{ "empty", route_empty },
	{ "large", route_large },
	{ "refuse", route_refuse },
	{ "bad-header", route_bad_header },
	{ "redirect", route_redirect },
	{ "who", route_who },
	{ "counts", route_counts },
	{ "stop", route_stop },
	{ "abort", route_abort },
};

static inline void
fixture_request(void *context, struct http_exchange *x)
{
	const struct http_request *r = http_exchange_request(x);
	struct visit *visit = calloc(1, sizeof(*visit));
	size_t i;

	crypto_hash_sha256_init(&visit->hash);
	http_exchange_set_state(x, visit);
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (r->segment_count > 0 &&
		    strcmp(r->segment[0], routes[i].name) == 0) {
			routes[i].serve(context, x);
			return;
		}
	fixture_reply_text(x, 404, "no such route");
}

static inline void
fixture_body(struct http_exchange *x, const void *data, size_t len)
{
	struct visit *visit = http_exchange_get_state(x);

	crypto_hash_sha256_update(&visit->hash, data, len);
	visit->bytes += (int64_t)len;
	if (visit->paused)
		abort(); /* no piece may come now */
	if (visit->slow) {
		visit->paused = true;
		http_exchange_pause_body(x);
		fixture_set_timer(x, visit);
	}
	/* The disk is full: refused in the middle. */
	if (http_query_get(http_exchange_request(x), "full") != NULL &&
	    visit->bytes > 1000000)
		http_reply(x, 507, NULL, NULL, 0);
}

static inline void
fixture_body_end(struct http_exchange *x)
{
	struct visit *visit = http_exchange_get_state(x);
	uint8_t hash[SHA256_LEN];
	char text[SHA256_HEX_SIZE];
	const char *gathered;
	size_t len;

	gathered = http_exchange_gathered(x, &len);
	if (len > 0) {
		http_reply(x, 200, NULL, gathered, len);
		return;
	}
	crypto_hash_sha256_final(&visit->hash, hash);
	hex_format(hash, sizeof(hash), text);
	fixture_reply_text(x, 201, text);
}

static inline void
fixture_gone(struct http_exchange *x)
{
	struct fixture *f = http_exchange_context(x);
	struct visit *visit = http_exchange_get_state(x);

	f->gone++;
	if (visit->timer != NULL)
		event_free(visit->timer);
	free(visit);
}

static inline void
fixture_refused(void *context, int door, const char *client,
    const struct reason *why)
{
	struct fixture *f = context;

	(void)door;
	f->refused++;
	if (getenv("VERBOSE") != NULL)
		fprintf(stderr, "# %s: %s %s\n", client, why->word, why->text);
}

static inline void
fixture_serve(struct fixture *f, int listener, int local)
{
	static const struct http_handler handler = {
		.request = fixture_request,
		.body = fixture_body,
		.body_end = fixture_body_end,
		.gone = fixture_gone,
		.connection_free = free,
		.refused = fixture_refused,
	};

	f->base = event_base_new();
	f->server = http_server_new(f->base, &f->limits, &handler, f);
	http_server_listen(f->server, listener, f->tls, 1, f->flags);
	http_server_listen(f->server, local, NULL, 2, 0);
	event_base_dispatch(f->base);
	http_server_free(&f->server);
	event_base_free(f->base);
	tls_server_free(&f->tls);
}

static inline void
fixture_make_file(const struct fixture *f)
{
	unsigned char line[4096];
	char path[64];
	FILE *file;
	size_t i, left = FIXTURE_FILE_SIZE, n;

	snprintf(path, sizeof(path), "%s/file", f->directory);
	file = fopen(path, "w");
	for (i = 0; left > 0; i++, left -= n) {
		memset(line, (int)(i * 7 & 0xff), sizeof(line));
		n = left < sizeof(line) ? left : sizeof(line);
		fwrite(line, 1, n, file);
	}
	fclose(file);
}

/* A loopback listener on a port that the kernel chooses. */
static inline int
fixture_listen(uint16_t *port_r)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    listen(fd, 64) != 0)
		abort();
	getsockname(fd, (struct sockaddr *)&in, &len);
	*port_r = ntohs(in.sin_port);
	return fd;
}

static inline int
fixture_listen_local(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0 ||
	    listen(fd, 64) != 0)
		abort();
	return fd;
}

/* The test has made the names of the TLS server; the rest is here. */
static inline void
fixture_start(struct fixture *f)
{
	int listener, local;

	strcpy(f->directory, "/tmp/http.XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		abort();
	snprintf(f->socket, sizeof(f->socket), "%s/sock", f->directory);
	fixture_make_file(f);
	listener = fixture_listen(&f->port);
	local = fixture_listen_local(f->socket);
	fflush(stdout);
	if ((f->pid = fork()) == 0) {
		fixture_serve(f, listener, local);
		/* Sanitizers look for leaks at exit. */
		exit(0);
	}
	close(listener);
	close(local);
}

/* Ends the child if need be; true if it had ended well by itself. */
static inline bool
fixture_end(struct fixture *f, bool by_itself)
{
	char path[64];
	int status;

	if (!by_itself)
		kill(f->pid, SIGKILL);
	waitpid(f->pid, &status, 0);
	snprintf(path, sizeof(path), "%s/file", f->directory);
	unlink(path);
	unlink(f->socket);
	rmdir(f->directory);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif

/* SPDX-License-Identifier: ISC
 *
 * The HTTP client and the pipe, against our own server in a child process
 * and against children that send whatever they like.
 */
#include "http_client.h"
#include "http_fixture.h"
#include "http_pipe.h"
#include "test.h"

static struct fixture fixture;
static struct tls_identity ca, client_id;
static struct http_client_trust *trust;
static struct address_policy *loopback_allowed;

/* The server's names, each with what its certificate says. */
static struct {
	const char *name;
	const char *san;
	bool expired, self_signed;
	bool believed; /* by the CA bundle */
	struct tls_identity id;
} servers[] = {
	{ "good.foo.test", "DNS:good.foo.test", .believed = true },
	{ "wild.foo.test", "DNS:*.foo.test", .believed = true },
	{ "partial.foo.test", "DNS:par*.foo.test", .believed = false },
	{ "a.deep.foo.test", "DNS:*.foo.test", .believed = false },
	{ "other.foo.test", "DNS:good.foo.test", .believed = false },
	{ "cn.foo.test", NULL, .believed = false },
	{ "mail.foo.test", "email:a@mail.foo.test", .believed = false },
	{ "old.foo.test", "DNS:old.foo.test", .expired = true },
	{ "self.foo.test", "DNS:self.foo.test", .self_signed = true },
};
#define SERVERS (sizeof(servers) / sizeof(servers[0]))

/* ---- what the client asks back ----------------------------------------- */

static struct http_client_addresses answer;
static struct http_client_pins pins;
static enum outcome resolve_outcome;
static unsigned resolved;
static struct service_ports any_port;

static enum outcome
on_resolve(void *arg, const char *host,
    struct http_client_addresses *addresses_r, struct reason *why)
{
	(void)arg;
	(void)host;
	resolved++;
	*addresses_r = answer;
	return resolve_outcome == OUTCOME_OK ?
	    OUTCOME_OK :
	    reason_set(why, resolve_outcome, "dns", "no answer");
}

static enum outcome
on_pins(void *arg, const char *host, struct http_client_pins *pins_r,
    struct reason *why)
{
	(void)arg;
	(void)host;
	(void)why;
	*pins_r = pins;
	return OUTCOME_OK;
}

static struct http_client_options
tls_options(void)
{
	struct http_client_options options = { .trust = trust,
		.resolve = on_resolve,
		.policy = loopback_allowed,
		.ports = &any_port,
		.chain = &client_id.der,
		.chain_len = 1,
		.key = client_id.key,
		.connect_ms = 5000 };

	answer.count = 1;
	strcpy(answer.text[0], "127.0.0.1");
	answer.ttl = 60;
	resolve_outcome = OUTCOME_OK;
	return options;
}

static struct http_client *
new_client(const struct http_client_options *options)
{
	struct http_client *client;
	struct reason why;

	client = http_client_new(options, &why);
	if (client == NULL)
		printf("# %s\n", why.text);
	return client;
}

static struct http_client *
new_tls_client(void)
{
	struct http_client_options options = tls_options();

	return new_client(&options);
}

static const char *
url(const char *host, const char *path)
{
	static char text[512];

	snprintf(text, sizeof(text), "https://%s:%u%s", host, fixture.port,
	    path);
	return text;
}

/* A GET; its outcome. */
static enum outcome
get(struct http_client *client, const char *where, struct http_result *result,
    struct reason *why)
{
	struct http_call call = { .method = HTTP_GET, .url = where };

	why->word[0] = '\0';
	return http_client_perform(client, &call, result, why);
}

/* ---- the tests --------------------------------------------------------- */

TEST(calls_and_keeps_the_connection)
{
	struct http_client *client = new_tls_client();
	struct http_result result;
	struct reason why;
	char text[64];

	http_result_init(&result);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	resolved = 0;
	CHECK(get(client, url("good.foo.test", "/who"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(result.status == 200 && result.authenticated);
	CHECK_STRING(buffer_string(&result.body),
	    "door=1 "
	    "name=good.foo.test certificate=1 client=127.0.0.1: nth=1 "
	    "cookie=no");
	CHECK(result.bytes == (int64_t)result.body.len);
	CHECK_STRING(http_result_header(&result, "content-type", text,
			 sizeof(text)),
	    "text/plain");
	CHECK(http_result_header(&result, "x-none", text, 64) == NULL);
	CHECK(http_result_header(&result, "content-type", text, 4) == NULL);
	CHECK(get(client, url("good.foo.test", "/redirect"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(result.status == 302);
	CHECK(get(client, url("good.foo.test", "/who"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(strstr(buffer_string(&result.body), "nth=2 cookie=no") != NULL);
	CHECK(resolved == 1);
	http_client_disconnect(client);
	CHECK(get(client, url("good.foo.test", "/who"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(strstr(buffer_string(&result.body), "nth=1") != NULL);
	CHECK(resolved == 2);
	http_result_free(&result);
	http_client_free(&client);
}

TEST(believes_by_name_alone)
{
	struct http_client *client = new_tls_client();
	struct http_result result;
	enum outcome outcome;
	struct reason why;
	size_t i;

	http_result_init(&result);
	for (i = 0; i < SERVERS; i++) {
		outcome =
		    get(client, url(servers[i].name, "/hello"), &result, &why);
		CHECK_FOR((outcome == OUTCOME_OK) == servers[i].believed, "%s",
		    servers[i].name);
		if (servers[i].believed)
			continue;
		CHECK_FOR(outcome == OUTCOME_TEMPFAIL &&
			reason_is(&why, "certificate"),
		    "%s: %s %s", servers[i].name, why.word, why.text);
		CHECK(result.status == 0 && !result.authenticated);
	}
	http_result_free(&result);
	http_client_free(&client);
}

static void
pin(const struct tls_identity *id, unsigned index)
{
	uint8_t *spki = NULL;
	int len = i2d_PUBKEY(id->key, &spki);

	crypto_hash_sha256(pins.spki_sha256[index], spki,
	    (unsigned long long)len);
	OPENSSL_free(spki);
}

TEST(believes_pins)
{
	struct http_client_options options = tls_options();
	struct http_client *client;
	struct http_result result;
	struct reason why;

	http_result_init(&result);
	options.pins = on_pins;
	options.trust = NULL;
	pins.count = 2;
	pin(&ca, 0);
	pin(&servers[SERVERS - 1].id, 1);
	client = new_client(&options);
	/* The key counts, whatever else its certificate says. */
	CHECK(get(client, url("self.foo.test", "/hello"), &result, &why) ==
		OUTCOME_OK &&
	    result.authenticated);
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "certificate"));
	http_client_free(&client);
	/* Both ways side by side: either will do. */
	options.trust = trust;
	client = new_client(&options);
	CHECK(get(client, url("self.foo.test", "/hello"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
	    OUTCOME_OK);
	CHECK(get(client, url("old.foo.test", "/hello"), &result, &why) ==
	    OUTCOME_TEMPFAIL);
	http_client_free(&client);
	options.trust = NULL;
	options.pins = NULL;
	CHECK(http_client_new(&options, &why) == NULL);
	http_result_free(&result);
	pins.count = 0;
}

TEST(goes_to_allowed_addresses_alone)
{
	struct http_client_options options = tls_options();
	struct http_client *client;
	struct http_result result;
	struct reason why;
	char local[64];

	http_result_init(&result);
	client = new_client(&options);
	strcpy(answer.text[0], "10.0.0.1");
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "address"));
	answer.count = 3;
	strcpy(answer.text[1], "127.0.0.1");
	strcpy(answer.text[2], "::ffff:127.0.0.1");
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
	    OUTCOME_OK);
	http_client_disconnect(client);
	/* Text that is no address goes nowhere. */
	answer.count = 1;
	strcpy(answer.text[0], "127.0.0.1,10.0.0.1");
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "address"));
	answer.count = 0;
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "resolve"));
	resolve_outcome = OUTCOME_TEMPFAIL;
	CHECK(get(client, url("good.foo.test", "/hello"), &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "dns"));
	http_client_free(&client);
	/* Whoever resolved: the socket is the last to look. */
	options.resolve = NULL;
	options.policy = NULL;
	snprintf(local, sizeof(local), "https://good.localhost:%u/hello",
	    fixture.port);
	client = new_client(&options);
	CHECK(get(client, local, &result, &why) == OUTCOME_TEMPFAIL);
	CHECK(!reason_is(&why, "address") && !reason_is(&why, "resolve"));
	http_client_free(&client);
	options.policy = address_policy_new();
	client = new_client(&options);
	CHECK(get(client, local, &result, &why) == OUTCOME_PERMFAIL &&
	    reason_is(&why, "address"));
	http_client_free(&client);
	address_policy_free(
	    (struct address_policy **)(uintptr_t)&options.policy);
	http_result_free(&result);
}

TEST(refuses_urls)
{
	static const char *const bad[] = { "http://good.foo.test/",
		"https://127.0.0.1/", "https://u@good.foo.test/",
		"https://Good.foo.test/", "https://good.foo.test/a b",
		"https://good.foo.test/a\r\nb", "https://good.foo.test/a#b",
		"https://good.foo.test:80/", "file:///etc/passwd", "", NULL };
	struct http_client_options options = tls_options();
	struct http_client *client;
	struct http_result result;
	struct reason why;
	size_t i;

	http_result_init(&result);
	options.ports = NULL;
	client = new_client(&options);
	for (i = 0; bad[i] != NULL; i++)
		CHECK_FOR(get(client, bad[i], &result, &why) ==
			    OUTCOME_PERMFAIL &&
			reason_is(&why, "url"),
		    "%s", bad[i]);
	http_client_free(&client);
	options.unix_socket = fixture.socket;
	client = new_client(&options);
	CHECK(get(client, "https://good.foo.test/", &result, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "url"));
	http_client_free(&client);
	http_result_free(&result);
}

/* ---- bodies ------------------------------------------------------------ */

struct flow {
	const char *data;
	size_t len, done, limit;
	unsigned heads, progress;
	int64_t announced;
	crypto_hash_sha256_state hash;
};

static ssize_t
on_read(void *arg, void *data_r, size_t max)
{
	struct flow *flow = arg;
	size_t n = flow->len - flow->done;

	if (flow->done >= flow->limit)
		return -1;
	if (n > max)
		n = max;
	if (n > 1000)
		n = 1000;
	memcpy(data_r, flow->data + flow->done, n);
	flow->done += n;
	return (ssize_t)n;
}

static int
on_sink(void *arg, const void *data, size_t len)
{
	struct flow *flow = arg;

	crypto_hash_sha256_update(&flow->hash, data, len);
	flow->done += len;
	return flow->done > flow->limit ? -1 : 0;
}

static int
on_head(void *arg, unsigned status, int64_t body_size,
    const struct buffer *fields)
{
	struct flow *flow = arg;

	(void)fields;
	flow->heads += status == 200;
	flow->announced = body_size;
	return 0;
}

static int
on_progress(void *arg, int64_t up, int64_t up_total, int64_t down,
    int64_t down_total)
{
	struct flow *flow = arg;

	(void)up;
	(void)up_total;
	(void)down_total;
	flow->progress += down >= 0;
	return 0;
}

TEST(sends_bodies)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 3000000 };
	struct http_client_options options = tls_options();
	struct http_client *client;
	struct http_result result;
	char want[SHA256_HEX_SIZE], *data = calloc(1, 3000000);
	struct http_call call = { .method = HTTP_PUT };
	struct reason why;
	struct flow flow;
	size_t i;

	http_result_init(&result);
	for (i = 0; i < 20; i++) {
		options.unix_socket = i < 10 ? NULL : fixture.socket;
		call.url = i < 10 ? url("good.foo.test", "/put") :
				    "http://localhost/put";
		flow = (struct flow){ .data = data,
			.len = sizes[i % 5],
			.limit = SIZE_MAX };
		call.body_len = (int64_t)flow.len;
		call.body = i % 2 ? data : NULL;
		call.read = on_read;
		call.arg = &flow;
		sha256_hex(data, flow.len, want);
		client = new_client(&options);
		CHECK_FOR(http_client_perform(client, &call, &result, &why) ==
			OUTCOME_OK,
		    "row %zu: %s", i, why.text);
		CHECK(result.status == 201);
		CHECK_STRING(buffer_string(&result.body), want);
		http_client_free(&client);
	}
	/* The reader gives up; the connection is of no more use. */
	client = new_tls_client();
	flow = (struct flow){ .data = data, .len = 3000000, .limit = 100000 };
	call.url = url("good.foo.test", "/put");
	call.body = NULL;
	call.body_len = 3000000;
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "stopped"));
	CHECK(result.sink_failed);
	/* Refused before the body. */
	flow = (struct flow){ .data = data, .len = 3000000, .limit = SIZE_MAX };
	call.url = url("good.foo.test", "/refuse");
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK);
	CHECK(result.status == 404 && flow.done == 0);
	/* Refused in the middle. */
	flow.done = 0;
	call.url = url("good.foo.test", "/put?full");
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK &&
	    result.status == 507);
	/* POST and other methods. */
	call = (struct http_call){ .method = HTTP_POST,
		.body = "{}",
		.body_len = 2,
		.url = url("good.foo.test", "/echo") };
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK);
	CHECK_STRING(buffer_string(&result.body), "{}");
	call.body_len = 0;
	call.url = url("good.foo.test", "/put");
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK &&
	    result.status == 201);
	call = (struct http_call){ .method = HTTP_DELETE,
		.url = url("good.foo.test", "/empty") };
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK);
	CHECK(result.status == 204);
	http_client_free(&client);
	http_result_free(&result);
	free(data);
}

TEST(receives_bodies)
{
	struct http_client *client = new_tls_client();
	struct flow flow = { .limit = SIZE_MAX };
	struct http_call call = { .method = HTTP_GET,
		.sink = on_sink,
		.head = on_head,
		.progress = on_progress,
		.arg = &flow,
		.max_body = FIXTURE_FILE_SIZE };
	struct http_result result;
	struct reason why;

	http_result_init(&result);
	call.url = url("good.foo.test", "/file");
	crypto_hash_sha256_init(&flow.hash);
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK);
	CHECK(result.bytes == FIXTURE_FILE_SIZE && result.body.len == 0);
	CHECK(flow.done == FIXTURE_FILE_SIZE && flow.heads == 1);
	CHECK(flow.announced == FIXTURE_FILE_SIZE && flow.progress > 0);
	/* One byte more than allowed: nothing of it arrives. */
	flow.done = 0;
	call.max_body--;
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "too-large"));
	CHECK(result.overrun && result.status == 200 && flow.done == 0);
	call.sink = NULL;
	call.max_body = 0;
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    result.overrun);
	call.sink = on_sink;
	call.max_body = FIXTURE_FILE_SIZE;
	flow.limit = 100000;
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "stopped"));
	/* HEAD has a length and no body. */
	call.method = HTTP_HEAD;
	call.max_body = 1;
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK &&
	    result.status == 200 && result.bytes == 0);
	/* A file that ends too early. */
	flow.limit = SIZE_MAX;
	call.method = HTTP_GET;
	call.max_body = INT64_MAX;
	call.url = url("good.foo.test", "/short");
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "broken"));
	CHECK(result.bytes > 0 && result.bytes <= FIXTURE_FILE_SIZE);
	call = (struct http_call){ .method = HTTP_GET,
		.total_ms = 200,
		.url = url("good.foo.test", "/never") };
	CHECK(http_client_perform(client, &call, &result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "timeout"));
	http_result_free(&result);
	http_client_free(&client);
}

TEST(reads_problems)
{
	struct http_client *client = new_tls_client();
	struct flow flow = { .limit = 0 };
	struct http_call call = { .method = HTTP_GET,
		.sink = on_sink,
		.arg = &flow,
		.max_body = 1 };
	struct http_result result;
	struct reason why;

	http_result_init(&result);
	call.url = url("good.foo.test", "/refuse");
	CHECK(http_client_perform(client, &call, &result, &why) == OUTCOME_OK);
	CHECK(result.status == 404 && flow.done == 0);
	CHECK_STRING(result.problem, "not-shared");
	CHECK_STRING(result.detail, "no");
	CHECK(result.retry_after == 120);
	CHECK(get(client, url("good.foo.test", "/none"), &result, &why) ==
	    OUTCOME_OK);
	CHECK_STRING(result.problem, "");
	CHECK(result.retry_after == -1);
	http_result_free(&result);
	http_client_free(&client);
}

/* ---- servers that send what they like ---------------------------------- */

/* A child that answers one request on a Unix socket with `len` bytes of
 * `data`, then `repeat` times `more`, and closes. */
struct liar {
	char path[64];
	pid_t pid;
};

static struct liar
start_liar(const char *data, const char *more, unsigned repeat)
{
	struct liar liar;
	char request[4096];
	int listener, fd;

	snprintf(liar.path, sizeof(liar.path), "%s/liar", fixture.directory);
	listener = fixture_listen_local(liar.path);
	fcntl(listener, F_SETFL, 0);
	fflush(stdout);
	if ((liar.pid = fork()) == 0) {
		fd = accept(listener, NULL, NULL);
		if (recv(fd, request, sizeof(request), 0) > 0)
			send(fd, data, strlen(data), MSG_NOSIGNAL);
		while (repeat-- > 0)
			if (send(fd, more, strlen(more), MSG_NOSIGNAL) < 0)
				break;
		shutdown(fd, SHUT_WR);
		while (recv(fd, request, sizeof(request), 0) > 0)
			;
		_exit(0);
	}
	close(listener);
	return liar;
}

static void
end_liar(const struct liar *liar)
{
	kill(liar->pid, SIGKILL);
	waitpid(liar->pid, NULL, 0);
	unlink(liar->path);
}

#define LONG "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
#define PROBLEM "HTTP/1.1 404 x\r\nContent-Type: application/problem+json\r\n"

TEST(bounds_what_servers_send)
{
	static const struct {
		const char *data, *more;
		unsigned repeat;
		const char *word; /* "" if it is fine */
		unsigned status;
	} table[] = {
		{ "HTTP/1.1 200 OK\r\n\r\nhello", "", 0, "", 200 },
		{ "HTTP/1.1 200 OK\r\n", LONG, 1000, "protocol", 0 },
		{ "", "HTTP/1.1 100 Continue\r\n\r\n", 5000, "protocol", 0 },
		{ "hello", "", 0, "protocol", 0 },
		{ "", "", 0, "broken", 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "", 0,
		    "broken", 200 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "5\r\nhello\r\n", 300000, "too-large", 200 },
		{ "HTTP/1.1 200 OK\r\n\r\n", "hello", 300000, "too-large",
		    200 },
		{ "HTTP/1.1 500 x\r\n\r\n", "hello", 300000, "too-large", 500 },
		{ PROBLEM "\r\n{\"type\":\"/problems/revoked\"}", "", 0, "",
		    404 },
	};
	struct http_client_options options = { 0 };
	struct http_client *client;
	struct http_result result;
	enum outcome outcome;
	struct reason why;
	struct liar liar;
	size_t i;

	http_result_init(&result);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		liar =
		    start_liar(table[i].data, table[i].more, table[i].repeat);
		options.unix_socket = liar.path;
		client = new_client(&options);
		outcome = get(client, "http://localhost/", &result, &why);
		CHECK_FOR(outcome ==
			(table[i].word[0] != '\0' ? OUTCOME_TEMPFAIL :
						    OUTCOME_OK),
		    "row %zu %s", i, why.text);
		CHECK_FOR(strcmp(why.word, table[i].word) == 0,
		    "row %zu: %s %s", i, why.word, why.text);
		CHECK_FOR(result.status == table[i].status, "row %zu: %u", i,
		    result.status);
		http_client_free(&client);
		end_liar(&liar);
	}
	CHECK_STRING(result.problem, "revoked");
	http_result_free(&result);
}

TEST(reads_a_problem_only_if_it_is_one)
{
	static const struct {
		const char *fields, *body, *problem;
	} table[] = {
		{ "content-type: application/problem+json",
		    "{\"type\":\"/problems/revoked\"}", "revoked" },
		{ "content-type: application/problem+json; charset=utf-8",
		    "{\"type\":\"/problems/revoked\"}", "revoked" },
		{ "content-type: application/json",
		    "{\"type\":\"/problems/revoked\"}", "" },
		{ "content-type: application/problem+jsonx",
		    "{\"type\":\"/problems/revoked\"}", "" },
		{ "content-type: application/problem+json",
		    "{\"type\":\"/problems/revoked\"", "" },
		{ "content-type: application/problem+json",
		    "{\"type\":\"https://evil.test/problems/revoked\"}", "" },
		{ "content-type: application/problem+json",
		    "{\"type\":\"/problems/Revoked\"}", "" },
		{ "content-type: application/problem+json",
		    "{\"type\":\"/problems/a\",\"type\":\"/problems/b\"}", "" },
		{ "content-type: application/problem+json",
		    "{\"type\":\"/problems/a234567890123456789012345678901"
		    "23\"}",
		    "" },
		{ "content-type: application/problem+json", "{\"type\":7}",
		    "" },
	};
	struct http_result result;
	size_t i;

	http_result_init(&result);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		http_result_clear(&result);
		http_result_add_field(&result, table[i].fields,
		    strlen(table[i].fields));
		buffer_add_string(&result.body, table[i].body);
		http_result_interpret(&result, 0);
		CHECK_FOR(strcmp(result.problem, table[i].problem) == 0,
		    "row %zu: %s", i, result.problem);
	}
	http_result_clear(&result);
	http_result_add_field(&result,
	    "Retry-After: Thu, 01 Jan 1970 00:01:40 GMT\r\n", 44);
	http_result_interpret(&result, 40);
	CHECK(result.retry_after == 60);
	http_result_free(&result);
}

/* ---- the pipe ---------------------------------------------------------- */

#define REST (FIXTURE_FILE_SIZE - 5000000)

TEST(streams_a_get_into_a_put)
{
	static const struct {
		const char *get, *range, *put;
		unsigned get_status;
		int64_t size;
		enum outcome outcome;
		const char *word;
		unsigned status[2];
	} table[] = {
		{ "/file", NULL, "/put", 200, FIXTURE_FILE_SIZE, OUTCOME_OK, "",
		    { 200, 201 } },
		{ "/file", NULL, "/slow", 200, FIXTURE_FILE_SIZE, OUTCOME_OK,
		    "", { 200, 201 } },
		{ "/file", "bytes=5000000-", "/put", 206, REST, OUTCOME_OK, "",
		    { 206, 201 } },
		/* The whole instead of the rest, and the wrong rest. */
		{ "/file", NULL, "/put", 206, REST, OUTCOME_OK, "",
		    { 200, 0 } },
		{ "/file", "bytes=0-3388730", "/put", 206, REST,
		    OUTCOME_PERMFAIL, "size", { 206, 0 } },
		{ "/empty", NULL, "/put", 200, 0, OUTCOME_OK, "", { 204, 0 } },
		{ "/put", NULL, "/put", 201, 64, OUTCOME_OK, "", { 201, 201 } },
		{ "/refuse", NULL, "/put", 200, 5, OUTCOME_OK, "", { 404, 0 } },
		{ "/file", NULL, "/put", 200, FIXTURE_FILE_SIZE - 1,
		    OUTCOME_PERMFAIL, "size", { 200, 0 } },
		{ "/file", NULL, "/put", 200, FIXTURE_FILE_SIZE + 1,
		    OUTCOME_PERMFAIL, "size", { 200, 0 } },
		{ "/short", NULL, "/put", 200, FIXTURE_FILE_SIZE + 100000,
		    OUTCOME_TEMPFAIL, "broken", { 200, 0 } },
		{ "/file", NULL, "/refuse", 200, FIXTURE_FILE_SIZE,
		    OUTCOME_TEMPFAIL, "local", { 200, 404 } },
		{ "/file", NULL, "/put?full", 200, FIXTURE_FILE_SIZE,
		    OUTCOME_TEMPFAIL, "local", { 200, 507 } },
		{ "/file", NULL, "/abort", 200, FIXTURE_FILE_SIZE,
		    OUTCOME_TEMPFAIL, "local", { 200, 0 } },
	};
	struct http_client *client = new_tls_client();
	struct http_pipe_put put = { .unix_socket = fixture.socket };
	struct http_header_list headers;
	struct http_result result[2];
	struct http_call call = { 0 };
	enum outcome outcome;
	struct reason why;
	size_t i;

	http_result_init(&result[0]);
	http_result_init(&result[1]);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		http_header_init(&headers);
		if (table[i].range != NULL)
			http_header_add(&headers, "Range", table[i].range);
		call.headers = &headers;
		call.url = url("good.foo.test", table[i].get);
		put.path = table[i].put;
		put.size = table[i].size;
		why.word[0] = '\0';
		outcome = http_client_pipe(client, &call, table[i].get_status,
		    &put, result, &why);
		CHECK_FOR(outcome == table[i].outcome, "row %zu: %s %s", i,
		    why.word, why.text);
		CHECK_FOR(outcome == OUTCOME_OK ||
			strcmp(why.word, table[i].word) == 0,
		    "row %zu: %s %s", i, why.word, why.text);
		CHECK_FOR(result[0].status == table[i].status[0] &&
			result[1].status == table[i].status[1],
		    "row %zu: %u %u", i, result[0].status, result[1].status);
	}
	put.unix_socket = "/nowhere/sock";
	put.path = "/put";
	put.size = FIXTURE_FILE_SIZE;
	call.url = url("good.foo.test", "/file");
	CHECK(http_client_pipe(client, &call, 200, &put, result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "local"));
	http_result_free(&result[0]);
	http_result_free(&result[1]);
	http_client_free(&client);
}

/* What went in came out. */
TEST(streams_the_very_bytes)
{
	struct http_client *client = new_tls_client();
	struct http_pipe_put put = { .unix_socket = fixture.socket,
		.path = "/put",
		.size = FIXTURE_FILE_SIZE };
	struct flow flow = { .limit = SIZE_MAX };
	struct http_call call = { .sink = on_sink,
		.arg = &flow,
		.max_body = FIXTURE_FILE_SIZE };
	struct http_result result[2];
	uint8_t hash[SHA256_LEN];
	char want[SHA256_HEX_SIZE];
	struct reason why;

	http_result_init(&result[0]);
	http_result_init(&result[1]);
	call.url = url("good.foo.test", "/file");
	crypto_hash_sha256_init(&flow.hash);
	http_client_perform(client, &call, &result[0], &why);
	crypto_hash_sha256_final(&flow.hash, hash);
	hex_format(hash, sizeof(hash), want);
	CHECK(http_client_pipe(client, &call, 200, &put, result, &why) ==
	    OUTCOME_OK);
	CHECK_STRING(buffer_string(&result[1].body), want);
	http_result_free(&result[0]);
	http_result_free(&result[1]);
	http_client_free(&client);
}

static bool
enough_at_once(void *arg)
{
	(*(int *)arg)++;
	return true;
}

/* Ended by the caller: what is said of both sides, and not asked again. */
TEST(a_pipe_can_be_ended)
{
	struct http_client *client = new_tls_client();
	int asked = 0;
	struct http_pipe_put put = { .unix_socket = fixture.socket,
		.path = "/put",
		.size = FIXTURE_FILE_SIZE,
		.enough = enough_at_once,
		.arg = &asked };
	struct http_call call = { .url = url("good.foo.test", "/file") };
	struct http_result result[2];
	struct reason why;

	http_result_init(&result[0]);
	http_result_init(&result[1]);
	CHECK(http_client_pipe(client, &call, 200, &put, result, &why) ==
		OUTCOME_TEMPFAIL &&
	    reason_is(&why, "enough"));
	CHECK(asked == 1 && result[0].status == 200 && result[1].status == 0);
	http_result_free(&result[0]);
	http_result_free(&result[1]);
	http_client_free(&client);
}

/* ---- */

static void
make_servers(void)
{
	struct tls_recipe recipe;
	struct tls_name name;
	struct reason why;
	size_t i;

	ca = make_identity((
	    struct tls_recipe){ .kind = "P-256", .cn = "Test CA", .ca = true });
	client_id = make_identity(
	    (struct tls_recipe){ .kind = "P-256", .cn = "_rra.bar.test" });
	fixture.tls = tls_server_new();
	for (i = 0; i < SERVERS; i++) {
		recipe = (struct tls_recipe){ .kind = "P-256",
			.cn = servers[i].name,
			.san = servers[i].san,
			.issuer = servers[i].self_signed ? NULL : &ca,
			.expired = servers[i].expired };
		servers[i].id = make_identity(recipe);
		name = (struct tls_name){ servers[i].name, &servers[i].id.der,
			1, servers[i].id.key, false };
		CHECK(tls_server_add(fixture.tls, &name, &why) == OUTCOME_OK);
	}
}

static void
make_trust(void)
{
	BIO *pem = certificate_pem(&ca);
	struct reason why;
	char *data;
	long len = BIO_get_mem_data(pem, &data);

	CHECK(http_client_trust_new("none", 4, &why) == NULL);
	trust = http_client_trust_new(data, (size_t)len, &why);
	CHECK(trust != NULL);
	BIO_free(pem);
	loopback_allowed = address_policy_new();
	address_policy_add(loopback_allowed, "127.0.0.1");
}

int
main(void)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	make_servers();
	make_trust();
	fixture.limits = http_server_default_limits;
	fixture_start(&fixture);
	RUN(calls_and_keeps_the_connection);
	RUN(believes_by_name_alone);
	RUN(believes_pins);
	RUN(goes_to_allowed_addresses_alone);
	RUN(refuses_urls);
	RUN(sends_bodies);
	RUN(receives_bodies);
	RUN(reads_problems);
	RUN(bounds_what_servers_send);
	RUN(reads_a_problem_only_if_it_is_one);
	RUN(streams_a_get_into_a_put);
	RUN(streams_the_very_bytes);
	RUN(a_pipe_can_be_ended);
	fixture_end(&fixture, false);
	for (i = 0; i < SERVERS; i++)
		free_identity(&servers[i].id);
	free_identity(&ca);
	free_identity(&client_id);
	http_client_trust_free(&trust);
	address_policy_free(&loopback_allowed);
	tls_server_free(&fixture.tls);
	return test_done();
}

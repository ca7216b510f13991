/* SPDX-License-Identifier: ISC
 *
 * Blocking HTTP client on libcurl; see http_client.h. The only file that
 * includes libcurl's header. Reads what strangers' servers send: libcurl
 * frames it, we bound it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/err.h>

#include "clock.h"
#include "http_client.h"
#include "http_peer.h"
#include "http_trust.h"

#define HEAD_MAX 32768 /* all heads of one response, 1xx too */
#define BODY_MAX (1024 * 1024) /* without a sink, by default */
#define EXPECT_MIN 65536 /* smaller bodies are sent unasked */
#define AGE_MAX_S 50 /* idle connections; a server's is 60 */
#define RECEIVE_BUFFER (256 * 1024)
#define SEND_BUFFER (256 * 1024)

struct http_client {
	struct http_client_options options;
	CURL *curl;
	struct http_identity identity;
	struct http_peer peer;
	struct curl_slist *addresses; /* peer.addresses for libcurl */
	/* The call under way. */
	const struct http_call *call;
	struct http_result *result;
	size_t head_bytes;
	int64_t sent;
	bool body_begun;
	bool success; /* the status is 2xx */
	bool head_bad;
	unsigned blocked, opened; /* sockets */
};

/* ---- callbacks of libcurl ---------------------------------------------- */

static size_t
on_header(char *data, size_t one, size_t len, void *arg)
{
	struct http_client *client = arg;

	(void)one;
	client->head_bytes += len;
	if (client->head_bytes > HEAD_MAX) {
		client->head_bad = true;
		return 0;
	}
	if (client->body_begun)
		return len; /* trailers say nothing to us */
	/* A status line: everything before it was interim. */
	if (len > 5 && memcmp(data, "HTTP/", 5) == 0)
		buffer_clear(&client->result->fields);
	else if (http_result_add_field(client->result, data, len) != 0) {
		client->head_bad = true;
		return 0;
	}
	return len;
}

static int64_t
body_max(const struct http_call *call)
{
	return call->max_body > 0 ? call->max_body : BODY_MAX;
}

/* The head is complete: lets the caller judge it. -1 stops. */
static int
begin_body(struct http_client *client)
{
	const struct http_call *call = client->call;
	curl_off_t size = -1;
	long status = 0;

	client->body_begun = true;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
	    &size);
	client->result->status = (unsigned)status;
	client->success = status >= 200 && status < 300;
	if (!client->success)
		return 0;
	if (call->head != NULL &&
	    call->head(call->arg, (unsigned)status, size,
		&client->result->fields) != 0) {
		client->result->sink_failed = true;
		return -1;
	}
	client->result->overrun =
	    call->method != HTTP_HEAD && size > body_max(call);
	return client->result->overrun ? -1 : 0;
}

/* The body of a refusal is for people: what is too much is dropped, and far
 * too much ends the call. */
static int
take_refusal(struct http_result *result, const char *data, size_t len)
{
	size_t room = HTTP_RESULT_PROBLEM_MAX - result->body.len;

	buffer_add(&result->body, data, len < room ? len : room);
	result->overrun = result->bytes > BODY_MAX;
	return result->overrun ? -1 : 0;
}

static size_t
on_body(char *data, size_t one, size_t len, void *arg)
{
	struct http_client *client = arg;
	const struct http_call *call = client->call;
	struct http_result *result = client->result;

	(void)one;
	if (!client->body_begun && begin_body(client) != 0)
		return 0;
	if (!client->success) {
		result->bytes += (int64_t)len;
		return take_refusal(result, data, len) == 0 ? len : 0;
	}
	if (result->bytes + (int64_t)len > body_max(call)) {
		result->overrun = true;
		return 0;
	}
	result->bytes += (int64_t)len;
	if (call->sink != NULL) {
		result->sink_failed = call->sink(call->arg, data, len) != 0;
		return result->sink_failed ? 0 : len;
	}
	return buffer_add(&result->body, data, len) == 0 ? len : 0;
}

static size_t
on_read(char *data, size_t one, size_t max, void *arg)
{
	struct http_client *client = arg;
	const struct http_call *call = client->call;
	int64_t left = call->body_len - client->sent;
	ssize_t n;

	max *= one;
	if ((int64_t)max > left)
		max = (size_t)left;
	if (max == 0)
		return 0;
	if (call->body != NULL) {
		memcpy(data, (const char *)call->body + client->sent, max);
		n = (ssize_t)max;
	} else {
		n = call->read != NULL ? call->read(call->arg, data, max) : -1;
	}
	if (n <= 0) {
		client->result->sink_failed = true;
		return CURL_READFUNC_ABORT;
	}
	client->sent += n;
	return (size_t)n;
}

/* libcurl sends again where a kept connection turned out to be closed. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_client *client = arg;

	if (client->call->body == NULL && client->sent != 0)
		return CURL_SEEKFUNC_FAIL;
	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_FAIL;
	client->sent = 0;
	return CURL_SEEKFUNC_OK;
}

static int
on_progress(void *arg, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct http_client *client = arg;
	const struct http_call *call = client->call;

	if (call->progress(call->arg, up, up_total > 0 ? up_total : -1, down,
		down_total > 0 ? down_total : -1) == 0)
		return 0;
	client->result->sink_failed = true;
	return 1;
}

/* The last look at an address, by the socket that will use it: whatever the
 * resolver said before, this is where the connection goes. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client *client = arg;

	(void)purpose;
	if (client->options.unix_socket == NULL &&
	    client->options.policy != NULL &&
	    !address_policy_allows(&address->addr, client->options.policy)) {
		client->blocked++;
		return CURL_SOCKET_BAD;
	}
	client->opened++;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);
}

static CURLcode
on_tls(CURL *curl, void *ctx, void *arg)
{
	struct http_client *client = arg;

	(void)curl;
	if (http_trust_configure(ctx, &client->peer.check, &client->identity) ==
	    0)
		return CURLE_OK;
	ERR_clear_error();
	return CURLE_SSL_CERTPROBLEM;
}

/* ---- the handle -------------------------------------------------------- */

struct http_client *
http_client_new(const struct http_client_options *options, struct reason *why)
{
	struct http_client *client = calloc(1, sizeof(*client));
	const curl_version_info_data *version;

	if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		reason_set(why, OUTCOME_TEMPFAIL, "local", "out of memory");
		free(client);
		return NULL;
	}
	client->options = *options;
	http_peer_init(&client->peer, &client->options);
	version = curl_version_info(CURLVERSION_NOW);
	if (version->ssl_version == NULL ||
	    strncmp(version->ssl_version, "OpenSSL/", 8) != 0)
		/* The other flavours have no CURLOPT_SSL_CTX_FUNCTION. */
		reason_set(why, OUTCOME_PERMFAIL, "local",
		    "libcurl is built with %s, not with OpenSSL",
		    version->ssl_version != NULL ? version->ssl_version :
						   "no TLS");
	else if (options->unix_socket == NULL && options->trust == NULL &&
	    options->pins == NULL)
		reason_set(why, OUTCOME_PERMFAIL, "local",
		    "no way to believe a server: neither CA bundle nor pins");
	else if (http_identity_set(&client->identity, options, why) !=
	    OUTCOME_OK)
		;
	else if ((client->curl = curl_easy_init()) == NULL)
		reason_set(why, OUTCOME_TEMPFAIL, "local", "out of memory");
	if (client->curl == NULL)
		http_client_free(&client);
	return client;
}

void
http_client_free(struct http_client **client)
{
	if (*client == NULL)
		return;
	curl_easy_cleanup((*client)->curl);
	curl_slist_free_all((*client)->addresses);
	http_identity_clear(&(*client)->identity);
	free(*client);
	*client = NULL;
	curl_global_cleanup();
}

void
http_client_disconnect(struct http_client *client)
{
	CURL *fresh = curl_easy_init();

	if (fresh == NULL)
		return;
	curl_easy_cleanup(client->curl);
	client->curl = fresh;
	http_peer_forget(&client->peer);
}

/* ---- the options of a call --------------------------------------------- */

/* The addresses that the peer was found to have, as libcurl takes them. */
static int
set_addresses(struct http_client *client)
{
	curl_slist_free_all(client->addresses);
	client->addresses = NULL;
	if (client->peer.addresses[0] == '\0')
		return 0;
	client->addresses = curl_slist_append(NULL, client->peer.addresses);
	return client->addresses != NULL ? 0 : -1;
}

/* Our lines as libcurl's list; NULL with *failed_r set on failure. */
static struct curl_slist *
make_headers(const struct http_call *call, bool *failed_r)
{
	struct curl_slist *list = NULL, *longer;
	struct http_header_list copy;
	char *line, *save = NULL;

	*failed_r = true;
	http_header_init(&copy);
	if (call->headers != NULL)
		copy = *call->headers;
	if (copy.failed)
		return NULL;
	for (line = strtok_r(copy.text, "\r\n", &save); line != NULL;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if ((longer = curl_slist_append(list, line)) == NULL)
			goto fail;
		list = longer;
	}
	if (call->body_len < EXPECT_MIN) {
		if ((longer = curl_slist_append(list, "Expect:")) == NULL)
			goto fail;
		list = longer;
	}
	*failed_r = false;
	return list;
fail:
	curl_slist_free_all(list);
	return NULL;
}

static void
set_method(CURL *curl, const struct http_call *call)
{
	static const char *const names[] = {
		[HTTP_DELETE] = "DELETE",
		[HTTP_OPTIONS] = "OPTIONS",
		[HTTP_PATCH] = "PATCH",
	};

	switch (call->method) {
	case HTTP_GET:
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		break;
	case HTTP_HEAD:
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
		break;
	case HTTP_PUT:
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)call->body_len);
		break;
	case HTTP_POST:
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)call->body_len);
		break;
	default:
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST,
		    names[call->method]);
	}
}

/* What libcurl must never do of its own accord. */
static void
set_prohibitions(CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
}

static void
set_tls(struct http_client *client)
{
	CURL *curl = client->curl;

	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* libcurl loads no CA of its own; its host check would accept a CN.
	 * VERIFYPEER makes it obey our verdict (http_trust.c). */
	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, client);
	if (client->addresses != NULL)
		curl_easy_setopt(curl, CURLOPT_RESOLVE, client->addresses);
}

static void
set_times(struct http_client *client, const struct http_call *call)
{
	const struct http_client_options *o = &client->options;
	long quiet = o->low_speed_s > 0 ? (long)o->low_speed_s : 30;
	CURL *curl = client->curl;

	if (call->wait_s > 0)
		quiet = (long)call->wait_s;
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
	    o->connect_ms > 0 ? (long)o->connect_ms : 15000L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT,
	    o->low_speed_rate > 0 ? (long)o->low_speed_rate : 1024L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, quiet);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->total_ms);
	curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)AGE_MAX_S);
	curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 60L);
}

static void
set_callbacks(struct http_client *client, const struct http_call *call)
{
	CURL *curl = client->curl;

	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(curl, CURLOPT_READDATA, client);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, client);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, client);
	if (call->progress != NULL) {
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	}
}

static void
set_options(struct http_client *client, const struct http_call *call,
    struct curl_slist *headers, char *error)
{
	const struct http_client_options *options = &client->options;
	CURL *curl = client->curl;

	curl_easy_reset(curl); /* keeps connections */
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_USERAGENT,
	    options->user_agent != NULL ? options->user_agent : "Cargomail");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (call->body_len >= EXPECT_MIN || call->body == NULL)
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE,
		    (long)SEND_BUFFER);
	if (call->sink != NULL)
		curl_easy_setopt(curl, CURLOPT_BUFFERSIZE,
		    (long)RECEIVE_BUFFER);
	set_prohibitions(curl);
	set_times(client, call);
	set_callbacks(client, call);
	set_method(curl, call);
	if (options->unix_socket == NULL) {
		set_tls(client);
		return;
	}
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
}

/* ---- what became of it ------------------------------------------------- */

static const struct {
	CURLcode code;
	const char *word;
} words[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "resolve" },
	{ CURLE_COULDNT_CONNECT, "connect" },
	{ CURLE_SSL_CONNECT_ERROR, "tls" },
	{ CURLE_SSL_CIPHER, "tls" },
	{ CURLE_PEER_FAILED_VERIFICATION, "certificate" },
	{ CURLE_OPERATION_TIMEDOUT, "timeout" },
	{ CURLE_GOT_NOTHING, "broken" },
	{ CURLE_PARTIAL_FILE, "broken" },
	{ CURLE_RECV_ERROR, "broken" },
	{ CURLE_SEND_ERROR, "broken" },
	{ CURLE_SEND_FAIL_REWIND, "broken" },
	{ CURLE_WEIRD_SERVER_REPLY, "protocol" },
	{ CURLE_UNSUPPORTED_PROTOCOL, "protocol" },
	{ CURLE_BAD_CONTENT_ENCODING, "protocol" },
};

static enum outcome
judge_failure(struct http_client *client, CURLcode code, const char *error,
    struct reason *why)
{
	const char *word = "local";
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].code == code)
			word = words[i].word;
	if (client->head_bad)
		word = "protocol";
	else if (client->result->overrun)
		word = "too-large";
	else if (client->result->sink_failed)
		word = "stopped";
	else if (code == CURLE_COULDNT_CONNECT && client->blocked > 0 &&
	    client->opened == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "address",
		    "%s has no address that we may connect to",
		    client->peer.check.host);
	/* Addresses and keys may have changed: ask anew next time. */
	if (client->result->status == 0)
		http_peer_forget(&client->peer);
	return reason_set(why, OUTCOME_TEMPFAIL, word, "%s",
	    error[0] != '\0' ? error : curl_easy_strerror(code));
}

static void
begin_call(struct http_client *client, const struct http_call *call,
    struct http_result *result)
{
	client->call = call;
	client->result = result;
	client->head_bytes = 0;
	client->sent = 0;
	client->blocked = client->opened = 0;
	client->body_begun = client->success = client->head_bad = false;
	result->body.max = HTTP_RESULT_PROBLEM_MAX;
	if (call->sink == NULL && body_max(call) > (int64_t)result->body.max)
		result->body.max = (size_t)body_max(call);
}

enum outcome
http_client_perform(struct http_client *client, const struct http_call *call,
    struct http_result *result_r, struct reason *why)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers;
	enum outcome outcome;
	CURLcode code;
	bool failed;

	http_result_clear(result_r);
	outcome = http_peer_find(&client->peer, call->url, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (set_addresses(client) != 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "out of memory");
	headers = make_headers(call, &failed);
	if (failed)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "bad header field, or out of memory");
	begin_call(client, call, result_r);
	set_options(client, call, headers, error);
	code = curl_easy_perform(client->curl);
	/* An empty body never got to on_body. */
	if (code == CURLE_OK && !client->body_begun && begin_body(client) != 0)
		code = CURLE_WRITE_ERROR;
	result_r->authenticated = result_r->status != 0;
	curl_slist_free_all(headers);
	/* Nothing of this stack frame stays behind in the handle. */
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
	client->call = NULL;
	http_result_interpret(result_r, clock_now());
	if (code != CURLE_OK)
		return judge_failure(client, code, error, why);
	return OUTCOME_OK;
}

/* SPDX-License-Identifier: ISC
 *
 * Pages: the routes of web hosts. See page.h. Everything asked is hostile;
 * the secret is looked up by its digest, so that neither the time of a
 * comparison nor a copy of the store gives one away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "access.h"
#include "cargo_problem.h"
#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "page.h"
#include "page_html.h"
#include "page_store.h"
#include "resource_reply.h"

#define FORM_MAX 4096 /* bytes of a form's body; ours sends none */

/* ---- what is asked ------------------------------------------------------- */

/* The digest of the secret in the path. 0, or -1 if that is none. */
static int
digest_secret(const struct http_request *request, char key_r[SHA256_HEX_SIZE])
{
	const char *text =
	    request->segment_count > 1 ? request->segment[1] : "";
	uint8_t secret[SHA256_LEN];
	size_t len;

	if (strlen(text) != CARGO_API_PAGE_SECRET_LEN ||
	    base64url_parse(text, CARGO_API_PAGE_SECRET_LEN, secret,
		sizeof(secret), &len) == -1 ||
	    len != sizeof(secret))
		return -1;
	/* Over the text: that is what the maker of the page has at hand. */
	sha256_hex(text, CARGO_API_PAGE_SECRET_LEN, key_r);
	sodium_memzero(secret, sizeof(secret));
	return 0;
}

bool
page_is_path(const struct http_request *request)
{
	return request->segment_count > 1 &&
	    strcmp(request->segment[0], "s") == 0;
}

void
page_log_path(const struct http_request *request, char *path_r, size_t size)
{
	const bool file =
	    request->segment_count == 3 && hex_is_sha256(request->segment[2]);

	if (!page_is_path(request))
		snprintf(path_r, size, "-");
	else
		snprintf(path_r, size, CARGO_API_PAGE "*%s%s", file ? "/" : "",
		    file ? request->segment[2] : "");
}

bool
page_is_own_form(const struct http_request *request)
{
	const char *site = http_request_get(request, "sec-fetch-site");
	const char *origin = http_request_get(request, "origin");
	char own[300];

	if (site != NULL && strcmp(site, "same-origin") != 0 &&
	    strcmp(site, "none") != 0)
		return false;
	if (origin == NULL || strcmp(origin, "null") == 0)
		return true;
	if (request->port == 0 || request->port == 443)
		snprintf(own, sizeof(own), "https://%s", request->host);
	else
		snprintf(own, sizeof(own), "https://%s:%u", request->host,
		    request->port);
	return strcmp(origin, own) == 0;
}

/* ---- answers ------------------------------------------------------------- */

static void
add_common(struct http_header_list *headers)
{
	http_header_add(headers, "Cache-Control", "no-store");
	http_header_add(headers, "Referrer-Policy", "no-referrer");
	http_header_add(headers, "X-Robots-Tag", "noindex, nofollow");
	http_header_add(headers, "Cross-Origin-Resource-Policy", "same-origin");
	http_header_add(headers, "Cross-Origin-Opener-Policy", "same-origin");
}

static void
reply_html(struct visit *visit, unsigned status, const struct buffer *html,
    const struct reason *why)
{
	struct http_header_list headers;
	char policy[PAGE_POLICY_SIZE];

	page_html_policy(policy);
	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "text/html; charset=utf-8");
	http_header_add(&headers, "Content-Security-Policy", policy);
	http_header_add(&headers, "X-Content-Type-Options", "nosniff");
	add_common(&headers);
	if (status == 405 && visit->request != NULL)
		http_header_add(&headers, "Allow",
		    visit->request->segment_count == 3 ? "POST" : "GET, HEAD");
	visit_reply_bytes(visit, status, &headers, html, why);
}

static const struct refusal {
	const char *word; /* problem type, NULL: any other permanent one */
	unsigned status;
	const char *title, *text;
} refusals[] = {
	{ "revoked", 410, "Withdrawn",
	    "The sender has withdrawn what was shared here. Please ask the "
	    "sender if you still need it." },
	{ "expired", 410, "Expired",
	    "What was shared here could be downloaded for a limited time, "
	    "which is over. Please ask the sender to send it again." },
	{ "method", 405, "Please use the button",
	    "A file is downloaded by the button on its page." },
	{ "not-allowed", 403, "Please use the button",
	    "A file is downloaded by the button on its page, and only so "
	    "often." },
	{ "range", 416, "Not possible",
	    "The file does not have the part that was asked for." },
	{ NULL, 404, "Nothing here",
	    "There is nothing at this address. Please check that it is "
	    "complete, as it stands in the message." },
};
static const struct refusal temporary = { NULL, 503, "Not possible now",
	"Please try again in a few minutes." };

void
page_refuse(struct visit *visit, const struct reason *why)
{
	const struct refusal *refusal = refusals;
	struct buffer html;
	bool own;

	while (refusal->word != NULL && !reason_is(why, refusal->word))
		refusal++;
	if (refusal->word == NULL && !cargo_problem_of(why)->permanent)
		refusal = &temporary;
	/* Back to the page that the button is on. */
	own = (refusal->status == 405 || refusal->status == 403) &&
	    visit->request != NULL && visit->request->segment_count == 3 &&
	    strlen(visit->request->segment[1]) == CARGO_API_PAGE_SECRET_LEN;
	buffer_init(&html, PAGE_HTML_MAX);
	page_html_say(&html, refusal->title, refusal->text,
	    own ? visit->request->segment[1] : NULL);
	reply_html(visit, refusal->status, &html, why);
	buffer_free(&html);
}

static void
refuse_unknown(struct visit *visit)
{
	struct reason why;

	reason_set(&why, OUTCOME_PERMFAIL, "not-found",
	    "there is no such page");
	visit_refuse(visit, &why);
}

/* ---- looking ------------------------------------------------------------- */

/* What the message was sent with says name and size; NULL if it is gone. */
static cJSON *
read_message(struct store_view *view, const struct access_page *page)
{
	const char *id = json_string(page->row, "out");
	struct store_key key;
	cJSON *row = NULL;

	if (id != NULL)
		store_get_json(view, store_key_message(&key, page->account, id),
		    &row);
	return row;
}

static void
fill_file(struct store_view *view, const struct access_page *page,
    const cJSON *item, struct page_file *file)
{
	struct store_blob blob;
	struct reason why;

	file->hash = json_string(item, "hash");
	if (file->hash == NULL)
		file->hash = "";
	page_html_name(json_string(item, "name"), file->hash, file->name);
	if (json_integer(item, "size", 0, JSON_MAX_INTEGER, &file->size) == -1)
		file->size = 0;
	file->there = access_page_resource(view, page, file->hash, &blob,
			  &why) == OUTCOME_OK;
}

static void
show(struct visit *visit, struct store_view *view,
    const struct access_page *page)
{
	struct page_view shown = { page->sender, visit->request->segment[1],
		page->expires, NULL, 0 };
	cJSON *message = read_message(view, page);
	const cJSON *list = json_array(message, "resources"), *item;
	struct page_file *files;
	struct buffer html;

	files = x_calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*files));
	cJSON_ArrayForEach(item, list)
	    fill_file(view, page, item, &files[shown.count++]);
	shown.files = files;
	buffer_init(&html, PAGE_HTML_MAX);
	page_html_show(&html, &shown);
	metrics_count(visit->mailboxd->metrics, MAILBOXD_PAGES, "viewed");
	reply_html(visit, 200, &html, NULL);
	buffer_free(&html);
	free(files);
	cJSON_Delete(message);
}

void
page_show_serve(struct visit *visit)
{
	struct access_page page;
	struct store_view *view;
	char key[SHA256_HEX_SIZE];
	enum outcome outcome;
	struct reason why;

	if (digest_secret(visit->request, key) == -1) {
		refuse_unknown(visit);
		return;
	}
	view = store_read_begin(visit->mailboxd->store);
	if (view == NULL) {
		visit_problem(visit, "unavailable", "the store");
		return;
	}
	outcome = access_page(view, key, clock_now(), &page, &why);
	if (outcome == OUTCOME_OK)
		show(visit, view, &page);
	else
		visit_refuse(visit, &why);
	access_page_clear(&page);
	store_read_end(&view);
}

/* ---- downloading --------------------------------------------------------- */

struct download {
	struct visit *visit;
	struct page_download job;
	struct access_page page;
	char name[PAGE_NAME_SIZE];
	char client[64];
	int fd;
};

static void
end(struct download *download)
{
	if (download->fd != -1)
		close(download->fd);
	access_page_clear(&download->page);
	visit_release(download->visit);
	free(download);
}

static void
log_download(const struct download *download)
{
	struct log_line line;
	char page[17];

	snprintf(page, sizeof(page), "%.16s", download->job.key);
	metrics_count(download->visit->mailboxd->metrics, MAILBOXD_PAGES,
	    "downloaded");
	log_begin(&line, LOG_INFO, download->visit->id, "download");
	log_string(&line, LOG_KEY_PAGE, page);
	log_string(&line, LOG_KEY_SHARE, download->page.share);
	log_string(&line, LOG_KEY_ACCOUNT, download->page.account);
	log_string(&line, LOG_KEY_RECIPIENT, download->page.recipient);
	log_string(&line, LOG_KEY_HASH, download->job.hash);
	log_number(&line, LOG_KEY_SIZE, download->job.blob.size);
	log_string(&line, LOG_KEY_CLIENT, download->client);
	log_end(&line);
}

static enum outcome
record_work(struct store_txn *txn, void *arg)
{
	struct download *download = arg;

	return page_store_download(txn, &download->job);
}

/* It is recorded: now the bytes may go. */
static void
on_recorded(void *arg, enum outcome outcome, const struct reason *why)
{
	struct download *download = arg;
	struct visit *visit = download->visit;
	struct http_header_list headers;
	int fd = download->fd;

	if (outcome != OUTCOME_OK) {
		visit_refuse(visit, why);
		end(download);
		return;
	}
	log_download(download);
	if (visit->request != NULL) {
		http_header_init(&headers);
		http_header_add(&headers, "Content-Type",
		    "application/octet-stream");
		resource_reply_name(&headers, download->name);
		resource_reply_headers(&headers, download->job.hash);
		add_common(&headers);
		download->fd = -1;
		resource_reply(visit, &download->job.blob, &headers, fd);
	}
	end(download);
}

static void
find_name(struct store_view *view, struct download *download)
{
	cJSON *message = read_message(view, &download->page);
	const cJSON *list = json_array(message, "resources"), *item;
	const char *hash, *name = NULL;

	cJSON_ArrayForEach(item, list)
	{
		hash = json_string(item, "hash");
		if (hash != NULL && strcmp(hash, download->job.hash) == 0)
			name = json_string(item, "name");
	}
	page_html_name(name, download->job.hash, download->name);
	cJSON_Delete(message);
}

/* The file is opened before the record: what cannot be read is not said to
 * have gone out. */
static enum outcome
prepare(struct download *download, struct reason *why)
{
	struct mailboxd *mailboxd = download->visit->mailboxd;
	struct store_view *view = store_read_begin(mailboxd->store);
	struct page_download *job = &download->job;
	enum outcome outcome;

	if (view == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store");
	outcome = access_page(view, job->key, job->now, &download->page, why);
	if (outcome == OUTCOME_OK)
		outcome = access_page_resource(view, &download->page, job->hash,
		    &job->blob, why);
	if (outcome == OUTCOME_OK)
		find_name(view, download);
	store_read_end(&view);
	if (outcome != OUTCOME_OK)
		return outcome;
	download->fd = store_blob_open(mailboxd->store, job->blob.locator);
	if (download->fd == -1)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the resource cannot be opened: %s", strerror(errno));
	return OUTCOME_OK;
}

static void
begin(struct visit *visit, const char *key)
{
	struct download *download = x_calloc(1, sizeof(*download));
	struct reason why;

	download->visit = visit_hold(visit);
	download->fd = -1;
	download->job.now = clock_now();
	download->job.client = download->client;
	snprintf(download->client, sizeof(download->client), "%s",
	    http_exchange_client(visit->x));
	strcpy(download->job.key, key);
	strcpy(download->job.hash, visit->subject);
	if (prepare(download, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		end(download);
		return;
	}
	store_submit(visit->mailboxd->store, record_work, on_recorded,
	    download);
}

void
page_download_serve(struct visit *visit)
{
	char key[SHA256_HEX_SIZE];

	if (digest_secret(visit->request, key) == -1)
		refuse_unknown(visit);
	else if (!page_is_own_form(visit->request))
		visit_problem(visit, "not-allowed", "sent by another site");
	else if (visit->request->body_size > FORM_MAX)
		visit_problem(visit, "too-large", "the form may have %d bytes",
		    FORM_MAX);
	else
		begin(visit, key);
}

/* SPDX-License-Identifier: ISC
 *
 * What people see: plain HTML without scripts, pictures or anything from
 * elsewhere. Names, types and addresses in it come from strangers; each is
 * escaped here and nowhere else. No I/O: tests and the fuzzer call it.
 */
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"

#define PAGE_HTML_MAX (512 * 1024) /* 200 files with long names */
#define PAGE_NAME_MAX 200 /* bytes */
#define PAGE_NAME_SIZE (PAGE_NAME_MAX + 1)
#define PAGE_POLICY_SIZE 256

struct page_file {
	char name[PAGE_NAME_SIZE]; /* of page_html_name */
	const char *hash; /* hex */
	int64_t size; /* bytes */
	bool there; /* it can be had */
};

struct page_view {
	const char *sender; /* "" if it is not to be told */
	const char *secret; /* base64url, for the buttons */
	int64_t expires;
	const struct page_file *files;
	size_t count;
};

/* The page that shows what was shared. */
void page_html_show(struct buffer *html, const struct page_view *view);

/* A page that says one thing. `link` is the secret of the page to go back to,
 * or NULL. */
void page_html_say(struct buffer *html, const char *title, const char *text,
    const char *link);

/* Text as it may stand in an element or a quoted attribute. What is no
 * UTF-8, is a control, or turns or hides what stands beside it, becomes
 * U+FFFD. */
void page_html_escape(struct buffer *html, const char *text);

/* The name under which a file (hostile, may be NULL) is shown and saved: its
 * last component, without leading dots, without what is a wildcard or a
 * separator anywhere, cut at a character; never empty. */
void
page_html_name(const char *name, const char *hash, char name_r[PAGE_NAME_SIZE]);

/* "41.9 MB (41,943,040 bytes)". */
void page_html_size(struct buffer *html, int64_t size);

/* The value of Content-Security-Policy for these pages. */
void page_html_policy(char policy_r[PAGE_POLICY_SIZE]);

#endif

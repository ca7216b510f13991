/* SPDX-License-Identifier: ISC
 *
 * The door of web hosts: pages for recipients whose domain has no Cargomail.
 * The address of a page holds a secret of 256 bits that was mailed to one
 * recipient. Looking at a page (GET, HEAD, whatever programs do with links)
 * changes nothing and gives no file; a file is given to a POST, and that is
 * recorded. No scripts, no cookies, nothing from elsewhere.
 */
#ifndef PAGE_H
#define PAGE_H

#include "visit.h"

/* GET, HEAD /s/<secret> */
void page_show_serve(struct visit *visit);

/* POST /s/<secret>/<hash> */
void page_download_serve(struct visit *visit);

/* What was refused at this door, as a page: one and the same for all that is
 * not there. Called by visit_refuse. */
void page_refuse(struct visit *visit, const struct reason *why);

/* The path for the log, without the secret. */
void
page_log_path(const struct http_request *request, char *path_r, size_t size);

/* True for a path that may hold the secret of a page. */
bool page_is_path(const struct http_request *request);

/* Whether the fields of a POST are those of a page of this very host: not if
 * a browser says that another site's page sent it. Our pages have their
 * Origin withheld (no-referrer), so "null" says nothing. */
bool page_is_own_form(const struct http_request *request);

#endif

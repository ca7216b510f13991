/* SPDX-License-Identifier: ISC
 *
 * The media type of a file by its name.
 */
#ifndef MEDIA_TYPE_H
#define MEDIA_TYPE_H

#define MEDIA_TYPE_SIZE 128

/* By the extension, from `table` (a file like /etc/mime.types; NULL or
 * missing: only what is built in), else application/octet-stream. */
void media_type_guess(const char *file_name, const char *table,
    char type_r[MEDIA_TYPE_SIZE]);

#endif

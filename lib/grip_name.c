/* SPDX-License-Identifier: ISC
 *
 * Shapes of names. Reads hostile text; pure functions without allocation.
 */
#include "grip_name.h"

#include <string.h>

#define LABEL_MAX 63
#define ORIGIN_SCHEME "https://"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter_digit(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c);
}

/* A label of RFC 1123 in lower case. */
static bool
is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX)
		return false;
	if (label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter_digit(label[i]) && label[i] != '-')
			return false;
	return true;
}

static bool
is_all_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(text[i]))
			return false;
	return true;
}

static bool
is_host(const char *name, size_t len)
{
	const char *label = name, *end = name + len, *dot;
	size_t labels = 0;

	if (len == 0 || len > GRIP_NAME_MAX)
		return false;
	for (;;) {
		dot = memchr(label, '.', (size_t)(end - label));
		if (dot == NULL)
			break;
		if (!is_label(label, (size_t)(dot - label)))
			return false;
		labels++;
		label = dot + 1;
	}
	/* A last label of digits only would be read as an IPv4 address. */
	return labels > 0 && is_label(label, (size_t)(end - label)) &&
	    !is_all_digits(label, (size_t)(end - label));
}

bool
grip_name_is_host(const char *name)
{
	return name != NULL && is_host(name, strlen(name));
}

const char *
grip_name_domain(const char *name)
{
	const char *dot;

	if (name == NULL || name[0] != '_' || strlen(name) > GRIP_NAME_MAX)
		return NULL;
	dot = strchr(name, '.');
	if (dot == NULL || !is_label(name + 1, (size_t)(dot - name - 1)))
		return NULL;
	return grip_name_is_host(dot + 1) ? dot + 1 : NULL;
}

bool
grip_name_is_service(const char *name, const char *role)
{
	const char *domain = grip_name_domain(name);
	size_t len;

	if (domain == NULL)
		return false;
	if (role == NULL)
		return true;
	len = strlen(role);
	return len == (size_t)(domain - 1 - name) &&
	    memcmp(name, role, len) == 0;
}

const char *
grip_name_address_domain(const char *address)
{
	/* The last one: a quoted local part may hold an "@". */
	const char *at = address != NULL ? strrchr(address, '@') : NULL;

	return at != NULL ? at + 1 : NULL;
}

bool
grip_name_is_address(const char *address)
{
	const char *domain = grip_name_address_domain(address);

	if (domain == NULL || domain - 1 == address ||
	    strlen(address) > GRIP_ADDRESS_MAX)
		return false;
	for (const char *p = address; p < domain; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return grip_name_is_host(domain);
}

/* ":" and a decimal port in its one spelling. */
static bool
is_port(const char *text)
{
	size_t len = strlen(text);
	unsigned value = 0;

	if (len < 2 || len > 6 || text[1] == '0' ||
	    !is_all_digits(text + 1, len - 1))
		return false;
	for (size_t i = 1; i < len; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	return value <= 65535;
}

bool
grip_name_is_origin(const char *origin, char host_r[GRIP_NAME_SIZE])
{
	const char *host;
	size_t len;

	if (origin == NULL ||
	    strncmp(origin, ORIGIN_SCHEME, strlen(ORIGIN_SCHEME)) != 0)
		return false;
	host = origin + strlen(ORIGIN_SCHEME);
	len = strcspn(host, ":");
	if (!is_host(host, len) || (host[len] != '\0' && !is_port(host + len)))
		return false;
	if (host_r != NULL) {
		memcpy(host_r, host, len);
		host_r[len] = '\0';
	}
	return true;
}

/* SPDX-License-Identifier: ISC
 *
 * URLs of services; see service_url.h.
 */
#include <stdio.h>
#include <string.h>

#include "service_url.h"

const struct service_ports service_ports_default = { 2, { 443, 8443 } };

/* Digits without a leading zero, 1 to 65535, at *p; moves *p on. 0 if there
 * is no such number. */
static uint16_t
take_port(const char **p)
{
	unsigned port = 0;

	if (**p == '0')
		return 0;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		port = port * 10 + (unsigned)(**p - '0');
		if (port > 65535)
			return 0;
	}
	return (uint16_t)port;
}

int
service_ports_parse(const char *text, struct service_ports *ports_r)
{
	struct service_ports ports = { 0 };
	unsigned max = sizeof(ports.list) / sizeof(ports.list[0]);
	uint16_t port;

	for (;;) {
		text += strspn(text, " \t");
		if (ports.count == max || (port = take_port(&text)) == 0)
			return -1;
		ports.list[ports.count++] = port;
		text += strspn(text, " \t");
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return -1;
	}
	*ports_r = ports;
	return 0;
}

static bool
port_is_allowed(uint16_t port, const struct service_ports *ports)
{
	unsigned i;

	if (ports == NULL)
		ports = &service_ports_default;
	for (i = 0; i < ports->count; i++)
		if (ports->list[i] == port)
			return true;
	return ports->count == 0;
}

static bool
is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
service_host_is_valid(const char *host)
{
	const char *label = host, *p;
	unsigned labels = 0;
	bool letter = false;

	for (p = host;; p++) {
		if (is_letter(*p)) {
			letter = true;
			continue;
		}
		if (is_digit(*p) || (*p == '-' && p != label))
			continue;
		/* The end of a label. */
		if ((*p != '.' && *p != '\0') || p == label || p - label > 63 ||
		    p[-1] == '-')
			return false;
		labels++;
		if (*p == '\0')
			break;
		label = p + 1;
		letter = false;
	}
	/* A last label without a letter would be an IPv4 address to some. */
	return labels >= 2 && letter && p - host < SERVICE_HOST_SIZE;
}

int
service_url_split(const char *text, const struct service_ports *ports,
    struct service_url *url_r, const char **path_r)
{
	static const char scheme[] = "https://";
	struct service_url url = { .port = 443 };
	size_t len;

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return -1;
	text += sizeof(scheme) - 1;
	len = strcspn(text, ":/?#");
	if (len >= sizeof(url.host))
		return -1;
	memcpy(url.host, text, len);
	text += len;
	if (!service_host_is_valid(url.host))
		return -1;
	if (*text == ':') {
		text++;
		url.port = take_port(&text);
	}
	if (url.port == 0 || !port_is_allowed(url.port, ports) ||
	    (*text != '\0' && *text != '/'))
		return -1;
	if (url.port == 443)
		snprintf(url.text, sizeof(url.text), "https://%s", url.host);
	else
		snprintf(url.text, sizeof(url.text), "https://%s:%u", url.host,
		    url.port);
	*url_r = url;
	*path_r = *text == '/' ? text : "/";
	return 0;
}

int
service_url_parse(const char *text, const struct service_ports *ports,
    struct service_url *url_r)
{
	struct service_url url;
	const char *path;

	/* The path of a good one is not part of the text: the default. */
	if (service_url_split(text, ports, &url, &path) != 0 ||
	    strchr(text + sizeof("https://") - 1, '/') != NULL)
		return -1;
	*url_r = url;
	return 0;
}

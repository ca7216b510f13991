/* SPDX-License-Identifier: ISC
 *
 * Passwords for new accounts. They are nowhere kept and never printed but
 * when we made them.
 */
#include "ctl_password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "encoding.h"
#include "utf8.h"

/* One line without its end; -1 at the end of input or if it is too long. */
static int
read_line(char line_r[CTL_PASSWORD_MAX + 1])
{
	char line[CTL_PASSWORD_MAX + 3];
	size_t len;
	int result = -1;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return -1;
	len = strcspn(line, "\r\n");
	if (len <= CTL_PASSWORD_MAX) {
		line[len] = '\0';
		memcpy(line_r, line, len + 1);
		result = 0;
	}
	explicit_bzero(line, sizeof(line));
	return result;
}

static int
ask_once(const char *prompt, const char *whose,
    char password_r[CTL_PASSWORD_MAX + 1])
{
	struct termios old, silent;
	int result;

	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return -1;
	silent = old;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s%s: ", prompt, whose);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	result = read_line(password_r);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	return result;
}

static int
ask(const char *whose, char password_r[CTL_PASSWORD_MAX + 1])
{
	char again[CTL_PASSWORD_MAX + 1] = "";
	int result = -1;

	if (ask_once("New password for ", whose, password_r) == 0 &&
	    ask_once("Once more for ", whose, again) == 0) {
		if (strcmp(password_r, again) == 0)
			result = 0;
		else
			fputs("cargomailctl: the two differ\n", stderr);
	}
	explicit_bzero(again, sizeof(again));
	return result;
}

static void
generate_password(char password_r[CTL_PASSWORD_MAX + 1])
{
	unsigned char random[15];

	randombytes_buf(random, sizeof(random));
	base64url_format(random, sizeof(random), password_r);
	explicit_bzero(random, sizeof(random));
}

int
ctl_password_get(const char *whose, bool generate,
    char password_r[CTL_PASSWORD_MAX + 1])
{
	int result = 0;

	password_r[0] = '\0';
	if (generate)
		generate_password(password_r);
	else
		result = isatty(STDIN_FILENO) ? ask(whose, password_r) :
						read_line(password_r);
	if (result < 0) {
		fputs("cargomailctl: no password\n", stderr);
		return -1;
	}
	if (strlen(password_r) < CTL_PASSWORD_MIN ||
	    !utf8_valid(password_r, strlen(password_r))) {
		fprintf(stderr,
		    "cargomailctl: a password has at least %d "
		    "characters, of UTF-8\n",
		    CTL_PASSWORD_MIN);
		explicit_bzero(password_r, CTL_PASSWORD_MAX + 1);
		return -1;
	}
	return 0;
}

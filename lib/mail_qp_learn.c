/* SPDX-License-Identifier: ISC
 *
 * Finding the layout of a quoted-printable text: see mail_qp.h. One pass
 * collects what the writer did; what follows from it is then tried.
 *
 * The columns are learned as the largest at which a token was put. If the
 * writer broke lines by a limit, that largest column gives the same breaks
 * as the limit: what was put ended before it, what was not would have ended
 * behind the limit.
 */
#include "mail_qp.h"

#include <string.h>

#include "mail_decode.h"

enum where {
	WHERE_INNER,
	WHERE_HARD, /* first in a line behind a line end */
	WHERE_SOFT, /* first in a line behind a soft break */
	WHERE_LAST, /* a blank before a line end */
	WHERE_COUNT,
};

struct learning {
	const unsigned char *text;
	size_t len, at;
	/* seen[0]: plain, seen[1]: quoted */
	uint32_t seen[WHERE_COUNT][2][4];
	unsigned max[4], min_soft, max_hard;
	unsigned column;
	bool soft;
	bool lower, upper, hard_breaks, quoted_breaks;
	int end;
	/* The token before, whose place is known only from the next. */
	struct {
		unsigned char c;
		bool quoted, exists;
		enum where where;
	} last;
};

/* The token before ended its line (or the text), or did not. */
static void
settle(struct learning *l, bool line_end)
{
	unsigned *max = &l->max[(l->last.quoted ? 1 : 0) + (line_end ? 2 : 0)];
	unsigned char c = l->last.c;

	if (!l->last.exists)
		return;
	l->last.exists = false;
	if (l->column > *max)
		*max = l->column;
	mail_qp_put(l->seen[line_end && (c == ' ' || c == '\t') ?
			    WHERE_LAST :
			    l->last.where][l->last.quoted],
	    c);
}

static int
hex_value(struct learning *l, unsigned char c)
{
	l->upper = l->upper || (c >= 'A' && c <= 'F');
	l->lower = l->lower || (c >= 'a' && c <= 'f');
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
begin_token(struct learning *l, unsigned char c, bool quoted)
{
	settle(l, false);
	l->last.c = c;
	l->last.quoted = quoted;
	l->last.exists = true;
	l->last.where = l->column > 0 ? WHERE_INNER :
	    l->soft		      ? WHERE_SOFT :
					WHERE_HARD;
	l->column += quoted ? 3 : 1;
}

static void
begin_line(struct learning *l, bool soft)
{
	settle(l, !soft);
	if (soft && l->column < l->min_soft)
		l->min_soft = l->column;
	if (!soft && l->column > l->max_hard)
		l->max_hard = l->column;
	l->column = 0;
	l->soft = soft;
}

static bool
is_crlf(const struct learning *l, size_t at)
{
	return l->len - at >= 2 && l->text[at] == '\r' &&
	    l->text[at + 1] == '\n';
}

static int
learn_escape(struct learning *l)
{
	int high, low;

	if (++l->at == l->len) {
		l->end = 1;
		begin_line(l, true);
		return 0;
	}
	if (is_crlf(l, l->at)) {
		l->at += 2;
		l->end = l->at == l->len ? 2 : 0;
		begin_line(l, true);
		return 0;
	}
	if (l->len - l->at < 2 || (high = hex_value(l, l->text[l->at])) < 0 ||
	    (low = hex_value(l, l->text[l->at + 1])) < 0)
		return -1;
	l->at += 2;
	begin_token(l, (unsigned char)(high << 4 | low), true);
	l->quoted_breaks = l->quoted_breaks || l->last.c == '\n';
	return 0;
}

static int
learn_token(struct learning *l)
{
	unsigned char c = l->text[l->at];

	if (c == '=')
		return learn_escape(l);
	if (is_crlf(l, l->at)) {
		l->at += 2;
		l->hard_breaks = true;
		begin_line(l, false);
		return 0;
	}
	if ((c < ' ' && c != '\t') || c > '~')
		return -1;
	l->at++;
	begin_token(l, c, false);
	return 0;
}

/* Characters that were quoted though they need not be. */
static void
learn_sets(const struct learning *l, struct mail_qp_layout *layout)
{
	for (unsigned i = '\t'; i <= '~'; i++) {
		unsigned char c = (unsigned char)i;
		bool plain_first = mail_qp_has(l->seen[WHERE_HARD][0], c);

		if (c == '=' || (c < ' ' && c != '\t'))
			continue;
		if (mail_qp_has(l->seen[WHERE_INNER][1], c)) {
			mail_qp_put(layout->quote, c);
			continue;
		}
		if (mail_qp_has(l->seen[WHERE_SOFT][0], c))
			layout->first_hard = layout->first_hard ||
			    mail_qp_has(l->seen[WHERE_HARD][1], c);
		if (!mail_qp_has(l->seen[WHERE_HARD][1], c) &&
		    !mail_qp_has(l->seen[WHERE_SOFT][1], c))
			continue;
		if (c == 'F' &&
		    (plain_first || mail_qp_has(l->seen[WHERE_SOFT][0], c)))
			layout->from = true;
		else
			mail_qp_put(layout->first, c);
	}
}

/* ---- trying ------------------------------------------------------------ */

struct comparing {
	const char *text;
	size_t len, at;
};

static int
compare(void *context, const void *data, size_t len)
{
	struct comparing *c = context;

	if (len > c->len - c->at || memcmp(c->text + c->at, data, len) != 0)
		return -1;
	c->at += len;
	return 0;
}

static int
try_layout(const char *text, size_t len, const struct mail_qp_layout *layout)
{
	struct comparing comparing = { text, len, 0 };
	struct mail_qp_encoder encoder = {
		.layout = layout,
		.eol = "\r\n",
		.write = compare,
		.context = &comparing,
	};
	struct mail_decoder decoder;
	char data[4096];
	ssize_t got;

	mail_decoder_init(&decoder, MAIL_ENCODE_QUOTED_PRINTABLE, text, len);
	while ((got = mail_decoder_read(&decoder, data, sizeof(data))) > 0)
		if (mail_qp_add(&encoder, data, (size_t)got) < 0)
			return -1;
	if (got < 0 || mail_qp_end(&encoder) < 0)
		return -1;
	return comparing.at == len ? 0 : -1;
}

static uint16_t
limit(unsigned column)
{
	return (uint16_t)(column < MAIL_QP_MIN ? MAIL_QP_MIN :
		column > MAIL_QP_MAX	       ? MAIL_QP_MAX :
						 column);
}

int
mail_qp_learn(const char *text, size_t len, struct mail_qp_layout *layout_r)
{
	struct learning l = {
		.text = (const unsigned char *)text,
		.len = len,
		.min_soft = MAIL_QP_MAX,
	};
	uint32_t(*last)[4] = l.seen[WHERE_LAST];

	while (l.at < l.len)
		if (learn_token(&l) < 0)
			return -1;
	settle(&l, true);
	if (l.lower && l.upper)
		return -1;
	*layout_r = (struct mail_qp_layout){
		.lower = l.lower,
		.breaks = l.quoted_breaks && !l.hard_breaks,
		.blank =
		    mail_qp_has(last[0], ' ') || mail_qp_has(last[0], '\t'),
		.end = l.end,
	};
	for (int i = 0; i < 4; i++)
		layout_r->max[i] = limit(l.max[i]);
	learn_sets(&l, layout_r);
	if (try_layout(text, len, layout_r) == 0)
		return 0;
	layout_r->after = limit(l.min_soft);
	if (layout_r->end == 2)
		layout_r->end = 0; /* the rule itself ends so */
	return try_layout(text, len, layout_r);
}

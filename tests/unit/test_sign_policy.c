/* SPDX-License-Identifier: ISC
 *
 * The signer's policy: its file and its judgements.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>

#include "memory.h"
#include "sign_policy.h"

#define NOW 1700000000

static int
parse(const char *text, struct sign_policy *policy, char **error)
{
	*error = NULL;
	return sign_policy_parse("policy", text, strlen(text), policy, error);
}

TEST(the_four_roles)
{
	struct sign_policy policy;
	char *error;

	CHECK(parse("# who we are\n\n"
		    "_cb.bar.test role=broker domains=bar.test,baz.test "
		    "audiences=mailbox.insurance.test lifetime=7d\n"
		    "_cb.customer.test role=broker key=_cb.hoster.test # x\n"
		    "\t_rra.insurance.test\trole=agent  audiences=* "
		    "lifetime=5m\r\n"
		    "mailbox.insurance.test role=mailbox\n"
		    "web.insurance.test role=web",
		  &policy, &error) == 0);
	CHECK(policy.count == 5);
	CHECK(policy.items[0].role == GRIP_ROLE_BROKER);
	CHECK(policy.items[0].domains.count == 2);
	CHECK(policy.items[0].audiences.count == 1);
	CHECK(policy.items[0].lifetime == 7 * 86400);
	CHECK_STRING(policy.items[0].key, "_cb.bar.test");
	CHECK_STRING(policy.items[1].key, "_cb.hoster.test");
	CHECK(policy.items[1].domains.count == 1);
	CHECK_STRING(policy.items[1].domains.items[0], "customer.test");
	CHECK(policy.items[2].role == GRIP_ROLE_AGENT);
	CHECK(policy.items[2].lifetime == 300);
	CHECK(policy.items[2].audiences.count == 0);
	CHECK(policy.items[3].role == GRIP_ROLE_MAILBOX);
	CHECK(policy.items[4].role == GRIP_ROLE_WEB);
	CHECK_STRING(policy.items[4].key, "web.insurance.test");
	sign_policy_free(&policy);
}

TEST(mistakes_name_line_and_word)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "policy: names no identity" },
		{ "# nothing\n", "policy: names no identity" },
		{ "_cb.bar.test\n", "policy:1: _cb.bar.test: has no role" },
		{ "\n_cb.bar.test role=boss\n", "policy:2: role: is not" },
		{ "_cb.bar.test role=broker colour=red",
		    "policy:1: colour: "
		    "unknown attribute" },
		{ "_cb.bar.test role=broker role=broker",
		    "policy:1: role: given twice" },
		{ "_cb.bar.test role=broker x", "policy:1: x: is not name=" },
		{ "_cb.bar.test role=broker\n_cb.bar.test role=broker",
		    "policy:2: _cb.bar.test: given twice" },
		{ "_cb.bar.test role=agent", "policy:1: _cb.bar.test: is not" },
		{ "_rra.bar.test role=broker", "policy:1: _rra.bar.test: is" },
		{ "_cb.bar.test role=mailbox", "policy:1: _cb.bar.test: is" },
		{ "_cb.Bar.test role=broker",
		    "policy:1: _cb.Bar.test: is not" },
		{ "_cb.bar.test role=broker domains=",
		    "policy:1: domains: is" },
		{ "_cb.bar.test role=broker domains=*",
		    "policy:1: domains: is" },
		{ "_cb.bar.test role=broker domains=a@b.test",
		    "policy:1: domains: is" },
		{ "_rra.bar.test role=agent domains=bar.test",
		    "policy:1: domains: means nothing" },
		{ "m.bar.test role=mailbox lifetime=5m",
		    "policy:1: lifetime: means nothing" },
		{ "_cb.bar.test role=broker lifetime=15d",
		    "policy:1: lifetime: is longer" },
		{ "_cb.bar.test role=broker lifetime=5",
		    "policy:1: lifetime: is not" },
		{ "_cb.bar.test role=broker lifetime=-5m",
		    "policy:1: lifetime: is not" },
		{ "_cb.bar.test role=broker lifetime=99999999999999999999d",
		    "policy:1: lifetime: is not" },
		{ "_cb.bar.test role=broker key=../shadow",
		    "policy:1: key: is not" },
		{ "_cb.bar.test role=broker key=", "policy:1: key: is not" },
		{ "web.bar.test role=web key=m.bar.test",
		    "policy:1: key: means nothing" },
		{ "web.bar.test role=web audiences=*",
		    "policy:1: audiences: means nothing" },
		{ "_cb.bar.test role=web", "policy:1: _cb.bar.test: is not" },
		{ "web.bar.test role=web\n"
		  "m.bar.test role=mailbox key=web.bar.test",
		    "policy:2: m.bar.test: has the key" },
	};
	struct sign_policy policy;
	char *error;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_FOR(parse(rows[i].text, &policy, &error) == -1, "row %zu",
		    i);
		CHECK_FOR(error != NULL &&
			strncmp(error, rows[i].error, strlen(rows[i].error)) ==
			    0,
		    "row %zu: %s", i, error);
		free(error);
	}
}

TEST(bytes_that_are_no_text)
{
	static const char zero[] = "_cb.bar.test\0 role=broker";
	struct sign_policy policy;
	char *error = NULL, *longest = x_malloc(8000);

	CHECK(
	    sign_policy_parse("p", zero, sizeof(zero), &policy, &error) == -1);
	free(error);
	memset(longest, 'a', 8000);
	CHECK(sign_policy_parse("p", longest, 8000, &policy, &error) == -1);
	free(error);
	free(longest);
}

TEST(file_must_be_roots)
{
	char path[] = "/tmp/test_sign_policy.XXXXXX", *error = NULL;
	static const char text[] = "_cb.bar.test role=broker\n";
	struct sign_policy policy;
	int fd = mkstemp(path);

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	if (geteuid() != 0)
		goto out;
	CHECK(sign_policy_read(path, &policy, &error) == 0);
	sign_policy_free(&policy);
	chmod(path, 0664);
	CHECK(sign_policy_read(path, &policy, &error) == -1);
	CHECK(error != NULL && strstr(error, "chmod go-w /tmp/test_sign"));
	free(error);
	chmod(path, 0644);
	CHECK(chown(path, 1234, 0) == 0);
	CHECK(sign_policy_read(path, &policy, &error) == -1);
	CHECK(error != NULL && strstr(error, "chown root /tmp/test_sign"));
	free(error);
	CHECK(sign_policy_read("/tmp", &policy, &error) == -1);
	free(error);
	CHECK(sign_policy_read("/nonexistent", &policy, &error) == -1);
	CHECK_STRING(error, "/nonexistent: No such file or directory");
	free(error);
out:
	unlink(path);
}

/* ---- judgements ---- */

static struct sign_policy policy_of_all;

static char *
text(const char *value)
{
	return value != NULL ? x_strdup(value) : NULL;
}

static struct grip_claims
notify(const char *recipient, const char *mailbox, int64_t exp)
{
	struct grip_claims claims = { .exp = exp };

	claims.aud = text("mailbox.insurance.test");
	claims.sender = text("alice@foo.test");
	claims.recipient = text(recipient);
	claims.mailbox = text(mailbox);
	claims.share = text("AAAAAAAAAAAAAAAAAAAAAA");
	claims.message = text("1@foo.test");
	claims.origin = text("https://mailbox.hospital.test");
	claims.agent = text("_rra.insurance.test");
	claims.digest = text("0123456789abcdef0123456789abcdef"
			     "0123456789abcdef0123456789abcdef");
	return claims;
}

enum { CB, CB_NARROW, RRA, MAILBOX };

static const char policy_text[] =
    "_cb.bar.test role=broker\n"
    "_cb.narrow.test role=broker audiences=mailbox.bar.test lifetime=60s\n"
    "_rra.insurance.test role=agent\n"
    "mailbox.insurance.test role=mailbox\n";

static enum outcome
judge(int who, enum grip_type type, struct grip_claims *claims,
    struct reason *why)
{
	memset(why, 0, sizeof(*why));
	return sign_policy_allows(&policy_of_all.items[who], type, claims, NOW,
	    why);
}

TEST(whose_addresses_a_broker_speaks_for)
{
	static const struct {
		const char *recipient, *mailbox;
		enum outcome outcome;
	} rows[] = {
		{ "bob@bar.test", "bob@bar.test", OUTCOME_OK },
		{ "info@bar.test", "bob@bar.test", OUTCOME_OK },
		{ "bob@evil.test", "bob@bar.test", OUTCOME_PERMFAIL },
		{ "bob@bar.test", "bob@evil.test", OUTCOME_PERMFAIL },
		{ "bob@bar.test", "bob@sub.bar.test", OUTCOME_PERMFAIL },
		{ "bob@bar.test", "bob@bar.test.evil.test", OUTCOME_PERMFAIL },
		{ "bob@bar.test", "bar.test", OUTCOME_PERMFAIL },
	};
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grip_claims claims =
		    notify(rows[i].recipient, rows[i].mailbox, 0);

		CHECK_FOR(judge(CB, GRIP_NOTIFY, &claims, &why) ==
			rows[i].outcome,
		    "row %zu", i);
		CHECK_FOR(rows[i].outcome == OUTCOME_OK ||
			reason_is(&why, "policy"),
		    "row %zu: %s", i, why.word);
		grip_claims_free(&claims);
	}
}

TEST(user_and_mailbox_of_the_other_types)
{
	struct grip_claims claims = { .aud = text("mailbox.foo.test") };
	struct reason why;

	claims.user = text("alice@evil.test");
	CHECK(judge(CB, GRIP_PUT, &claims, &why) == OUTCOME_PERMFAIL);
	free(claims.user);
	claims.user = text("alice@bar.test");
	CHECK(judge(CB, GRIP_PUT, &claims, &why) == OUTCOME_OK);
	CHECK(claims.exp == NOW + 300);
	free(claims.user);
	claims.user = NULL;
	claims.mailbox = text("bob@evil.test");
	CHECK(judge(CB, GRIP_RELEASE, &claims, &why) == OUTCOME_PERMFAIL);
	grip_claims_free(&claims);
}

TEST(how_long_a_token_lives)
{
	static const struct {
		int who;
		int64_t exp, want; /* want 0: refused */
	} rows[] = {
		{ CB, 0, NOW + GRIP_LIFETIME_NOTIFY },
		{ CB, NOW + 1, NOW + 1 },
		{ CB, NOW + GRIP_LIFETIME_NOTIFY, NOW + GRIP_LIFETIME_NOTIFY },
		{ CB, NOW + GRIP_LIFETIME_NOTIFY + 1, 0 },
		{ CB, NOW, 0 },
		{ CB, 1, 0 },
	};
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grip_claims claims =
		    notify("bob@bar.test", "bob@bar.test", rows[i].exp);
		enum outcome got =
		    judge(rows[i].who, GRIP_NOTIFY, &claims, &why);

		CHECK_FOR(got == (rows[i].want ? OUTCOME_OK : OUTCOME_PERMFAIL),
		    "row %zu", i);
		CHECK_FOR(rows[i].want == 0 || claims.exp == rows[i].want,
		    "row %zu", i);
		grip_claims_free(&claims);
	}
}

TEST(audiences_and_lifetime_of_the_policy)
{
	struct grip_claims claims =
	    notify("bob@narrow.test", "bob@narrow.test", 0);
	struct reason why;

	CHECK(judge(CB_NARROW, GRIP_NOTIFY, &claims, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "policy"));
	free(claims.aud);
	claims.aud = text("mailbox.bar.test");
	CHECK(judge(CB_NARROW, GRIP_NOTIFY, &claims, &why) == OUTCOME_OK);
	CHECK(claims.exp == NOW + 60);
	claims.exp = NOW + 61;
	CHECK(judge(CB_NARROW, GRIP_NOTIFY, &claims, &why) == OUTCOME_PERMFAIL);
	grip_claims_free(&claims);
}

TEST(each_role_its_types)
{
	static const bool may[4][GRIP_TYPE_COUNT] = {
		[CB] = { [GRIP_NOTIFY] = 1,
		    [GRIP_PUT] = 1,
		    [GRIP_RELEASE] = 1 },
		[CB_NARROW] = { 0 },
		[RRA] = { 0 }, /* get needs a nested token: below */
		[MAILBOX] = { 0 },
	};
	struct reason why;

	for (int who = 0; who < 4; who++)
		for (int type = 0; type < GRIP_TYPE_COUNT; type++) {
			struct grip_claims claims =
			    notify("bob@bar.test", "bob@bar.test", 0);

			claims.token = text("no token");
			CHECK_FOR((judge(who, type, &claims, &why) ==
				      OUTCOME_OK) == may[who][type],
			    "who %d type %d", who, type);
			if (who != RRA || type != GRIP_GET)
				CHECK_FOR(may[who][type] ||
					reason_is(&why, "policy"),
				    "who %d type %d", who, type);
			grip_claims_free(&claims);
		}
}

/* A token B by some broker; valid for the signer as far as it can see. */
static char *
token_b(const char *agent, const char *origin, int64_t exp)
{
	struct grip_claims claims = notify("bob@bar.test", "bob@bar.test", exp);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *token = NULL, id[GRIP_ID_SIZE];

	grip_token_new_id(id);
	claims.iss = text("_cb.bar.test");
	claims.jti = text(id);
	claims.iat = exp - 3600;
	free(claims.agent);
	claims.agent = text(agent);
	free(claims.origin);
	claims.origin = text(origin);
	CHECK(grip_token_sign(GRIP_NOTIFY, &claims, key, &token, NULL) ==
	    OUTCOME_OK);
	grip_claims_free(&claims);
	EVP_PKEY_free(key);
	return token;
}

TEST(what_an_agent_wraps)
{
	static const struct {
		const char *agent, *origin;
		int64_t exp;
		const char *word; /* NULL: allowed */
	} rows[] = {
		{ "_rra.insurance.test", "https://mailbox.hospital.test",
		    NOW + 3600, NULL },
		{ "_rra.insurance.test", "https://mailbox.hospital.test:8443",
		    NOW + 3600, NULL },
		{ "_rra.evil.test", "https://mailbox.hospital.test", NOW + 3600,
		    "policy" },
		{ "_rra.insurance.test", "https://mailbox.evil.test",
		    NOW + 3600, "policy" },
		{ "_rra.insurance.test", "https://mailbox.hospital.test", NOW,
		    "policy" },
	};
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grip_claims claims = { .aud = text(
						  "mailbox.hospital.test") };
		enum outcome got;

		claims.token =
		    token_b(rows[i].agent, rows[i].origin, rows[i].exp);
		got = judge(RRA, GRIP_GET, &claims, &why);
		CHECK_FOR(got == (rows[i].word ? OUTCOME_PERMFAIL : OUTCOME_OK),
		    "row %zu: %s", i, why.text);
		CHECK_FOR(rows[i].word == NULL || reason_is(&why, rows[i].word),
		    "row %zu", i);
		grip_claims_free(&claims);
	}
}

TEST(a_malformed_nested_token_is_form)
{
	struct grip_claims claims = { .aud = text("mailbox.hospital.test"),
		.token = text("a.b.c") };
	struct reason why;

	CHECK(judge(RRA, GRIP_GET, &claims, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "form"));
	grip_claims_free(&claims);
}

int
main(void)
{
	char *error;

	RUN(the_four_roles);
	RUN(mistakes_name_line_and_word);
	RUN(bytes_that_are_no_text);
	RUN(file_must_be_roots);
	if (parse(policy_text, &policy_of_all, &error) != 0)
		return 1;
	RUN(whose_addresses_a_broker_speaks_for);
	RUN(user_and_mailbox_of_the_other_types);
	RUN(how_long_a_token_lives);
	RUN(audiences_and_lifetime_of_the_policy);
	RUN(each_role_its_types);
	RUN(what_an_agent_wraps);
	RUN(a_malformed_nested_token_is_form);
	sign_policy_free(&policy_of_all);
	return test_done();
}

/* SPDX-License-Identifier: ISC
 *
 * Each check of GRIP trips alone: a chain that is good in every other way is
 * made wrong in one, and the refusal has that check's name.
 */
#include "grip_check.h"

#include "grip_fixture.h"
#include "test.h"

/* A whole situation: outer token A, inner token B, and what they came with. */
struct scene {
	struct grip_claims inner_claims, claims;
	EVP_PKEY *broker, *agent; /* who signs */
	EVP_PKEY *connection; /* whose certificate is shown */
	const char *name, *name2; /* its CNs */
	enum grip_type type, inner_type;
	struct grip_check_input input;
	bool spoil_outer, spoil_inner; /* the signature */
	struct grip_publication publications[2];
	struct grip_record records[2];
	bool require;
};

/* As long as any that is shown. */
static const uint8_t no_certificate[4096];
static const char *const audiences[] = { "other.hospital.test",
	"mailbox.hospital.test" };

static void
setup(struct scene *s)
{
	*s = (struct scene){ .type = GRIP_GET, .inner_type = GRIP_NOTIFY };
	s->broker = fixture_ed25519();
	s->agent = fixture_p256();
	s->connection = fixture_p256();
	s->name = "_rra.insurance.test";
	s->inner_claims = fixture_claims(GRIP_NOTIFY, NULL);
	s->claims = fixture_claims(GRIP_GET, "");
	s->input = (struct grip_check_input){
		.route = GRIP_GET,
		.audiences = audiences,
		.audience_count = 2,
		.now = FIXTURE_NOW,
	};
	grip_jwk_spki_sha256(s->agent, s->records[0].spki_sha256);
	grip_jwk_spki_sha256(s->broker, s->records[1].spki_sha256);
	for (int i = 0; i < 2; i++)
		s->publications[i] = (struct grip_publication){
			.present = true,
			.secure = true,
			.records = &s->records[i],
			.count = 1,
		};
}

/* Flips a bit of the signature, keeping the text canonical. */
static void
spoil(char *token)
{
	char *c = strrchr(token, '.') + 5;

	*c = *c == 'A' ? 'B' : 'A';
}

static enum outcome
judge(struct scene *s, struct grip_token *token, struct reason *why)
{
	enum outcome outcome = grip_check_local(token, &s->input, why);

	if (outcome == OUTCOME_OK)
		outcome = grip_check_published(token, &s->input,
		    &s->publications[0], s->require, why);
	if (outcome == OUTCOME_OK && token->inner != NULL)
		outcome = grip_check_published(token->inner, NULL,
		    &s->publications[1], s->require, why);
	return outcome;
}

/* Makes the tokens, runs all checks, frees the scene. "ok" or the word. */
static const char *
run(struct scene *s, enum outcome *outcome_r)
{
	static struct reason why;
	struct grip_token *token = NULL;
	uint8_t *der;
	char *a = NULL, *b = NULL;

	memset(&why, 0, sizeof(why));
	if (s->type == GRIP_GET) {
		*outcome_r = grip_token_sign(s->inner_type, &s->inner_claims,
		    s->broker, &b, &why);
		CHECK_FOR(*outcome_r == OUTCOME_OK, "%s", why.text);
		if (s->spoil_inner)
			spoil(b);
		fixture_set(&s->claims.token, b);
	}
	*outcome_r = grip_token_sign(s->type, &s->claims, s->agent, &a, &why);
	CHECK_FOR(*outcome_r == OUTCOME_OK, "%s", why.text);
	if (s->spoil_outer)
		spoil(a);
	der = fixture_certificate(s->connection, s->name, s->name2,
	    &s->input.certificate_len);
	if (s->input.certificate == NULL)
		s->input.certificate = der;
	*outcome_r = grip_token_parse(a, strlen(a), &token, &why);
	if (*outcome_r == OUTCOME_OK)
		*outcome_r = judge(s, token, &why);
	grip_token_free(&token);
	OPENSSL_free(der);
	free(a);
	free(b);
	grip_claims_free(&s->claims);
	grip_claims_free(&s->inner_claims);
	EVP_PKEY_free(s->broker);
	EVP_PKEY_free(s->agent);
	EVP_PKEY_free(s->connection);
	if (*outcome_r == OUTCOME_OK)
		return "ok";
	CHECK_FOR(*outcome_r ==
		(grip_check_is_temporary(why.word) ? OUTCOME_TEMPFAIL :
						     OUTCOME_PERMFAIL),
	    "%s", why.word);
	return why.word;
}

/* One change of a good scene, and the check that must name it. */
#define TRIP(want, change) \
	do { \
		struct scene s; \
		enum outcome outcome; \
		setup(&s); \
		change; \
		CHECK_STRING(run(&s, &outcome), want); \
	} while (0)

/* Turns the scene into a single token of another type. */
static void
make_single(struct scene *s, enum grip_type type)
{
	grip_claims_free(&s->claims);
	s->claims = fixture_claims(type, NULL);
	s->type = s->input.route = type;
	s->name = s->claims.iss;
}

TEST(a_good_chain_passes)
{
	TRIP("ok", (void)0);
	TRIP("ok", make_single(&s, GRIP_PUT));
	TRIP("ok",
	    (make_single(&s, GRIP_NOTIFY),
		fixture_set(&s.claims.aud, "mailbox.hospital.test")));
	TRIP("ok",
	    (make_single(&s, GRIP_RELEASE),
		fixture_set(&s.claims.aud, "mailbox.hospital.test")));
}

TEST(purpose)
{
	TRIP("purpose", s.input.route = GRIP_NOTIFY);
	TRIP("purpose", s.input.route = GRIP_PUT);
	TRIP("purpose",
	    (make_single(&s, GRIP_PUT), s.input.route = GRIP_RELEASE));
	/* Roles: who may sign what. */
	TRIP("purpose",
	    (fixture_set(&s.claims.iss, "_cb.insurance.test"),
		fixture_set(&s.inner_claims.agent, "_cb.insurance.test"),
		s.name = "_cb.insurance.test"));
	TRIP("purpose", fixture_set(&s.inner_claims.iss, "_rra.bar.test"));
	TRIP("purpose",
	    (make_single(&s, GRIP_PUT),
		fixture_set(&s.claims.iss, "_rra.foo.test"),
		s.name = "_rra.foo.test"));
	/* What is nested is no B. */
	TRIP("purpose",
	    (grip_claims_free(&s.inner_claims),
		s.inner_claims = fixture_claims(GRIP_PUT, NULL),
		s.inner_type = GRIP_PUT));
}

TEST(time)
{
	const int64_t day = 86400;

	TRIP("ok", s.input.now = FIXTURE_NOW - 60);
	TRIP("time", s.input.now = FIXTURE_NOW - 61);
	TRIP("ok", s.input.now = s.claims.exp + 59);
	TRIP("time", s.input.now = s.claims.exp + 60);
	TRIP("time", s.claims.exp = s.claims.iat + 301);
	TRIP("time", s.claims.exp = s.claims.iat - 1);
	TRIP("ok", s.inner_claims.exp = s.inner_claims.iat + 14 * day);
	TRIP("time", s.inner_claims.exp = s.inner_claims.iat + 14 * day + 1);
	TRIP("time",
	    (s.inner_claims.iat = FIXTURE_NOW - 14 * day,
		s.inner_claims.exp = FIXTURE_NOW - 60));
	TRIP("time", (s.inner_claims.iat = FIXTURE_NOW + 61));
	TRIP("time",
	    (make_single(&s, GRIP_PUT), s.claims.exp = FIXTURE_NOW + 301));
	TRIP("time",
	    (make_single(&s, GRIP_RELEASE), s.claims.exp = FIXTURE_NOW + 301));
	TRIP("time", (s.claims.iat = 0, s.claims.exp = 9007199254740992));
}

TEST(audience)
{
	TRIP("audience", fixture_set(&s.claims.aud, "mailbox.evil.test"));
	TRIP("audience", s.input.audience_count = 1);
	TRIP("audience", s.input.audience_count = 0);
	/* The inner token's audience is the destination, not us. */
	TRIP("ok", fixture_set(&s.inner_claims.aud, "mailbox.evil.test"));
}

TEST(possession)
{
	TRIP("possession",
	    (EVP_PKEY_free(s.connection), s.connection = fixture_fresh()));
	TRIP("possession",
	    (EVP_PKEY_free(s.connection), s.connection = fixture_ed25519()));
	TRIP("possession", s.input.certificate = no_certificate);
	/* A local peer's uid stands for it. */
	TRIP("ok",
	    (s.input.local = true, EVP_PKEY_free(s.connection),
		s.connection = fixture_fresh(), s.name = "_cb.evil.test"));
}

TEST(possession_without_certificate)
{
	EVP_PKEY *key = fixture_p256();
	char *text = fixture_token(GRIP_PUT, NULL, key);
	struct grip_check_input input = {
		.route = GRIP_PUT,
		.audiences = audiences,
		.audience_count = 2,
		.now = FIXTURE_NOW,
	};
	struct grip_token *token = NULL;
	struct reason why = { 0 };
	uint8_t *der, *longer;
	size_t len;

	CHECK(grip_token_parse(text, strlen(text), &token, NULL) == OUTCOME_OK);
	CHECK(grip_check_local(token, &input, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "possession"));
	/* Bytes after the certificate. */
	der = fixture_certificate(key, "_cb.foo.test", NULL, &len);
	longer = calloc(1, len + 1);
	memcpy(longer, der, len);
	input.certificate = longer;
	input.certificate_len = len;
	CHECK(grip_check_local(token, &input, &why) == OUTCOME_OK);
	input.certificate_len = len + 1;
	CHECK(grip_check_local(token, &input, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "possession"));
	input.certificate_len = len - 1;
	CHECK(grip_check_local(token, &input, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "possession"));
	free(longer);
	OPENSSL_free(der);
	grip_token_free(&token);
	free(text);
	EVP_PKEY_free(key);
}

TEST(subject)
{
	TRIP("ok", s.name = "_RRA.Insurance.test");
	TRIP("subject", s.name = "mailbox.insurance.test");
	TRIP("subject", s.name = "_cb.insurance.test");
	TRIP("subject", s.name2 = "_rra.insurance.test");
	TRIP("subject", s.name2 = "_rra.evil.test");
	/* Another agent's name: decided by the CNAME. */
	TRIP("subject", s.name = "_rra.hoster.test");
	TRIP("subject",
	    (s.name = "_rra.hoster.test",
		strcpy(s.publications[0].target, "_rra.evil.test")));
	TRIP("ok",
	    (s.name = "_rra.hoster.test",
		strcpy(s.publications[0].target, "_rra.hoster.test")));
	/* A certificate with the customer's own name is good there too. */
	TRIP("ok", strcpy(s.publications[0].target, "_rra.hoster.test"));
	/* An absent name may be absent for a while only. */
	TRIP("published",
	    (s.name = "_rra.hoster.test", s.publications[0].present = false));
}

TEST(signature)
{
	TRIP("signature", s.spoil_outer = true);
	TRIP("signature", s.spoil_inner = true);
}

TEST(chain)
{
	TRIP("chain", fixture_set(&s.inner_claims.agent, "_rra.evil.test"));
	TRIP("chain",
	    fixture_set(&s.inner_claims.origin, "https://other.hospital.test"));
	TRIP("ok",
	    fixture_set(&s.inner_claims.origin,
		"https://mailbox.hospital.test:8443"));
	/* aud is one of ours, but not the one that B names. */
	TRIP("chain", fixture_set(&s.claims.aud, "other.hospital.test"));
}

TEST(user)
{
	TRIP("user", fixture_set(&s.inner_claims.recipient, "bob@foo.test"));
	TRIP("user", fixture_set(&s.inner_claims.mailbox, "bob@foo.test"));
	TRIP("user", fixture_set(&s.inner_claims.mailbox, "b@a.bar.test"));
	TRIP("user",
	    fixture_set(&s.inner_claims.recipient, "\"x@bar.test\"@evil.test"));
	TRIP("ok", fixture_set(&s.inner_claims.sender, "eve@evil.test"));
	TRIP("user",
	    (make_single(&s, GRIP_PUT),
		fixture_set(&s.claims.user, "alice@bar.test")));
	TRIP("user",
	    (make_single(&s, GRIP_RELEASE),
		fixture_set(&s.claims.aud, "mailbox.hospital.test"),
		fixture_set(&s.claims.mailbox, "bob@foo.test")));
}

TEST(published)
{
	for (int i = 0; i < 2; i++) {
		TRIP("published", s.records[i].spki_sha256[31] ^= 1);
		TRIP("published", s.publications[i].count = 0);
		TRIP("published", s.publications[i].present = false);
		TRIP("published", s.publications[i].outcome = OUTCOME_TEMPFAIL);
		TRIP("ok", s.publications[i].secure = false);
		TRIP("published",
		    (s.require = true, s.publications[i].secure = false));
	}
	TRIP("ok", s.require = true);
	/* Old and new key side by side. */
	TRIP("ok",
	    (s.publications[1].records = s.records,
		s.publications[1].count = 2));
}

/* Of two faults the earlier check is named, whatever else is wrong. */
TEST(order)
{
	TRIP("purpose",
	    (s.input.route = GRIP_PUT, s.input.now = FIXTURE_NOW + 1000));
	TRIP("time",
	    (s.input.now = FIXTURE_NOW + 1000, s.input.audience_count = 0));
	TRIP("audience",
	    (s.input.audience_count = 0, s.input.certificate = no_certificate));
	TRIP("possession",
	    (EVP_PKEY_free(s.connection), s.connection = fixture_fresh(),
		s.name = "evil.test"));
	TRIP("subject", (s.name = "evil.test", s.spoil_outer = true));
	TRIP("signature",
	    (s.spoil_outer = true,
		fixture_set(&s.inner_claims.agent, "_rra.evil.test")));
	TRIP("chain",
	    (fixture_set(&s.inner_claims.agent, "_rra.evil.test"),
		fixture_set(&s.inner_claims.mailbox, "bob@foo.test")));
	TRIP("user",
	    (fixture_set(&s.inner_claims.mailbox, "bob@foo.test"),
		s.publications[0].present = false));
	TRIP("subject",
	    (s.name = "_rra.hoster.test", s.publications[0].count = 0));
}

TEST(names)
{
	static const char *const names[] = { "form", "purpose", "time",
		"audience", "possession", "subject", "signature", "chain",
		"user", "published", "digest" };

	for (size_t i = 0; i < 11; i++) {
		CHECK_STRING(grip_check_name(i), names[i]);
		CHECK_FOR(grip_check_is_temporary(names[i]) ==
			(i == 2 || i == 9),
		    "%s", names[i]);
	}
	CHECK(grip_check_name(11) == NULL);
	CHECK(!grip_check_is_temporary("other"));
}

TEST(again_looks_at_time_and_purpose)
{
	EVP_PKEY *key = fixture_p256();
	char *text = fixture_token(GRIP_PUT, NULL, key);
	struct grip_check_input input = { .route = GRIP_PUT,
		.now = FIXTURE_NOW };
	struct grip_token *token = NULL;
	struct reason why = { 0 };

	CHECK(grip_token_parse(text, strlen(text), &token, NULL) == OUTCOME_OK);
	CHECK(grip_check_again(token, &input, &why) == OUTCOME_OK);
	input.route = GRIP_NOTIFY;
	CHECK(grip_check_again(token, &input, &why) == OUTCOME_PERMFAIL &&
	    reason_is(&why, "purpose"));
	input.route = GRIP_PUT;
	input.now += 1000;
	CHECK(grip_check_again(token, &input, &why) == OUTCOME_TEMPFAIL &&
	    reason_is(&why, "time"));
	grip_token_free(&token);
	free(text);
	EVP_PKEY_free(key);
}

int
main(void)
{
	RUN(a_good_chain_passes);
	RUN(purpose);
	RUN(time);
	RUN(audience);
	RUN(possession);
	RUN(possession_without_certificate);
	RUN(subject);
	RUN(signature);
	RUN(chain);
	RUN(user);
	RUN(published);
	RUN(order);
	RUN(names);
	RUN(again_looks_at_time_and_purpose);
	return test_done();
}

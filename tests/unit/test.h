/* SPDX-License-Identifier: ISC
 *
 * The unit test harness: TAP on standard output. A test program is
 *
 *   TEST(name_of_behaviour) { CHECK(1 + 1 == 2); }
 *   int main(void) { RUN(name_of_behaviour); return test_done(); }
 */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <string.h>

static int test_number, test_bad, test_failures;

#define TEST(name) static void test_##name(void)

/* A failed check is printed and the test goes on. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, \
			    #condition); \
			test_bad++; \
		} \
	} while (0)

/* The same with a formatted hint of which row of a table it was. */
#define CHECK_FOR(condition, ...) \
	do { \
		if (!(condition)) { \
			printf("# %s:%d: %s: ", __FILE__, __LINE__, \
			    #condition); \
			printf(__VA_ARGS__); \
			printf("\n"); \
			test_bad++; \
		} \
	} while (0)

#define CHECK_STRING(got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (got_ == NULL || strcmp(got_, want_) != 0) { \
			printf("# %s:%d: got \"%s\", want \"%s\"\n", __FILE__, \
			    __LINE__, got_ != NULL ? got_ : "(null)", want_); \
			test_bad++; \
		} \
	} while (0)

#define RUN(name) \
	do { \
		test_bad = 0; \
		test_##name(); \
		test_number++; \
		test_failures += test_bad != 0; \
		printf("%sok %d - %s\n", test_bad ? "not " : "", test_number, \
		    #name); \
		fflush(stdout); \
	} while (0)

static inline int
test_done(void)
{
	printf("1..%d\n", test_number);
	return test_failures != 0;
}

#endif

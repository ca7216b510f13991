/* SPDX-License-Identifier: ISC
 *
 * forge: makes GRIP tokens for attacks, with keys that lie in files, so
 * that each check of the resolver can be tripped alone. Never installed.
 *
 *   forge [-b] [-w FILE] -k KEY TYPE CLAIM=VALUE...
 *
 * TYPE is the header's typ. iat and exp are seconds relative to now; `token`
 * becomes the one member of `tokens`; jti and jwk are made unless given;
 * an empty value leaves the claim out. -w FILE shows another key in jwk than
 * the one that signs; -b breaks the signature.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "grip_jwk.h"
#include "grip_token.h"
#include "json_strict.h"

static EVP_PKEY *
forge_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key =
	    file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (key == NULL) {
		fprintf(stderr, "forge: no key in %s\n", path);
		exit(1);
	}
	fclose(file);
	return key;
}

/* One CLAIM=VALUE into the payload. */
static void
forge_claim(cJSON *payload, const char *argument)
{
	const char *value = strchr(argument, '=');
	char name[32];
	cJSON *list;

	if (value == NULL || value - argument >= (int)sizeof(name)) {
		fprintf(stderr, "forge: %s: no claim\n", argument);
		exit(1);
	}
	snprintf(name, sizeof(name), "%.*s", (int)(value - argument), argument);
	cJSON_DeleteItemFromObjectCaseSensitive(payload,
	    strcmp(name, "token") == 0 ? "tokens" : name);
	if (*++value == '\0')
		return;
	if (strcmp(name, "iat") == 0 || strcmp(name, "exp") == 0) {
		json_add_integer(payload, name,
		    clock_now() + strtol(value, NULL, 10));
	} else if (strcmp(name, "token") == 0) {
		list = cJSON_CreateArray();
		cJSON_AddItemToArray(list, cJSON_CreateString(value));
		json_add_item(payload, "tokens", list);
	} else {
		json_add_string(payload, name, value);
	}
}

static cJSON *
forge_payload(EVP_PKEY *shown, int count, char **claims)
{
	cJSON *payload = cJSON_CreateObject();
	char jti[GRIP_ID_SIZE];

	grip_token_new_id(jti);
	json_add_integer(payload, "iat", clock_now());
	json_add_integer(payload, "exp", clock_now() + 300);
	json_add_string(payload, "jti", jti);
	json_add_item(payload, "jwk", grip_jwk_format(shown));
	for (int i = 0; i < count; i++)
		forge_claim(payload, claims[i]);
	return payload;
}

int
main(int argc, char **argv)
{
	EVP_PKEY *key = NULL, *shown = NULL;
	struct reason why = { 0 };
	char *token, *text;
	cJSON *payload;
	int option, broken = 0;

	while ((option = getopt(argc, argv, "bk:w:")) != -1) {
		if (option == 'b')
			broken = 1;
		else if (option == 'k')
			key = forge_key(optarg);
		else if (option == 'w')
			shown = forge_key(optarg);
		else
			return 64;
	}
	if (key == NULL || optind >= argc)
		return 64;
	payload = forge_payload(shown != NULL ? shown : key, argc - optind - 1,
	    argv + optind + 1);
	text = json_format(payload);
	if (grip_jws_sign(argv[optind], text, key, &token, &why) !=
	    OUTCOME_OK) {
		fprintf(stderr, "forge: %s: %s\n", why.word, why.text);
		return 1;
	}
	if (broken) { /* the first byte of s: still canonical base64url */
		char *at = strrchr(token, '.') + 50;

		*at = *at == 'A' ? 'B' : 'A';
	}
	puts(token);
	cJSON_Delete(payload);
	EVP_PKEY_free(shown);
	EVP_PKEY_free(key);
	free(token);
	free(text);
	return 0;
}

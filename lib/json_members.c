/* SPDX-License-Identifier: ISC
 *
 * Typed access to checked JSON trees and their making; declared in
 * json_strict.h. Only the case-sensitive getters of cJSON are used.
 */
#include <stdio.h>
#include <string.h>

#include "json_strict.h"

static const cJSON *
json_member(const cJSON *object, const char *name)
{
	return cJSON_IsObject(object) ?
	    cJSON_GetObjectItemCaseSensitive(object, name) :
	    NULL;
}

const char *
json_string(const cJSON *object, const char *name)
{
	const cJSON *member = json_member(object, name);

	return cJSON_IsString(member) ? member->valuestring : NULL;
}

int
json_integer(const cJSON *object, const char *name, int64_t min, int64_t max,
    int64_t *value_r)
{
	const cJSON *member = json_member(object, name);
	double number;

	if (!cJSON_IsNumber(member))
		return -1;
	/* Exact: the validator lets only integers within 2^53 in. */
	number = member->valuedouble;
	if (number < (double)min || number > (double)max)
		return -1;
	*value_r = (int64_t)number;
	return 0;
}

int
json_boolean(const cJSON *object, const char *name)
{
	const cJSON *member = json_member(object, name);

	return cJSON_IsBool(member) ? cJSON_IsTrue(member) : -1;
}

const cJSON *
json_array(const cJSON *object, const char *name)
{
	const cJSON *member = json_member(object, name);

	return cJSON_IsArray(member) ? member : NULL;
}

const cJSON *
json_object(const cJSON *object, const char *name)
{
	const cJSON *member = json_member(object, name);

	return cJSON_IsObject(member) ? member : NULL;
}

bool
json_members_known(const cJSON *object, const char *const *names,
    const char **unknown_r)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return false;
	cJSON_ArrayForEach(member, object)
	{
		const char *const *name = names;

		while (*name != NULL && strcmp(*name, member->string) != 0)
			name++;
		if (*name == NULL) {
			if (unknown_r != NULL)
				*unknown_r = member->string;
			return false;
		}
	}
	return true;
}

bool
json_members_exact(const cJSON *object, const char *const *names)
{
	if (!json_members_known(object, names, NULL))
		return false;
	for (; *names != NULL; names++)
		if (json_member(object, *names) == NULL)
			return false;
	return true;
}

int
json_add_item(cJSON *object, const char *name, cJSON *item)
{
	if (item == NULL)
		return -1;
	if (!cJSON_AddItemToObject(object, name, item)) {
		cJSON_Delete(item);
		return -1;
	}
	return 0;
}

int
json_add_string(cJSON *object, const char *name, const char *value)
{
	return json_add_item(object, name, cJSON_CreateString(value));
}

int
json_add_integer(cJSON *object, const char *name, int64_t value)
{
	char text[24];

	/* From here on cJSON would print 1e+15. */
	if (value >= 1000000000000000 || value <= -1000000000000000) {
		snprintf(text, sizeof(text), "%lld", (long long)value);
		return json_add_item(object, name, cJSON_CreateRaw(text));
	}
	return json_add_item(object, name, cJSON_CreateNumber((double)value));
}

int
json_add_boolean(cJSON *object, const char *name, bool value)
{
	return json_add_item(object, name, cJSON_CreateBool(value));
}

char *
json_format(const cJSON *value)
{
	return cJSON_PrintUnformatted(value);
}

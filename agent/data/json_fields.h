/* json_fields.h - what the members of a JSON object become in a record.
 *
 * A member that the configuration asks for is set by its number; any other one only in a record
 * that keeps all fields, and only if it is a member of the outer object.  null is a missing
 * field.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_JSON_FIELDS_H
#define AGENT_DATA_JSON_FIELDS_H

#include <assert.h>

#include "agent/base/inline.h"
#include "agent/data/json.h"
#include "agent/data/record.h"

/* Where they go. */
struct json_fields {
    struct record *r;
    struct arena  *arena;       /* for strings without their escapes */
    bool           full;        /* there was one too many, which was left out */
};

INLINE enum value_type
json_fields_type(enum json_kind kind)
{
    static const enum value_type types[] = {
        [JSON_BOOL] = VALUE_BOOL,   [JSON_NUMBER] = VALUE_NUMBER, [JSON_STRING] = VALUE_TEXT,
        [JSON_OBJECT] = VALUE_JSON, [JSON_ARRAY] = VALUE_JSON,
    };

    assert(kind != JSON_NULL);
    return types[kind];
}

INLINE void
json_fields_set_unmentioned(struct json_fields *to, struct slice name,
                            const struct json_token *value)
{
    if (value->kind == JSON_NULL)
        record_unset_unnumbered(to->r, name);
    else if (!record_set_unnumbered(to->r, name, json_fields_type(value->kind),
                                    json_text(value, to->arena)))
        to->full = true;
}

INLINE void
json_fields_set_mentioned(struct json_fields *to, uint32_t number, unsigned depth,
                          const struct json_token *value)
{
    if (value->kind == JSON_NULL)
        record_unset(to->r, number, depth);
    else
        record_set_part(to->r, number, depth, json_fields_type(value->kind),
                        json_text(value, to->arena));
}

/* Is a member kept that leads to `below` (NULL: to nothing that is asked for)? */
INLINE bool
json_fields_keep(const struct json_fields *to, const struct names_path *below, unsigned depth)
{
    return below != NULL || (depth == 0 && !to->r->numbered_only);
}

/* One that is: `depth` levels down, 0 in the outer object.  `value` is as it is written, a string
 * with its quotes. */
INLINE void
json_fields_set(struct json_fields *to, const struct names_path *below, unsigned depth,
                struct slice name, struct json_token value)
{
    if (value.kind == JSON_STRING) {
        value.text.ptr++;
        value.text.len -= 2;
    }
    if (below != NULL && below->number != NAME_NONE)
        json_fields_set_mentioned(to, below->number, depth, &value);
    else if (depth == 0 && !to->r->numbered_only)
        json_fields_set_unmentioned(to, name, &value);
}

#endif

/* dead_line.c - see dead_line.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/dead_line.h"

#include <stdbool.h>
#include <string.h>

#include "agent/data/encode.h"
#include "agent/data/json.h"

enum { FIRST_HEADERS = 8 };

/* ---- Values ---------------------------------------------------------------- */

/* {"base64": "..."} */
static bool
read_base64(struct slice object, struct arena *a, struct slice *bytes)
{
    struct json_cursor j = json_cursor(object);
    struct json_token  key, value;

    return json_take(&j, '{') && json_take_key(&j, &key) && slice_is(key.text, "base64") &&
           json_take_value(&j, &value) && value.kind == JSON_STRING && json_take(&j, '}') &&
           encode_from_base64(value.text, a, bytes);
}

/* A string, base64, or null. */
static bool
read_bytes(const struct json_token *t, struct arena *a, struct slice *bytes)
{
    if (t->kind == JSON_OBJECT)
        return read_base64(t->text, a, bytes);
    *bytes = t->kind == JSON_STRING ? json_text(t, a) : NO_SLICE;
    return t->kind == JSON_STRING || t->kind == JSON_NULL;
}

/* A whole number from 0 on; null leaves what is there. */
static bool
read_number(const struct json_token *t, int64_t most, int64_t *number)
{
    int64_t n = 0;

    if (t->kind == JSON_NULL)
        return true;
    if (t->kind != JSON_NUMBER)
        return false;
    for (size_t i = 0; i < t->text.len; i++) {
        const int digit = t->text.ptr[i] - '0';

        if (digit < 0 || digit > 9 || n > (most - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *number = n;
    return true;
}

/* ---- Headers --------------------------------------------------------------- */

static struct header *
add_header(struct arena *a, struct headers **list, uint32_t *room)
{
    struct headers *h = *list;

    if (h == NULL || h->count == *room) {
        *room = h == NULL ? FIRST_HEADERS : 2 * *room;
        h = arena_alloc(a, sizeof *h + *room * sizeof h->list[0]);
        h->count = 0;
        if (*list != NULL)
            memcpy(h, *list, sizeof *h + (*list)->count * sizeof h->list[0]);
        *list = h;
    }
    return &h->list[h->count++];
}

/* [name, text] */
static bool
read_pair(struct slice array, struct arena *a, struct header *h)
{
    struct json_cursor j = json_cursor(array);
    struct json_token  name, value;

    if (!json_take(&j, '[') || !json_take_value(&j, &name) || name.kind != JSON_STRING ||
        !json_take(&j, ',') || !json_take_value(&j, &value) || !json_take(&j, ']'))
        return false;
    h->name = json_text(&name, a);
    return read_bytes(&value, a, &h->value);
}

static bool
read_pairs(struct slice array, struct arena *a, struct headers **list)
{
    struct json_cursor j = json_cursor(array);
    struct json_token  pair;
    uint32_t           room = 0;

    (void)json_take(&j, '[');
    while (!json_looking_at(&j, ']'))
        if (!json_take_value(&j, &pair) || pair.kind != JSON_ARRAY ||
            !read_pair(pair.text, a, add_header(a, list, &room)) ||
            !(json_take(&j, ',') || json_looking_at(&j, ']')))
            return false;
    return true;
}

static bool
read_names(struct slice object, struct arena *a, struct headers **list)
{
    struct json_cursor j = json_cursor(object);
    struct json_token  key, value;
    uint32_t           room = 0;

    (void)json_take(&j, '{');
    while (json_take_key(&j, &key)) {
        struct header *h = add_header(a, list, &room);

        h->name = json_text(&key, a);
        if (!json_take_value(&j, &value) || !read_bytes(&value, a, &h->value))
            return false;
        (void)json_take(&j, ',');
    }
    return true;
}

/* An object, or a list of pairs where a name repeats, or null. */
static bool
read_headers(const struct json_token *t, struct arena *a, const struct headers **headers)
{
    struct headers *list = NULL;
    bool            good = t->kind == JSON_NULL;

    if (t->kind == JSON_OBJECT)
        good = read_names(t->text, a, &list);
    else if (t->kind == JSON_ARRAY)
        good = read_pairs(t->text, a, &list);
    *headers = list;
    return good;
}

/* ---- The line -------------------------------------------------------------- */

static const char *
read_member(struct slice key, const struct json_token *t, struct arena *a, struct dead_line *d)
{
    int64_t partition = PARTITION_FREE;

    if (slice_is(key, "output"))
        return read_bytes(t, a, &d->output) ? NULL : "its 'output' is not a text";
    if (slice_is(key, "topic"))
        return read_bytes(t, a, &d->topic) ? NULL : "its 'topic' is not a text";
    if (slice_is(key, "key"))
        return read_bytes(t, a, &d->key) ? NULL : "its 'key' is not a text";
    if (slice_is(key, "value"))
        return read_bytes(t, a, &d->value) ? NULL : "its 'value' is not a text";
    if (slice_is(key, "headers"))
        return read_headers(t, a, &d->headers) ? NULL : "its 'headers' are not names and texts";
    if (slice_is(key, "timestamp"))
        return read_number(t, INT64_MAX, &d->timestamp) ? NULL : "its 'timestamp' is not a number";
    if (!slice_is(key, "partition"))
        return NULL;
    if (!read_number(t, INT32_MAX, &partition))
        return "its 'partition' is not a number";
    d->partition = (int32_t)partition;
    return NULL;
}

const char *
dead_line_read(struct slice line, struct arena *a, struct dead_line *d)
{
    struct json_cursor j = json_cursor(line);
    struct json_token  whole, key, value;
    const char        *why = NULL;

    *d = (struct dead_line){ .partition = PARTITION_FREE, .timestamp = NO_TIMESTAMP };
    if (!json_take_value(&j, &whole) || whole.kind != JSON_OBJECT)
        return "it is not a JSON object";
    json_skip_blanks(&j);
    if (j.at != j.end)
        return "it is not one JSON object";
    j = json_cursor(whole.text);
    (void)json_take(&j, '{');
    while (why == NULL && json_take_key(&j, &key) && json_take_value(&j, &value)) {
        why = read_member(json_text(&key, a), &value, a, d);
        (void)json_take(&j, ',');
    }
    if (why != NULL)
        return why;
    if (d->output.ptr == NULL)
        return "it names no 'output'";
    if (d->key.len > MESSAGE_MAX_KEY || d->value.len > UINT32_MAX)
        return "its key or value is too long";
    return NULL;
}

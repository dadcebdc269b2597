/* dead_line.c - see dead_line.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/dead_line.h"

#include <stdbool.h>
#include <string.h>

#include "agent/data/json_read.h"

enum { FIRST_HEADERS = 8 };

/* A string, {"base64": "..."}, or null. */
static bool
read_bytes(struct json_read *j, struct slice *bytes)
{
    struct slice name, digits = NO_SLICE;
    bool         good = true;

    if (json_read_null(j)) {
        *bytes = NO_SLICE;
        return true;
    }
    if (json_read_kind(j) != JSON_OBJECT)
        return json_read_string(j, bytes);
    (void)json_read_object(j);
    while (json_read_member(j, &name)) {
        good = good && slice_is(name, "base64") && digits.ptr == NULL;
        (void)json_read_string(j, &digits);
    }
    return good && digits.ptr != NULL && !json_read_failed(j) &&
           json_read_base64(digits, j->arena, bytes);
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
read_pair(struct json_read *j, struct header *h)
{
    return json_read_array(j) && json_read_element(j) && json_read_string(j, &h->name) &&
           json_read_element(j) && read_bytes(j, &h->value) && !json_read_element(j) &&
           !json_read_failed(j);
}

/* An object, or a list of pairs where a name repeats, or null. */
static bool
read_headers(struct json_read *j, struct headers **list)
{
    struct slice name;
    uint32_t     room = 0;

    *list = NULL;
    if (json_read_null(j))
        return true;
    if (json_read_kind(j) == JSON_ARRAY) {
        (void)json_read_array(j);
        while (json_read_element(j))
            if (!read_pair(j, add_header(j->arena, list, &room)))
                return false;
        return !json_read_failed(j);
    }
    (void)json_read_object(j);
    while (json_read_member(j, &name)) {
        struct header *h = add_header(j->arena, list, &room);

        h->name = name;
        if (!read_bytes(j, &h->value))
            return false;
    }
    return !json_read_failed(j);
}

/* ---- The line -------------------------------------------------------------- */

static bool
read_partition(struct json_read *j, int32_t *partition)
{
    int64_t number;

    if (json_read_null(j))
        return true;
    if (!json_read_number(j, &number) || number < 0 || number > INT32_MAX)
        return false;
    *partition = (int32_t)number;
    return true;
}

static const char *
read_member(struct json_read *j, struct slice name, struct dead_line *d)
{
    struct headers *headers;

    if (slice_is(name, "output"))
        return read_bytes(j, &d->output) ? NULL : "its 'output' is not a text";
    if (slice_is(name, "topic"))
        return read_bytes(j, &d->topic) ? NULL : "its 'topic' is not a text";
    if (slice_is(name, "partition"))
        return read_partition(j, &d->partition) ? NULL : "its 'partition' is not a number";
    if (slice_is(name, "key"))
        return read_bytes(j, &d->key) ? NULL : "its 'key' is not a text";
    if (slice_is(name, "value"))
        return read_bytes(j, &d->value) ? NULL : "its 'value' is not a text";
    if (slice_is(name, "timestamp"))
        return json_read_null(j) || json_read_number(j, &d->timestamp)
            ? NULL : "its 'timestamp' is not a number";
    if (slice_is(name, "headers")) {
        if (!read_headers(j, &headers))
            return "its 'headers' are not names and texts";
        d->headers = headers;
        return NULL;
    }
    json_read_skip(j);
    return NULL;
}

const char *
dead_line_read(struct slice line, struct arena *a, struct dead_line *d)
{
    struct json_read j = json_read_begin(line, a);
    struct slice     name;
    const char      *why = NULL;

    *d = (struct dead_line){ .partition = PARTITION_FREE, .timestamp = NO_TIMESTAMP };
    (void)json_read_object(&j);
    while (why == NULL && json_read_member(&j, &name))
        why = read_member(&j, name, d);
    if (why != NULL)
        return why;
    if (!json_read_at_end(&j))
        return "it is not a JSON object";
    if (d->output.ptr == NULL)
        return "it names no 'output'";
    if (d->key.len > MESSAGE_MAX_KEY || d->value.len > UINT32_MAX)
        return "its key or value is too long";
    return NULL;
}

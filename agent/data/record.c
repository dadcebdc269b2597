/* record.c - see record.h.
 *
 * `index` finds a field by its number in one step.  It has an entry for every name of the
 * configuration and is never cleared: an entry counts only if the value that it leads to is
 * one of this line and has that number (Briggs and Torczon's sparse set).  So a line costs
 * what it holds, and not what could be asked for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { MAX_DIGITS = 20 };       /* of a 64-bit number, with its sign */

void
record_init(struct record *r, const struct names *names)
{
    memset(r, 0, sizeof *r);
    r->names = names;
    r->asked = names_asked(names);
    r->texts = names_texts(names);
    r->max_values = RECORD_MAX_FIELDS + names_count(names);
    r->values = mem_array(NULL, r->max_values, sizeof *r->values);
    r->saved = mem_array(NULL, r->max_values, sizeof *r->saved);
    r->index = mem_zero(names_count(names) * sizeof *r->index);
}

void
record_fini(struct record *r)
{
    free(r->values);
    free(r->saved);
    free(r->index);
    memset(r, 0, sizeof *r);
}

void
record_begin(struct record *r, struct slice raw, struct slice body, uint64_t offset)
{
    if (r->nvalues > 0)
        memset(r->seen, 0, sizeof r->seen);
    r->nvalues = 0;
    r->nsaved = 0;
    r->has_time = false;
    r->raw = raw;
    r->body = body;
    r->offset = offset;
}

static void
fill(struct value *v, enum value_type type, unsigned depth, struct slice text)
{
    assert(text.ptr != NULL);
    v->type = (uint16_t)type;
    v->depth = depth < UINT16_MAX ? (uint16_t)depth : UINT16_MAX;
    v->text = text;
}

void
record_set_part(struct record *r, uint32_t number, unsigned depth, enum value_type type,
                struct slice text)
{
    struct value *v = record_place(r, number);

    if (v->text.ptr == NULL || v->depth >= depth || v - r->values < r->nsaved)
        fill(v, type, depth, text);
}

/* ---- Names that nothing asks for ----------------------------------------- */

/* A line that has one twice is rare, and known by two names of one hash. */
static unsigned
hash_of(struct slice name)
{
    const unsigned char *p = (const unsigned char *)name.ptr;

    return name.len == 0 ? 0 : (unsigned)(name.len * 37 + p[0] * 5u + p[name.len - 1]) % 256;
}

static struct value *
find_unnumbered(struct record *r, struct slice name, unsigned hash)
{
    if ((r->seen[hash / 64] >> hash % 64 & 1) == 0)
        return NULL;
    for (uint32_t i = 0; i < r->nvalues; i++)
        if (r->values[i].number == NAME_NONE && slice_equal(r->values[i].name, name))
            return &r->values[i];
    return NULL;
}

bool
record_set_unnumbered(struct record *r, struct slice name, enum value_type type,
                      struct slice text)
{
    const unsigned hash = hash_of(name);
    struct value  *v;

    if (r->numbered_only)
        return true;
    v = find_unnumbered(r, name, hash);
    if (v == NULL && r->nvalues >= RECORD_MAX_FIELDS)
        return false;
    if (v == NULL) {
        v = &r->values[r->nvalues++];
        v->number = NAME_NONE;
        v->name = name;
        r->seen[hash / 64] |= (uint64_t)1 << hash % 64;
    }
    fill(v, type, 0, text);
    return true;
}

bool
record_set_named(struct record *r, struct slice name, enum value_type type, struct slice text)
{
    const uint32_t number = names_of_line(names_find(r->names, name));

    return number != NAME_NONE ? record_set(r, number, type, text)
                               : record_set_unnumbered(r, name, type, text);
}

/* ---- Taking back ---------------------------------------------------------- */

void
record_mark(struct record *r)
{
    r->nsaved = r->nvalues;
    if (r->nsaved > 0)
        memcpy(r->saved, r->values, r->nsaved * sizeof *r->saved);
}

void
record_rollback(struct record *r)
{
    r->nvalues = r->nsaved;
    memcpy(r->values, r->saved, r->nsaved * sizeof *r->saved);
}

static void
remove_value(struct record *r, struct value *v)
{
    r->nvalues--;
    for (; v < r->values + r->nvalues; v++) {
        *v = v[1];
        if (v->number != NAME_NONE)
            r->index[v->number]--;
    }
}

void
record_unset(struct record *r, uint32_t number, unsigned depth)
{
    struct value *v = record_find(r, number);

    if (v != NULL && v - r->values >= r->nsaved && v->depth >= depth)
        remove_value(r, v);
}

void
record_unset_unnumbered(struct record *r, struct slice name)
{
    struct value *v = find_unnumbered(r, name, hash_of(name));

    if (v != NULL && v - r->values >= r->nsaved)
        remove_value(r, v);
}

/* ---- Asking ---------------------------------------------------------------- */

static struct slice
digits_of(uint64_t number, bool negative, struct arena *a)
{
    char  digits[MAX_DIGITS];
    char *p = digits + sizeof digits;

    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (negative)
        *--p = '-';
    return arena_copy(a, (struct slice){ p, (size_t)(digits + sizeof digits - p) });
}

static struct slice
time_of(const struct record *r, struct arena *a)
{
    const bool negative = r->time_ms < 0;

    return digits_of(negative ? -(uint64_t)r->time_ms : (uint64_t)r->time_ms, negative, a);
}

/* What every record has by itself; ptr NULL: it has not. */
static struct slice
own_part(const struct record *r, uint32_t number, struct arena *a)
{
    switch (number) {
    case NAME_BODY:
        return r->body;
    case NAME_RAW:
        return r->raw;
    case NAME_TIME:
        return r->has_time ? time_of(r, a) : NO_SLICE;
    default:
        return NO_SLICE;
    }
}

bool
record_get_own(const struct record *r, uint32_t number, struct arena *a, struct slice *text)
{
    const struct value *v;

    *text = own_part(r, number, a);
    if (text->ptr != NULL)
        return true;
    v = record_find(r, number);
    if (v != NULL)
        *text = v->text;
    else if (number == NAME_LOG_FILE_OFFSET)
        *text = digits_of(r->offset, false, a);
    else
        *text = r->constant[number];
    return text->ptr != NULL;
}

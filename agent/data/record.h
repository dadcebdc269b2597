/* record.h - one line, and what the rules found in it.
 *
 * A worker's scratch: one record is filled, routed, made into messages and
 * reused.  All slices borrow: from the chunk's bytes, its arena, or the
 * configuration.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_RECORD_H
#define AGENT_DATA_RECORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/slice.h"
#include "agent/data/names.h"

enum value_type {
    VALUE_TEXT,         /* bytes */
    VALUE_NUMBER,       /* a JSON number, its own digits */
    VALUE_BOOL,         /* true or false, as text */
    VALUE_JSON,         /* a JSON object or array, as text */
};

struct value {
    struct slice    name;
    uint32_t        number;     /* of the name, or NAME_NONE */
    uint16_t        type;       /* enum value_type */
    uint16_t        depth;      /* over 0: it is a part of another field's value, so deep in it */
    struct slice    text;       /* never NULL: a missing field has no value at all */
};

/* Fields that nothing in the configuration mentions; for those it mentions there is
 * always room. */
enum { RECORD_MAX_FIELDS = 512 };

struct record {
    struct slice        raw;        /* bytes as read, without the final LF */
    struct slice        body;       /* what the record says */
    uint64_t            offset;     /* in the file, of its first byte */
    struct slice        around;     /* memory that the line is a part of, to be read; or none */
    int64_t             time_ms;    /* since the epoch; only if has_time */
    bool                has_time;

    const struct names *names;
    const bool         *asked;      /* by number: names_asked() */
    const struct slice *texts;      /* by number: names_texts() */
    struct value       *values;     /* in the order they were found */
    uint32_t            nvalues, max_values;
    uint32_t           *index;      /* by number of name: where it stands in values, if it does */
    bool                numbered_only;  /* a field without number is not kept */
    uint64_t            seen[4];    /* which hashes the names without number have */
    struct value       *saved;      /* by record_mark() */
    uint32_t            nsaved;
    struct slice        constant[NAME_WELL_KNOWN];  /* host.name, input, log.file.*: by source */
};

/* `names` is complete, borrowed and outlives the record. */
void record_init(struct record *r, const struct names *names);
void record_fini(struct record *r);

/* Make it ready for the next line: no fields, no time.  `constant` stays. */
void record_begin(struct record *r, struct slice raw, struct slice body, uint64_t offset);

/* Does anybody ask for the field of this number?  Parsers leave out the others. */
static inline bool
record_asked(const struct record *r, uint32_t number)
{
    return r->asked[number];
}

/* The field that was set under this number, or NULL. */
static inline struct value *
record_find(const struct record *r, uint32_t number)
{
    const uint32_t place = r->index[number];

    return place < r->nvalues && r->values[place].number == number ? &r->values[place] : NULL;
}

/* The same; if there is none, a new one without text. */
static inline struct value *
record_place(struct record *r, uint32_t number)
{
    struct value *v = record_find(r, number);

    if (v != NULL)
        return v;
    v = &r->values[r->nvalues];
    r->index[number] = r->nvalues++;
    v->name = r->texts[number];
    v->number = number;
    v->text = NO_SLICE;
    return v;
}

/* Set a field by number; one that is set again gets the new value.  True. */
static inline bool
record_set(struct record *r, uint32_t number, enum value_type type, struct slice text)
{
    struct value *v = record_place(r, number);

    assert(text.ptr != NULL);
    v->type = (uint16_t)type;
    v->depth = 0;
    v->text = text;
    return true;
}

/* As record_set(), by name: for parsers whose names come from the line (names_of_line()).
 * Without a number it is kept unless `numbered_only`.  A field over RECORD_MAX_FIELDS is left
 * out: false. */
bool record_set_named(struct record *r, struct slice name, enum value_type type,
                      struct slice text);

/* As record_set_named(), for a name that is known to have no number. */
bool record_set_unnumbered(struct record *r, struct slice name, enum value_type type,
                           struct slice text);

/* Set a field that is a part of another one's value, `depth` levels down (from 1).  If the
 * field was set since record_mark() with less depth, that stays. */
void record_set_part(struct record *r, uint32_t number, unsigned depth, enum value_type type,
                     struct slice text);

/* A parser that may find out late that a line is none of its own marks the record
 * first; record_rollback() takes back all fields that were set since. */
void record_mark(struct record *r);
void record_rollback(struct record *r);

/* Make a field missing, if it was set since record_mark() at `depth` or below; the first
 * by number, the second for a name without one. */
void record_unset(struct record *r, uint32_t number, unsigned depth);
void record_unset_unnumbered(struct record *r, struct slice name);

/* The field that was set under this number, or NULL. */
static inline const struct value *
record_field(const struct record *r, uint32_t number)
{
    return record_find(r, number);
}

/* For record_get(). */
bool record_get_own(const struct record *r, uint32_t number, struct arena *a, struct slice *text);

/* The text of a field, of `body`, `raw`, `time`, or of what every record has.
 * What must be written first (time, offset) goes into `a`.  False: missing.  A
 * field that the configuration names so may stand in for what the record has by itself, but never
 * for body, raw and a time that is known. */
static inline bool
record_get(const struct record *r, uint32_t number, struct arena *a, struct slice *text)
{
    const struct value *v;

    if (number < NAME_WELL_KNOWN)
        return record_get_own(r, number, a, text);
    v = record_find(r, number);
    *text = v != NULL ? v->text : NO_SLICE;
    return v != NULL;
}

#endif

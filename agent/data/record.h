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
    enum value_type type;
    struct slice    text;       /* never NULL: a missing field has no value at all */
};

enum { RECORD_MAX_FIELDS = 512 };

struct record {
    struct slice        raw;        /* bytes as read, without the final LF */
    struct slice        body;       /* what the record says */
    uint64_t            offset;     /* in the file, of its first byte */
    int64_t             time_ms;    /* since the epoch; only if has_time */
    bool                has_time;

    const struct names *names;
    const bool         *asked;      /* by number: names_asked() */
    struct value       *values;     /* in the order they were found */
    uint32_t            nvalues;
    uint32_t           *index;      /* by number of name: position in values + 1, or 0 */
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

/* Set a field by number; one that is set again gets the new value.  A field
 * over RECORD_MAX_FIELDS is left out: false. */
bool record_set(struct record *r, uint32_t number, enum value_type type, struct slice text);

/* As record_set(), by name: for parsers whose names come from the line. */
bool record_set_named(struct record *r, struct slice name, enum value_type type,
                      struct slice text);

/* The field that was set under this number, or NULL. */
const struct value *record_field(const struct record *r, uint32_t number);

/* The text of a field, of `body`, `raw`, `time`, or of what every record has.
 * What must be written first (time, offset) goes into `a`.  False: missing.  A
 * field may stand in for what the record has by itself, but never for body, raw
 * and a time that is known. */
bool record_get(const struct record *r, uint32_t number, struct arena *a, struct slice *text);

#endif

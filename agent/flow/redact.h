/* redact.h - `redact`: what a route must not send.
 *
 *     redact:
 *       - pattern: '(password=)\S+'
 *         with: $1***
 *
 * Every match of a pattern is replaced: in the body, in the raw line and in each
 * field, before a topic, key, header or value is made of them.  The patterns
 * come one after the other, each on what the one before has left.
 *
 * In `with`, $1 to $99, ${1} and ${name} are the text of a group (nothing if it
 * took no part in the match), $0 is the whole match and $$ a dollar sign.
 * Matches that are empty are none.
 *
 * What every record has by itself (host.name, input, log.file.*, time) stays.  A
 * raw line is redacted where the body stands in it, too; one that only encodes
 * the body gives way to the redacted body.  Numbers and booleans become texts
 * where something was replaced in them, and so does nested JSON that is none any
 * more; it is searched as it is written, escapes included.
 *
 * Where a search had to be given up (pattern.h), or all of them take too long, the
 * text and those that were still to come are hidden: what was not looked at is
 * not sent.
 *
 * Compiled once and then constant: any thread, each with work of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_REDACT_H
#define AGENT_FLOW_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/error.h"
#include "agent/data/field.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"
#include "agent/data/record.h"

struct redaction;

/* A zeroed struct is an empty one. */
struct redactions {
    struct redaction *list;
    size_t            count;
    size_t            groups;   /* the most that one of its patterns has */
};

/* What one worker needs.  A zeroed struct is one. */
struct redact_work {
    struct buf    text;
    struct slice  raw, body;    /* of the record, before */
    struct value *values;
    uint32_t      room;         /* of `values` */
};

/* The keys of one entry, for the reference. */
extern const struct field redact_fields[];

/* Compile a list of them, or one (NULL or null: none); every mistake is added to
 * `errs`.  `what` names the owner in messages. */
void redact_load(struct redactions *set, const char *what, const struct node *list,
                 struct errors *errs);
void redact_fini(struct redactions *set);

/* Redact the record; new texts are written to `a`.  `wants_raw`: somebody will ask for
 * the raw line; otherwise it is the body from now on.  `pattern` has room for
 * set->groups.  False if something is hidden. */
bool redact_record(const struct redactions *set, struct record *r, bool wants_raw,
                   struct arena *a, struct redact_work *work, struct pattern_work *pattern);

/* Remember the record, and give it back as it was: for the next route. */
void redact_keep(struct redact_work *work, const struct record *r);
void redact_undo(const struct redact_work *work, struct record *r);

void redact_work_fini(struct redact_work *work);

#endif

/* multiline.h - which lines belong together.
 *
 *     multiline: {start: REGEX}       a line that matches begins a record
 *     multiline: {continue: REGEX}    a line that matches belongs to the record before
 *     multiline: {preset: java}       the stack traces of a language (multiline_presets.c)
 *
 * Decides line by line, by the lines before and never by those that follow; grouping itself
 * is done in group.c.  Compiled once and then constant: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_MULTILINE_H
#define AGENT_FLOW_MULTILINE_H

#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"
#include "agent/data/field.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"

struct preset_rule;

struct multiline {
    int                 preset;         /* of multiline_presets.h, or 0 */
    uint64_t            timeout;        /* ms */
    uint64_t            max_lines;
    uint64_t            max_size;       /* bytes of the joined lines */
    const struct node  *start_node, *continue_node;     /* as written, while it is loaded */
    struct pattern     *start, *next;   /* at most one of them is not NULL */
    struct preset_rule *rules;          /* of the preset, compiled */
    size_t              nrules;
    struct pattern     *log_line, *quiet_line;          /* used by rules */
};

/* The keys of such a map. */
extern const struct field multiline_fields[];

/* Compile a map; NULL with every mistake added to `errs`.  `what` names the input. */
struct multiline *multiline_load(const char *what, const struct node *map, struct errors *errs);
void              multiline_free(struct multiline *m);

/* The most groups that one of its patterns has. */
size_t multiline_groups(const struct multiline *m);

/* The group that the next line may belong to. */
struct multiline_group {
    unsigned     state;         /* the preset's; 0: its first line is not there yet */
    struct slice first;         /* its first line */
    bool         rescued;       /* the preset's: one of its lines says so */
};

enum multiline_answer {
    MULTILINE_NEW,              /* the line begins a group */
    MULTILINE_JOIN,             /* it belongs to this one */
    MULTILINE_MAYBE,            /* it does if the next line does: else it is a group of its own */
};

/* What of this line?  Moves the group's state on (after MULTILINE_NEW: it is the new
 * group's).  A group without a line: always MULTILINE_NEW.  The caller sets `first`. */
enum multiline_answer multiline_next(const struct multiline *m, struct pattern_work *work,
                                     struct multiline_group *g, struct slice line);

#endif

/* field.h - a settings table: what a part of the configuration may say.
 *
 * One row a key: its name, its kind, where its value goes, its default, its
 * range, one sentence of help.  The same rows load a configuration, fill in
 * defaults, check ranges, find "did you mean" and print the reference.  The
 * macros refuse to compile a row whose member has another type than its kind.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_FIELD_H
#define AGENT_DATA_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/base/error.h"
#include "agent/base/strings.h"
#include "agent/data/node.h"

enum field_kind {
    FIELD_END,
    FIELD_TEXT,         /* char *, owned; NULL when absent and without preset */
    FIELD_LIST,         /* struct strings; one scalar is a list of one */
    FIELD_SIZE,         /* uint64_t, bytes: 64KiB, 1MiB, 10MB, 512 */
    FIELD_TIME,         /* uint64_t, milliseconds: 250ms, 5s, 10m, 24h, 7d; "off" is 0 */
    FIELD_COUNT,        /* uint64_t */
    FIELD_BOOL,         /* bool: true, false (also yes, no, on, off) */
    FIELD_CHOICE,       /* int, one of `choices` */
    FIELD_NODE,         /* const struct node *, borrowed: its owner reads it */
};

struct choice {
    const char *name;   /* NULL ends the list */
    int         value;
};

struct field {
    const char          *name;      /* the YAML key */
    enum field_kind      kind;
    size_t               offset;    /* into the owner's struct */
    const char          *preset;    /* as the user would write it; of a FIELD_NODE: only shown */
    bool                 required;  /* an error when absent */
    uint64_t             min, max;  /* size, time, count; max 0: no limit */
    const struct choice *choices;
    const char          *help;      /* one or two sentences; printed by `stoker reference` */
};

/* offsetof, refusing to compile unless the member has the type the kind fills. */
#define FIELD_AT(owner, member, want) \
    (offsetof(owner, member) + 0 * sizeof(&((owner *)0)->member == (want *)0))

#define A_TEXT(owner, key, member, preset_, help_)                                     \
    { .name = (key), .kind = FIELD_TEXT, .offset = FIELD_AT(owner, member, char *),    \
      .preset = (preset_), .help = (help_) }
#define A_LIST(owner, key, member, preset_, help_)                                     \
    { .name = (key), .kind = FIELD_LIST,                                               \
      .offset = FIELD_AT(owner, member, struct strings),                               \
      .preset = (preset_), .help = (help_) }
#define A_REQUIRED_LIST(owner, key, member, help_)                                     \
    { .name = (key), .kind = FIELD_LIST, .required = true,                             \
      .offset = FIELD_AT(owner, member, struct strings), .help = (help_) }
#define A_SIZE(owner, key, member, preset_, min_, max_, help_)                         \
    { .name = (key), .kind = FIELD_SIZE, .offset = FIELD_AT(owner, member, uint64_t),  \
      .preset = (preset_), .min = (min_), .max = (max_), .help = (help_) }
#define A_TIME(owner, key, member, preset_, min_, max_, help_)                         \
    { .name = (key), .kind = FIELD_TIME, .offset = FIELD_AT(owner, member, uint64_t),  \
      .preset = (preset_), .min = (min_), .max = (max_), .help = (help_) }
#define A_COUNT(owner, key, member, preset_, min_, max_, help_)                        \
    { .name = (key), .kind = FIELD_COUNT, .offset = FIELD_AT(owner, member, uint64_t), \
      .preset = (preset_), .min = (min_), .max = (max_), .help = (help_) }
#define A_BOOL(owner, key, member, preset_, help_)                                     \
    { .name = (key), .kind = FIELD_BOOL, .offset = FIELD_AT(owner, member, bool),      \
      .preset = (preset_), .help = (help_) }
#define A_CHOICE(owner, key, member, preset_, choices_, help_)                         \
    { .name = (key), .kind = FIELD_CHOICE, .offset = FIELD_AT(owner, member, int),     \
      .preset = (preset_), .choices = (choices_), .help = (help_) }
#define A_NODE(owner, key, member, help_)                                              \
    { .name = (key), .kind = FIELD_NODE,                                               \
      .offset = FIELD_AT(owner, member, const struct node *), .help = (help_) }
#define NO_MORE_FIELDS { .kind = FIELD_END }

/* A table and the struct it fills.  A table whose keys are read from the tree
 * by their owner has conf NULL: its names are known, nothing is stored. */
struct settings {
    void               *conf;
    const struct field *fields;
};

/* Called for a key that no table has; returns true if it was taken (a mistake
 * in it is added to `errs`), false to have it reported as unknown. */
typedef bool field_other_f(void *ctx, const struct node *entry, struct errors *errs);

/* Fill `n` structs from the entries of one map: defaults first, then what the
 * user wrote.  Every mistake is added to `errs`: unknown key (with the nearest
 * name), missing required key, wrong type, value out of range.  `what` names
 * the owner in messages ("input 'nginx'"); `map` NULL or null: defaults only,
 * and a missing required key is reported at `at`.  Returns 0, or -1 if there was
 * a mistake; the structs then hold defaults where it was, and can be freed.  A
 * key without a value counts as absent, except for a FIELD_NODE.
 * `other` may be NULL. */
int fields_load(const struct settings *set, size_t n, const char *what,
                const struct node *map, struct mark at,
                field_other_f *other, void *ctx, struct errors *errs);

/* Free what fields_load() put there (texts, lists). */
void fields_fini(const struct settings *set, size_t n);

/* The rows as Markdown, for the reference. */
void fields_print(FILE *out, const struct field *fields);

/* One row, "type": which kind it is.  Owners of maps that have a type list it
 * with conf NULL, so that the key is known. */
extern const struct field type_fields[];

/* One value, for keys that are not in a table.  0, or -1 with `err` filled. */
int field_size(const char *text, uint64_t *bytes, struct error *err);
int field_time(const char *text, uint64_t *ms, struct error *err);
int field_bool(const char *text, bool *value, struct error *err);

#endif

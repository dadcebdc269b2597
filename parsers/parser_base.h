/* parser_base.h - what all parsers share: `field`, what they read, and `time`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef PARSERS_PARSER_BASE_H
#define PARSERS_PARSER_BASE_H

#include "agent/flow/parser.h"
#include "parsers/record_time.h"

/* Embedded first in a parser's own struct, or all of a parser that has no settings of
 * its own. */
struct parser_base {
    struct parser      parser;
    unsigned           magic;   /* who embeds it has one of its own */
    uint32_t           field;   /* what it reads: the body, or a field */
    struct record_time time;
};

/* What the parser's own table fills for it, in a member `base` of its struct. */
struct parser_base_conf {
    char              *field;
    const struct node *time;
};

#define PARSER_BASE_FIELDS(owner)                                                            \
    A_TEXT(owner, "field", base.field, "body", "The field that it reads."),                  \
    A_NODE(owner, "time", base.time, RECORD_TIME_HELP)

/* Fill a parser's settings from its map, and `b` from `conf`, a part of what `own` fills.
 * Every mistake is added to `errs`. */
void parser_base_load(struct parser_base *b, const char *what, const struct node *map,
                      const struct settings *own, const struct parser_base_conf *conf,
                      struct names *names, struct errors *errs);
void parser_base_fini(struct parser_base *b);

/* The text to parse.  False, with work->reason set: there is no such field. */
bool parser_base_subject(const struct parser_base *b, struct parse_work *work,
                         const struct record *r, struct slice *subject);

/* ---- Parsers without settings of their own ------------------------------- */

extern const struct field parser_base_fields[];

/* As parser_type.load; `ops` end with parser_base_free(). */
struct parser *parser_base_new(const struct parser_ops *ops, const char *what,
                               const struct node *map, struct names *names,
                               struct errors *errs);
void           parser_base_free(struct parser *p);

/* Such a parser itself. */
const struct parser_base *parser_base_of(const struct parser *p);

#endif

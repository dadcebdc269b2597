/* parser_base.c - see parser_base.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/parser_base.h"

#include <stdlib.h>

#include "agent/base/check.h"
#include "agent/base/mem.h"

enum { MAGIC = 0x42617365 };

void
parser_base_load(struct parser_base *b, const char *what, const struct node *map,
                 const struct settings *own, const struct parser_base_conf *conf,
                 struct names *names, struct errors *errs)
{
    const struct settings set[] = { *own, { NULL, type_fields } };

    fields_load(set, 2, what, map, map->at, NULL, NULL, errs);
    record_time_load(&b->time, what, conf->time, names, errs);
    b->field = names_intern_read(names, slice_of(conf->field));
}

void
parser_base_fini(struct parser_base *b)
{
    record_time_fini(&b->time);
    b->magic = 0;
}

bool
parser_base_subject(const struct parser_base *b, struct parse_work *work,
                    const struct record *r, struct slice *subject)
{
    if (record_get(r, names_of_line(b->field), work->arena, subject) ||
        record_get(r, b->field, work->arena, subject))
        return true;
    work->reason = "the field to parse is missing";
    return false;
}

/* ---- Parsers without settings of their own ------------------------------- */

struct only_base {
    struct parser_base_conf base;
};

const struct field parser_base_fields[] = {
    PARSER_BASE_FIELDS(struct only_base),
    NO_MORE_FIELDS
};

struct parser *
parser_base_new(const struct parser_ops *ops, const char *what, const struct node *map,
                struct names *names, struct errors *errs)
{
    const size_t          before = errs->count;
    struct only_base      conf = { { NULL, NULL } };
    const struct settings set = { &conf, parser_base_fields };
    struct parser_base   *b = NEW(struct parser_base);

    b->parser.ops = ops;
    b->magic = MAGIC;
    parser_base_load(b, what, map, &set, &conf.base, names, errs);
    fields_fini(&set, 1);
    if (errs->count > before) {
        parser_base_free(&b->parser);
        return NULL;
    }
    return &b->parser;
}

void
parser_base_free(struct parser *p)
{
    struct parser_base *b = (struct parser_base *)p;

    CHECK_MAGIC(b, MAGIC);
    parser_base_fini(b);
    free(b);
}

const struct parser_base *
parser_base_of(const struct parser *p)
{
    const struct parser_base *b = (const struct parser_base *)p;

    CHECK_MAGIC(b, MAGIC);
    return b;
}

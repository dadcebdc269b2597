/* delimited.c - the columns of a line become fields, in order.
 *
 *     type: delimited
 *     separator: ";"
 *     names: [time, level, "", message]
 *
 * A separator is any text, a comma unless said; `\t` is a tab.  A column that begins with
 * a double quote ends with one and may hold separators, and quotes, doubled (RFC 4180);
 * `quote: none` makes quotes plain characters.  An empty column is an empty field.  A line
 * with fewer columns than names lacks the last fields, an empty line all of them; one
 * with more, with a quote that is not closed, or with text right behind one that is, gives
 * no fields at all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "agent/base/check.h"
#include "agent/base/mem.h"
#include "parsers/parser_base.h"

enum { MAGIC = 0x44656c69 };

struct delimited_parser {
    struct parser_base base;
    char              *separator;
    size_t             separator_len;
    bool               quotes;
    uint32_t          *columns;     /* their numbers; NAME_NONE: left out */
    size_t             ncolumns;
};

struct delimited_conf {
    char                   *separator;
    const struct node      *names;
    int                     quote;
    struct parser_base_conf base;
};

enum { QUOTE_NONE, QUOTE_DOUBLE };

static const struct choice quote_choices[] = {
    { "double", QUOTE_DOUBLE }, { "none", QUOTE_NONE }, { NULL, 0 }
};

static const struct field delimited_fields[] = {
    A_TEXT(struct delimited_conf, "separator", separator, ",",
        "What stands between two columns: any text; `\\t` is a tab."),
    { .name = "names", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct delimited_conf, names, const struct node *),
      .help = "The fields that the columns become, in order; an empty name leaves a column "
              "out. A line with fewer columns lacks the last ones, one with more has "
              "`parse.error`." },
    A_CHOICE(struct delimited_conf, "quote", quote, "double", quote_choices,
        "`double`: a column may stand in double quotes (RFC 4180); `none`: quotes are plain "
        "characters."),
    PARSER_BASE_FIELDS(struct delimited_conf),
    NO_MORE_FIELDS
};

/* ---- Parsing -------------------------------------------------------------- */

static const struct delimited_parser *
delimited_of(const struct parser *p)
{
    const struct delimited_parser *d = (const struct delimited_parser *)p;

    CHECK_MAGIC(&d->base, MAGIC);
    return d;
}

/* Where the next separator begins; NULL: there is none. */
static const char *
find_separator(const struct delimited_parser *d, const char *at, const char *end)
{
    const size_t left = (size_t)(end - at);

    return d->separator_len == 1 ? memchr(at, *d->separator, left)
                                 : memmem(at, left, d->separator, d->separator_len);
}

static struct slice
single_quotes(struct slice text, struct arena *a)
{
    char *begin = arena_reserve(a, text.len), *to = begin;

    for (size_t i = 0; i < text.len; i++) {
        *to++ = text.ptr[i];
        i += text.ptr[i] == '"';
    }
    return arena_commit(a, (size_t)(to - begin));
}

/* `*at` stands on the opening quote, then behind the closing one.  NULL, or what is wrong. */
static const char *
take_quoted(const struct delimited_parser *d, const char **at, const char *end,
            struct slice *column, struct arena *a)
{
    const char *const begin = *at + 1;
    const char       *p = begin;
    bool              doubled = false;

    for (;;) {
        p = memchr(p, '"', (size_t)(end - p));
        if (p == NULL)
            return "a quote is not closed";
        if (end - p < 2 || p[1] != '"')
            break;
        doubled = true;
        p += 2;
    }
    *column = (struct slice){ begin, (size_t)(p - begin) };
    if (doubled)
        *column = single_quotes(*column, a);
    *at = p + 1;
    if (*at == end || ((size_t)(end - *at) >= d->separator_len &&
                       memcmp(*at, d->separator, d->separator_len) == 0))
        return NULL;
    return "text right behind a quote";
}

static void
set_column(struct record *r, uint32_t number, struct slice column)
{
    if (number == NAME_BODY)
        r->body = column;
    else if (number != NAME_NONE && record_asked(r, number))
        record_set(r, number, VALUE_TEXT, column);
}

/* NULL, or what is wrong. */
static const char *
take_columns(const struct delimited_parser *d, struct slice text, struct record *r,
             struct arena *a)
{
    const char *at = text.ptr, *const end = at + text.len;

    for (size_t i = 0; i < d->ncolumns; i++) {
        struct slice column;

        if (d->quotes && at < end && *at == '"') {
            const char *wrong = take_quoted(d, &at, end, &column, a);

            if (wrong != NULL)
                return wrong;
        } else {
            const char *separator = find_separator(d, at, end);

            column = (struct slice){ at, (size_t)((separator != NULL ? separator : end) - at) };
            at += column.len;
        }
        set_column(r, d->columns[i], column);
        if (at == end)
            return NULL;
        at += d->separator_len;
    }
    return "more columns than names";
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct delimited_parser *d = delimited_of(p);
    const struct slice             body = r->body;
    struct slice                   text;

    if (!parser_base_subject(&d->base, work, r, &text))
        return -1;
    record_mark(r);
    work->reason = text.len > 0 ? take_columns(d, text, r, work->arena) : NULL;
    if (work->reason == NULL)
        return record_time_set(&d->base.time, work, r);
    record_rollback(r);
    r->body = body;
    return -1;
}

/* ---- Compiling ------------------------------------------------------------ */

static void
free_parser(struct parser *p)
{
    struct delimited_parser *d = (struct delimited_parser *)p;

    CHECK_MAGIC(&d->base, MAGIC);
    free(d->separator);
    free(d->columns);
    parser_base_fini(&d->base);
    free(d);
}

static const struct parser_ops delimited_ops = { parse, free_parser };

static void
load_separator(struct delimited_parser *d, const char *what, const struct node *map,
               const char *text, struct errors *errs)
{
    const struct node *n = node_get(map, "separator");

    d->separator = mem_string(strcmp(text, "\\t") == 0 ? "\t" : text);
    d->separator_len = strlen(d->separator);
    if (n == NULL || n->bad)
        return;
    if (d->separator_len == 0)
        errors_at(errs, n->at, "%s: 'separator' must not be empty", what);
    else if (d->quotes && strchr(d->separator, '"') != NULL)
        errors_at(errs, n->at, "%s: a quote in 'separator' wants 'quote: none'", what);
}

static void
add_column(struct delimited_parser *d, const char *what, const struct node *n,
           struct names *names, struct errors *errs)
{
    uint32_t number = NAME_NONE;

    if (n->bad)
        return;
    if (n->kind != NODE_SCALAR) {
        errors_at(errs, n->at, "%s: a name is a text, not %s", what, node_kind_name(n));
        return;
    }
    if (n->len > 0)
        number = names_offer(names, (struct slice){ n->text, n->len });
    if (number == NAME_RAW)
        errors_at(errs, n->at, "%s: a column cannot be named 'raw' (that is the line as it was "
                  "read)", what);
    if (number == NAME_PARSE_ERROR)
        errors_at(errs, n->at, "%s: a column cannot be named 'parse.error' (that is what the agent "
                  "says of a line)", what);
    for (size_t i = 0; i < d->ncolumns && number != NAME_NONE; i++)
        if (d->columns[i] == number)
            errors_at(errs, n->at, "%s: '%s' stands twice in 'names'", what, node_shown(n));
    d->columns[d->ncolumns++] = number;
}

static void
load_columns(struct delimited_parser *d, const char *what, const struct node *list,
             struct names *names, struct errors *errs)
{
    const struct node *n = node_first_of(list);

    if (n == NULL && list != NULL && !list->bad)
        errors_at(errs, list->key_at, "%s needs a value for 'names'", what);
    d->columns = mem_array(NULL, list != NULL ? node_count(list) + 1 : 1, sizeof *d->columns);
    for (; n != NULL; n = node_next_of(list, n))
        add_column(d, what, n, names, errs);
}

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    const size_t             before = errs->count;
    struct delimited_conf    filled = { 0 };
    const struct settings    set = { &filled, delimited_fields };
    struct delimited_parser *d = NEW(struct delimited_parser);

    d->base.parser.ops = &delimited_ops;
    d->base.magic = MAGIC;
    parser_base_load(&d->base, what, conf, &set, &filled.base, names, errs);
    d->quotes = filled.quote == QUOTE_DOUBLE;
    load_separator(d, what, conf, filled.separator, errs);
    load_columns(d, what, filled.names, names, errs);
    fields_fini(&set, 1);
    if (errs->count > before) {
        free_parser(&d->base.parser);
        return NULL;
    }
    return &d->base.parser;
}

extern const struct parser_type delimited_parser_type;      /* registry.c */

const struct parser_type delimited_parser_type = {
    .name = "delimited",
    .help = "The columns of a line, such as CSV or text with tabs, become fields.",
    .fields = delimited_fields,
    .load = load,
};

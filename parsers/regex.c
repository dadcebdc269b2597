/* regex.c - named groups become fields.
 *
 *     type: regex
 *     pattern: '^(?<client>\S+) (?<method>[A-Z]+)'
 *
 * Several patterns are tried in order; the first that matches makes the fields.
 * A group that took no part in the match is a missing field.  A group `body` is
 * what the record says from then on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/check.h"
#include "agent/base/mem.h"
#include "parsers/parser_base.h"

enum { MAGIC = 0x52656765 };

/* A group with a name. */
struct capture {
    size_t   group;
    uint32_t field;             /* number of the name */
};

struct regex {
    struct pattern *pattern;
    struct capture *captures;
    size_t          ncaptures;
    bool            distinct;   /* no two of them have one name, and none is `body` */
};

struct regex_parser {
    struct parser_base base;
    struct regex      *regexes;
    size_t             nregexes;
};

struct regex_conf {
    const struct node      *pattern;
    struct parser_base_conf base;
};

static const struct field regex_fields[] = {
    { .name = "pattern", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct regex_conf, pattern, const struct node *),
      .help = "The regular expression (PCRE2), or a list of them, tried in order; its named "
              "groups become fields. It works on bytes: with `(*UTF)` at its beginning on "
              "characters. One that begins with `^` and leaves no choice (`[^,]*,` and not `.*,`) "
              "costs least." },
    PARSER_BASE_FIELDS(struct regex_conf),
    NO_MORE_FIELDS
};

/* ---- Parsing ------------------------------------------------------------ */

static const struct regex_parser *
regex_of(const struct parser *p)
{
    const struct regex_parser *re = (const struct regex_parser *)p;

    CHECK_MAGIC(&re->base, MAGIC);
    return re;
}

/* Most records have no fields yet: then nothing has to be looked for. */
static void
add_fields(const struct regex *re, const size_t *offsets, struct slice subject, struct record *r)
{
    const bool *const         asked = r->asked;
    const struct slice *const names = r->texts;
    uint32_t *const           index = r->index;
    struct value *const       values = r->values;
    uint32_t                  n = 0;

    for (size_t i = 0; i < re->ncaptures; i++) {
        const uint32_t field = re->captures[i].field;
        const size_t  *at = offsets + 2 * re->captures[i].group;

        if (at[0] == PATTERN_UNSET || !asked[field])
            continue;
        index[field] = n;
        values[n++] = (struct value){ names[field], field, VALUE_TEXT, 0,
                                      { subject.ptr + at[0], at[1] - at[0] } };
    }
    r->nvalues = n;
}

static void
set_fields(const struct regex *re, const struct pattern_work *work, struct slice subject,
           struct record *r)
{
    const size_t *offsets = pattern_offsets(work);

    if (re->distinct && r->nvalues == 0) {
        add_fields(re, offsets, subject, r);
        return;
    }
    for (const struct capture *capture = re->captures; capture < re->captures + re->ncaptures;
         capture++) {
        const size_t begin = offsets[2 * capture->group], end = offsets[2 * capture->group + 1];
        struct slice text;

        if (begin == PATTERN_UNSET || !record_asked(r, capture->field))
            continue;
        text = (struct slice){ subject.ptr + begin, end - begin };
        if (capture->field == NAME_BODY)
            r->body = text;
        else
            (void)record_set(r, capture->field, VALUE_TEXT, text);
    }
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct regex_parser *re = regex_of(p);
    struct slice               subject;

    if (!parser_base_subject(&re->base, work, r, &subject))
        return -1;
    work->reason = "no match";
    for (size_t i = 0; i < re->nregexes; i++) {
        switch (pattern_match(re->regexes[i].pattern, work->pattern, subject)) {
        case PATTERN_YES:
            set_fields(&re->regexes[i], work->pattern, subject, r);
            return record_time_set(&re->base.time, work, r);
        case PATTERN_LIMIT:
            work->reason = "match limit";
            break;
        case PATTERN_NO:
            break;
        }
    }
    return -1;
}

/* ---- Compiling ---------------------------------------------------------- */

static void
free_parser(struct parser *p)
{
    struct regex_parser *re = (struct regex_parser *)p;

    CHECK_MAGIC(&re->base, MAGIC);
    for (size_t i = 0; i < re->nregexes; i++) {
        pattern_free(re->regexes[i].pattern);
        free(re->regexes[i].captures);
    }
    free(re->regexes);
    parser_base_fini(&re->base);
    free(re);
}

static const struct parser_ops regex_ops = { parse, free_parser };

static bool
is_new(const struct regex *re, uint32_t field)
{
    for (size_t i = 0; i < re->ncaptures; i++)
        if (re->captures[i].field == field)
            return false;
    return field != NAME_BODY;
}

static void
find_captures(struct regex *re, struct names *names)
{
    const size_t groups = pattern_groups(re->pattern);

    re->captures = mem_array(NULL, groups, sizeof *re->captures);
    re->distinct = true;
    for (size_t group = 1; group <= groups; group++) {
        const char *name = pattern_group_name(re->pattern, group);

        if (name == NULL)
            continue;
        re->captures[re->ncaptures] = (struct capture){ group, names_offer(names, slice_of(name)) };
        re->distinct = re->distinct && is_new(re, re->captures[re->ncaptures].field);
        re->ncaptures++;
    }
}

static void
add_pattern(struct regex_parser *re, const char *what, const struct node *n,
            struct names *names, struct errors *errs)
{
    struct regex *regex = &re->regexes[re->nregexes];
    size_t        offset = 0;
    struct error  err;

    if (n->bad)
        return;
    if (n->kind != NODE_SCALAR) {
        errors_at(errs, n->at, "%s: a pattern is a text, not %s", what, node_kind_name(n));
        return;
    }
    if (n->len == 0) {
        errors_at(errs, n->at, "%s: a pattern must not be empty", what);
        return;
    }
    regex->pattern = pattern_new((struct slice){ n->text, n->len }, &offset, &err);
    if (regex->pattern == NULL) {
        errors_at(errs, node_mark(n, offset), "%s: %s", what, err.text);
        return;
    }
    re->nregexes++;
    find_captures(regex, names);
    for (size_t i = 0; i < regex->ncaptures; i++)
        if (regex->captures[i].field == NAME_RAW)
            errors_at(errs, n->at, "%s: a group cannot be named 'raw' (that is the line as it "
                      "was read)", what);
    if (pattern_groups(regex->pattern) > re->base.parser.groups)
        re->base.parser.groups = pattern_groups(regex->pattern);
}

static void
load_patterns(struct regex_parser *re, const char *what, const struct node *conf,
              struct names *names, struct errors *errs)
{
    const struct node *patterns = node_get(conf, "pattern"), *n = node_first_of(patterns);

    if (n == NULL) {
        if (patterns != NULL && patterns->kind == NODE_LIST)
            errors_at(errs, patterns->key_at, "%s needs a value for 'pattern'", what);
        return;
    }
    re->regexes = mem_zero((node_count(patterns) + 1) * sizeof *re->regexes);
    for (; n != NULL; n = node_next_of(patterns, n))
        add_pattern(re, what, n, names, errs);
}

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    const size_t          before = errs->count;
    struct regex_conf     filled = { 0 };
    const struct settings set = { &filled, regex_fields };
    struct regex_parser  *re = NEW(struct regex_parser);

    re->base.parser.ops = &regex_ops;
    re->base.magic = MAGIC;
    parser_base_load(&re->base, what, conf, &set, &filled.base, names, errs);
    load_patterns(re, what, conf, names, errs);
    fields_fini(&set, 1);
    if (errs->count > before) {
        free_parser(&re->base.parser);
        return NULL;
    }
    return &re->base.parser;
}

extern const struct parser_type regex_parser_type;      /* registry.c */

const struct parser_type regex_parser_type = {
    .name = "regex",
    .help = "Named groups of a regular expression (PCRE2) become fields.",
    .fields = regex_fields,
    .load = load,
};

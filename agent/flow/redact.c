/* redact.c - see redact.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/redact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/data/json.h"

#define PRESET "[REDACTED]"
#define HIDDEN "[not searched to its end]"

enum {
    MAX_TIME = 50 * 1000 * 1000,    /* ns of CPU for a record; one search has its own */
    SEARCHES = 4,                   /* between two looks at the clock */
    MAX_GROWTH = 1024 * 1024,       /* bytes by which replacements may make a text longer */
};

/* A piece of `with`: a text, or what a group has matched. */
struct piece {
    bool         is_group;
    size_t       group;
    struct slice text;
};

struct redaction {
    struct pattern *pattern;
    char           *bytes;      /* of the pieces */
    struct piece   *pieces;
    size_t          npieces;
};

struct redact_conf {
    const struct node *pattern, *with;
};

const struct field redact_fields[] = {
    { .name = "pattern", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct redact_conf, pattern, const struct node *),
      .help = "The regular expression (PCRE2) that finds what is replaced: every match in the "
              "body, the raw line and each field, each searched by itself." },
    { .name = "with", .kind = FIELD_NODE, .preset = PRESET,
      .offset = FIELD_AT(struct redact_conf, with, const struct node *),
      .help = "What stands there instead; `$1` or `${name}` is what a group has matched, `$0` "
              "the whole match, `$$` a dollar sign." },
    NO_MORE_FIELDS
};

/* ---- `with` ------------------------------------------------------------- */

struct compiler {
    struct redaction  *rd;
    const char        *what;
    const struct node *with;
    struct errors     *errs;
    size_t             at;      /* in the text of `with` */
    size_t             used;    /* of rd->bytes */
};

static void
mistake(const struct compiler *c, size_t begin, size_t len, const char *fault)
{
    const struct mark at = node_mark(c->with, begin);

    if (c->with->secret)
        errors_at(c->errs, at, "%s: 'with' %s", c->what, fault);
    else
        errors_at(c->errs, at, "%s: '%.*s' %s", c->what, (int)len, c->with->text + begin, fault);
}

static void
add_group(struct compiler *c, size_t group)
{
    c->rd->pieces[c->rd->npieces++] = (struct piece){ .is_group = true, .group = group };
}

static void
add_char(struct compiler *c, char letter)
{
    struct redaction *rd = c->rd;
    struct piece     *last = rd->npieces > 0 ? &rd->pieces[rd->npieces - 1] : NULL;

    if (last == NULL || last->is_group) {
        last = &rd->pieces[rd->npieces++];
        *last = (struct piece){ .text = { rd->bytes + c->used, 0 } };
    }
    rd->bytes[c->used++] = letter;
    last->text.len++;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* All of a text, as a number of at most two digits. */
static bool
to_group(struct slice text, size_t *group)
{
    if (text.len == 0 || text.len > 2 || !is_digit(text.ptr[0]) ||
        !is_digit(text.ptr[text.len - 1]))
        return false;
    *group = text.len == 1 ? (size_t)(text.ptr[0] - '0')
                           : (size_t)(text.ptr[0] - '0') * 10 + (size_t)(text.ptr[1] - '0');
    return true;
}

static void
use_group(struct compiler *c, struct slice name, size_t begin)
{
    const struct pattern *p = c->rd->pattern;
    size_t                group;

    if (p == NULL)
        return;         /* the pattern is wrong, which was reported */
    if (to_group(name, &group)) {
        if (group <= pattern_groups(p))
            add_group(c, group);
        else
            mistake(c, begin, c->at - begin, "names a group that the pattern has not");
        return;
    }
    for (group = 1; group <= pattern_groups(p); group++)
        if (pattern_group_name(p, group) != NULL && slice_is(name, pattern_group_name(p, group))) {
            add_group(c, group);
            return;
        }
    mistake(c, begin, c->at - begin, "names a group that the pattern has not");
}

/* `at` stands on a dollar sign. */
static void
take_dollar(struct compiler *c)
{
    const char  *text = c->with->text;
    const size_t begin = c->at++;
    struct slice name = { text + c->at, 0 };

    if (text[c->at] == '$') {
        c->at++;
        add_char(c, '$');
    } else if (text[c->at] == '{') {
        const char *brace = memchr(name.ptr, '}', c->with->len - c->at);

        if (brace == NULL) {
            mistake(c, begin, 2, "is not closed (a '}' is missing)");
            return;
        }
        name = (struct slice){ name.ptr + 1, (size_t)(brace - name.ptr) - 1 };
        c->at = (size_t)(brace - text) + 1;
        use_group(c, name, begin);
    } else if (is_digit(text[c->at])) {
        name.len = is_digit(text[c->at + 1]) ? 2 : 1;
        c->at += name.len;
        use_group(c, name, begin);
    } else {
        mistake(c, begin, 1, "stands alone (write $$ for a dollar sign)");
    }
}

static void
load_with(struct compiler *c)
{
    c->rd->bytes = mem_alloc(c->with->len);
    c->rd->pieces = mem_array(NULL, c->with->len, sizeof *c->rd->pieces);
    while (c->at < c->with->len)
        if (c->with->text[c->at] == '$')
            take_dollar(c);
        else
            add_char(c, c->with->text[c->at++]);
}

/* ---- The list ----------------------------------------------------------- */

static bool
is_text(const char *what, const char *key, const struct node *n, struct errors *errs)
{
    if (n->kind == NODE_SCALAR)
        return !n->bad;
    errors_at(errs, n->at, "%s: '%s' must be a text, not %s", what, key, node_kind_name(n));
    return false;
}

static void
load_pattern(struct redaction *rd, const char *what, const struct node *n, struct errors *errs)
{
    size_t       offset = 0;
    struct error err;

    if (n->len == 0) {
        errors_at(errs, n->at, "%s: 'pattern' must not be empty", what);
        return;
    }
    rd->pattern = pattern_new((struct slice){ n->text, n->len }, &offset, &err);
    if (rd->pattern == NULL)
        errors_at(errs, node_mark(n, offset), "%s: %s", what, err.text);
}

static void
load_one(struct redaction *rd, const char *what, const struct node *map, struct errors *errs)
{
    static const struct node preset = {
        .kind = NODE_SCALAR, .text = PRESET, .len = sizeof PRESET - 1,
    };
    struct redact_conf    conf = { NULL, NULL };
    const struct settings set = { &conf, redact_fields };
    struct compiler       c = { .rd = rd, .what = what, .errs = errs };

    fields_load(&set, 1, what, map, map->at, NULL, NULL, errs);
    if (conf.pattern != NULL && conf.pattern->kind != NODE_NULL &&
        is_text(what, "pattern", conf.pattern, errs))
        load_pattern(rd, what, conf.pattern, errs);
    c.with = conf.with != NULL ? conf.with : &preset;
    if (c.with->kind == NODE_NULL)
        errors_at(errs, c.with->at, "%s: 'with' is empty (write '' to take the match away)", what);
    else if (is_text(what, "with", c.with, errs))
        load_with(&c);
}

void
redact_load(struct redactions *set, const char *what, const struct node *list,
            struct errors *errs)
{
    if (list == NULL || list->kind == NODE_NULL || list->bad)
        return;
    set->list = mem_zero((node_count(list) + 1) * sizeof *set->list);
    for (const struct node *n = node_first_of(list); n != NULL; n = node_next_of(list, n)) {
        struct redaction *rd = &set->list[set->count++];

        load_one(rd, what, n, errs);
        if (rd->pattern != NULL && pattern_groups(rd->pattern) > set->groups)
            set->groups = pattern_groups(rd->pattern);
    }
}

void
redact_fini(struct redactions *set)
{
    for (size_t i = 0; i < set->count; i++) {
        pattern_free(set->list[i].pattern);
        free(set->list[i].bytes);
        free(set->list[i].pieces);
    }
    free(set->list);
    *set = (struct redactions){ NULL, 0, 0 };
}

/* ---- One text ----------------------------------------------------------- */

/* While one record is redacted. */
struct redactor {
    const struct redactions *set;
    struct arena            *arena;
    struct buf              *text;      /* the one that is being written */
    struct pattern_work     *pattern;
    struct clock_limit       limit;     /* from the first look on; 0: none yet */
    unsigned                 searches;
    bool                     given_up;
};

static void
add_replacement(const struct redactor *x, const struct redaction *rd, struct slice text)
{
    for (size_t i = 0; i < rd->npieces; i++) {
        const struct piece *p = &rd->pieces[i];
        const struct slice  s = p->is_group ? pattern_group(x->pattern, text, p->group) : p->text;

        if (s.ptr != NULL)
            buf_add_slice(x->text, s);
    }
}

/* A record may not take for ever, however many texts and matches it has. */
static bool
is_late(struct redactor *x)
{
    if (++x->searches % SEARCHES != 0)
        return false;
    if (x->limit.began == 0)
        x->limit = clock_limit_begin();
    return clock_limit_over(&x->limit, MAX_TIME);
}

static enum pattern_result
next_match(struct redactor *x, const struct redaction *rd, struct slice text, size_t at)
{
    if (is_late(x) || x->text->len > text.len + MAX_GROWTH)
        return PATTERN_LIMIT;
    return pattern_search(rd->pattern, x->pattern, text, at);
}

/* True if something was replaced. */
static bool
redact_once(struct redactor *x, const struct redaction *rd, struct slice *text)
{
    size_t              at = 0;         /* what lies before it was written */
    enum pattern_result result;

    buf_clear(x->text);
    while ((result = next_match(x, rd, *text, at)) == PATTERN_YES) {
        const struct slice match = pattern_group(x->pattern, *text, 0);
        const size_t       begin = (size_t)(match.ptr - text->ptr);

        assert(begin >= at && match.len > 0);
        buf_add(x->text, text->ptr + at, begin - at);
        add_replacement(x, rd, *text);
        at = begin + match.len;
    }
    x->given_up = result == PATTERN_LIMIT;
    if (at == 0 || x->given_up)
        return false;
    buf_add(x->text, text->ptr + at, text->len - at);
    *text = arena_copy(x->arena, buf_slice(x->text));
    return true;
}

/* True if the text is another one now. */
static bool
redact_text(struct redactor *x, struct slice *text)
{
    bool changed = false;

    for (size_t i = 0; i < x->set->count && !x->given_up; i++)
        if (redact_once(x, &x->set->list[i], text))
            changed = true;
    if (x->given_up)
        *text = SLICE(HIDDEN);
    return changed || x->given_up;
}

/* ---- A record ----------------------------------------------------------- */

static bool
lies_in(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

/* The raw line with the new body where the old one stood. */
static struct slice
put_body(struct redactor *x, struct slice raw, struct slice before, struct slice body)
{
    const size_t at = (size_t)(before.ptr - raw.ptr);

    if (!lies_in(before, raw))
        return body;
    buf_clear(x->text);
    buf_add(x->text, raw.ptr, at);
    buf_add_slice(x->text, body);
    buf_add(x->text, before.ptr + before.len, raw.len - at - before.len);
    return arena_copy(x->arena, buf_slice(x->text));
}

/* The body and the line that it stands in, or that only encodes it. */
static void
redact_line(struct redactor *x, struct record *r, bool wants_raw)
{
    const struct slice before = r->body;
    const bool         is_body = !wants_raw || slice_equal(r->raw, before);
    const bool         changed = redact_text(x, &r->body);

    if (is_body) {
        r->raw = r->body;
        return;
    }
    if (changed)
        r->raw = put_body(x, r->raw, before, r->body);
    (void)redact_text(x, &r->raw);
}

/* What has changed is still JSON only if it says so itself. */
static bool
is_nested_json(const struct value *v)
{
    struct json_cursor j = json_cursor(v->text);
    struct json_token  whole;

    if (v->type != VALUE_JSON || !json_take_value(&j, &whole))
        return false;
    json_skip_blanks(&j);
    return j.at == j.end && (whole.kind == JSON_OBJECT || whole.kind == JSON_ARRAY);
}

bool
redact_record(const struct redactions *set, struct record *r, bool wants_raw, struct arena *a,
              struct redact_work *work, struct pattern_work *pattern)
{
    struct redactor x = { .set = set, .arena = a, .text = &work->text, .pattern = pattern };

    redact_line(&x, r, wants_raw);
    for (uint32_t i = 0; i < r->nvalues; i++)
        if (redact_text(&x, &r->values[i].text) && !is_nested_json(&r->values[i]))
            r->values[i].type = VALUE_TEXT;
    return !x.given_up;
}

void
redact_keep(struct redact_work *work, const struct record *r)
{
    if (work->room < r->nvalues) {
        work->room = 2 * r->nvalues;
        work->values = mem_array(work->values, work->room, sizeof *work->values);
    }
    work->raw = r->raw;
    work->body = r->body;
    if (r->nvalues > 0)
        memcpy(work->values, r->values, r->nvalues * sizeof *work->values);
}

void
redact_undo(const struct redact_work *work, struct record *r)
{
    r->raw = work->raw;
    r->body = work->body;
    if (r->nvalues > 0)
        memcpy(r->values, work->values, r->nvalues * sizeof *r->values);
}

void
redact_work_fini(struct redact_work *work)
{
    buf_fini(&work->text);
    free(work->values);
}

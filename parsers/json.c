/* json.c - the members of a JSON object become fields.
 *
 *     type: json
 *
 * One object a record; `${a.b}` is member `b` of the object `a`.  A number keeps its
 * digits, an object or an array its text, a string is read without its escapes; null
 * is a missing field.  Of two members with one name the last one counts; of a member
 * "a.b" and a member b of a, the one with the longer name.  What is no object, or
 * holds a mistake anywhere, gives no fields at all.  A member called as one of the record's own
 * fields (host.name) does not touch that (names_of_line()).
 *
 * All of a line is checked, but only the members are taken that the configuration
 * mentions (or all of the outer object, if a route sends all): the line is walked beside
 * the tree of its names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>

#include "agent/data/json_scan.h"
#include "parsers/parser_base.h"

/* ---- Parsing ------------------------------------------------------------- */

struct walk {
    struct json_scan t;
    const uint16_t  *quote;     /* quick_members(): the next one */
    const char      *escape;    /* the same: the next backslash, or t.end */
    struct record   *r;
    struct arena    *arena;
    bool             full;
};

static enum value_type
type_of(enum json_kind kind)
{
    static const enum value_type types[] = {
        [JSON_BOOL] = VALUE_BOOL,   [JSON_NUMBER] = VALUE_NUMBER, [JSON_STRING] = VALUE_TEXT,
        [JSON_OBJECT] = VALUE_JSON, [JSON_ARRAY] = VALUE_JSON,
    };

    assert(kind != JSON_NULL);
    return types[kind];
}

INLINE void
set_unmentioned(struct walk *w, struct slice name, const struct json_token *value)
{
    if (value->kind == JSON_NULL)
        record_unset_unnumbered(w->r, name);
    else if (!record_set_unnumbered(w->r, name, type_of(value->kind), json_text(value, w->arena)))
        w->full = true;
}

INLINE void
set_mentioned(struct walk *w, uint32_t number, unsigned depth, const struct json_token *value)
{
    if (value->kind == JSON_NULL)
        record_unset(w->r, number, depth);
    else
        record_set_part(w->r, number, depth, type_of(value->kind), json_text(value, w->arena));
}

/* Another member of the same name: what an earlier one had inside counts no more.  (What
 * was found under names with dots has less depth, and stays.) */
static void
forget_below(struct walk *w, const struct names_path *at, unsigned depth)
{
    for (const struct names_path *p = at->first; p != NULL; p = p->next) {
        if (p->number != NAME_NONE)
            record_unset(w->r, p->number, depth);
        forget_below(w, p, depth + 1);
    }
}

/* `value` is as it is written, a string with its quotes. */
INLINE void
set_value(struct walk *w, const struct names_path *below, unsigned depth, struct slice name,
          struct json_token value)
{
    if (value.kind == JSON_STRING) {
        value.text.ptr++;
        value.text.len -= 2;
    }
    if (below == NULL)
        set_unmentioned(w, name, &value);
    else if (below->number != NAME_NONE)
        set_mentioned(w, below->number, depth, &value);
    else if (depth == 0 && !w->r->numbered_only)
        set_unmentioned(w, name, &value);
}

static const char *take_members(struct walk *w, const struct names_path *at, unsigned depth,
                                const char *p);

/* `p` stands on the value of a member that somebody asks for, or for a part of it, or that is to
 * be kept all the same (below NULL).  As json_scan_value(). */
RARE static const char *
take_value(struct walk *w, const struct names_path *below, unsigned depth, struct slice name,
           const char *p)
{
    const char *const begin = p;
    struct json_token value = { JSON_OBJECT, false, NO_SLICE };

    if (below != NULL && below->first != NULL)
        forget_below(w, below, depth + 1);
    if (*p == '{' && below != NULL && below->first != NULL) {
        p = take_members(w, below, depth + 1, p + 1);
    } else if (*p == '{' || *p == '[') {
        value.kind = *p == '{' ? JSON_OBJECT : JSON_ARRAY;
        p = json_scan_nested(w->t, p);
    } else {
        p = json_scan_scalar(w->t, p, &value.kind, &value.escaped);
    }
    if (p == NULL)
        return NULL;
    value.text = (struct slice){ begin, (size_t)(p - begin) };
    set_value(w, below, depth, name, value);
    return p;
}

/* The members of an object whose brace is taken, and the brace that closes it: `p` stands behind
 * the one, the result behind the other.  All but what is asked for is passed over. */
static const char *
take_members(struct walk *w, const struct names_path *at, unsigned depth, const char *p)
{
    const struct json_scan t = w->t;
    const bool             keeps_all = depth == 0 && !w->r->numbered_only;

    p = json_scan_blanks(t, p);
    if (p < t.end && *p == '}')
        return p + 1;
    do {
        const struct names_path *below;
        struct slice             name;
        bool                     escaped;

        p = json_scan_key(t, p, &name, &escaped);
        if (p == NULL)
            return NULL;
        if (escaped)
            name = json_unescape(name, w->arena);
        below = names_may_lead(at, name) ? names_find_below(at, name) : NULL;
        p = below != NULL || keeps_all ? take_value(w, below, depth, name, p)
                                       : json_scan_value(t, p);
        if (p == NULL)
            return NULL;
        p = json_scan_blanks(t, p);
        if (p == t.end)
            return NULL;
    } while (*p++ == ',');
    return p[-1] == '}' ? p : NULL;
}

/* ---- The same, in a hurry -------------------------------------------------- */

/* Most lines are short and written without blanks.  Of them all quotes are found first
 * (json_scan_quotes()), and between them everything has its place.  What is not as it mostly is,
 * right or wrong, is left to the walk above: NULL. */

enum { MAX_QUICK_DEPTH = 32 };

static const char *quick_members(struct walk *w, const struct names_path *at, unsigned depth,
                                 const char *p);

static const char *
next_escape(const struct walk *w, const char *p)
{
    const char *escape = memchr(p, '\\', (size_t)(w->t.end - p));

    return escape != NULL ? escape : w->t.end;
}

/* A string that ends before `p` and begins before an escape, which it holds. */
RARE static bool
quick_escape(struct walk *w, const char *p)
{
    const bool good = json_scan_escaped(w->t, w->escape) == p - 1;

    w->escape = next_escape(w, p);
    return good;
}

/* An object or array, `p` stands on its bracket. */
RARE static const char *
quick_nested(struct walk *w, const struct names_path *below, unsigned depth, const char *p)
{
    if (*p == '{')
        return depth < MAX_QUICK_DEPTH ? quick_members(w, below, depth, p + 1) : NULL;
    p = json_scan_nested(w->t, p);
    if (p == NULL)
        return NULL;
    while (*w->quote > 0 && w->t.begin + *w->quote < p)
        w->quote++;
    if (w->escape < p)
        w->escape = next_escape(w, p);
    return p;
}

/* As take_members().  The text ends with a brace, so that a byte follows on each quote. */
static const char *
quick_members(struct walk *w, const struct names_path *at, unsigned depth, const char *p)
{
    const struct json_scan t = w->t;
    const bool             keeps_all = depth == 0 && !w->r->numbered_only;

    if (p < t.end && *p == '}')
        return p + 1;
    do {
        const struct names_path *below = NULL;
        const uint16_t          *quote = w->quote;
        const char *const        key = t.begin + quote[0], *const colon = t.begin + quote[1] + 1;
        const struct slice       name = { key + 1, (size_t)(colon - key) - 2 };
        enum json_kind           kind = JSON_STRING;
        bool                     escaped = false;

        if (key != p || *colon != ':' || w->escape < colon)
            return NULL;
        if (at != NULL && names_may_lead(at, name))
            below = names_find_below(at, name);
        if (below != NULL && below->first != NULL)
            forget_below(w, below, depth + 1);
        p = colon + 1;
        w->quote = quote + 2;
        if (*p == '"') {
            p = t.begin + quote[3] + 1;
            w->quote = quote + 4;
            escaped = w->escape < p;
            if (escaped && !quick_escape(w, p))
                return NULL;
        } else if (*p == '{' || *p == '[') {
            kind = *p == '{' ? JSON_OBJECT : JSON_ARRAY;
            p = quick_nested(w, below, depth + 1, p);
        } else {
            p = json_scan_scalar(t, p, &kind, &escaped);
        }
        if (p == NULL || p == t.end)
            return NULL;
        if (below != NULL || keeps_all)
            set_value(w, below, depth, name,
                      (struct json_token){ kind, escaped,
                                           { colon + 1, (size_t)(p - colon) - 1 } });
    } while (*p++ == ',');
    return p[-1] == '}' ? p : NULL;
}

RARE static bool
take_quickly(struct walk *w)
{
    const struct slice text = { w->t.begin, (size_t)(w->t.end - w->t.begin) };
    struct json_quotes quotes;

    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}' ||
        !json_scan_quotes(text, &quotes))
        return false;
    w->quote = quotes.at;
    w->escape = quotes.escapes ? next_escape(w, text.ptr) : w->t.end;
    return quick_members(w, names_paths(w->r->names), 0, text.ptr + 1) == w->t.end;
}

/* ---- A line ----------------------------------------------------------------- */

/* NULL, or why the text is not what it should be. */
static const char *
walk_line(struct walk *w)
{
    const char *p = json_scan_byte(w->t, w->t.begin, '{');

    if (p == NULL)
        return "not a JSON object";
    p = take_members(w, names_paths(w->r->names), 0, p);
    if (p == NULL)
        return "broken JSON";
    if (json_scan_blanks(w->t, p) < w->t.end)
        return "text behind the JSON object";
    return w->full ? "too many fields" : NULL;
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct parser_base *base = parser_base_of(p);
    struct walk               w = { .r = r, .arena = work->arena };
    struct slice              text;

    if (!parser_base_subject(base, work, r, &text))
        return -1;
    w.t = (struct json_scan){ text.ptr, text.ptr + text.len };
    record_mark(r);
    if (take_quickly(&w) && !w.full)
        return record_time_set(&base->time, work, r);
    record_rollback(r);
    work->reason = walk_line(&w);
    if (work->reason == NULL)
        return record_time_set(&base->time, work, r);
    record_rollback(r);
    return -1;
}

static const struct parser_ops json_ops = { parse, parser_base_free };

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    return parser_base_new(&json_ops, what, conf, names, errs);
}

extern const struct parser_type json_parser_type;       /* registry.c */

const struct parser_type json_parser_type = {
    .name = "json",
    .help = "The members of a JSON object become fields; `${a.b}` is a member of a member.",
    .fields = parser_base_fields,
    .load = load,
};

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
#include "agent/data/json_scan.h"
#include "agent/data/json_shape.h"
#include "parsers/parser_base.h"

/* ---- Parsing ------------------------------------------------------------- */

struct walk {
    struct json_scan   t;
    struct json_fields to;
};

/* Another member of the same name: what an earlier one had inside counts no more.  (What
 * was found under names with dots has less depth, and stays.) */
static void
forget_below(struct walk *w, const struct names_path *at, unsigned depth)
{
    for (const struct names_path *p = at->first; p != NULL; p = p->next) {
        if (p->number != NAME_NONE)
            record_unset(w->to.r, p->number, depth);
        forget_below(w, p, depth + 1);
    }
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
    if (*p == '{' && below != NULL && below->first != NULL)
        p = take_members(w, below, depth + 1, p + 1);
    else
        p = json_scan_any(w->t, p, &value.kind, &value.escaped);
    if (p == NULL)
        return NULL;
    value.text = (struct slice){ begin, (size_t)(p - begin) };
    json_fields_set(&w->to, below, depth, name, value);
    return p;
}

/* The members of an object whose brace is taken, and the brace that closes it: `p` stands behind
 * the one, the result behind the other.  All but what is asked for is passed over. */
static const char *
take_members(struct walk *w, const struct names_path *at, unsigned depth, const char *p)
{
    const struct json_scan t = w->t;

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
            name = json_unescape(name, w->to.arena);
        below = names_may_lead(at, name) ? names_find_below(at, name) : NULL;
        p = json_fields_keep(&w->to, below, depth) ? take_value(w, below, depth, name, p)
                                                   : json_scan_value(t, p);
        if (p == NULL)
            return NULL;
        p = json_scan_blanks(t, p);
        if (p == t.end)
            return NULL;
    } while (*p++ == ',');
    return p[-1] == '}' ? p : NULL;
}

/* ---- A line ----------------------------------------------------------------- */

/* NULL, or why the text is not what it should be. */
static const char *
walk_line(struct walk *w)
{
    const char *p = json_scan_byte(w->t, w->t.begin, '{');

    if (p == NULL)
        return "not a JSON object";
    p = take_members(w, names_paths(w->to.r->names), 0, p);
    if (p == NULL)
        return "broken JSON";
    if (json_scan_blanks(w->t, p) < w->t.end)
        return "text behind the JSON object";
    return w->to.full ? "too many fields" : NULL;
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct parser_base *base = parser_base_of(p);
    struct walk               w = { .to = { r, work->arena, false } };
    struct slice              text;

    if (!parser_base_subject(base, work, r, &text))
        return -1;
    w.t = (struct json_scan){ text.ptr, text.ptr + text.len };
    record_mark(r);
    if (work->shapes != NULL) {
        if (json_shapes_take(work->shapes, text, &w.to) && !w.to.full)
            return record_time_set(&base->time, work, r);
        record_rollback(r);
    }
    work->reason = walk_line(&w);
    if (work->reason != NULL) {
        record_rollback(r);
        return -1;
    }
    if (work->shapes != NULL)
        json_shapes_learn(work->shapes, text, r);
    return record_time_set(&base->time, work, r);
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

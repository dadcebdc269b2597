/* json.c - the members of a JSON object become fields.
 *
 *     type: json
 *
 * One object a record; `${a.b}` is member `b` of the object `a`.  A number keeps its
 * digits, an object or an array its text, a string is read without its escapes; null
 * is a missing field.  Of two members with one name the last one counts; of a member
 * "a.b" and a member b of a, the one with the longer name.  What is no object, or
 * holds a mistake anywhere, gives no fields at all.
 *
 * All of a line is checked, but only the members are taken that the configuration
 * mentions (or all of the outer object, if a route sends all): the line is walked beside
 * the tree of its names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>

#include "agent/data/json.h"
#include "parsers/parser_base.h"

/* ---- Parsing ------------------------------------------------------------- */

struct walk {
    struct json_cursor j;
    struct record     *r;
    struct arena      *arena;
    bool               full;
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

static void
set_unmentioned(struct walk *w, struct slice name, const struct json_token *value)
{
    if (value->kind == JSON_NULL)
        record_unset_unnumbered(w->r, name);
    else if (!record_set_unnumbered(w->r, name, type_of(value->kind), json_text(value, w->arena)))
        w->full = true;
}

static void
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

static bool take_members(struct walk *w, const struct names_path *at, unsigned depth);

/* An object that is the value of member `at` (NULL: of one that nothing mentions); the
 * cursor stands on its brace. */
static bool
take_object(struct walk *w, const struct names_path *at, unsigned depth, struct json_token *value)
{
    const char *begin = w->j.at;

    if (at == NULL || at->first == NULL)
        return json_take_value(&w->j, value);
    w->j.at++;
    if (!take_members(w, at, depth))
        return false;
    value->text = (struct slice){ begin, (size_t)(w->j.at - begin) };
    return true;
}

static bool
take_member(struct walk *w, const struct names_path *at, unsigned depth)
{
    const struct names_path *below;
    struct json_token        key, value;
    struct slice             name;

    if (!json_take_member(&w->j, &key, &value))
        return false;
    name = json_text(&key, w->arena);
    below = names_find_below(at, name);
    if (below != NULL && below->first != NULL)
        forget_below(w, below, depth + 1);
    if (value.kind == JSON_OBJECT && !take_object(w, below, depth + 1, &value))
        return false;
    if (below != NULL && below->number != NAME_NONE)
        set_mentioned(w, below->number, depth, &value);
    else if (depth == 0 && !w->r->numbered_only)
        set_unmentioned(w, name, &value);
    return true;
}

/* The members of an object whose brace is taken, and the brace that closes it. */
static bool
take_members(struct walk *w, const struct names_path *at, unsigned depth)
{
    if (json_take(&w->j, '}'))
        return true;
    do {
        if (!take_member(w, at, depth))
            return false;
    } while (json_take(&w->j, ','));
    return json_take(&w->j, '}');
}

/* NULL, or why the text is not what it should be. */
static const char *
walk_line(struct walk *w)
{
    if (!json_take(&w->j, '{'))
        return "not a JSON object";
    if (!take_members(w, names_paths(w->r->names), 0))
        return "broken JSON";
    json_skip_blanks(&w->j);
    if (w->j.at < w->j.end)
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
    w.j = json_cursor(text);
    record_mark(r);
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

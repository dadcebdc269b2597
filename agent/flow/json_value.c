/* json_value.c - see json_value.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/json_value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "agent/data/json.h"
#include "agent/data/plain.h"
#include "agent/data/template.h"

struct addition {
    uint32_t         number;    /* of its name */
    struct template *text;
};

/* Fields that are more than a member of their name, or less. */
enum odd {
    ODD_NOT,
    ODD_EXCLUDED,
    ODD_RIVAL,                  /* another of that name may come before it: the body, gives_way() */
};

struct json_value {
    const struct names *names;
    bool                all;        /* no `include` */
    uint32_t           *include;    /* numbers of names */
    size_t              ninclude;
    uint8_t            *odd;        /* by number of name: enum odd; those behind are not */
    size_t              nodd;
    bool                hides_parts;    /* one of them has a dot: it may be a part of a field */
    struct addition    *add;
    size_t              nadd;
};

/* While one value is written. */
struct writer {
    const struct json_value *v;
    struct buf              *b;
    struct arena            *arena;
    const struct slice      *members;   /* the names, by number */
    char                    *begin;     /* of the object: in `b`, or yet in the place lent */
    char                    *to, *end;  /* where to go on, and where the room ends */
};

struct json_conf {
    int                format;
    struct strings     include, exclude;
    const struct node *add;
};

static const struct choice formats[] = { { "json", 0 }, { NULL, 0 } };

const struct field json_value_fields[] = {
    { .name = "format", .kind = FIELD_CHOICE, .required = true, .choices = formats,
      .offset = FIELD_AT(struct json_conf, format, int),
      .help = "How the value is written: `json`, one object on one line." },
    A_LIST(struct json_conf, "include", include, NULL,
        "The fields that go into it, in this order; without: all that were found, and `body`."),
    A_LIST(struct json_conf, "exclude", exclude, NULL, "Fields that are left out."),
    A_NODE(struct json_conf, "add", add,
        "A map of name and template: what comes on top; left out where a field of the template "
        "is missing."),
    NO_MORE_FIELDS
};

/* ---- Compiling ---------------------------------------------------------- */

static void
exclude_number(struct json_value *v, uint32_t number)
{
    if (number >= v->nodd) {
        v->odd = mem_array(v->odd, number + 1, sizeof *v->odd);
        while (v->nodd <= number)
            v->odd[v->nodd++] = ODD_NOT;
    }
    v->odd[number] = ODD_EXCLUDED;
    v->hides_parts = v->hides_parts || memchr(names_text(v->names, number).ptr, '.',
                                              names_text(v->names, number).len) != NULL;
}

static void
exclude(struct json_value *v, uint32_t number)
{
    exclude_number(v, number);
    exclude_number(v, names_of_line(number));
}

static bool
is_excluded(const struct json_value *v, uint32_t number)
{
    return number < v->nodd && v->odd[number] == ODD_EXCLUDED;
}

/* The body, and what the line calls as a field of the record's own. */
static void
init_odd(struct json_value *v)
{
    v->odd = mem_zero(NAME_FIRST_GIVEN * sizeof *v->odd);
    v->nodd = NAME_FIRST_GIVEN;
    v->odd[NAME_BODY] = ODD_RIVAL;
    for (uint32_t number = NAME_WELL_KNOWN; number < NAME_FIRST_GIVEN; number++)
        v->odd[number] = ODD_RIVAL;
}

/* A name that stands twice is taken once. */
static void
include(struct json_value *v, uint32_t number)
{
    for (size_t i = 0; i < v->ninclude; i++)
        if (v->include[i] == number)
            return;
    v->include[v->ninclude++] = number;
}

static void
load_additions(struct json_value *v, const char *what, const struct node *map,
               struct names *names, struct errors *errs)
{
    if (map == NULL || map->kind == NODE_NULL)
        return;
    if (map->kind != NODE_MAP) {
        errors_at(errs, map->at, "%s: 'add' is a map of names and templates, not %s", what,
                  node_kind_name(map));
        return;
    }
    v->add = mem_zero(node_count(map) * sizeof *v->add);
    for (const struct node *n = map->first; n != NULL; n = n->next) {
        const uint32_t   number = names_intern(names, slice_of(n->key));
        struct addition *a = &v->add[v->nadd++];

        a->number = number;
        a->text = template_new(n, names, errs);
        exclude(v, number);
    }
}

/* A format that the contract has and this version has not; true if that was said. */
static bool
is_later(const struct node *format, struct errors *errs)
{
    static const char *const later[] = { "avro", "protobuf", "json_schema", "thrift", "otlp" };

    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (format != NULL && format->kind == NODE_SCALAR &&
            strcmp(format->text, later[i]) == 0) {
            errors_at(errs, format->at, "value format '%s' is not supported yet",
                      node_shown(format));
            return true;
        }
    return false;
}

struct json_value *
json_value_new(const char *what, const struct node *map, struct names *names,
               struct errors *errs)
{
    const struct node *named = node_get(map, "include");
    const size_t       before = errs->count;
    struct json_conf   conf = { 0 };
    struct settings    set = { &conf, json_value_fields };
    struct json_value *v = NEW(struct json_value);

    if (!is_later(node_get(map, "format"), errs))
        fields_load(&set, 1, what, map, map->at, NULL, NULL, errs);
    v->names = names;
    v->all = named == NULL || named->kind == NODE_NULL;
    if (v->all)
        names_ask_all(names);
    init_odd(v);
    v->include = mem_zero(conf.include.count * sizeof *v->include);
    for (size_t i = 0; i < conf.include.count; i++)
        include(v, names_intern(names, slice_of(conf.include.list[i])));
    for (size_t i = 0; i < conf.exclude.count; i++)
        exclude(v, names_intern(names, slice_of(conf.exclude.list[i])));
    load_additions(v, what, conf.add, names, errs);
    fields_fini(&set, 1);
    if (errs->count > before) {
        json_value_free(v);
        return NULL;
    }
    return v;
}

void
json_value_free(struct json_value *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->nadd; i++)
        template_free(v->add[i].text);
    free(v->add);
    free(v->odd);
    free(v->include);
    free(v);
}

/* ---- JSON inside --------------------------------------------------------- */

/* Objects and arrays are sent as they stand in the line, unless that is not one line of
 * UTF-8 or holds a name that is excluded. */

static bool
hides_something(const struct json_value *v, const struct names_path *at)
{
    for (const struct names_path *p = at->first; p != NULL; p = p->next)
        if (is_excluded(v, p->number) || hides_something(v, p))
            return true;
    return false;
}

static bool
is_clean(struct slice text)
{
    return memchr(text.ptr, '\n', text.len) == NULL && memchr(text.ptr, '\r', text.len) == NULL &&
           memchr(text.ptr, '\t', text.len) == NULL && encode_is_utf8(text);
}

static void copy_value(struct writer *w, struct json_cursor *j, const struct names_path *at);

static void
copy_string(struct buf *b, const struct json_token *string)
{
    buf_add_char(b, '"');
    encode_utf8(b, string->text);
    buf_add_char(b, '"');
}

static void
copy_members(struct writer *w, struct json_cursor *j, const struct names_path *at)
{
    struct json_token key, value;
    bool              first = true;

    buf_add_char(w->b, '{');
    while (json_take_key(j, &key)) {
        const struct names_path *below =
            at != NULL ? names_find_below(at, json_text(&key, w->arena)) : NULL;

        if (below != NULL && is_excluded(w->v, below->number)) {
            (void)json_take_value(j, &value);
        } else {
            if (!first)
                buf_add_char(w->b, ',');
            first = false;
            copy_string(w->b, &key);
            buf_add_char(w->b, ':');
            copy_value(w, j, below);
        }
        if (!json_take(j, ','))
            break;
    }
    (void)json_take(j, '}');
    buf_add_char(w->b, '}');
}

static void
copy_elements(struct writer *w, struct json_cursor *j)
{
    buf_add_char(w->b, '[');
    if (!json_looking_at(j, ']'))
        do {
            copy_value(w, j, NULL);
            if (json_looking_at(j, ','))
                buf_add_char(w->b, ',');
        } while (json_take(j, ','));
    (void)json_take(j, ']');
    buf_add_char(w->b, ']');
}

/* No deeper than what the parser took. */
static void
copy_value(struct writer *w, struct json_cursor *j, const struct names_path *at)
{
    struct json_token value;

    if (json_take(j, '{')) {
        copy_members(w, j, at);
    } else if (json_take(j, '[')) {
        copy_elements(w, j);
    } else {
        const bool is_value = json_take_value(j, &value);

        assert(is_value);
        if (value.kind == JSON_STRING)
            copy_string(w->b, &value);
        else
            buf_add_slice(w->b, value.text);
    }
}

static void
add_json(struct writer *w, struct slice name, struct slice text)
{
    const struct names_path *at =
        w->v->hides_parts ? names_find_below(names_paths(w->v->names), name) : NULL;
    struct json_cursor j = json_cursor(text);

    if (at != NULL && !hides_something(w->v, at))
        at = NULL;
    if (at == NULL && is_clean(text))
        buf_add_slice(w->b, text);
    else
        copy_value(w, &j, at);
}

/* ---- Writing ------------------------------------------------------------ */

/* The object is written where it is to stay, as long as it has room there and all of it is plain;
 * then it moves into the buffer.  There `to` runs ahead of the buffer's length: they meet where
 * something is written that is not a plain member.  Every member has a comma before it; that of
 * the first becomes the object's brace. */

RARE static void
meet(struct writer *w)
{
    if (w->begin == w->b->ptr)
        w->b->len = (size_t)(w->to - w->begin);
    else
        buf_add(w->b, w->begin, (size_t)(w->to - w->begin));
}

RARE static void
go_on(struct writer *w, size_t room)
{
    w->to = buf_reserve(w->b, room);
    w->begin = w->b->ptr;
    w->end = w->b->ptr + w->b->room;
}

INLINE void
make_room(struct writer *w, size_t room)
{
    if ((size_t)(w->end - w->to) >= room)
        return;
    meet(w);
    go_on(w, room);
}

/* A name is copied by whole blocks: a call of memcpy() takes longer.  Returns where it ends. */
INLINE char *
put_name(char *to, struct slice name)
{
    memcpy(to, name.ptr, NAMES_PADDING);
    for (size_t i = NAMES_PADDING; i < name.len; i += NAMES_PADDING)
        memcpy(to + i, name.ptr + i, NAMES_PADDING);
    return to + name.len;
}

INLINE void
begin_member(struct writer *w, struct slice name, size_t room)
{
    make_room(w, name.len + NAMES_PADDING + room);
    w->to = put_name(w->to, name);
}

RARE static void
add_rest(struct writer *w, struct slice text, size_t run)
{
    meet(w);
    encode_json_rest(w->b, text, run);
    go_on(w, 0);
}

/* There is room for the text and a quote. */
INLINE void
end_text(struct writer *w, struct slice text, bool quoted)
{
    char *const  to = w->to;
    const size_t run = plain_copy(to, text.ptr, text.len);

    w->to = to + run;
    if (!quoted)                /* a scalar is plain */
        return;
    if (run == text.len)
        *w->to++ = '"';
    else
        add_rest(w, text, run);
}

INLINE void
add_text(struct writer *w, struct slice name, struct slice text)
{
    begin_member(w, name, text.len + 1);
    end_text(w, text, true);
}

/* Not a text: there is no quote behind its name. */
INLINE void
add_scalar(struct writer *w, struct slice name, struct slice text)
{
    name.len--;
    begin_member(w, name, text.len);
    end_text(w, text, false);
}

/* Objects and arrays are mostly one line of ASCII, and then copied as they are. */
INLINE void
add_nested(struct writer *w, struct slice name, struct slice text)
{
    if (!w->v->hides_parts) {
        make_room(w, text.len);
        if (plain_copy_line(w->to, text.ptr, text.len)) {
            w->to += text.len;
            return;
        }
    }
    meet(w);
    add_json(w, name, text);
    go_on(w, 0);
}

INLINE void
add_numbered(struct writer *w, uint32_t number, enum value_type type, struct slice text)
{
    if (type == VALUE_TEXT) {
        add_text(w, w->members[number], text);
    } else if (type != VALUE_JSON) {
        add_scalar(w, w->members[number], text);
    } else {
        add_scalar(w, w->members[number], SLICE(""));
        add_nested(w, names_text(w->v->names, number), text);
    }
}

/* A name that needs escapes. */
RARE static void
begin_odd_member(struct writer *w, struct slice name)
{
    meet(w);
    buf_add_char(w->b, ',');
    encode_json_string(w->b, name);
    buf_add_char(w->b, ':');
    go_on(w, 0);
}

/* The name of the line, and its colon. */
INLINE void
begin_unnumbered(struct writer *w, struct slice name)
{
    char *to;

    make_room(w, name.len + 4);
    to = w->to;
    to[0] = ',';
    to[1] = '"';
    if (plain_copy(to + 2, name.ptr, name.len) < name.len) {
        begin_odd_member(w, name);
        return;
    }
    to += 2 + name.len;
    to[0] = '"';
    to[1] = ':';
    w->to = to + 2;
}

static void
add_unnumbered(struct writer *w, const struct value *value)
{
    const struct slice text = value->text;

    begin_unnumbered(w, value->name);
    if (value->type == VALUE_JSON) {
        add_nested(w, value->name, text);
    } else {
        make_room(w, text.len + 2);
        if (value->type == VALUE_TEXT)
            *w->to++ = '"';
        end_text(w, text, value->type == VALUE_TEXT);
    }
}

static enum value_type
own_type(uint32_t number)
{
    return number == NAME_TIME || number == NAME_LOG_FILE_OFFSET ? VALUE_NUMBER : VALUE_TEXT;
}

static void
add_field(struct writer *w, uint32_t number, const struct record *r)
{
    const struct value *found = record_field(r, number);
    struct slice        text;

    if (found != NULL && number != NAME_BODY && number != NAME_RAW)
        add_numbered(w, number, found->type, found->text);
    else if (record_get(r, number, w->arena, &text))
        add_numbered(w, number, own_type(number), text);
}

static void
add_included(struct writer *w, const struct record *r)
{
    for (size_t i = 0; i < w->v->ninclude; i++)
        if (!is_excluded(w->v, w->v->include[i]))
            add_field(w, w->v->include[i], r);
}

/* What the line calls as a field of the record's own that is there: a name stands once. */
INLINE bool
gives_way(const struct record *r, uint32_t number)
{
    return number - NAME_WELL_KNOWN < NAME_WELL_KNOWN - NAME_OWN &&
           record_field(r, number - (NAME_WELL_KNOWN - NAME_OWN)) != NULL;
}

/* A part of another field's value is in that already. */
RARE static void
add_value(struct writer *w, const struct record *r, const struct value *value)
{
    if (value->number == NAME_NONE)
        add_unnumbered(w, value);
    else if (value->depth == 0 && value->number != NAME_BODY &&
             !is_excluded(w->v, value->number) && !gives_way(r, value->number))
        add_numbered(w, value->number, value->type, value->text);
}

INLINE bool
is_simple(const struct json_value *v, const struct value *value)
{
    const uint32_t number = value->number;

    return (value->type | value->depth) == 0 &&
           (number < v->nodd ? v->odd[number] == ODD_NOT : number != NAME_NONE);
}

/* Where the copied member ends; NULL if not all of the text is plain.  By whole blocks. */
INLINE char *
put_text(char *to, struct slice name, struct slice text)
{
    to = put_name(to, name);
    if (!plain_copy_over(to, text.ptr, text.len))
        return NULL;
    to += text.len;
    *to = '"';
    return to + 1;
}

/* What put_text() writes at most. */
INLINE size_t
size_of_blocks(struct slice name, struct slice text)
{
    return name.len + NAMES_PADDING + text.len + PLAIN_BLOCK;
}

/* Most values are simple and plain, a part of the line and not at the end of its chunk, and have
 * room: for them all that this loop needs stays in registers. */
APART static void
add_all(struct writer *w, const struct record *r)
{
    const struct json_value *const v = w->v;
    const struct slice *const      members = w->members;
    const uintptr_t                around = (uintptr_t)r->around.ptr;
    const size_t most = r->around.len > PLAIN_BLOCK ? r->around.len - PLAIN_BLOCK : 0;
    const struct value *const      last = r->values + r->nvalues;
    char                          *to = w->to, *end = w->end;

    for (const struct value *value = r->values; value < last; value++) {
        const struct slice text = value->text;
        char              *next = NULL;

        if (is_simple(v, value) && (uintptr_t)text.ptr + text.len - around < most &&
            size_of_blocks(members[value->number], text) <= (size_t)(end - to))
            next = put_text(to, members[value->number], text);
        if (next == NULL) {
            w->to = to;
            add_value(w, r, value);
            next = w->to;
            end = w->end;
        }
        to = next;
    }
    w->to = to;
    if (!is_excluded(v, NAME_BODY))
        add_numbered(w, NAME_BODY, VALUE_TEXT, r->body);
}

static void
add_members(struct writer *w, const struct record *r)
{
    struct slice text;

    if (w->v->all)
        add_all(w, r);
    else
        add_included(w, r);
    for (size_t i = 0; i < w->v->nadd; i++)
        if (template_render(w->v->add[i].text, r, w->arena, &text))
            add_numbered(w, w->v->add[i].number, VALUE_TEXT, text);
    make_room(w, 2);
    if (w->to == w->begin)
        w->to++;
    w->begin[0] = '{';
    *w->to++ = '}';
}

struct slice
json_value_render(const struct json_value *v, const struct record *r, struct arena *a,
                  char *place, size_t room, struct buf *b)
{
    struct writer w = { v, b, a, names_members(v->names), place, place,
                        room > 0 ? place + room : place };

    buf_clear(b);
    add_members(&w, r);
    return (struct slice){ w.begin, (size_t)(w.to - w.begin) };
}

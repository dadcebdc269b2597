/* json_value.c - see json_value.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/json_value.h"

#include <stdlib.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "agent/data/template.h"

enum { BYTES_A_FIELD = 48 };    /* a guess at a name and a short value, to make room at once */

struct addition {
    struct slice     name;
    struct template *text;
};

struct json_value {
    const struct names *names;
    bool                all;        /* no `include` */
    uint32_t           *include;    /* numbers of names */
    size_t              ninclude;
    bool               *excluded;   /* by number of name */
    size_t              nexcluded;
    struct addition    *add;
    size_t              nadd;
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
exclude(struct json_value *v, uint32_t number)
{
    if (number >= v->nexcluded) {
        v->excluded = mem_array(v->excluded, number + 1, sizeof *v->excluded);
        while (v->nexcluded <= number)
            v->excluded[v->nexcluded++] = false;
    }
    v->excluded[number] = true;
}

static bool
is_excluded(const struct json_value *v, uint32_t number)
{
    return number < v->nexcluded && v->excluded[number];
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

        a->name = names_text(names, number);
        a->text = template_new(n, names, errs);
        exclude(v, number);
    }
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

    fields_load(&set, 1, what, map, map->at, NULL, NULL, errs);
    v->names = names;
    v->all = named == NULL || named->kind == NODE_NULL;
    if (v->all)
        names_ask_all(names);
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
    free(v->excluded);
    free(v->include);
    free(v);
}

/* ---- Writing ------------------------------------------------------------ */

static void
begin_member(struct buf *b, struct slice name)
{
    if (b->len > 1)
        buf_add_char(b, ',');
    encode_json_string(b, name);
    buf_add_char(b, ':');
}

static void
add_member(struct buf *b, struct slice name, enum value_type type, struct slice text)
{
    begin_member(b, name);
    if (type == VALUE_TEXT)
        encode_json_string(b, text);
    else
        buf_add_slice(b, text);
}

static enum value_type
own_type(uint32_t number)
{
    return number == NAME_TIME || number == NAME_LOG_FILE_OFFSET ? VALUE_NUMBER : VALUE_TEXT;
}

static void
add_field(struct buf *b, const struct json_value *v, uint32_t number, const struct record *r,
          struct arena *a)
{
    const struct value *found = record_field(r, number);
    struct slice        text;

    if (found != NULL && number != NAME_BODY && number != NAME_RAW)
        add_member(b, found->name, found->type, found->text);
    else if (record_get(r, number, a, &text))
        add_member(b, names_text(v->names, number), own_type(number), text);
}

static void
add_included(struct buf *b, const struct json_value *v, const struct record *r, struct arena *a)
{
    for (size_t i = 0; i < v->ninclude; i++)
        if (!is_excluded(v, v->include[i]))
            add_field(b, v, v->include[i], r, a);
}

static void
add_all(struct buf *b, const struct json_value *v, const struct record *r)
{
    for (uint32_t i = 0; i < r->nvalues; i++) {
        const struct value *value = &r->values[i];

        if (value->number != NAME_BODY && !is_excluded(v, value->number))
            add_member(b, value->name, value->type, value->text);
    }
    if (!is_excluded(v, NAME_BODY))
        add_member(b, names_text(v->names, NAME_BODY), VALUE_TEXT, r->body);
}

struct slice
json_value_render(const struct json_value *v, const struct record *r, struct arena *a)
{
    struct buf   b = { NULL, 0, 0 };
    struct slice text;

    (void)buf_reserve(&b, r->body.len + (r->nvalues + v->nadd + 1) * BYTES_A_FIELD);
    buf_add_char(&b, '{');
    if (v->all)
        add_all(&b, v, r);
    else
        add_included(&b, v, r, a);
    for (size_t i = 0; i < v->nadd; i++)
        if (template_render(v->add[i].text, r, a, &text))
            add_member(&b, v->add[i].name, VALUE_TEXT, text);
    buf_add_char(&b, '}');
    text = arena_copy(a, buf_slice(&b));
    buf_fini(&b);
    return text;
}

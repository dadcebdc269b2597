/* record_time.c - see record_time.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "parsers/record_time.h"

#include <stdio.h>

struct time_conf {
    char              *field;
    const struct node *format, *zone;
};

const struct field record_time_fields[] = {
    { .name = "field", .kind = FIELD_TEXT, .required = true,
      .offset = FIELD_AT(struct time_conf, field, char *),
      .help = "The field that holds the time." },
    { .name = "format", .kind = FIELD_NODE, .required = true,
      .offset = FIELD_AT(struct time_conf, format, const struct node *),
      .help = "How it is written: strptime's conversions and %f (a fraction), or iso8601, epoch, "
              "epoch_ms, epoch_us, epoch_ns. A year that is missing is the one closest to now, at "
              "most 2 days ahead." },
    A_NODE(struct time_conf, "zone", zone,
        "Where it was written, if the text does not say: `UTC` (default), `local` (the machine's "
        "zone; an hour that is there twice is the first) or +hh:mm."),
    NO_MORE_FIELDS
};

/* A text, or a mistake; `key` names it. */
static bool
is_text(const struct node *n, const char *what, const char *key, struct errors *errs)
{
    if (n == NULL || n->bad || n->kind == NODE_NULL)
        return false;
    if (n->kind == NODE_SCALAR)
        return true;
    errors_at(errs, n->at, "%s: '%s' is a text, not %s", what, key, node_kind_name(n));
    return false;
}

static void
load_format(struct record_time *t, const char *what, const struct node *n, struct errors *errs)
{
    size_t       offset = 0;
    struct error err;

    if (!is_text(n, what, "format", errs))
        return;
    t->format = time_format_new(n->text, &offset, &err);
    if (t->format == NULL)
        errors_at(errs, node_mark(n, offset), "%s: %s", what, err.text);
}

static void
load_zone(struct record_time *t, const char *what, const struct node *n, struct errors *errs)
{
    struct error err;

    if (is_text(n, what, "zone", errs) && time_zone_load(&t->zone, n->text, &err) == -1)
        errors_at(errs, n->at, "%s: %s", what, err.text);
}

void
record_time_load(struct record_time *t, const char *what, const struct node *map,
                 struct names *names, struct errors *errs)
{
    struct time_conf conf = { 0 };
    struct settings  set = { &conf, record_time_fields };
    char             owner[300];

    if (map == NULL || map->kind == NODE_NULL)
        return;
    snprintf(owner, sizeof owner, "%s: time", what);
    fields_load(&set, 1, owner, map, map->at, NULL, NULL, errs);
    load_format(t, owner, conf.format, errs);
    load_zone(t, owner, conf.zone, errs);
    if (conf.field != NULL)
        t->field = names_intern_read(names, slice_of(conf.field));
    fields_fini(&set, 1);
}

void
record_time_fini(struct record_time *t)
{
    time_format_free(t->format);
    t->format = NULL;
    time_zone_fini(&t->zone);
}

/* The field's own text, also where the time is known already. */
static bool
get_text(const struct record *r, uint32_t field, struct arena *a, struct slice *text)
{
    const struct value *v = record_field(r, names_of_line(field));

    if (v == NULL && field == NAME_TIME)
        return false;           /* what a parser before has made of it is no text to be read */
    if (v == NULL || field == NAME_BODY || field == NAME_RAW)
        return record_get(r, field, a, text);
    *text = v->text;
    return true;
}

int
record_time_set(const struct record_time *t, struct parse_work *work, struct record *r)
{
    struct slice text;

    if (t->format == NULL || !get_text(r, t->field, work->arena, &text))
        return 0;
    if (time_format_read(t->format, &t->zone, text, &r->time_ms)) {
        r->has_time = true;
        return 0;
    }
    r->has_time = false;
    work->reason = "bad time";
    return -1;
}

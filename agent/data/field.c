/* field.c - see field.h.
 *
 * Three parts: values as a user writes them (sizes, times, switches), loading a
 * map into structs, and the rows as Markdown.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/field.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"

enum { SHOWN_BYTES = 60, MANY_NAMES = 512 };

const struct field type_fields[] = {
    { .name = "type", .kind = FIELD_TEXT, .help = "Which kind it is." },
    NO_MORE_FIELDS
};

/* ---- Values ------------------------------------------------------------- */

struct unit {
    const char *name;
    uint64_t    factor;
};

/* Both from the largest to the smallest, as a value is shown in the largest
 * unit that divides it; the binary ones first. */
static const struct unit size_units[] = {
    { "TiB", 1ull << 40 }, { "GiB", 1ull << 30 }, { "MiB", 1ull << 20 }, { "KiB", 1ull << 10 },
    { "TB", 1000000000000 }, { "GB", 1000000000 }, { "MB", 1000000 }, { "KB", 1000 },
    { NULL, 0 }
};

static const struct unit time_units[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
    { NULL, 0 }
};

enum parsed { PARSED, NOT_ONE, TOO_LARGE };

/* Digits and nothing else before *end. */
static enum parsed
parse_digits(const char *text, uint64_t *value, const char **end)
{
    uint64_t v = 0;

    *end = text;
    while (**end >= '0' && **end <= '9') {
        const uint64_t digit = (uint64_t)(**end - '0');

        if (v > (UINT64_MAX - digit) / 10)
            return TOO_LARGE;
        v = v * 10 + digit;
        (*end)++;
    }
    *value = v;
    return *end > text ? PARSED : NOT_ONE;
}

static enum parsed
parse_count(const char *text, uint64_t *value)
{
    const char       *end;
    const enum parsed parsed = parse_digits(text, value, &end);

    return parsed == PARSED && *end != '\0' ? NOT_ONE : parsed;
}

static enum parsed
parse_units(const char *text, const struct unit *units, bool bare, uint64_t *value)
{
    const char  *end;
    enum parsed  parsed = parse_digits(text, value, &end);

    if (parsed != PARSED)
        return parsed;
    if (*end == '\0')
        return bare || *value == 0 ? PARSED : NOT_ONE;
    for (const struct unit *u = units; u->name != NULL; u++) {
        if (strcmp(end, u->name) != 0)
            continue;
        if (*value > UINT64_MAX / u->factor)
            return TOO_LARGE;
        *value *= u->factor;
        return PARSED;
    }
    return NOT_ONE;
}

static enum parsed
parse_size(const char *text, uint64_t *bytes)
{
    return parse_units(text, size_units, true, bytes);
}

static enum parsed
parse_time(const char *text, uint64_t *ms)
{
    *ms = 0;
    return strcmp(text, "off") == 0 ? PARSED : parse_units(text, time_units, false, ms);
}

static enum parsed
parse_bool(const char *text, bool *value)
{
    static const char *const words[][2] = {
        { "true", "false" }, { "yes", "no" }, { "on", "off" },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *value = strcasecmp(text, words[i][0]) == 0;
        if (*value || strcasecmp(text, words[i][1]) == 0)
            return PARSED;
    }
    return NOT_ONE;
}

/* What a user should have written, by kind. */
static const char *const expected[] = {
    [FIELD_TEXT] = "a text",
    [FIELD_LIST] = "a text or a list of texts",
    [FIELD_SIZE] = "a size (bytes, or with a unit: KiB, MiB, GiB, KB, MB, GB)",
    [FIELD_TIME] = "a time with its unit (ms, s, m, h or d)",
    [FIELD_COUNT] = "a whole number",
    [FIELD_BOOL] = "true or false",
};

static int
say_parsed(enum parsed parsed, enum field_kind kind, const char *text, struct error *err)
{
    if (parsed == PARSED)
        return 0;
    if (parsed == TOO_LARGE)
        return error_set(err, ERR_CONFIG, "'%s' is too large", text);
    return error_set(err, ERR_CONFIG, "'%s' is not %s", text, expected[kind]);
}

int
field_size(const char *text, uint64_t *bytes, struct error *err)
{
    return say_parsed(parse_size(text, bytes), FIELD_SIZE, text, err);
}

int
field_time(const char *text, uint64_t *ms, struct error *err)
{
    return say_parsed(parse_time(text, ms), FIELD_TIME, text, err);
}

int
field_bool(const char *text, bool *value, struct error *err)
{
    return say_parsed(parse_bool(text, value), FIELD_BOOL, text, err);
}

/* A number as a user would write it: 4194304 is 4MiB. */
static const char *
shown_number(char *text, size_t room, enum field_kind kind, uint64_t value)
{
    const struct unit *u = kind == FIELD_TIME ? time_units : size_units;

    if (value > 0 && kind != FIELD_COUNT)
        for (; u->name != NULL; u++)
            if (value % u->factor == 0) {
                snprintf(text, room, "%" PRIu64 "%s", value / u->factor, u->name);
                return text;
            }
    snprintf(text, room, "%" PRIu64, value);
    return text;
}

/* ---- Loading ------------------------------------------------------------ */

/* What stands there, for a message of one line. */
struct found {
    char text[SHOWN_BYTES + sizeof "'...'"];
};

static struct found
found(const struct node *n)
{
    struct found f;
    size_t       len;

    if (n->secret || n->kind != NODE_SCALAR) {
        snprintf(f.text, sizeof f.text, "%s", n->secret ? "the secret" : node_kind_name(n));
        return f;
    }
    for (len = 0; len < SHOWN_BYTES && (unsigned char)n->text[len] >= 0x20; len++)
        ;
    while (len > 0 && ((unsigned char)n->text[len] & 0xc0) == 0x80)
        len--;      /* not in the middle of a character */
    snprintf(f.text, sizeof f.text, "'%.*s%s'", (int)len, n->text, len < n->len ? "..." : "");
    return f;
}

static int
wrong_kind(const struct field *f, const struct node *n, struct errors *errs)
{
    return errors_at(errs, n->at, "'%s' must be %s, not %s", f->name, expected[f->kind],
                     found(n).text);
}

static int
check_range(const struct field *f, const struct node *n, uint64_t value, struct errors *errs)
{
    char min[32], max[32];

    if (value >= f->min && (value <= f->max || f->max == 0))
        return 0;
    shown_number(min, sizeof min, f->kind, f->min);
    shown_number(max, sizeof max, f->kind, f->max);
    if (f->max == 0)
        return errors_at(errs, n->at, "'%s' must be at least %s, not %s", f->name, min,
                         found(n).text);
    return errors_at(errs, n->at, "'%s' must be between %s and %s, not %s", f->name, min, max,
                     found(n).text);
}

static int
store_number(uint64_t *member, const struct field *f, const struct node *n, struct errors *errs)
{
    uint64_t    value = 0;
    enum parsed parsed = f->kind == FIELD_SIZE ? parse_size(n->text, &value)
                       : f->kind == FIELD_TIME ? parse_time(n->text, &value)
                                               : parse_count(n->text, &value);

    if (parsed == NOT_ONE)
        return wrong_kind(f, n, errs);
    if (parsed == TOO_LARGE)
        value = UINT64_MAX;
    if (parsed == TOO_LARGE && f->max == 0)
        return errors_at(errs, n->at, "'%s' is too large: %s", f->name, found(n).text);
    if (check_range(f, n, value, errs) < 0)
        return -1;
    *member = value;
    return 0;
}

static int
store_bool(bool *member, const struct field *f, const struct node *n, struct errors *errs)
{
    bool value;

    if (parse_bool(n->text, &value) != PARSED)
        return wrong_kind(f, n, errs);
    *member = value;
    return 0;
}

static size_t
list_choices(const struct choice *choices, const char **names, size_t room)
{
    size_t n = 0;

    for (const struct choice *c = choices; c->name != NULL && n < room; c++)
        names[n++] = c->name;
    return n;
}

/* "a, b or c" */
static void
join_choices(char *text, size_t room, const struct choice *choices)
{
    size_t len = 0;

    for (const struct choice *c = choices; c->name != NULL && len < room; c++) {
        const char *between = c == choices ? "" : c[1].name == NULL ? " or " : ", ";

        len += (size_t)snprintf(text + len, room - len, "%s'%s'", between, c->name);
    }
}

static int
wrong_choice(const struct field *f, const struct node *n, struct errors *errs)
{
    const char  *names[64], *near;
    const size_t count = list_choices(f->choices, names, sizeof names / sizeof *names);
    char         choices[300];

    near = n->secret || n->kind != NODE_SCALAR ? NULL : strings_nearest(n->text, names, count);
    join_choices(choices, sizeof choices, f->choices);
    if (near != NULL)
        return errors_at(errs, n->at, "'%s' must be %s, not %s (did you mean '%s'?)", f->name,
                         choices, found(n).text, near);
    return errors_at(errs, n->at, "'%s' must be %s, not %s", f->name, choices, found(n).text);
}

static int
store_choice(int *member, const struct field *f, const struct node *n, struct errors *errs)
{
    for (const struct choice *c = f->choices; c->name != NULL; c++)
        if (strcmp(c->name, n->text) == 0) {
            *member = c->value;
            return 0;
        }
    return wrong_choice(f, n, errs);
}

/* A text of ours ends at its NUL; one inside would cut off what follows. */
static int
check_text(const struct field *f, const struct node *n, struct errors *errs)
{
    if (n->kind != NODE_SCALAR)
        return wrong_kind(f, n, errs);
    if (strlen(n->text) != n->len)
        return errors_at(errs, n->at, "'%s' must not hold a NUL byte", f->name);
    return 0;
}

static int
store_text(char **member, const struct field *f, const struct node *n, struct errors *errs)
{
    if (check_text(f, n, errs) < 0)
        return -1;
    free(*member);
    *member = mem_string(n->text);
    return 0;
}

static int
store_list(struct strings *member, const struct field *f, const struct node *n,
           struct errors *errs)
{
    struct strings list = { NULL, 0, 0 };
    int            rc = 0;

    if (n->kind == NODE_MAP)
        return wrong_kind(f, n, errs);
    for (const struct node *e = node_first_of(n); e != NULL; e = node_next_of(n, e)) {
        if (check_text(f, e, errs) < 0)
            rc = -1;
        else
            strings_add(&list, e->text);
    }
    if (rc == 0 && list.count == 0 && f->required)
        rc = errors_at(errs, n->at, "'%s' must not be empty", f->name);
    if (rc < 0) {
        strings_fini(&list);
        return -1;
    }
    strings_fini(member);
    *member = list;
    return 0;
}

static int
store(void *conf, const struct field *f, const struct node *n, struct errors *errs)
{
    void *member = (char *)conf + f->offset;

    if (n->kind != NODE_SCALAR && f->kind == FIELD_CHOICE)
        return wrong_choice(f, n, errs);
    if (n->kind != NODE_SCALAR && f->kind != FIELD_LIST && f->kind != FIELD_NODE)
        return wrong_kind(f, n, errs);
    switch (f->kind) {
    case FIELD_TEXT:
        return store_text(member, f, n, errs);
    case FIELD_LIST:
        return store_list(member, f, n, errs);
    case FIELD_SIZE:
    case FIELD_TIME:
    case FIELD_COUNT:
        return store_number(member, f, n, errs);
    case FIELD_BOOL:
        return store_bool(member, f, n, errs);
    case FIELD_CHOICE:
        return store_choice(member, f, n, errs);
    case FIELD_NODE:
        *(const struct node **)member = n;
        return 0;
    case FIELD_END:
        break;
    }
    assert(!"a row without kind");
    return -1;
}

static void
store_preset(void *conf, const struct field *f)
{
    const struct node preset = {
        .kind = NODE_SCALAR, .text = f->preset, .len = f->preset == NULL ? 0 : strlen(f->preset),
    };
    struct errors errs = { NULL, 0, 0 };
    const int     rc = store(conf, f, &preset, &errs);

    assert(rc == 0);    /* a default of ours that its own row refuses */
    errors_fini(&errs);
}

/* The member is empty and owns nothing. */
static void
clear_member(void *conf, const struct field *f)
{
    static const size_t sizes[] = {
        [FIELD_TEXT] = sizeof(char *), [FIELD_LIST] = sizeof(struct strings),
        [FIELD_SIZE] = sizeof(uint64_t), [FIELD_TIME] = sizeof(uint64_t),
        [FIELD_COUNT] = sizeof(uint64_t), [FIELD_BOOL] = sizeof(bool),
        [FIELD_CHOICE] = sizeof(int), [FIELD_NODE] = sizeof(const struct node *),
    };

    memset((char *)conf + f->offset, 0, sizes[f->kind]);
}

static void
store_presets(const struct settings *set)
{
    if (set->conf == NULL)
        return;
    for (const struct field *f = set->fields; f->kind != FIELD_END; f++) {
        clear_member(set->conf, f);
        if (f->preset != NULL && f->kind != FIELD_NODE)
            store_preset(set->conf, f);
    }
}

static const struct field *
find_field(const struct settings *set, size_t n, const char *key, void **conf)
{
    for (size_t i = 0; i < n; i++)
        for (const struct field *f = set[i].fields; f->kind != FIELD_END; f++)
            if (strcmp(f->name, key) == 0) {
                *conf = set[i].conf;
                return f;
            }
    return NULL;
}

static int
unknown_key(const struct settings *set, size_t n, const char *what, const struct node *entry,
            struct errors *errs)
{
    const char *names[MANY_NAMES], *near;
    size_t      count = 0;

    for (size_t i = 0; i < n; i++)
        for (const struct field *f = set[i].fields; f->kind != FIELD_END; f++)
            if (count < MANY_NAMES)
                names[count++] = f->name;
    near = strings_nearest(entry->key, names, count);
    if (near != NULL)
        return errors_at(errs, entry->key_at, "%s has no setting '%s' (did you mean '%s'?)", what,
                         entry->key, near);
    return errors_at(errs, entry->key_at, "%s has no setting '%s'", what, entry->key);
}

/* An entry without a value is as good as none: the default holds. */
static bool
says_nothing(const struct field *f, const struct node *entry)
{
    return entry->bad || (entry->kind == NODE_NULL && f->kind != FIELD_NODE);
}

static int
load_entry(const struct settings *set, size_t n, const char *what, const struct node *entry,
           field_other_f *other, void *ctx, struct errors *errs)
{
    void               *conf;
    const struct field *f = find_field(set, n, entry->key, &conf);

    if (f == NULL) {
        if (other != NULL && other(ctx, entry, errs))
            return 0;
        return unknown_key(set, n, what, entry, errs);
    }
    if (conf == NULL || says_nothing(f, entry))
        return 0;
    return store(conf, f, entry, errs);
}

static int
check_required(const struct settings *set, const char *what, const struct node *map,
               struct mark at, struct errors *errs)
{
    int rc = 0;

    if (set->conf == NULL)
        return 0;
    for (const struct field *f = set->fields; f->kind != FIELD_END; f++) {
        const struct node *entry = node_get(map, f->name);

        if (!f->required || (entry != NULL && (entry->bad || entry->kind != NODE_NULL)))
            continue;
        rc = errors_at(errs, entry != NULL ? entry->key_at : at, "%s needs a value for '%s'", what,
                       f->name);
    }
    return rc;
}

int
fields_load(const struct settings *set, size_t n, const char *what, const struct node *map,
            struct mark at, field_other_f *other, void *ctx, struct errors *errs)
{
    const size_t before = errs->count;
    int          rc = 0;

    for (size_t i = 0; i < n; i++)
        store_presets(&set[i]);
    if (map != NULL && map->bad)
        return -1;
    if (map != NULL && map->kind != NODE_MAP && map->kind != NODE_NULL)
        return errors_at(errs, map->at, "%s must be a map, not %s", what, found(map).text);
    if (map != NULL)
        for (const struct node *e = map->first; e != NULL && !errors_full(errs); e = e->next)
            if (load_entry(set, n, what, e, other, ctx, errs) < 0)
                rc = -1;
    for (size_t i = 0; i < n; i++)
        if (check_required(&set[i], what, map, at, errs) < 0)
            rc = -1;
    return errs->count > before ? -1 : rc;
}

void
fields_fini(const struct settings *set, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (set[i].conf == NULL)
            continue;
        for (const struct field *f = set[i].fields; f->kind != FIELD_END; f++) {
            void *member = (char *)set[i].conf + f->offset;

            if (f->kind == FIELD_TEXT)
                free(*(char **)member);
            else if (f->kind == FIELD_LIST)
                strings_fini(member);
            clear_member(set[i].conf, f);
        }
    }
}

/* ---- The reference ------------------------------------------------------ */

static void
print_kind(FILE *out, const struct field *f)
{
    static const char *const names[] = {
        [FIELD_TEXT] = "text", [FIELD_LIST] = "list of texts", [FIELD_SIZE] = "size",
        [FIELD_TIME] = "time", [FIELD_COUNT] = "number", [FIELD_BOOL] = "true or false",
        [FIELD_NODE] = "see right",
    };
    char min[32], max[32];

    if (f->kind == FIELD_CHOICE) {
        for (const struct choice *c = f->choices; c->name != NULL; c++)
            fprintf(out, "%s`%s`", c == f->choices ? "" : ", ", c->name);
        return;
    }
    fputs(names[f->kind], out);
    shown_number(min, sizeof min, f->kind, f->min);
    shown_number(max, sizeof max, f->kind, f->max);
    if (f->max > 0)
        fprintf(out, ", %s to %s", min, max);
    else if (f->min > 0)
        fprintf(out, ", at least %s", min);
}

/* A bar in a cell would end it. */
static void
print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void
fields_print(FILE *out, const struct field *fields)
{
    fputs("| key | value | default | meaning |\n|---|---|---|---|\n", out);
    for (const struct field *f = fields; f->kind != FIELD_END; f++) {
        fprintf(out, "| `%s` | ", f->name);
        print_kind(out, f);
        if (f->required)
            fputs(" | required | ", out);
        else if (f->preset != NULL)
            fprintf(out, " | `%s` | ", f->preset);
        else
            fputs(" | - | ", out);
        print_cell(out, f->help);
        fputs(" |\n", out);
    }
}

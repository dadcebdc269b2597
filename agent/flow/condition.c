/* condition.c - see condition.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/flow/condition.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

/* ---- Compiling ---------------------------------------------------------- */

bool
condition_is_regex(const struct node *n)
{
    return n->len >= 2 && n->text[0] == '/' && n->text[n->len - 1] == '/';
}

static void
add_pattern(struct condition *c, const char *what, const struct node *n, struct errors *errs)
{
    const struct slice text = { n->text + 1, n->len - 2 };
    size_t             offset = 0;
    struct error       err;
    struct pattern    *p = pattern_new(text, &offset, &err);

    if (p == NULL) {
        errors_at(errs, node_mark(n, 1 + offset), "%s: %s", what, err.text);
        return;
    }
    c->patterns = mem_array(c->patterns, c->npatterns + 1, sizeof *c->patterns);
    c->patterns[c->npatterns++] = p;
}

static void
add_choice(struct condition *c, const char *what, const struct node *entry,
           const struct node *n, struct errors *errs)
{
    if (n->bad)
        return;
    if (n->kind != NODE_SCALAR)
        errors_at(errs, n->at, "%s: '%s' is compared with a text, a /regex/ or a list of them, "
                  "not with %s", what, entry->key, node_kind_name(n));
    else if (condition_is_regex(n))
        add_pattern(c, what, n, errs);
    else if (strlen(n->text) != n->len)
        errors_at(errs, n->at, "%s: the text that '%s' is compared with holds a NUL byte (write "
                  "a /regex/)", what, entry->key);
    else
        strings_add(&c->texts, n->text);
}

static void
load_entry(struct condition *c, const char *what, const struct node *entry,
           struct names *names, struct errors *errs)
{
    const struct node *n = node_first_of(entry);

    c->field = names_intern(names, slice_of(entry->key));
    if (n == NULL && !entry->bad)
        errors_at(errs, entry->key_at, "%s: '%s' is compared with nothing", what, entry->key);
    for (; n != NULL; n = node_next_of(entry, n))
        add_choice(c, what, entry, n, errs);
}

/* Entries that only compare texts come first: most records that a route does not
 * take are told by them, and no pattern is searched. */
static void
put_texts_first(struct conditions *set)
{
    size_t n = 0;

    for (size_t i = 0; i < set->count; i++) {
        const struct condition c = set->list[i];

        if (c.npatterns > 0)
            continue;
        memmove(&set->list[n + 1], &set->list[n], (i - n) * sizeof c);
        set->list[n++] = c;
    }
}

void
conditions_load(struct conditions *set, const char *what, const struct node *map,
                struct names *names, struct errors *errs)
{
    if (map == NULL || map->kind == NODE_NULL)
        return;
    if (map->kind != NODE_MAP) {
        errors_at(errs, map->at, "%s is a map of fields and their values, not %s", what,
                  node_kind_name(map));
        return;
    }
    set->list = mem_zero(node_count(map) * sizeof *set->list);
    for (const struct node *n = map->first; n != NULL; n = n->next)
        load_entry(&set->list[set->count++], what, n, names, errs);
    put_texts_first(set);
}

void
conditions_fini(struct conditions *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct condition *c = &set->list[i];

        strings_fini(&c->texts);
        for (size_t j = 0; j < c->npatterns; j++)
            pattern_free(c->patterns[j]);
        free(c->patterns);
    }
    free(set->list);
    *set = (struct conditions){ NULL, 0 };
}

size_t
conditions_groups(const struct conditions *set)
{
    size_t most = 0;

    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->list[i].npatterns; j++)
            if (pattern_groups(set->list[i].patterns[j]) > most)
                most = pattern_groups(set->list[i].patterns[j]);
    return most;
}

/* ---- Asking ------------------------------------------------------------- */

static bool
holds(const struct condition *c, const struct record *r, struct arena *a,
      struct pattern_work *work)
{
    struct slice text;

    if (!record_get(r, c->field, a, &text))
        return false;
    for (size_t i = 0; i < c->texts.count; i++)
        if (slice_is(text, c->texts.list[i]))
            return true;
    for (size_t i = 0; i < c->npatterns; i++)
        if (pattern_match(c->patterns[i], work, text) == PATTERN_YES)
            return true;
    return false;
}

bool
conditions_hold(const struct conditions *set, const struct record *r, struct arena *a,
                struct pattern_work *work)
{
    for (size_t i = 0; i < set->count; i++)
        if (!holds(&set->list[i], r, a, work))
            return false;
    return true;
}

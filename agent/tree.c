/* tree.c - one YAML file as nodes; see tree.h and tree_parts.h.
 *
 * libyaml hands out events; a reader makes nodes of them, in the tree's arena.
 * An error of the syntax ends the file; any other mistake is noted, and the
 * node marked as bad.
 *
 * A configuration is trusted less than the user who started us: depth, nodes
 * and anchors have limits, so that aliases of aliases of aliases end early.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "agent/base/mem.h"
#include "agent/expand.h"
#include "agent/tree_parts.h"

enum {
    MOST_NODES = 1000 * 1000,           /* of the whole tree */
    MOST_DEPTH = 100,
    MOST_ANCHORS = 1000,                /* in one file */
};

struct anchor {
    const char  *name;
    struct node *node;
};

/* The reading of one file. */
struct reader {
    struct tree   *t;
    struct tree_file   *file;
    struct errors *errs;
    yaml_parser_t  parser;
    struct anchor  anchors[MOST_ANCHORS];
    size_t         nanchors;
    bool           failed;      /* an error ended the file */
};

/* The entries of a list or map while they come in. */
struct entries {
    struct node *first, *last;
};

static void
append(struct entries *es, struct node *n)
{
    n->next = NULL;
    if (es->last != NULL)
        es->last->next = n;
    else
        es->first = n;
    es->last = n;
}

/* ---- Nodes -------------------------------------------------------------- */

static struct mark
mark_of(const struct reader *r, yaml_mark_t m)
{
    return (struct mark){ r->file->name, (unsigned)m.line + 1, (unsigned)m.column + 1 };
}

static void
give_up(struct reader *r)
{
    r->failed = true;
    r->t->complete = false;
}

/* NULL if there are too many. */
static struct node *
new_node(struct reader *r, enum node_kind kind, struct mark at)
{
    struct node *n;

    if (r->t->nodes == MOST_NODES) {
        if (!r->failed)
            errors_at(r->errs, at, "the configuration is too large (more than %d values)",
                      MOST_NODES);
        give_up(r);
        return NULL;
    }
    r->t->nodes++;
    n = arena_alloc(&r->t->arena, sizeof *n);
    *n = (struct node){ .kind = kind, .at = at };
    return n;
}

static const char *
keep_text(struct tree *t, struct slice text)
{
    char *copy = arena_alloc(&t->arena, text.len + 1);

    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static void
set_text(struct reader *r, struct node *n, struct slice text)
{
    n->kind = NODE_SCALAR;
    n->text = keep_text(r->t, text);
    n->len = text.len;
}

static struct node *
copy_node(struct reader *r, const struct node *from)
{
    struct node   *n = new_node(r, from->kind, from->at);
    struct entries es = { NULL, NULL };

    if (n == NULL)
        return NULL;
    *n = *from;
    for (const struct node *e = from->first; e != NULL; e = e->next) {
        struct node *copy = copy_node(r, e);

        if (copy == NULL)
            return NULL;
        append(&es, copy);
    }
    n->first = es.first;
    n->next = NULL;
    return n;
}

/* ---- Duplicate keys ----------------------------------------------------- */

struct ranked {
    struct node *node;
    size_t       rank;
};

static int
by_key_then_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    const int            order = strcmp(x->node->key, y->node->key);

    return order != 0 ? order : x->rank < y->rank ? -1 : x->rank > y->rank;
}

static struct ranked *
sort_entries(const struct node *map, size_t count)
{
    struct ranked *sorted = mem_array(NULL, count, sizeof *sorted);
    size_t         i = 0;

    for (struct node *e = map->first; e != NULL; e = e->next, i++)
        sorted[i] = (struct ranked){ e, i };
    qsort(sorted, count, sizeof *sorted, by_key_then_rank);
    return sorted;
}

/* Take out the entries that `bad` marks. */
static void
keep_good_entries(struct node *map, const bool *bad)
{
    struct node **link = &map->first;

    for (size_t i = 0; *link != NULL; i++)
        if (bad[i])
            *link = (*link)->next;
        else
            link = &(*link)->next;
}

/* The first of a name stays; every other one is a mistake, and gone. */
void
tree_drop_duplicates(struct node *map, struct errors *errs)
{
    const size_t   count = node_count(map);
    struct ranked *sorted;
    bool          *bad;

    if (count < 2)
        return;
    sorted = sort_entries(map, count);
    bad = mem_zero(count);
    for (size_t i = 1, first = 0; i < count; i++) {
        const struct node *n = sorted[i].node, *one = sorted[first].node;

        if (strcmp(n->key, one->key) != 0) {
            first = i;
            continue;
        }
        bad[sorted[i].rank] = true;
        errors_at(errs, n->key_at, "'%s' is defined twice (first at %s:%u:%u)", n->key,
                  one->key_at.file, one->key_at.line, one->key_at.column);
    }
    keep_good_entries(map, bad);
    free(bad);
    free(sorted);
}

/* ---- Events ------------------------------------------------------------- */

/* libyaml tells the place of wrong bytes only as an offset. */
static struct mark
mark_of_offset(const struct reader *r, size_t offset)
{
    struct mark at = { r->file->name, 1, 1 };

    for (size_t i = 0; i < offset && i < r->file->text.len; i++) {
        const unsigned char c = (unsigned char)r->file->text.ptr[i];

        if (c == '\n') {
            at.line++;
            at.column = 1;
        } else if ((c & 0xc0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

static void
say_syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const struct mark    at = mark_of(r, p->problem_mark);

    give_up(r);
    if (p->error == YAML_READER_ERROR)
        errors_at(r->errs, mark_of_offset(r, p->problem_offset), "not UTF-8 text: %s", p->problem);
    else if (p->context != NULL)
        errors_at(r->errs, at, "not YAML: %s %s that began in line %zu", p->problem, p->context,
                  p->context_mark.line + 1);
    else
        errors_at(r->errs, at, "not YAML: %s", p->problem != NULL ? p->problem : "unknown error");
}

/* The next event, to be deleted; false after an error. */
static bool
next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    say_syntax_error(r);
    return false;
}

static void
say_too_deep(struct reader *r, yaml_mark_t at)
{
    errors_at(r->errs, mark_of(r, at), "nested too deeply (more than %d levels)", MOST_DEPTH);
    give_up(r);
}

/* Read over the rest of a value whose first event was `type`. */
static bool
skip_value(struct reader *r, yaml_event_type_t type)
{
    size_t       open = 0;
    yaml_event_t event;

    for (;;) {
        if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
            open++;
        if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
            open--;
        if (open == 0)
            return true;
        if (open > MOST_DEPTH) {
            say_too_deep(r, r->parser.mark);
            return false;
        }
        if (!next_event(r, &event))
            return false;
        type = event.type;
        yaml_event_delete(&event);
    }
}

/* ---- Scalars ------------------------------------------------------------ */

static bool
is_null(const yaml_event_t *e)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp((const char *)e->data.scalar.value, words[i]) == 0)
            return true;
    return false;
}

/* Does the text stand in the file character by character?  Then a place inside
 * it can be shown: behind the quote if it has one. */
static bool
stands_as_read(const yaml_event_t *e, size_t *quotes)
{
    size_t width = 0;

    for (size_t i = 0; i < e->data.scalar.length; i++)
        width += (e->data.scalar.value[i] & 0xc0) != 0x80;
    *quotes = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
    return e->start_mark.line == e->end_mark.line
           && e->data.scalar.style != YAML_LITERAL_SCALAR_STYLE
           && e->data.scalar.style != YAML_FOLDED_SCALAR_STYLE
           && e->end_mark.column - e->start_mark.column == width + 2 * *quotes;
}

static void
read_text(struct reader *r, const yaml_event_t *e, struct node *n)
{
    const struct slice  text = { (const char *)e->data.scalar.value, e->data.scalar.length };
    struct expand_place place = { .at = n->at };
    struct buf          out = { NULL, 0, 0 };
    enum expansion      expansion;
    size_t              quotes;

    place.exact = stands_as_read(e, &quotes);
    place.at.column += place.exact ? (unsigned)quotes : 0;
    expansion = expand_text(text, place, &out, r->errs);
    n->secret = expansion == EXPAND_SECRET;
    n->bad = expansion == EXPAND_BAD;
    n->quoted = expansion != EXPAND_SAME || !place.exact || quotes > 0;
    /* A value that is not known becomes one that is of every kind. */
    set_text(r, n, expansion == EXPAND_SAME  ? text
                   : expansion == EXPAND_BAD ? SLICE("0") : buf_slice(&out));
    if (n->secret && out.ptr != NULL)
        explicit_bzero(out.ptr, out.room);
    buf_fini(&out);
}

static struct node *
read_scalar(struct reader *r, const yaml_event_t *e)
{
    struct node *n = new_node(r, NODE_NULL, mark_of(r, e->start_mark));

    if (n != NULL && !is_null(e))
        read_text(r, e, n);
    return n;
}

/* ---- Lists, maps, aliases ------------------------------------------------ */

static struct node *read_value(struct reader *r, yaml_event_t *event, unsigned depth);

static struct node *
read_list(struct reader *r, struct mark at, unsigned depth)
{
    struct node   *list = new_node(r, NODE_LIST, at);
    struct entries es = { NULL, NULL };
    yaml_event_t   event;

    while (list != NULL) {
        struct node *n;

        if (!next_event(r, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            list->first = es.first;
            return list;
        }
        n = read_value(r, &event, depth + 1);
        if (n == NULL)
            return NULL;
        append(&es, n);
    }
    return NULL;
}

/* The text of a key, or NULL if it is one that we do not take. */
static const char *
read_key(struct reader *r, const yaml_event_t *e, struct mark at)
{
    const char  *text = (const char *)e->data.scalar.value;
    const size_t len = e->data.scalar.length;

    if (e->type != YAML_SCALAR_EVENT)
        errors_at(r->errs, at, "a key must be a plain text");
    else if (e->data.scalar.tag != NULL)
        errors_at(r->errs, at, "tags ('%s') are not supported", (const char *)e->data.scalar.tag);
    else if (len == 0)
        errors_at(r->errs, at, "a key must not be empty");
    else if (strlen(text) != len)
        errors_at(r->errs, at, "a key must not hold a NUL byte");
    else
        return keep_text(r->t, (struct slice){ text, len });
    return NULL;
}

static bool
is_merge_key(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
           && strcmp((const char *)e->data.scalar.value, "<<") == 0;
}

/* One map behind "<<": copies of its entries, as it may have an anchor, come
 * behind those of `es`. */
static void
add_merged(struct reader *r, struct entries *es, const struct node *map)
{
    if (map->kind != NODE_MAP) {
        errors_at(r->errs, map->at, "'<<' must be a map or a list of maps, not %s",
                  node_kind_name(map));
        return;
    }
    for (const struct node *e = map->first; e != NULL && !r->failed; e = e->next) {
        struct node *copy = copy_node(r, e);

        if (copy != NULL)
            append(es, copy);
    }
}

/* What a map says itself, then what it merges, in turn: the first of a key counts. */
static void
keep_first_of_each(struct node *map)
{
    const size_t   count = node_count(map);
    struct ranked *sorted = sort_entries(map, count);
    bool          *bad = mem_zero(count);

    for (size_t i = 1; i < count; i++)
        bad[sorted[i].rank] = strcmp(sorted[i].node->key, sorted[i - 1].node->key) == 0;
    keep_good_entries(map, bad);
    free(bad);
    free(sorted);
}

static void
merge_maps(struct reader *r, struct node *map, const struct node *merges)
{
    struct entries es = { map->first, map->first };

    if (merges == NULL)
        return;
    while (es.last != NULL && es.last->next != NULL)
        es.last = es.last->next;
    for (const struct node *m = merges; m != NULL; m = m->next)
        for (const struct node *e = node_first_of(m); e != NULL; e = node_next_of(m, e))
            add_merged(r, &es, e);
    map->first = es.first;
    keep_first_of_each(map);
}

/* One entry, whose key is `event`; false after an error that ends the file. */
static bool
read_entry(struct reader *r, yaml_event_t *event, struct entries *es, struct entries *merges,
           unsigned depth)
{
    const struct mark       at = mark_of(r, event->start_mark);
    const yaml_event_type_t type = event->type;
    const bool              merge = is_merge_key(event);
    const char             *key = read_key(r, event, at);
    struct node            *n;

    yaml_event_delete(event);
    if (!skip_value(r, type) || !next_event(r, event))
        return false;
    if (key == NULL) {
        const yaml_event_type_t value = event->type;

        yaml_event_delete(event);
        return skip_value(r, value);
    }
    n = read_value(r, event, depth + 1);
    if (n == NULL)
        return false;
    n->key = key;
    n->key_at = at;
    append(merge ? merges : es, n);
    return true;
}

static struct node *
read_map(struct reader *r, struct mark at, unsigned depth)
{
    struct node   *map = new_node(r, NODE_MAP, at);
    struct entries es = { NULL, NULL }, merges = { NULL, NULL };
    yaml_event_t   event;

    while (map != NULL) {
        if (!next_event(r, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            map->first = es.first;
            tree_drop_duplicates(map, r->errs);
            merge_maps(r, map, merges.first);
            return r->failed ? NULL : map;
        }
        if (!read_entry(r, &event, &es, &merges, depth))
            return NULL;
    }
    return NULL;
}

static struct node *
bad_node(struct reader *r, struct mark at)
{
    struct node *n = new_node(r, NODE_SCALAR, at);

    if (n != NULL) {
        n->text = "0";
        n->len = 1;
        n->bad = true;
    }
    return n;
}

/* An anchor is known from its value's end on: none can hold itself. */
static struct node *
read_alias(struct reader *r, const char *name, struct mark at)
{
    struct node *n;

    for (size_t i = r->nanchors; i > 0; i--) {
        if (strcmp(r->anchors[i - 1].name, name) != 0)
            continue;
        n = copy_node(r, r->anchors[i - 1].node);
        if (n != NULL) {
            n->at = at;
            n->key = NULL;
        }
        return n;
    }
    errors_at(r->errs, at, "there is no anchor '&%s' before this", name);
    return bad_node(r, at);
}

static bool
keep_anchor(struct reader *r, const char *name, struct node *n)
{
    if (r->nanchors == MOST_ANCHORS) {
        errors_at(r->errs, n->at, "too many anchors (more than %d in one file)", MOST_ANCHORS);
        give_up(r);
        return false;
    }
    r->anchors[r->nanchors++] = (struct anchor){ keep_text(r->t, slice_of(name)), n };
    return true;
}

/* What a value's first event says besides its kind. */
static void
names_of(const yaml_event_t *e, const char **tag, const char **anchor)
{
    const yaml_char_t *t = NULL, *a = NULL;

    if (e->type == YAML_SCALAR_EVENT) {
        t = e->data.scalar.tag;
        a = e->data.scalar.anchor;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        t = e->data.sequence_start.tag;
        a = e->data.sequence_start.anchor;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        t = e->data.mapping_start.tag;
        a = e->data.mapping_start.anchor;
    }
    *tag = (const char *)t;
    *anchor = (const char *)a;
}

static struct node *
read_tagged(struct reader *r, const char *tag, yaml_event_type_t type, struct mark at)
{
    errors_at(r->errs, at, "tags ('%s') are not supported", tag);
    return skip_value(r, type) ? bad_node(r, at) : NULL;
}

static struct node *
read_plain_value(struct reader *r, const yaml_event_t *event, unsigned depth)
{
    const struct mark at = mark_of(r, event->start_mark);

    switch ((int)event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(r, at, depth);
    case YAML_MAPPING_START_EVENT:
        return read_map(r, at, depth);
    default:
        return read_alias(r, (const char *)event->data.alias.anchor, at);
    }
}

/* The value that begins with `event`, which is deleted.  NULL: an error ended the file. */
static struct node *
read_value(struct reader *r, yaml_event_t *event, unsigned depth)
{
    const struct mark at = mark_of(r, event->start_mark);
    const char       *tag, *anchor;
    struct node      *n = NULL;

    names_of(event, &tag, &anchor);
    if (depth > MOST_DEPTH) {
        say_too_deep(r, event->start_mark);
    } else if (tag != NULL) {
        n = read_tagged(r, tag, event->type, at);
    } else {
        n = read_plain_value(r, event, depth);
    }
    if (n != NULL && anchor != NULL && !keep_anchor(r, anchor, n))
        n = NULL;
    yaml_event_delete(event);
    return n;
}

/* ---- One file ------------------------------------------------------------ */

/* The first document of the stream, or NULL if there is none or an error came. */
static struct node *
read_document(struct reader *r)
{
    yaml_event_t event;

    for (;;) {
        yaml_event_type_t type;

        if (!next_event(r, &event))
            return NULL;
        type = event.type;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT) {
            yaml_event_delete(&event);
            continue;
        }
        if (type != YAML_STREAM_END_EVENT)
            return read_value(r, &event, 1);
        yaml_event_delete(&event);
        return NULL;
    }
}

static void
refuse_second_document(struct reader *r)
{
    yaml_event_t event;
    bool         more = next_event(r, &event);

    if (more) {     /* the end of the first one */
        yaml_event_delete(&event);
        more = next_event(r, &event);
    }
    if (!more)
        return;
    if (event.type == YAML_DOCUMENT_START_EVENT)
        errors_at(r->errs, mark_of(r, event.start_mark),
                  "a second document (put it into a file of its own)");
    yaml_event_delete(&event);
}

/* The top-level map, or NULL. */
static struct node *
read_file(struct reader *r)
{
    const struct mark whole = { r->file->name, 0, 0 };
    struct node      *n = read_document(r);

    if (n != NULL)
        refuse_second_document(r);
    if (r->failed)
        return NULL;
    if (n != NULL && n->kind == NODE_MAP)
        return n;
    if (n == NULL || n->kind == NODE_NULL)
        errors_at(r->errs, whole, "is empty");
    else
        errors_at(r->errs, n->at, "a configuration must be a map of sections, not %s",
                  node_kind_name(n));
    give_up(r);
    return NULL;
}

struct node *
tree_parse(struct tree *t, struct tree_file *file, struct errors *errs)
{
    struct reader *r = NEW(struct reader);
    struct node   *top;

    r->t = t;
    r->file = file;
    r->errs = errs;
    if (!yaml_parser_initialize(&r->parser))
        abort();    /* no memory */
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)file->text.ptr,
                                 file->text.len);
    top = read_file(r);
    yaml_parser_delete(&r->parser);
    free(r);
    return top;
}

const char *
tree_library(void)
{
    return yaml_get_version_string();
}

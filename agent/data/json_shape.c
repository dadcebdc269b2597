/* json_shape.c - see json_shape.h.
 *
 * Shapes are a tree of steps: the text before a value, then the value.  Lines that begin alike
 * share their first steps; where they differ, there are several steps to choose from.  A path ends
 * with a step that has the rest of the line as its text, and no value.
 *
 * Objects are not values but parts of the texts around them (`,"request":{"id":`), unless
 * their own text is asked for.  Arrays are values.  What would need a look at the line as a
 * whole is not learned: a name that comes twice in one object, or that holds a dot or an escape.
 *
 * Lines whose names are data (a map of users, say) have no shape.  So learning is paid for by lines
 * that had one already, and where few have, few are tried.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json_shape.h"

#include <stdlib.h>

#include "agent/base/mem.h"
#include "agent/data/json_scan.h"

enum {
    MAX_TEXT = 64,              /* bytes between two values */
    BLOCK = 16,
    MAX_STEPS = 2048,
    MAX_STEPS_OF_LINE = 128,
    MAX_CHOICES = 16,           /* of steps at one place */
    MAX_DEPTH = 16,
    MOST_CREDIT = 4096,         /* a line of a known shape gives 1 */
    LEARN_COST = 16,
    FORGET_COST = 2048,
    MOST_LUCK = 64,             /* a line of a known shape gives 1, any other takes 1; */
    LEAST_LUCK = -8,
    TRY_EVERY = 32,             /* below 0 few lines are looked at */
};

struct step {
    char                     text[MAX_TEXT];    /* filled up with zeros */
    uint8_t                  len;       /* of the text */
    uint16_t                 block;     /* a bit for each byte of it, up to BLOCK */
    bool                     ends;      /* no value follows, nor anything else */
    bool                     wanted;    /* the value is kept; */
    bool                     parts;     /* it is no object: of one its members would be */
    uint8_t                  name_at, name_len;     /* in the text */
    uint8_t                  depth;
    uint16_t                 next, other;   /* behind the value; instead of this one; 0: none */
    const struct names_path *below;
};

struct json_shapes {
    struct step *steps;         /* MAX_STEPS; [0].next: where lines begin */
    uint16_t     count;         /* 0: nothing was learned yet */
    unsigned     credit;
    int          luck;
    unsigned     lines;         /* below 0 */
    bool         tried;         /* the last line was looked at */
};

struct json_shapes *
json_shapes_new(void)
{
    struct json_shapes *shapes = NEW(struct json_shapes);

    shapes->credit = MOST_CREDIT;
    shapes->luck = MOST_LUCK;
    return shapes;
}

void
json_shapes_free(struct json_shapes *shapes)
{
    if (shapes == NULL)
        return;
    free(shapes->steps);
    free(shapes);
}

/* ---- A line of a known shape ----------------------------------------------- */

/* Does the step's text stand at `p`?  Most are shorter than a block. */
INLINE bool
has_text(const struct step *s, const char *p, const char *end)
{
#ifdef __SSE2__
    if (end - p >= BLOCK) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)s->text);
        const unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));

        if ((~same & s->block) != 0)
            return false;
        if (s->len <= BLOCK)
            return true;
    }
#endif
    return end - p >= s->len && memcmp(p, s->text, s->len) == 0;
}

/* May what is behind the text, from `p`, be behind this step? */
INLINE bool
fits(const struct step *s, const char *p, const char *end)
{
    return s->ends ? p == end : p < end && !(s->parts && *p == '{');
}

/* The step that goes on at `p`; NULL: none of them. */
INLINE const struct step *
choose(const struct json_shapes *shapes, uint16_t first, const char *p, const char *end)
{
    while (first != 0) {
        const struct step *s = &shapes->steps[first];

        if (has_text(s, p, end) && fits(s, p + s->len, end))
            return s;
        first = s->other;
    }
    return NULL;
}

/* `p` is before the end; the result behind the value, or NULL. */
INLINE const char *
take_value(const struct step *s, struct json_scan t, const char *p, struct json_fields *to)
{
    const char *const begin = p;
    struct json_token value;

    p = json_scan_any(t, p, &value.kind, &value.escaped);
    if (s->wanted && p != NULL) {
        value.text = (struct slice){ begin, (size_t)(p - begin) };
        json_fields_set(to, s->below, s->depth,
                        (struct slice){ begin - s->len + s->name_at, s->name_len }, value);
    }
    return p;
}

INLINE bool
take(const struct json_shapes *shapes, struct slice text, struct json_fields *to)
{
    const struct json_scan t = { text.ptr, text.ptr + text.len };
    const struct step     *s;
    const char            *p = t.begin;

    for (uint16_t next = shapes->steps[0].next; (s = choose(shapes, next, p, t.end)) != NULL;
         next = s->next) {
        p += s->len;
        if (s->ends)
            return true;
        p = take_value(s, t, p, to);
        if (p == NULL)
            return false;
    }
    return false;
}

bool
json_shapes_take(struct json_shapes *shapes, struct slice text, struct json_fields *to)
{
    shapes->tried = shapes->luck >= 0 || ++shapes->lines % TRY_EVERY == 0;
    if (!shapes->tried || shapes->count == 0)
        return false;
    if (!take(shapes, text, to)) {
        shapes->luck -= shapes->luck > LEAST_LUCK;
        return false;
    }
    shapes->luck += shapes->luck < MOST_LUCK;
    shapes->credit += shapes->credit < MOST_CREDIT;
    return true;
}

/* ---- Learning ---------------------------------------------------------------- */

/* A text that is being looked at: its steps, in order. */
struct lesson {
    struct json_scan     t;
    const struct record *r;
    const char          *behind;        /* the last value */
    struct step          steps[MAX_STEPS_OF_LINE];
    unsigned             count;
};

/* `step` is all but its text, which is from the last value to `p`.  False: no room. */
static bool
add_step(struct lesson *l, struct step step, const char *p)
{
    const size_t len = (size_t)(p - l->behind);

    if (len > MAX_TEXT || l->count == MAX_STEPS_OF_LINE)
        return false;
    memcpy(step.text, l->behind, len);
    step.len = (uint8_t)len;
    step.block = len < BLOCK ? (uint16_t)((1u << len) - 1) : UINT16_MAX;
    l->steps[l->count++] = step;
    return true;
}

/* Names of one object. */
struct known_names {
    struct slice list[MAX_STEPS_OF_LINE];
    unsigned     count;
};

static bool
is_plain_and_new(struct known_names *known, struct slice name)
{
    if (known->count == MAX_STEPS_OF_LINE || memchr(name.ptr, '.', name.len) != NULL)
        return false;
    for (unsigned i = 0; i < known->count; i++)
        if (slice_equal(known->list[i], name))
            return false;
    known->list[known->count++] = name;
    return true;
}

static const char *learn_members(struct lesson *l, const struct names_path *at, unsigned depth,
                                 const char *p);

/* The value of a member, `p` at its beginning.  Behind it; NULL: it cannot be learned. */
static const char *
learn_value(struct lesson *l, const struct names_path *below, unsigned depth, struct slice name,
            const char *p)
{
    const bool wanted = below != NULL || (depth == 0 && !l->r->numbered_only);
    const bool parts = below != NULL && below->first != NULL;
    const bool whole = below != NULL && below->number != NAME_NONE;
    const size_t name_at = (size_t)(name.ptr - l->behind);

    if (*p == '{' && parts && (whole || (depth == 0 && !l->r->numbered_only)))
        return NULL;
    if (*p == '{' && (parts || !wanted))
        return learn_members(l, below, depth + 1, p);
    if (!add_step(l, (struct step){ .wanted = wanted, .parts = parts, .depth = (uint8_t)depth,
                                    .name_at = (uint8_t)name_at, .name_len = (uint8_t)name.len,
                                    .below = below }, p))
        return NULL;
    l->behind = json_scan_value(l->t, p);
    return l->behind;
}

/* An object, `p` on its brace.  Behind it; NULL: it cannot be learned. */
static const char *
learn_members(struct lesson *l, const struct names_path *at, unsigned depth, const char *p)
{
    struct known_names known = { .count = 0 };

    if (depth == MAX_DEPTH)
        return NULL;
    p = json_scan_blanks(l->t, p + 1);
    if (p < l->t.end && *p == '}')
        return p + 1;
    do {
        struct slice name;
        bool         escaped;

        p = json_scan_key(l->t, p, &name, &escaped);
        if (p == NULL || escaped || !is_plain_and_new(&known, name))
            return NULL;
        p = learn_value(l, at != NULL ? names_find_below(at, name) : NULL, depth, name, p);
        if (p == NULL)
            return NULL;
        p = json_scan_blanks(l->t, p);
        if (p == l->t.end)
            return NULL;
    } while (*p++ == ',');
    return p[-1] == '}' ? p : NULL;
}

static bool
learn_line(struct lesson *l)
{
    const char *const p = json_scan_blanks(l->t, l->t.begin);

    l->behind = l->t.begin;
    return p < l->t.end && *p == '{' &&
           learn_members(l, names_paths(l->r->names), 0, p) != NULL &&
           add_step(l, (struct step){ .ends = true }, l->t.end);
}

/* ---- Keeping what was learned --------------------------------------------------- */

static void
forget(struct json_shapes *shapes)
{
    if (shapes->steps == NULL)
        shapes->steps = mem_array(NULL, MAX_STEPS, sizeof *shapes->steps);
    shapes->steps[0] = (struct step){ .len = 0 };
    shapes->count = 1;
}

static bool
is_same(const struct step *a, const struct step *b)
{
    return a->len == b->len && a->ends == b->ends && memcmp(a->text, b->text, a->len) == 0;
}

/* The step behind `at` that is this one, or becomes it; 0: there are too many. */
static uint16_t
enter(struct json_shapes *shapes, uint16_t at, const struct step *step)
{
    uint16_t *link = &shapes->steps[at].next;
    unsigned  choices = 0;

    for (; *link != 0; link = &shapes->steps[*link].other) {
        if (is_same(&shapes->steps[*link], step))
            return *link;
        if (++choices == MAX_CHOICES)
            return 0;
    }
    if (shapes->count == MAX_STEPS)
        return 0;
    *link = shapes->count;
    shapes->steps[shapes->count] = *step;
    return shapes->count++;
}

static bool
enter_all(struct json_shapes *shapes, const struct lesson *l)
{
    uint16_t at = 0;

    for (unsigned i = 0; i < l->count; i++) {
        at = enter(shapes, at, &l->steps[i]);
        if (at == 0)
            return false;
    }
    return true;
}

void
json_shapes_learn(struct json_shapes *shapes, struct slice text, const struct record *r)
{
    struct lesson l = { .t = { text.ptr, text.ptr + text.len }, .r = r, .count = 0 };

    if (!shapes->tried || shapes->credit < LEARN_COST)
        return;
    shapes->credit -= LEARN_COST;
    if (!learn_line(&l))
        return;
    if (shapes->count == 0)
        forget(shapes);
    if (!enter_all(shapes, &l) && shapes->credit >= FORGET_COST) {
        shapes->credit -= FORGET_COST;
        forget(shapes);
        (void)enter_all(shapes, &l);
    }
}

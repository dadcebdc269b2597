/* straight.c - see straight.h.
 *
 * A pattern becomes a list of steps.  Each either goes on or ends the match, for none has another
 * way to try: a repeat takes all it can, because with fewer the next byte would be one of its own,
 * and what follows it begins with none of those.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/straight.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/inline.h"
#include "agent/base/mem.h"
#include "agent/data/straight_tree.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- Steps ------------------------------------------------------------------- */

enum { BLOCK = 16 };       /* bytes */

enum op {
    STEP_RUN,       /* as many as there are of a set that is found by blocks, into a group; */
    STEP_COUNT,     /* the same of any set, and no more than `max`; */
    STEP_TEXT,      /* or none; and then the text */
    STEP_OPEN,      /* a group begins, */
    STEP_CLOSE,     /* and ends */
    STEP_TRY,       /* one of a set follows; else: on to the step `to` */
    STEP_JUMP,
    STEP_END,       /* $ */
    STEP_DONE,
};

/* A set, as it is looked for. */
struct scan {
    unsigned char first[2][BLOCK];  /* a range or two: where they begin, a byte repeated, */
    unsigned char span[2][BLOCK];   /* and how many follow the first */
    unsigned      flip;             /* a block of ones if the ranges are what is in it; else 0 */
    bool          by_blocks;        /* that is all of it */
    bool          has[256];
};

/* A few bytes, as they lie in memory. */
struct text {
    uint64_t bytes, mask;           /* in the mask all bits of those that count */
    size_t   len;
};

struct step {
    enum op            op;
    unsigned           group;       /* a run of none goes to 0, which is written last */
    unsigned           min, max;
    struct text        text;        /* behind a run: bytes that follow it */
    size_t             to;          /* an index */
    const struct scan *scan;
};

struct straight {
    struct step  *steps;
    size_t        nsteps;
    struct scan **scans;
    size_t        nscans;
    size_t        groups;
    size_t        entry;            /* the last step to which another leads, while they are made */
    bool          leaves_out;       /* a group may take no part */
};

/* ---- Compiling --------------------------------------------------------------- */

/* The ranges of the bytes that are in the set, or of those that are not; how many, or 3. */
static int
find_ranges(struct scan *scan, const struct straight_set *set, bool inverted)
{
    int n = 0;

    for (unsigned byte = 0; byte < 256; byte++) {
        if (straight_set_has(set, byte) == inverted)
            continue;
        if (n > 0 && straight_set_has(set, byte - 1) != inverted) {
            scan->span[n - 1][0]++;
            continue;
        }
        if (n == 2)
            return 3;
        scan->first[n][0] = (unsigned char)byte;
        scan->span[n++][0] = 0;
    }
    return n;
}

static void
fill_scan(struct scan *scan, const struct straight_set *set)
{
    int n = find_ranges(scan, set, false);

    scan->flip = (1u << BLOCK) - 1;
    if (n < 1 || n > 2) {
        n = find_ranges(scan, set, true);
        scan->flip = 0;
    }
    scan->by_blocks = n == 1 || n == 2;
    for (int i = 0; i < 2; i++) {
        memset(scan->first[i], scan->first[i < n ? i : 0][0], BLOCK);
        memset(scan->span[i], scan->span[i < n ? i : 0][0], BLOCK);
    }
    for (unsigned byte = 0; byte < 256; byte++)
        scan->has[byte] = straight_set_has(set, byte);
}

/* Equal sets share one: the fewer there are, the more of them are in the cache. */
static const struct scan *
add_scan(struct straight *s, const struct straight_set *set)
{
    struct scan *scan = NEW(struct scan);

    fill_scan(scan, set);
    for (size_t i = 0; i < s->nscans; i++) {
        if (memcmp(s->scans[i]->has, scan->has, sizeof scan->has) == 0) {
            free(scan);
            return s->scans[i];
        }
    }
    s->scans = mem_array(s->scans, s->nscans + 1, sizeof *s->scans);
    s->scans[s->nscans++] = scan;
    return scan;
}

static struct step *
add_step(struct straight *s, enum op op)
{
    s->steps = mem_array(s->steps, s->nsteps + 1, sizeof *s->steps);
    s->steps[s->nsteps] = (struct step){ .op = op };
    return &s->steps[s->nsteps++];
}

static void compile(struct straight *s, const struct straight_node *n);

static void
lead_here(struct straight *s, size_t step)
{
    s->steps[step].to = s->entry = s->nsteps;
}

static void
add_byte(struct straight *s, unsigned char byte)
{
    struct step *last = s->nsteps > s->entry ? &s->steps[s->nsteps - 1] : NULL;

    if (last == NULL || last->op > STEP_TEXT || last->text.len == sizeof last->text.bytes)
        last = add_step(s, STEP_TEXT);
    ((unsigned char *)&last->text.bytes)[last->text.len] = byte;
    ((unsigned char *)&last->text.mask)[last->text.len++] = 0xff;
}

/* The byte that a set consists of, or -1. */
static int
single_byte(const struct straight_set *set)
{
    int found = -1;

    for (unsigned byte = 0; byte < 256; byte++) {
        if (!straight_set_has(set, byte))
            continue;
        if (found >= 0)
            return -1;
        found = (int)byte;
    }
    return found;
}

static void
compile_set(struct straight *s, const struct straight_node *n, unsigned group)
{
    const int          byte = single_byte(&n->set);
    const struct scan *scan;
    struct step       *step;

    if (n->min == 1 && n->max == 1 && group == 0 && byte >= 0) {
        add_byte(s, (unsigned char)byte);
        return;
    }
    scan = add_scan(s, &n->set);
    step = add_step(s, scan->by_blocks && n->max == STRAIGHT_NO_LIMIT ? STEP_RUN : STEP_COUNT);
    step->scan = scan;
    step->min = n->min;
    step->max = n->max;
    step->group = group;
}

/* The alternatives, each but the last behind a look at its first byte. */
static void
compile_alternatives(struct straight *s, const struct straight_alternative *a)
{
    size_t try, jump;

    if (a->next == NULL) {
        compile(s, a->first);
        return;
    }
    try = s->nsteps;
    add_step(s, STEP_TRY)->scan = add_scan(s, &a->begins);
    compile(s, a->first);
    jump = s->nsteps;
    add_step(s, STEP_JUMP);
    lead_here(s, try);
    compile_alternatives(s, a->next);
    lead_here(s, jump);
}

static bool
is_single_set(const struct straight_alternative *a)
{
    return a->next == NULL && a->first != NULL && a->first->next == NULL &&
           a->first->kind == STRAIGHT_SET;
}

static void
compile_group(struct straight *s, const struct straight_node *n)
{
    const size_t try = s->nsteps;

    if (n->min == 0)
        add_step(s, STEP_TRY)->scan = add_scan(s, &n->set);
    if (n->capture > 0 && is_single_set(n->alternatives)) {
        compile_set(s, n->alternatives->first, n->capture);
    } else {
        if (n->capture > 0)
            add_step(s, STEP_OPEN)->group = n->capture;
        compile_alternatives(s, n->alternatives);
        if (n->capture > 0)
            add_step(s, STEP_CLOSE)->group = n->capture;
    }
    if (n->min == 0)
        lead_here(s, try);
    s->leaves_out = s->leaves_out || n->min == 0 || n->alternatives->next != NULL;
}

static void
compile(struct straight *s, const struct straight_node *n)
{
    for (; n != NULL; n = n->next) {
        switch (n->kind) {
        case STRAIGHT_SET:
            compile_set(s, n, 0);
            break;
        case STRAIGHT_GROUP:
            compile_group(s, n);
            break;
        case STRAIGHT_END:
            add_step(s, STEP_END);
            break;
        }
    }
}

struct straight *
straight_new(struct slice pattern)
{
    struct straight_tree tree;
    struct straight     *s;

    if (!straight_tree_make(&tree, pattern))
        return NULL;
    s = NEW(struct straight);
    s->groups = tree.groups;
    compile(s, tree.first);
    add_step(s, STEP_DONE);
    straight_tree_fini(&tree);
    return s;
}

void
straight_free(struct straight *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->nscans; i++)
        free(s->scans[i]);
    free(s->scans);
    free(s->steps);
    free(s);
}

size_t
straight_groups(const struct straight *s)
{
    return s->groups;
}

/* ---- Matching ---------------------------------------------------------------- */

#ifdef __SSE2__
INLINE __m128i
load(const void *bytes)
{
    return _mm_loadu_si128(bytes);
}

INLINE __m128i
in_range(__m128i block, const unsigned char *first, const unsigned char *span)
{
    const __m128i from_first = _mm_sub_epi8(block, load(first));

    return _mm_cmpeq_epi8(_mm_min_epu8(from_first, load(span)), from_first);
}

/* A bit for each byte of a block that is not in the set. */
INLINE unsigned
not_in_set(const struct scan *scan, const char *text)
{
    const __m128i block = load(text);
    const __m128i in = _mm_or_si128(in_range(block, scan->first[0], scan->span[0]),
                                    in_range(block, scan->first[1], scan->span[1]));

    return (unsigned)_mm_movemask_epi8(in) ^ scan->flip;
}
#endif

INLINE size_t
count_end(const struct scan *scan, const char *text, size_t at, size_t end)
{
    while (at < end && scan->has[(unsigned char)text[at]])
        at++;
    return at;
}

/* The first byte from `at` on that is not in the set, or the end.  The last block of the text is
 * looked at as a whole, with some bytes before `at`. */
INLINE size_t
run_end(const struct scan *scan, const char *text, size_t at, size_t len)
{
#ifdef __SSE2__
    unsigned out;

    for (; len - at >= BLOCK; at += BLOCK) {
        out = not_in_set(scan, text + at);
        if (out != 0)
            return at + (size_t)__builtin_ctz(out);
    }
    if (len >= BLOCK) {
        out = not_in_set(scan, text + len - BLOCK) >> (at + BLOCK - len);
        return out != 0 ? at + (size_t)__builtin_ctz(out) : len;
    }
#endif
    return count_end(scan, text, at, len);
}

INLINE bool
follows(const struct text *expected, const char *text, size_t at, size_t len)
{
    uint64_t bytes;

    if (len - at < sizeof bytes)
        return len - at >= expected->len && memcmp(text + at, &expected->bytes, expected->len) == 0;
    memcpy(&bytes, text + at, sizeof bytes);
    return ((bytes ^ expected->bytes) & expected->mask) == 0;
}

bool
straight_match(const struct straight *s, struct slice subject, size_t *offsets)
{
    const char *const text = subject.ptr;
    const size_t      len = subject.len;
    size_t            at = 0, begin;

    if (s->leaves_out)
        memset(offsets, 0xff, 2 * (s->groups + 1) * sizeof *offsets);
    for (const struct step *step = s->steps;; step++) {
        switch (step->op) {
        case STEP_RUN:
        case STEP_COUNT:
            begin = at;
            at = step->op == STEP_RUN ? run_end(step->scan, text, at, len)
                : count_end(step->scan, text, at, len - at < step->max ? len : at + step->max);
            if (at - begin < step->min)
                return false;
            offsets[2 * step->group] = begin;
            offsets[2 * step->group + 1] = at;
            /* fall through */
        case STEP_TEXT:
            if (!follows(&step->text, text, at, len))
                return false;
            at += step->text.len;
            break;
        case STEP_OPEN:
            offsets[2 * step->group] = at;
            break;
        case STEP_CLOSE:
            offsets[2 * step->group + 1] = at;
            break;
        case STEP_TRY:
            if (at == len || !step->scan->has[(unsigned char)text[at]])
                step = &s->steps[step->to] - 1;
            break;
        case STEP_JUMP:
            step = &s->steps[step->to] - 1;
            break;
        case STEP_END:
            if (at != len && (at + 1 != len || text[at] != '\n'))
                return false;
            break;
        case STEP_DONE:
            offsets[0] = 0;
            offsets[1] = at;
            return true;
        }
    }
}

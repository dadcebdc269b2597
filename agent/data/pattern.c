/* pattern.c - see pattern.h.
 *
 * A straight pattern (straight.h) is matched in one pass over the line.  For all others three
 * things bound the time that a line can take, however its bytes and the
 * pattern get on with each other.  PCRE2's match limit counts backtracking, but
 * begins again at every place in the line where a match may begin; so a search
 * goes over the line in steps of a few such places, and looks at the clock
 * between them.  An anchored pattern has one place and takes one step.  And what is counted
 * once may go over the rest of the line each time ([^x]+); so a long line has a low limit at
 * first, and one that is four times as high as long as the clock allows it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/pattern.h"

#include <assert.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/clock.h"
#include "agent/base/inline.h"
#include "agent/base/mem.h"
#include "agent/data/straight.h"

enum {
    FIRST_STACK = 32 * 1024,        /* bytes; the machine stack of the JIT's code */
    MAX_STACK = 1024 * 1024,
    MAX_HEAP = 16 * 1024,           /* KiB; for patterns that the JIT does not take */
    MAX_DEPTH = 100 * 1000,
    BACKTRACKS = 200 * 1000,        /* for each place to begin at, 2 to 3 ns each, */
    BACKTRACKS_A_BYTE = 8,          /* and more in a long line, where honest patterns need them: */
    LENGTH_STEP = 4096,             /* one limit for so many lengths (setting it costs time, too) */
    FIRST_WORK = 64 * 1024 * 1024,  /* bytes that the first limit allows to be gone over */
    FIRST_BACKTRACKS = 64,          /* at least */
    RAISE = 4,
    STEP = 128,                     /* places to begin at between two looks at the clock, */
    STEP_BYTES = 32 * 1024 * 1024,  /* fewer in a long line, where each may take long */
    LEAST_STEP = 2,
    MAX_TIME = 50 * 1000 * 1000,    /* ns of CPU a line, */
    TIME_A_BYTE = 16,               /* and more for an honest pattern in a very long one */
};

struct pattern {
    struct straight *straight;      /* matches as the rest does, and faster; or NULL */
    pcre2_code  *code;
    bool         jit;
    bool         utf;
    bool         anchored;
    size_t       groups;
    const char **names;             /* by group; they point into `code` */
};

struct pattern_work {
    pcre2_match_data    *data;
    pcre2_match_context *context;
    pcre2_jit_stack     *stack;
    PCRE2_SIZE          *offsets;   /* in `data`: where each group begins and ends */
    size_t               groups;
    uint32_t             limits;    /* searches that were given up */
    size_t               backtracks, offset_limit;  /* as the context has them now */
};

/* ---- Compiling ---------------------------------------------------------- */

static pcre2_code *
compile(struct slice text, uint32_t options, size_t *offset, struct error *err)
{
    int         code = 0;
    PCRE2_SIZE  at = 0;
    PCRE2_UCHAR fault[160];
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, options, &code, &at, NULL);

    if (re != NULL)
        return re;
    if (offset != NULL)
        *offset = at;
    pcre2_get_error_message(code, fault, sizeof fault);
    error_set(err, ERR_CONFIG, "bad regular expression: %s (at offset %zu)",
              (const char *)fault, (size_t)at);
    return NULL;
}

static uint32_t
info(const pcre2_code *code, uint32_t what)
{
    uint32_t  value = 0;
    const int rc = pcre2_pattern_info(code, what, &value);

    assert(rc == 0);
    return value;
}

static bool
has_jit_code(const pcre2_code *code)
{
    size_t size = 0;

    return pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
}

/* An entry of the table: the group's number in two bytes, then its name. */
static void
find_names(struct pattern *p)
{
    const uint32_t count = info(p->code, PCRE2_INFO_NAMECOUNT);
    const uint32_t size = info(p->code, PCRE2_INFO_NAMEENTRYSIZE);
    PCRE2_SPTR     entry = NULL;

    p->names = mem_zero((p->groups + 1) * sizeof *p->names);
    pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &entry);
    for (uint32_t i = 0; i < count; i++, entry += size)
        p->names[entry[0] << 8 | entry[1]] = (const char *)entry + 2;
}

/* What the library was built to take for a line's end. */
static bool
newline_is_lf(void)
{
    uint32_t newline = 0;

    return pcre2_config(PCRE2_CONFIG_NEWLINE, &newline) >= 0 && newline == PCRE2_NEWLINE_LF;
}

struct pattern *
pattern_new(struct slice text, size_t *offset, struct error *err)
{
    /* What a pattern is, only PCRE2 can say: it may set its own options. */
    pcre2_code     *looked_at = compile(text, 0, offset, err);
    struct pattern *p;
    uint32_t        options;

    if (looked_at == NULL)
        return NULL;
    p = NEW(struct pattern);
    options = info(looked_at, PCRE2_INFO_ALLOPTIONS);
    pcre2_code_free(looked_at);
    p->utf = (options & PCRE2_UTF) != 0;
    p->anchored = (options & PCRE2_ANCHORED) != 0;
    p->code = compile(text,
                      (p->utf ? PCRE2_MATCH_INVALID_UTF : 0) |
                      (p->anchored ? 0 : PCRE2_USE_OFFSET_LIMIT), offset, err);
    if (p->code == NULL) {
        pattern_free(p);
        return NULL;
    }
    p->jit = pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0 && has_jit_code(p->code);
    p->groups = info(p->code, PCRE2_INFO_CAPTURECOUNT);
    find_names(p);
    if (!p->utf && newline_is_lf())
        p->straight = straight_new(text);
    assert(p->straight == NULL || straight_groups(p->straight) == p->groups);
    return p;
}

void
pattern_free(struct pattern *p)
{
    if (p == NULL)
        return;
    straight_free(p->straight);
    free(p->names);
    pcre2_code_free(p->code);
    free(p);
}

size_t
pattern_groups(const struct pattern *p)
{
    return p->groups;
}

const char *
pattern_group_name(const struct pattern *p, size_t group)
{
    assert(group <= p->groups);
    return p->names[group];
}

const char *
pattern_library(void)
{
    static char version[64];

    assert(pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof version);
    pcre2_config(PCRE2_CONFIG_VERSION, version);
    return version;
}

/* ---- Matching ----------------------------------------------------------- */

struct pattern_work *
pattern_work_new(size_t groups)
{
    struct pattern_work *work = NEW(struct pattern_work);

    work->groups = groups;
    work->offset_limit = PCRE2_UNSET;
    work->data = pcre2_match_data_create((uint32_t)groups + 1, NULL);
    work->context = pcre2_match_context_create(NULL);
    assert(work->data != NULL && work->context != NULL);
    work->offsets = pcre2_get_ovector_pointer(work->data);
    work->stack = pcre2_jit_stack_create(FIRST_STACK, MAX_STACK, NULL);
    if (work->stack != NULL)        /* without: 32 KiB of our own stack */
        pcre2_jit_stack_assign(work->context, NULL, work->stack);
    pcre2_set_depth_limit(work->context, MAX_DEPTH);
    pcre2_set_heap_limit(work->context, MAX_HEAP);
    return work;
}

void
pattern_work_free(struct pattern_work *work)
{
    if (work == NULL)
        return;
    pcre2_jit_stack_free(work->stack);
    pcre2_match_context_free(work->context);
    pcre2_match_data_free(work->data);
    free(work);
}

static enum pattern_result
give_up(struct pattern_work *work)
{
    work->limits++;
    return PATTERN_LIMIT;
}

uint32_t
pattern_work_take_limits(struct pattern_work *work)
{
    const uint32_t limits = work->limits;

    work->limits = 0;
    return limits;
}

/* Look for a match that begins at `start`, or up to the limit set in the context.  Returns what
 * the library says. */
static int
search_once(const struct pattern *p, struct pattern_work *work, struct slice subject,
            size_t start, uint32_t options)
{
    const PCRE2_SPTR text = (PCRE2_SPTR)subject.ptr;
    const size_t     len = subject.len;

    return p->jit ? pcre2_jit_match(p->code, text, len, start, options, work->data, work->context)
                  : pcre2_match(p->code, text, len, start, options, work->data, work->context);
}

static void
limit_backtracks(struct pattern_work *work, size_t most)
{
    if (most == work->backtracks)
        return;
    pcre2_set_match_limit(work->context, most < UINT32_MAX ? (uint32_t)most : UINT32_MAX);
    work->backtracks = most;
}

static size_t
first_limit(size_t len)
{
    const size_t most = FIRST_WORK / LENGTH_STEP;
    const size_t steps = len / LENGTH_STEP + 1;

    if (steps == 1)
        return most;
    return most / steps > FIRST_BACKTRACKS ? most / steps : FIRST_BACKTRACKS;
}

static size_t
last_limit(size_t len)
{
    return BACKTRACKS + BACKTRACKS_A_BYTE * LENGTH_STEP * (len / LENGTH_STEP + 1);
}

static enum pattern_result
result_of(int rc, struct pattern_work *work)
{
    if (rc > 0)
        return PATTERN_YES;
    return rc == PCRE2_ERROR_NOMATCH ? PATTERN_NO : give_up(work);
}

/* The first limit was too low: once more, under higher ones. */
RARE static enum pattern_result
search_again(const struct pattern *p, struct pattern_work *work, struct slice subject,
             size_t start, uint32_t options, struct clock_limit *limit)
{
    const size_t last = last_limit(subject.len);
    int          rc;

    do {
        if (limit->began == 0)
            *limit = clock_limit_begin();
        else if (clock_limit_over(limit, MAX_TIME + TIME_A_BYTE * subject.len))
            return give_up(work);
        limit_backtracks(work, work->backtracks < last / RAISE ? RAISE * work->backtracks : last);
        rc = search_once(p, work, subject, start, options);
    } while (rc == PCRE2_ERROR_MATCHLIMIT && work->backtracks < last);
    return result_of(rc, work);
}

/* `limit`: of the line's time; began 0: not looked at yet. */
INLINE enum pattern_result
search(const struct pattern *p, struct pattern_work *work, struct slice subject, size_t start,
       uint32_t options, struct clock_limit *limit)
{
    int rc;

    limit_backtracks(work, first_limit(subject.len));
    rc = search_once(p, work, subject, start, options);
    if (rc == PCRE2_ERROR_MATCHLIMIT)
        return search_again(p, work, subject, start, options, limit);
    return result_of(rc, work);
}

/* Where the next step begins: with (*UTF) not inside a character. */
static size_t
next_start(const struct pattern *p, struct slice subject, size_t start)
{
    while (p->utf && start < subject.len && ((unsigned char)subject.ptr[start] & 0xc0) == 0x80)
        start++;
    return start;
}

static size_t
step_size(size_t len)
{
    if (len <= STEP_BYTES / STEP)
        return STEP;
    return len < STEP_BYTES / LEAST_STEP ? STEP_BYTES / len : LEAST_STEP;
}

static void
limit_offset(struct pattern_work *work, size_t offset)
{
    if (offset == work->offset_limit)
        return;
    pcre2_set_offset_limit(work->context, offset);
    work->offset_limit = offset;
}

static enum pattern_result
search_in_steps(const struct pattern *p, struct pattern_work *work, struct slice subject,
                size_t start, uint32_t options)
{
    const size_t        step = step_size(subject.len);
    struct clock_limit  limit = { 0, 0 };   /* from the first step on: most take no other */
    enum pattern_result result;

    for (;;) {
        limit_offset(work, start + step - 1);
        result = search(p, work, subject, start, options, &limit);
        start = next_start(p, subject, start + step);
        if (result != PATTERN_NO || start > subject.len)
            return result;
        if (limit.began == 0)
            limit = clock_limit_begin();
        else if (clock_limit_over(&limit, MAX_TIME))
            return give_up(work);
    }
}

static enum pattern_result
search_from(const struct pattern *p, struct pattern_work *work, struct slice subject,
            size_t start, uint32_t options)
{
    struct clock_limit limit = { 0, 0 };

    assert(p->groups <= work->groups && subject.ptr != NULL);
    if (!p->anchored)
        return search_in_steps(p, work, subject, start, options);
    limit_offset(work, PCRE2_UNSET);
    return search(p, work, subject, start, options, &limit);
}

enum pattern_result
pattern_match(const struct pattern *p, struct pattern_work *work, struct slice subject)
{
    if (p->straight == NULL)
        return search_from(p, work, subject, 0, 0);
    assert(p->groups <= work->groups && subject.ptr != NULL);
    return straight_match(p->straight, subject, work->offsets) ? PATTERN_YES : PATTERN_NO;
}

enum pattern_result
pattern_search(const struct pattern *p, struct pattern_work *work, struct slice subject,
               size_t start)
{
    assert(start <= subject.len);
    return search_from(p, work, subject, start, PCRE2_NOTEMPTY);
}

struct slice
pattern_group(const struct pattern_work *work, struct slice subject, size_t group)
{
    const PCRE2_SIZE *offsets = work->offsets + 2 * group;

    assert(group <= work->groups);
    if (offsets[0] == PCRE2_UNSET)
        return NO_SLICE;
    return (struct slice){ subject.ptr + offsets[0], offsets[1] - offsets[0] };
}

_Static_assert(PATTERN_UNSET == PCRE2_UNSET, "as the library says it");

const size_t *
pattern_offsets(const struct pattern_work *work)
{
    return work->offsets;
}

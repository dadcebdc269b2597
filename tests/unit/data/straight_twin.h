/* straight_twin.h - a pattern and its twin, for the tests of straight patterns: the same pattern
 * behind a `(?:)` does not begin with ^, so it never is straight, and means the same: what it says
 * is right.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_DATA_STRAIGHT_TWIN_H
#define TESTS_UNIT_DATA_STRAIGHT_TWIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "agent/data/pattern.h"
#include "agent/data/straight.h"

enum { MAX_GROUPS = 64, MAX_PATTERN = 4096, MAX_SUBJECT = 4096 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct straight     *straight;
static struct pattern      *p, *plain;
static struct pattern_work *work, *plain_work;
static char                *subject_end;        /* behind it lies a page that cannot be read */

static inline int
set_up(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char        *room = mmap(NULL, MAX_SUBJECT + page, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(room != MAP_FAILED && MAX_SUBJECT % page == 0);
    assert_int_equal(mprotect(room + MAX_SUBJECT, page, PROT_NONE), 0);
    subject_end = room + MAX_SUBJECT;
    straight = NULL;
    p = plain = NULL;
    work = pattern_work_new(MAX_GROUPS);
    plain_work = pattern_work_new(MAX_GROUPS);
    return 0;
}

static inline void
forget_pattern(void)
{
    straight_free(straight);
    pattern_free(p);
    pattern_free(plain);
    straight = NULL;
    p = plain = NULL;
}

static inline int
tear_down(void **state)
{
    (void)state;
    forget_pattern();
    pattern_work_free(work);
    pattern_work_free(plain_work);
    munmap(subject_end - MAX_SUBJECT, MAX_SUBJECT + (size_t)sysconf(_SC_PAGESIZE));
    return 0;
}

/* As one would write it in C; one text at a time. */
static inline const char *
shown(struct slice text, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < text.len && len + 8 < size; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        len += (size_t)snprintf(out + len, size - len, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
    }
    return out;
}

/* ---- The pattern and its twin ------------------------------------------- */

/* False if PCRE2 does not take it.  If it is straight, it gets its twin. */
static inline bool
given_pattern(struct slice text)
{
    struct error err = { 0 };
    char         twin[MAX_PATTERN + 5];

    forget_pattern();
    assert_true(text.len <= MAX_PATTERN);
    memcpy(twin, "(?:)", 4);
    memcpy(twin + 4, text.ptr, text.len);
    p = pattern_new(text, NULL, &err);
    if (p == NULL)
        return false;
    straight = straight_new(text);
    if (straight == NULL)
        return true;
    plain = pattern_new((struct slice){ twin, text.len + 4 }, NULL, &err);
    assert_non_null(plain);
    assert_int_equal(straight_groups(straight), pattern_groups(plain));
    assert_true(pattern_groups(plain) <= MAX_GROUPS);
    return true;
}

static inline void
given_straight(const char *text)
{
    if (!given_pattern(slice_of(text)))
        fail_msg("no pattern: %s", text);
    if (straight == NULL)
        fail_msg("not straight: %s", text);
}

static inline bool
same_offsets(const size_t *a, const size_t *b)
{
    return memcmp(a, b, 2 * (pattern_groups(plain) + 1) * sizeof *a) == 0;
}

/* The subject, where the first byte behind it cannot be read. */
static inline struct slice
at_the_edge(struct slice subject)
{
    assert_true(subject.len <= MAX_SUBJECT);
    memcpy(subject_end - subject.len, subject.ptr, subject.len);
    return (struct slice){ subject_end - subject.len, subject.len };
}

/* Does it match?  What PCRE2 says, and nobody says anything else. */
static inline bool
matches_alike(struct slice text)
{
    const struct slice        subject = at_the_edge(text);
    const enum pattern_result expected = pattern_match(plain, plain_work, subject);
    const size_t             *right = pattern_offsets(plain_work);
    size_t                    offsets[2 * (MAX_GROUPS + 1)];

    assert_int_not_equal(expected, PATTERN_LIMIT);
    if (straight_match(straight, subject, offsets) != (expected == PATTERN_YES) ||
        pattern_match(p, work, subject) != expected)
        return false;
    return expected != PATTERN_YES ||
           (same_offsets(offsets, right) && same_offsets(pattern_offsets(work), right));
}

static inline bool
then_the_same(const char *pattern, struct slice subject)
{
    char text[2 * MAX_SUBJECT];

    if (!matches_alike(subject))
        fail_msg("pattern %s: another result for %s", pattern,
                 shown(subject, text, sizeof text));
    return pattern_match(plain, plain_work, subject) == PATTERN_YES;
}

/* Each is one byte; the random patterns are made from them. */
static const char *const sets[] = {
    "a", "b", "c", "0", " ", "\"", ":", "/", ",", "-", "=", "<", "_", "~", "\xe9", "\xff",
    "\\.", "\\[", "\\]", "\\(", "\\)", "\\\\", "\\/", "\\\"", "\\-", "\\|", "\\$", "\\^", "\\*",
    "\\{", "\\}", ".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\t", "\\n", "\\r",
    "[abc]", "[^abc]", "[a-z]", "[A-Za-z0-9_]", "[^\"]", "[^ ]", "[^\\]]", "[-a]",
    "[a-]", "[^-]", "[a-c-]", "[\\w-]", "[\\w.-]", "[-\\d/]", "[\\d.]", "[^\\s]", "[^\\d\\s]",
    "[\\S]", "[\\D ]", "[\\-\\]\\\\^]", "[^^]", "[a^]", "[.*+?$|(){}]", "[ -~]", "[!-\\]]",
    "[\\[-\\]]", "[^\\n]", "[\\t ]", "[^\\t\\n]", "[a[b]", "[[]", "[\x80-\xff]", "[^\x80-\xff]",
    "[\xe9]", "[^\xe9]", "[]a]", "[^]a]", "[^]]",
    /* these need not be straight: */
    "[--a]", "[+--]", "[a-c-e]",
};
enum { STRAIGHT_SETS = COUNT(sets) - 3 };

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif

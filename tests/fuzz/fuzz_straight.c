/* fuzz_straight.c - a pattern, a NUL, and what it is matched with: if it is straight, it matches
 * what PCRE2 says of the same pattern behind a `(?:)`, which never is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/pattern.h"
#include "agent/data/straight.h"

enum { LONGEST_PATTERN = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pattern *
plain_twin(struct slice text)
{
    char            twin[LONGEST_PATTERN + 4] = "(?:)";
    struct error    err;
    struct pattern *plain;

    memcpy(twin + 4, text.ptr, text.len);
    plain = pattern_new((struct slice){ twin, text.len + 4 }, NULL, &err);
    assert(plain != NULL);
    return plain;
}

static void
check_matching(const struct straight *s, const struct pattern *p, const struct pattern *plain,
               struct slice subject)
{
    const size_t              size = 2 * (pattern_groups(plain) + 1) * sizeof(size_t);
    struct pattern_work      *work = pattern_work_new(pattern_groups(plain));
    struct pattern_work      *plain_work = pattern_work_new(pattern_groups(plain));
    size_t                   *offsets = mem_alloc(size);
    const enum pattern_result expected = pattern_match(plain, plain_work, subject);

    assert(straight_groups(s) == pattern_groups(plain));
    if (expected != PATTERN_LIMIT) {
        assert(pattern_match(p, work, subject) == expected);
        assert(straight_match(s, subject, offsets) == (expected == PATTERN_YES));
    }
    if (expected == PATTERN_YES) {
        assert(memcmp(offsets, pattern_offsets(plain_work), size) == 0);
        assert(memcmp(pattern_offsets(work), pattern_offsets(plain_work), size) == 0);
    }
    free(offsets);
    pattern_work_free(plain_work);
    pattern_work_free(work);
}

/* `text` in memory of its own, nothing behind it. */
static void
check(struct slice text, const uint8_t *data, size_t size)
{
    struct error     err;
    struct pattern  *p = pattern_new(text, NULL, &err);
    struct straight *s = p != NULL ? straight_new(text) : NULL;

    if (s != NULL) {
        struct pattern *plain = plain_twin(text);
        char           *subject = mem_alloc(size > 0 ? size : 1);

        memcpy(subject, data, size);
        check_matching(s, p, plain, (struct slice){ subject, size });
        free(subject);
        pattern_free(plain);
    }
    straight_free(s);
    pattern_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t   len = end != NULL ? (size_t)(end - data) : size;
    char          *text;

    if (end == NULL || len > LONGEST_PATTERN)
        return -1;
    text = mem_alloc(len > 0 ? len : 1);
    memcpy(text, data, len);
    check((struct slice){ text, len }, end + 1, size - len - 1);
    free(text);
    return 0;
}

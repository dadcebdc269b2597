/* fuzz_pattern.c - the first line is a pattern, the rest what it searches: it ends
 * in time, and what it finds lies inside.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/pattern.h"

enum { LONGEST_PATTERN = 200, LONG_SUBJECT = 32 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_groups(const struct pattern *p, const struct pattern_work *work, struct slice subject)
{
    for (size_t i = 0; i <= pattern_groups(p); i++) {
        const struct slice group = pattern_group(work, subject, i);

        if (group.ptr != NULL)
            assert(group.ptr >= subject.ptr &&
                   group.ptr + group.len <= subject.ptr + subject.len);
    }
}

/* The subject as it is, and again and again until it is long. */
static void
check_matching(const struct pattern *p, const uint8_t *data, size_t size)
{
    struct pattern_work *work = pattern_work_new(pattern_groups(p));
    const size_t         times = size > 0 ? LONG_SUBJECT / size + 1 : 1;
    char                *text = mem_alloc(size * times);
    struct slice         subject = { text, size };

    for (size_t i = 0; i < times && size > 0; i++)
        memcpy(text + i * size, data, size);
    for (int round = 0; round < 2; round++) {
        if (pattern_match(p, work, subject) == PATTERN_YES)
            check_groups(p, work, subject);
        subject.len = size * times;
    }
    free(text);
    pattern_work_free(work);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t  *end = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t    len = end != NULL ? (size_t)(end - data) : size;
    struct error    err;
    size_t          offset = 0;
    struct pattern *p;

    if (len > LONGEST_PATTERN)
        return -1;
    p = pattern_new((struct slice){ (const char *)data, len }, &offset, &err);
    assert(p != NULL || (offset <= len && err.code == ERR_CONFIG));
    if (p != NULL)
        check_matching(p, data + len, size - len);
    pattern_free(p);
    return 0;
}

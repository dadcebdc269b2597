/* fuzz_cri.c - any line is a frame with its own text at its end, or none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/flow/parser.h"

extern const struct parser_type cri_parser_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct parser *
make_parser(void)
{
    const struct node map = { .kind = NODE_MAP };
    struct errors     errs = { NULL, 0, 0 };
    struct names     *names = names_new();
    struct parser    *p = cri_parser_type.load("parser", &map, names, &errs);

    assert(p != NULL);
    names_free(names);
    return p;
}

static void
check(const struct parser *p, struct slice line)
{
    struct parse_work work = { .arena = NULL };
    struct frame      f;
    const char       *head;

    if (p->framing->frame(p, &work, line, &f) == -1) {
        assert(work.reason != NULL);
        return;
    }
    assert(f.body.ptr != NULL && f.body.ptr + f.body.len == line.ptr + line.len);
    assert(f.body.ptr >= line.ptr + strlen("2016-10-06T00:17:09Z stdout F"));
    assert(f.stream < STREAMS && f.has_time == (f.trouble == NULL));
    head = memmem(line.ptr, line.len, f.stream == STREAM_STDERR ? " stderr " : " stdout ", 8);
    assert(head != NULL && head[8] == (f.partial ? 'P' : 'F'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parser *p;
    char                 *line = malloc(size > 0 ? size : 1);   /* no NUL behind it */

    if (p == NULL)
        p = make_parser();
    if (size > 0)
        memcpy(line, data, size);
    check(p, (struct slice){ line, size });
    free(line);
    return 0;
}

/* fuzz_template.c - any text is a template or a mistake, and renders as it should.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_rendering(const struct template *t, const char *text, size_t len, const struct names *names)
{
    struct record r;
    struct arena  arena;
    struct slice  constant, rendered;
    bool          done;

    arena_init(&arena);
    record_init(&r, names);
    record_begin(&r, SLICE("a line\r"), SLICE("a line"), 7);
    (void)record_set_named(&r, SLICE("a"), VALUE_TEXT, SLICE("value"));
    (void)record_set_named(&r, SLICE("empty"), VALUE_TEXT, SLICE(""));
    done = template_render(t, &r, &arena, &rendered);
    assert(!done || rendered.ptr != NULL);
    if (template_constant(t, &constant))
        assert(done && slice_equal(rendered, constant));
    if (memchr(text, '$', len) == NULL)
        assert(slice_equal(rendered, (struct slice){ text, len }));
    record_fini(&r);
    arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             *text = mem_copy(data, size);
    const struct node scalar = { .kind = NODE_SCALAR, .at = { "fuzz", 1, 1 }, .text = text,
                                 .len = size };
    struct names     *names = names_new();
    struct errors     errs = { NULL, 0, 0 };
    struct template  *t = template_new(&scalar, names, &errs);

    assert((t == NULL) == (errs.count > 0));
    for (size_t i = 0; i < errs.count; i++)
        assert(errs.list[i].at.column >= 1 && errs.list[i].at.column <= size + 1);
    if (t != NULL)
        check_rendering(t, text, size, names);
    template_free(t);
    errors_fini(&errs);
    names_free(names);
    free(text);
    return 0;
}

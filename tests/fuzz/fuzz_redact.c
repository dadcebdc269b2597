/* fuzz_redact.c - the first line is a pattern, the second what stands for its matches,
 * the rest a record: what is replaced is replaced everywhere, and what comes out can be
 * sent.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/json.h"
#include "agent/flow/redact.h"

enum { LONGEST_PATTERN = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to a LF, which is taken too. */
static struct slice
take_line(struct slice *rest)
{
    const char  *lf = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct slice line = { rest->ptr, lf != NULL ? (size_t)(lf - rest->ptr) : rest->len };

    rest->ptr += line.len + (lf != NULL);
    rest->len -= line.len + (lf != NULL);
    return line;
}

static bool
is_json(struct slice text)
{
    struct json_cursor j = json_cursor(text);
    struct json_token  whole;
    bool               all;

    all = json_take_value(&j, &whole);
    json_skip_blanks(&j);
    return all && j.at == j.end;
}

static bool
lies_in(struct slice part, struct slice whole)
{
    return part.len == 0 || memmem(whole.ptr, whole.len, part.ptr, part.len) != NULL;
}

static void
check_record(const struct redactions *set, struct slice body)
{
    struct names        *names = names_new();
    struct pattern_work *pattern = pattern_work_new(set->groups);
    struct redact_work   work = { .room = 0 };
    struct record        r;
    struct arena         arena;
    const bool           json = is_json(body);
    bool                 whole;

    names_complete(names);
    arena_init(&arena);
    record_init(&r, names);
    record_begin(&r, body, body, 0);
    (void)record_set_named(&r, SLICE("a"), VALUE_TEXT, body);
    (void)record_set_named(&r, SLICE("n"), VALUE_NUMBER, SLICE("12345"));
    if (json)
        (void)record_set_named(&r, SLICE("j"), VALUE_JSON, body);
    redact_keep(&work, &r);
    whole = redact_record(set, &r, true, &arena, &work, pattern);
    assert(r.body.ptr != NULL && slice_equal(r.body, r.raw) && lies_in(r.body, r.raw));
    for (uint32_t i = 0; i < r.nvalues; i++)
        assert(r.values[i].type != VALUE_JSON || is_json(r.values[i].text));
    assert(!whole || r.nvalues == 0 || slice_equal(r.values[0].text, r.body));
    redact_undo(&work, &r);
    assert(slice_equal(r.body, body));
    redact_work_fini(&work);
    record_fini(&r);
    arena_fini(&arena);
    pattern_work_free(pattern);
    names_free(names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char             *bytes = mem_copy(data, size);
    struct slice      rest = { bytes, size };
    const struct slice first = take_line(&rest), second = take_line(&rest);
    char             *text = mem_copy(first.ptr, first.len);
    char             *with = mem_copy(second.ptr, second.len);
    struct node       w = { .kind = NODE_SCALAR, .key = "with", .at = { "fuzz", 2, 1 },
                            .text = with, .len = second.len };
    struct node       p = { .kind = NODE_SCALAR, .key = "pattern", .at = { "fuzz", 1, 1 },
                            .text = text, .len = first.len, .next = &w };
    const struct node map = { .kind = NODE_MAP, .at = { "fuzz", 1, 1 }, .first = &p };
    struct redactions set = { NULL, 0, 0 };
    struct errors     errs = { NULL, 0, 0 };

    if (first.len <= LONGEST_PATTERN) {
        redact_load(&set, "fuzz", &map, &errs);
        for (size_t i = 0; i < errs.count; i++)
            assert(errs.list[i].at.line >= 1 && errs.list[i].at.column >= 1);
        if (errs.count == 0)
            check_record(&set, rest);
    }
    redact_fini(&set);
    errors_fini(&errs);
    free(with);
    free(text);
    free(bytes);
    return 0;
}

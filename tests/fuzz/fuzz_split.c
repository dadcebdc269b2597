/* fuzz_split.c - the records of a file are the same however its reads cut it.
 *
 * The first bytes choose max_line, long_lines and the cuts; the rest is the file.  It is read
 * once as a whole, and once as it grows by a few bytes at a time, into a chunk that is
 * too small for most lines.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sanitizer/asan_interface.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/flow/output.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

enum { CHOICES = 3, TINY = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
    struct plan    *plan;
    struct source  *source;
    struct scratch *scratch;
    struct chunk   *tiny, *large, *chunk;   /* chunk: the one that is read into now */
    struct slice    text;
    size_t          visible;                /* as much has been written */
    uint64_t        at;
    struct buf      found;
};

static void
note_records(struct reader *r, const struct chunk *c)
{
    assert(c->end > r->at && c->end <= r->visible);
    for (uint32_t i = 0; i < c->nmessages; i++) {
        const struct message *m = &c->messages[i];

        assert(m->value_len <= r->plan->max_line);
        buf_printf(&r->found, "%llu %u ", (unsigned long long)(c->begin + m->at), m->value_len);
        buf_add(&r->found, m->value, m->value_len);
    }
    r->at = c->end;
    r->chunk = r->tiny;
}

/* The end of the long line, if it is there. */
static bool
take_long(struct reader *r, bool final)
{
    const char *from = r->text.ptr + r->at;
    const char *lf = memchr(from, '\n', r->visible - r->at);

    if (lf == NULL && !final)
        return false;
    transform_long(r->plan, r->scratch, r->chunk,
                   lf != NULL ? r->at + (uint64_t)(lf + 1 - from) : r->visible);
    note_records(r, r->chunk);
    return true;
}

/* One read; false when more has to be written first. */
static bool
read_once(struct reader *r, bool final)
{
    struct chunk *c = r->chunk;
    const size_t  left = r->visible - r->at;

    if (left == 0)
        return false;
    chunk_begin(c, r->source, r->at, "/f", "f");
    c->len = left < c->size ? left : c->size;
    memcpy(c->bytes, r->text.ptr + r->at, c->len);
    ASAN_POISON_MEMORY_REGION(c->bytes + c->len, c->size - c->len);
    switch (transform_chunk(r->plan, r->scratch, c, final && c->len < c->size)) {
    case TRANSFORM_DONE:
        note_records(r, c);
        break;
    case TRANSFORM_PARTIAL:
        final = false;
        break;
    case TRANSFORM_GROW:
        assert(c == r->tiny);
        r->chunk = r->large;
        break;
    case TRANSFORM_LONG:
        final = take_long(r, final);
        if (!final && r->chunk == c) {
            ASAN_UNPOISON_MEMORY_REGION(c->bytes, c->size);
            return false;
        }
        break;
    }
    ASAN_UNPOISON_MEMORY_REGION(c->bytes, c->size);
    return c->end > c->begin || r->chunk != c;
}

/* `cuts` 0: all at once. */
static struct buf
read_file(struct reader *r, unsigned cuts)
{
    r->at = 0;
    r->visible = 0;
    r->found = (struct buf){ NULL, 0, 0 };
    r->tiny = cuts == 0 ? r->large : chunk_new(TINY);
    r->chunk = r->tiny;
    while (r->visible < r->text.len) {
        const size_t step = cuts == 0 ? r->text.len : 1 + cuts % 29;

        cuts = cuts * 1103515245u + 12345;
        r->visible += step < r->text.len - r->visible ? step : r->text.len - r->visible;
        while (read_once(r, false))
            ;
    }
    while (read_once(r, true))
        ;
    assert(r->at == r->text.len);
    if (r->tiny != r->large)
        chunk_free(&r->tiny);
    return r->found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct output_ops ops;
    static struct output     output = { .ops = &ops };
    static struct route      route = { .output = &output, .value = ROUTE_VALUE_BODY };
    struct names            *names = names_new();
    struct plan             *plan = plan_new("in", "host");
    struct source            source = { .plan = plan };
    struct reader            r = { .plan = plan, .source = &source };
    struct buf               whole, cut;

    if (size >= CHOICES) {
        plan->max_line = 1 + data[0] % 100;
        plan->long_lines = data[1] % 3;
        plan_add_route(plan, &route);
        r.scratch = scratch_new(names, 0);
        r.large = chunk_new(CHUNK_SIZE);
        r.text = (struct slice){ (const char *)data + CHOICES, size - CHOICES };
        whole = read_file(&r, 0);
        cut = read_file(&r, 1 + data[2]);
        assert(whole.len == cut.len);
        assert(whole.len == 0 || memcmp(whole.ptr, cut.ptr, cut.len) == 0);
        buf_fini(&whole);
        buf_fini(&cut);
        chunk_free(&r.large);
        scratch_free(r.scratch);
    }
    plan_free(plan);
    names_free(names);
    return 0;
}

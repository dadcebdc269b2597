/* fuzz_logfmt.c - any bytes as a logfmt line: what is asked for changes nothing of what is
 * taken, and the fields of a line that was taken, written as pairs, are the same fields.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/buf.h"
#include "tests/fuzz/parsing.h"

extern const struct parser_type logfmt_parser_type;

static const char *const asked[] = { "a", "a.b", "level", "msg" };

enum { ASKED = sizeof asked / sizeof *asked };

static struct parsing all, some, again;

static void
set_up(void)
{
    struct node *conf = parsing_begin(&some);

    for (size_t i = 0; i < ASKED; i++)
        names_intern(some.names, slice_of(asked[i]));
    parsing_load(&some, &logfmt_parser_type, conf, false);
    parsing_load(&all, &logfmt_parser_type, parsing_begin(&all), true);
    parsing_load(&again, &logfmt_parser_type, parsing_begin(&again), true);
}

static void
write_quoted(struct buf *b, struct slice text)
{
    buf_add_char(b, '"');
    for (size_t c = 0; c < text.len; c++) {
        if (text.ptr[c] == '"' || text.ptr[c] == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, text.ptr[c]);
    }
    buf_add_char(b, '"');
}

/* Every key and value in quotes, whatever they were; but a key alone cannot be. */
static void
check_written(void)
{
    struct buf b = { NULL, 0, 0 };

    for (uint32_t i = 0; i < all.rec.nvalues; i++) {
        const struct value *v = &all.rec.values[i];

        if (v->type == VALUE_BOOL) {
            buf_add_slice(&b, v->name);
        } else {
            write_quoted(&b, v->name);
            buf_add_char(&b, '=');
            write_quoted(&b, v->text);
        }
        buf_add_char(&b, ' ');
    }
    buf_add_string(&b, "last=1");
    assert(parsing_run(&again, buf_slice(&b)) == 0);
    for (uint32_t i = 0; i < all.rec.nvalues; i++)
        if (!slice_is(all.rec.values[i].name, "last"))
            parsing_same(&all, &again, all.rec.values[i].name);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = mem_alloc(size > 0 ? size : 1);
    const struct slice line = { copy, size };
    int                rc;

    if (all.names == NULL)
        set_up();
    memcpy(copy, data, size);
    rc = parsing_run(&all, line);
    if (rc == 0) {
        assert(parsing_run(&some, line) == 0);
        for (size_t i = 0; i < ASKED; i++)
            parsing_same(&all, &some, slice_of(asked[i]));
        if (all.rec.nvalues < RECORD_MAX_FIELDS)
            check_written();
    } else {
        assert(parsing_run(&some, line) == -1 || strcmp(all.work.reason, "too many fields") == 0);
    }
    free(copy);
    return 0;
}

/* fuzz_json.c - any bytes as a JSON line: neither what is asked for nor the way that is taken
 * through it changes anything of what is taken, and the fields of a line that was taken, written
 * as JSON, are the same fields; and neither does what was learned from lines before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/buf.h"
#include "agent/data/encode.h"
#include "agent/data/json.h"
#include "tests/fuzz/parsing.h"

extern const struct parser_type json_parser_type;

static const char *const asked[] = { "a", "a.b", "a.b.c", "x", "", "." };

enum { ASKED = sizeof asked / sizeof *asked };

static struct parsing all, some, again, slow;

static void
set_up(void)
{
    struct node *conf = parsing_begin(&all);

    for (size_t i = 0; i < ASKED; i++)
        names_intern(all.names, slice_of(asked[i]));
    parsing_load(&all, &json_parser_type, conf, true);
    conf = parsing_begin(&some);
    for (size_t i = 0; i < ASKED; i++)
        names_intern(some.names, slice_of(asked[i]));
    parsing_load(&some, &json_parser_type, conf, false);
    parsing_load(&again, &json_parser_type, parsing_begin(&again), true);
    conf = parsing_begin(&slow);
    for (size_t i = 0; i < ASKED; i++)
        names_intern(slow.names, slice_of(asked[i]));
    parsing_load(&slow, &json_parser_type, conf, true);
    json_shapes_free(slow.work.shapes);
    slow.work.shapes = NULL;
}

/* One object of all fields that are not parts of others. */
static void
write_fields(struct buf *b)
{
    buf_add_char(b, '{');
    for (uint32_t i = 0; i < all.rec.nvalues; i++) {
        const struct value *v = &all.rec.values[i];

        if (v->depth > 0)
            continue;
        if (b->len > 1)
            buf_add_char(b, ',');
        encode_json_string(b, v->name);
        buf_add_char(b, ':');
        if (v->type == VALUE_TEXT)
            encode_json_string(b, v->text);
        else
            buf_add_slice(b, v->text);
    }
    buf_add_char(b, '}');
}

static void
check_written(void)
{
    struct buf b = { NULL, 0, 0 };

    for (uint32_t i = 0; i < all.rec.nvalues; i++)
        if (!encode_is_utf8(all.rec.values[i].name) || !encode_is_utf8(all.rec.values[i].text))
            return;
    write_fields(&b);
    assert(parsing_run(&again, buf_slice(&b)) == 0);
    for (uint32_t i = 0; i < all.rec.nvalues; i++)
        if (all.rec.values[i].depth == 0)
            parsing_same(&all, &again, all.rec.values[i].name);
    buf_fini(&b);
}

/* Member by member. */
static void
check_slowly(struct slice line, int rc)
{
    assert(parsing_run(&slow, line) == rc);
    assert(slow.rec.nvalues == all.rec.nvalues);
    for (uint32_t i = 0; i < all.rec.nvalues; i++) {
        const struct value *a = &all.rec.values[i], *b = &slow.rec.values[i];

        assert(a->type == b->type && a->depth == b->depth && a->number == b->number);
        assert(slice_equal(a->name, b->name) && slice_equal(a->text, b->text));
    }
}

/* The whole text as one value: passed over, or refused, and nothing behind it read. */
static void
check_value(struct slice text)
{
    struct json_cursor j = json_cursor(text);
    struct json_token  t;

    if (!json_take_value(&j, &t))
        return;
    assert(t.text.ptr >= text.ptr && j.at <= text.ptr + text.len);
    assert(t.text.ptr + t.text.len <= j.at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = mem_alloc(size > 0 ? size : 1);  /* no byte behind the end */
    const struct slice line = { copy, size };
    int                rc;

    if (all.names == NULL)
        set_up();
    memcpy(copy, data, size);
    rc = parsing_run(&all, line);
    check_slowly(line, rc);
    assert(parsing_run(&all, line) == rc);      /* its shape is known now, mostly */
    check_slowly(line, rc);
    if (rc == 0) {
        assert(parsing_run(&some, line) == 0);
        for (size_t i = 0; i < ASKED; i++)
            parsing_same(&all, &some, slice_of(asked[i]));
        check_written();
    } else {
        assert(parsing_run(&some, line) == -1 || strcmp(all.work.reason, "too many fields") == 0);
    }
    check_value(line);
    free(copy);
    return 0;
}

/* fuzz_docker.c - any line is a frame or none; and what was escaped comes out as it was.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/flow/parser.h"

extern const struct parser_type docker_parser_type;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct parser *parser;
static struct names  *names;

static void
make_parser(void)
{
    const struct node map = { .kind = NODE_MAP };
    struct errors     errs = { NULL, 0, 0 };

    names = names_new();
    parser = docker_parser_type.load("parser", &map, names, &errs);
    assert(parser != NULL);
}

static void
check_any(struct slice line, struct arena *arena)
{
    struct parse_work work = { .arena = arena };
    struct frame      f;
    struct record     r;

    if (parser->framing->frame(parser, &work, line, &f) == -1) {
        assert(work.reason != NULL);
        return;
    }
    assert(f.body.ptr != NULL && f.body.len <= line.len && f.stream < STREAMS);
    assert(f.has_time == (f.trouble == NULL));
    if (f.attributes.ptr == NULL)
        return;
    record_init(&r, names);
    record_begin(&r, line, f.body, 0);
    parser->framing->attributes(parser, &work, f.attributes, &r);
    record_fini(&r);
}

/* Every byte below 0x80 in one of the ways that JSON has for it; the others as they are. */
static void
escape(struct buf *b, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 0x80)
            buf_add_char(b, (char)data[i]);
        else if (data[i] < 0x20 || data[i] == 0x7f || data[i] == '<')
            buf_printf(b, i % 2 == 0 ? "\\u%04x" : "\\u%04X", data[i]);
        else if (data[i] == '"' || data[i] == '\\' || (data[i] == '/' && i % 2 == 0))
            buf_printf(b, "\\%c", data[i]);
        else
            buf_add_char(b, (char)data[i]);
    }
}

static void
check_text(const uint8_t *data, size_t size, struct arena *arena)
{
    struct parse_work work = { .arena = arena };
    struct buf        line = { NULL, 0, 0 };
    const bool        ended = size % 2 == 0;
    struct frame      f;
    int               rc;

    buf_add_string(&line, "{\"log\":\"");
    escape(&line, data, size);
    buf_printf(&line, "%s\",\"stream\":\"stderr\",\"time\":\"2016-10-06T00:17:09Z\"}",
               ended ? "\\n" : "");
    rc = parser->framing->frame(parser, &work, buf_slice(&line), &f);
    assert(rc == 0 && f.has_time && f.stream == STREAM_STDERR && f.partial == !ended);
    if (ended && size > 0 && data[size - 1] == '\r')
        size--;
    assert(f.body.len == size && (size == 0 || memcmp(f.body.ptr, data, size) == 0));
    buf_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *line = malloc(size > 0 ? size : 1);    /* no NUL behind it */
    struct arena arena;

    if (parser == NULL)
        make_parser();
    if (size > 0)
        memcpy(line, data, size);
    arena_init(&arena);
    check_any((struct slice){ line, size }, &arena);
    check_text(data, size, &arena);
    arena_fini(&arena);
    free(line);
    return 0;
}

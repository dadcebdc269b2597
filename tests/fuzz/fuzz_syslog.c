/* fuzz_syslog.c - any line, as syslog.
 *
 * What is found lies within the line or the arena, and a record is the same read twice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/flow/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

extern const struct parser_type syslog_parser_type;

static struct parser    *parser;
static struct record     rec;
static struct arena      arena;
static struct parse_work work = { .arena = &arena };

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct node conf = { .kind = NODE_MAP };
    struct names            *names = names_new();
    struct errors            errs = { 0 };

    (void)argc;
    (void)argv;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    parser = syslog_parser_type.load("syslog", &conf, names, &errs);
    names_ask_all(names);
    record_init(&rec, names);
    arena_init(&arena);
    return 0;
}

static bool
within(struct slice text, struct slice line)
{
    return text.ptr >= line.ptr && text.ptr + text.len <= line.ptr + line.len;
}

/* The message and the words before it are parts of the line, in its order. */
static void
check_parts(struct slice line)
{
    const char *behind = line.ptr;

    for (uint32_t i = 0; i < rec.nvalues; i++) {
        const struct value *v = &rec.values[i];

        if (memchr(v->name.ptr, '.', v->name.len) != NULL || v->type == VALUE_NUMBER)
            continue;
        assert(within(v->text, line));
        assert(v->text.ptr >= behind);
        behind = v->text.ptr + v->text.len;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *bytes = mem_alloc(size + 1);     /* nothing behind it to be read */
    const struct slice line = { bytes + 1, size };
    int                result;
    uint32_t           count;

    memcpy(bytes + 1, data, size);
    record_begin(&rec, line, line, 0);
    result = parser->ops->parse(parser, &work, &rec);
    assert(result == 0 || work.reason != NULL);
    assert(result == 0 || !rec.has_time);
    count = rec.nvalues;
    check_parts(line);
    record_begin(&rec, line, line, 0);
    assert(parser->ops->parse(parser, &work, &rec) == result && rec.nvalues == count);
    arena_reset(&arena);
    free(bytes);
    return 0;
}

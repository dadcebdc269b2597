/* fuzz_delimited.c - any bytes as columns, with several separators: the columns of a line that
 * was taken, written in quotes, are the same columns; without quotes they are cut out of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/buf.h"
#include "tests/fuzz/parsing.h"

extern const struct parser_type delimited_parser_type;

static const char *const separators[] = { ",", "\\t", "::", " " };

enum { SEPARATORS = sizeof separators / sizeof *separators, COLUMNS = 6 };

static struct parsing quoted[SEPARATORS], plain[SEPARATORS], again[SEPARATORS];

static void
set_up_one(struct parsing *p, const char *separator, const char *quote)
{
    struct node *conf = parsing_begin(p), *names;
    char        *text = mem_string("c0");

    tree_entry(&p->tree, conf, "separator", NODE_SCALAR, separator);
    tree_entry(&p->tree, conf, "quote", NODE_SCALAR, quote);
    names = tree_entry(&p->tree, conf, "names", NODE_LIST, NULL);
    for (int i = 0; i < COLUMNS; i++, text[1]++)
        tree_element(&p->tree, names, arena_copy(&p->tree, (struct slice){ text, 3 }).ptr);
    parsing_load(p, &delimited_parser_type, conf, true);
    free(text);
}

static void
check_quoted(struct parsing *p, struct parsing *back, const char *separator, struct slice line)
{
    struct buf b = { NULL, 0, 0 };

    if (parsing_run(p, line) == -1)
        return;
    for (uint32_t i = 0; i < p->rec.nvalues; i++) {
        const struct slice text = p->rec.values[i].text;

        buf_add_string(&b, i > 0 ? separator : "");
        buf_add_char(&b, '"');
        for (size_t c = 0; c < text.len; c++) {
            if (text.ptr[c] == '"')
                buf_add_char(&b, '"');
            buf_add_char(&b, text.ptr[c]);
        }
        buf_add_char(&b, '"');
    }
    assert(parsing_run(back, (struct slice){ b.ptr != NULL ? b.ptr : "", b.len }) == 0);
    assert(back->rec.nvalues == p->rec.nvalues);
    for (uint32_t i = 0; i < p->rec.nvalues; i++)
        parsing_same(p, back, p->rec.values[i].name);
    buf_fini(&b);
}

static void
check_plain(struct parsing *p, const char *separator, struct slice line)
{
    struct buf b = { NULL, 0, 0 };

    if (parsing_run(p, line) == -1)
        return;
    for (uint32_t i = 0; i < p->rec.nvalues; i++) {
        buf_add_string(&b, i > 0 ? separator : "");
        buf_add_slice(&b, p->rec.values[i].text);
    }
    assert(b.len == line.len && (b.len == 0 || memcmp(b.ptr, line.ptr, b.len) == 0));
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char              *copy = mem_alloc(size > 0 ? size : 1);
    const struct slice line = { copy, size };

    for (int i = 0; quoted[SEPARATORS - 1].names == NULL && i < SEPARATORS; i++) {
        set_up_one(&again[i], separators[i], "double");
        set_up_one(&plain[i], separators[i], "none");
        set_up_one(&quoted[i], separators[i], "double");
    }
    memcpy(copy, data, size);
    for (int i = 0; i < SEPARATORS; i++) {
        const char *separator = separators[i][0] == '\\' ? "\t" : separators[i];

        check_quoted(&quoted[i], &again[i], separator, line);
        check_plain(&plain[i], separator, line);
    }
    free(copy);
    return 0;
}

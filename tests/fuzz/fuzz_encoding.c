/* fuzz_encoding.c - any bytes in any encoding: lines end behind their LF, pieces
 * end where they may, and a text becomes UTF-8 of a length that was made room for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "agent/data/encoding.h"

static const char *const names[] = {
    "utf-8", "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32be", "iso-8859-1", "shift_jis",
    "gb18030", "big5-hkscs", "euc-jp", "iso-2022-jp", "utf-7", "windows-1255", "ibm037",
};

enum { NAMES = sizeof names / sizeof names[0] };

static struct encoding *made[NAMES];
static struct decoder  *decoder;
static struct arena     arena;

static void
set_up(void)
{
    struct error err;

    if (decoder != NULL)
        return;
    decoder = decoder_new();
    arena_init(&arena);
    for (size_t i = 0; i < NAMES; i++)
        if (encoding_new(names[i], &made[i], &err) == -1)
            abort();
}

static void
take_line(const struct encoding *e, const char *line, size_t len)
{
    const size_t cr = encoding_cr(e, line, len);
    uint32_t     bad = 0;
    struct slice text;

    assert(cr <= len);
    text = decoder_text(decoder, e, (struct slice){ line, len - cr }, &arena, &bad);
    assert(text.len <= 4 * len + 16 && bad <= len);
    if (len >= 2 * encoding_unit(e)) {
        const size_t piece = decoder_cut(decoder, e, line, len / 2);

        assert(piece > 0 && piece <= len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char            *bytes = (const char *)data + 1;
    const struct encoding *e;
    size_t                 at = 0, line;

    set_up();
    if (size < 1)
        return 0;
    e = made[data[0] % NAMES];
    size--;
    if (e != NULL)
        e = encoding_marked(e, bytes, size);
    while ((line = encoding_first_line(e, bytes + at, size - at)) > 0) {
        const size_t unit = encoding_unit(e);

        assert(line >= unit && line % unit == 0 && line <= size - at);
        if (e != NULL)
            take_line(e, bytes + at, line - unit);
        at += line;
    }
    assert(encoding_last_line(e, bytes, size) == at);
    if (e != NULL && at < size)
        take_line(e, bytes + at, size - at);
    arena_reset(&arena);
    return 0;
}

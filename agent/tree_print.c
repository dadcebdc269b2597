/* tree_print.c - mistakes shown in the user's own lines; see tree.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/tree.h"

enum {
    WIDTH = 200,        /* characters of a source line that are shown */
};

struct place {
    const struct error *err;
    int                 rank;       /* of its file in the load order; behind all: none */
    size_t              index;
    struct slice        text;       /* of its file */
};

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->err->at.line != y->err->at.line)
        return x->err->at.line < y->err->at.line ? -1 : 1;
    if (x->err->at.column != y->err->at.column)
        return x->err->at.column < y->err->at.column ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static struct place *
sort_places(const struct tree *t, const struct errors *errs)
{
    struct place *places = mem_array(NULL, errs->count, sizeof *places);

    for (size_t i = 0; i < errs->count; i++) {
        struct place *p = &places[i];

        *p = (struct place){ .err = &errs->list[i], .rank = INT_MAX, .index = i };
        if (p->err->at.file != NULL) {
            const int rank = tree_source(t, p->err->at.file, &p->text);

            p->rank = rank < 0 ? INT_MAX : rank;
        }
    }
    qsort(places, errs->count, sizeof *places, by_place);
    return places;
}

/* ---- The source line ------------------------------------------------------ */

/* Lines are asked for in order, so that a long file is read over once. */
struct cursor {
    const char *file;
    unsigned    line;
    size_t      offset;
};

static struct slice
find_line(struct cursor *c, const struct place *p)
{
    const char *end;

    if (c->file != p->err->at.file || c->line > p->err->at.line) {
        *c = (struct cursor){ p->err->at.file, 1, 0 };
        if (p->text.len >= 3 && memcmp(p->text.ptr, "\xef\xbb\xbf", 3) == 0)
            c->offset = 3;      /* a byte order mark has no column */
    }
    for (; c->line < p->err->at.line; c->line++) {
        const char *lf = memchr(p->text.ptr + c->offset, '\n', p->text.len - c->offset);

        if (lf == NULL)
            return NO_SLICE;
        c->offset = (size_t)(lf - p->text.ptr) + 1;
    }
    end = memchr(p->text.ptr + c->offset, '\n', p->text.len - c->offset);
    if (end == NULL)
        end = p->text.ptr + p->text.len;
    if (end > p->text.ptr + c->offset && end[-1] == '\r')
        end--;
    return (struct slice){ p->text.ptr + c->offset, (size_t)(end - p->text.ptr) - c->offset };
}

/* How many bytes the character at `offset` has; a wrong byte counts as one. */
static size_t
step(struct slice s, size_t offset)
{
    const unsigned char c = (unsigned char)s.ptr[offset];
    const size_t        len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

    if (len > s.len - offset)
        return 1;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)s.ptr[offset + i] & 0xc0) != 0x80)
            return 1;
    return len;
}

static size_t
count_characters(struct slice s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i += step(s, i))
        count++;
    return count;
}

/* The byte where the character number `count`, from 0, begins. */
static size_t
offset_of(struct slice s, size_t count)
{
    size_t offset = 0;

    while (count > 0 && offset < s.len) {
        offset += step(s, offset);
        count--;
    }
    return offset;
}

/* ---- What to underline ---------------------------------------------------- */

/* Does `offset` stand between brackets that this line opened? */
static bool
in_brackets(struct slice line, size_t offset)
{
    size_t open = 0;

    for (size_t i = 0; i < offset; i++) {
        if (line.ptr[i] == '{' || line.ptr[i] == '[')
            open++;
        if ((line.ptr[i] == '}' || line.ptr[i] == ']') && open > 0)
            open--;
    }
    return open > 0;
}

static bool
ends_plain(struct slice rest, size_t i, bool brackets)
{
    const char c = rest.ptr[i], next = i + 1 < rest.len ? rest.ptr[i + 1] : ' ';

    if (c == ':' && (next == ' ' || next == '\t'))
        return true;
    if ((c == ' ' || c == '\t') && next == '#')
        return true;
    return brackets && (c == ',' || c == ']' || c == '}');
}

static size_t
plain_length(struct slice rest, bool brackets)
{
    size_t len = 0;

    while (len < rest.len && !ends_plain(rest, len, brackets))
        len++;
    while (len > 0 && (rest.ptr[len - 1] == ' ' || rest.ptr[len - 1] == '\t'))
        len--;
    return len;
}

/* Up to and with the character `c`, or all. */
static size_t
length_through(struct slice rest, size_t from, char c)
{
    const char *end = rest.len > from ? memchr(rest.ptr + from, c, rest.len - from) : NULL;

    return end == NULL ? rest.len : (size_t)(end - rest.ptr) + 1;
}

/* How many bytes of the line belong to the key or value that begins at `offset`. */
static size_t
token_length(struct slice line, size_t offset)
{
    const struct slice rest = { line.ptr + offset, line.len - offset };

    if (rest.len == 0)
        return 0;
    if (*rest.ptr == '"' || *rest.ptr == '\'')
        return length_through(rest, 1, *rest.ptr);
    if (rest.len > 1 && rest.ptr[0] == '$' && rest.ptr[1] == '{')
        return length_through(rest, 0, '}');
    if (strchr("{[|>-", *rest.ptr) != NULL)
        return 1;
    return plain_length(rest, in_brackets(line, offset));
}

/* ---- What is not shown ---------------------------------------------------- */

/* How long the key is that begins or goes on at `offset` and names a secret; 0: none. */
static size_t
secret_key(struct slice line, size_t offset)
{
    static const char *const words[] = { "passw", "secret", "jaas" };
    size_t                   end = offset;
    bool                     secret = false;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        secret = secret || (strlen(words[i]) <= line.len - offset &&
                            strncasecmp(line.ptr + offset, words[i], strlen(words[i])) == 0);
    while (secret && end < line.len &&
           (isalnum((unsigned char)line.ptr[end]) || strchr("._-\"'", line.ptr[end]) != NULL))
        end++;
    if (end == offset || end + 1 >= line.len)
        return 0;
    if (line.ptr[end] == '=')           /* of a login line */
        return end - offset;
    if (line.ptr[end] != ':')
        return 0;
    return strchr(" \t", line.ptr[end + 1]) != NULL || strchr("\"'", line.ptr[end - 1]) != NULL
        ? end - offset : 0;
}

/* A password stands where it was written, and on the line of another key, perhaps. */
static size_t
secret_length(struct slice line, size_t offset)
{
    const struct slice rest = { line.ptr + offset, line.len - offset };
    const bool         quoted = rest.len > 0 && strchr("\"'", *rest.ptr) != NULL;

    if (rest.len == 0 || strchr("|>#", *rest.ptr) != NULL)
        return 0;
    if (rest.len > 2 && memcmp(rest.ptr + quoted, "${", 2) == 0)
        return 0;                   /* from elsewhere */
    return quoted ? length_through(rest, 1, *rest.ptr)
                  : plain_length(rest, in_brackets(line, offset));
}

/* The line with a star for each character of such a value. */
static struct slice
hide_secrets(struct slice line, struct buf *hidden)
{
    size_t shown = 0, at = 0;

    while (at < line.len) {
        const size_t key = secret_key(line, at);
        size_t       len;

        if (key == 0) {
            at++;
            continue;
        }
        at += key + 1;
        while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
            at++;
        len = secret_length(line, at);
        buf_add(hidden, line.ptr + shown, at - shown);
        for (size_t n = count_characters((struct slice){ line.ptr + at, len }); n > 0; n--)
            buf_add_char(hidden, '*');
        shown = at += len;
    }
    if (shown == 0)
        return line;
    buf_add(hidden, line.ptr + shown, line.len - shown);
    return (struct slice){ hidden->ptr, hidden->len };
}

/* ---- Output --------------------------------------------------------------- */

/* What a terminal would act on, or could not show, is a question mark. */
static void
add_shown(struct buf *out, struct slice s)
{
    size_t len;

    for (size_t i = 0; i < s.len; i += len) {
        const unsigned char c = (unsigned char)s.ptr[i];

        len = step(s, i);
        if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && len == 1))
            buf_add_char(out, '?');
        else
            buf_add(out, s.ptr + i, len);
    }
}

/* Blanks as wide as `s`: tabs stay tabs. */
static void
add_blanks(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i += step(s, i))
        buf_add_char(out, s.ptr[i] == '\t' ? '\t' : ' ');
}

/* The part of a long line that is around the column. */
static struct slice
cut_line(struct slice line, size_t *column)
{
    const size_t total = count_characters(line);
    size_t       first, begin, end;

    if (total <= WIDTH)
        return line;
    first = *column > WIDTH / 2 ? *column - WIDTH / 2 : 0;
    if (first + WIDTH > total)
        first = total - WIDTH;
    begin = offset_of(line, first);
    end = offset_of(line, first + WIDTH);
    *column -= first;
    return (struct slice){ line.ptr + begin, end - begin };
}

static void
add_source(struct buf *out, struct slice source, size_t column)
{
    struct buf         hidden = { NULL, 0, 0 };
    const struct slice line = hide_secrets(source, &hidden);
    const size_t       token = token_length(line, offset_of(line, column));
    const struct slice part = cut_line(line, &column);
    const size_t       offset = offset_of(part, column), left = part.len - offset;
    const struct slice shown = { part.ptr + offset, token < left ? token : left };
    size_t             width = count_characters(shown);

    buf_add_string(out, "    ");
    add_shown(out, part);
    buf_add_string(out, "\n    ");
    add_blanks(out, (struct slice){ part.ptr, offset });
    buf_add_char(out, '^');
    for (; width > 1; width--)
        buf_add_char(out, '~');
    buf_add_char(out, '\n');
    buf_fini(&hidden);
}

static void
add_error(struct buf *out, struct cursor *cursor, const struct place *p)
{
    const struct mark at = p->err->at;
    struct slice      line;

    if (at.file == NULL) {
        buf_printf(out, "%s\n", p->err->text);
        return;
    }
    if (at.line == 0) {
        buf_printf(out, "%s: %s\n", at.file, p->err->text);
        return;
    }
    buf_printf(out, "%s:%u:%u: %s\n", at.file, at.line, at.column, p->err->text);
    line = p->rank == INT_MAX ? NO_SLICE : find_line(cursor, p);
    if (line.ptr != NULL)
        add_source(out, line, at.column > 0 ? at.column - 1 : 0);
}

void
tree_print_errors(FILE *out, const struct tree *t, const struct errors *errs)
{
    struct place *places = sort_places(t, errs);
    struct cursor cursor = { NULL, 0, 0 };
    struct buf    text = { NULL, 0, 0 };

    for (size_t i = 0; i < errs->count; i++) {
        buf_clear(&text);
        add_error(&text, &cursor, &places[i]);
        fwrite(text.ptr, 1, text.len, out);
    }
    buf_fini(&text);
    free(places);
}

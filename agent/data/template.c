/* template.c - see template.h.
 *
 * A template is a list of parts: literal text, or a field with an optional
 * default.  All their texts lie in one piece of memory, which is never longer
 * than what was written.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { MAX_PARTS = 256 };       /* so many slices stand on the stack while it is rendered */

struct part {
    bool         is_field;
    uint32_t     number;        /* of the field */
    struct slice text;          /* the literal, or the default: ptr NULL if there is none */
};

struct template {
    char        *source;        /* as it was written */
    char        *bytes;         /* of the parts */
    struct part *parts;
    size_t       nparts;
};

/* ---- Compiling ---------------------------------------------------------- */

struct compiler {
    const struct node *scalar;
    struct template   *t;
    struct names      *names;
    struct errors     *errs;
    size_t             at;      /* in the scalar's text */
    size_t             used;    /* of t->bytes */
    bool               failed;
};

static bool
looking_at(const struct compiler *c, const char *text)
{
    return strncmp(c->scalar->text + c->at, text, strlen(text)) == 0;
}

/* A mistake in the piece [begin, begin + len) of the scalar. */
static void
mistake(struct compiler *c, size_t begin, size_t len, const char *what)
{
    const struct mark at = node_mark(c->scalar, begin);

    c->failed = true;
    if (c->scalar->secret || len == 0)
        errors_at(c->errs, at, "template: %s", what);
    else
        errors_at(c->errs, at, "template: '%.*s' %s", (int)len, c->scalar->text + begin, what);
}

static void
add_part(struct compiler *c, struct part part)
{
    struct template *t = c->t;

    if (t->nparts == MAX_PARTS)
        mistake(c, 0, 0, "it has more than 256 parts");
    if (t->nparts < MAX_PARTS)
        t->parts[t->nparts] = part;
    t->nparts++;
}

/* Copy text up to `end`, which is not taken, or up to the scalar's end; `$$`
 * becomes a dollar sign.  With `end` '\0' a `${` ends it too. */
static struct slice
take_text(struct compiler *c, char end)
{
    const char  *text = c->scalar->text;
    struct slice s = { c->t->bytes + c->used, 0 };

    while (c->at < c->scalar->len && (end == '\0' || text[c->at] != end)) {
        if (text[c->at] == '$') {
            if (end == '\0' && looking_at(c, "${"))
                break;
            if (looking_at(c, "$$"))
                c->at++;
            else if (looking_at(c, "${"))
                mistake(c, c->at, 2, "stands in a default (a default is plain text)");
            else
                mistake(c, c->at, 1, "stands alone (write $$ for a dollar sign)");
        }
        c->t->bytes[c->used++] = text[c->at++];
        s.len++;
    }
    return s;
}

/* Where the name that begins here ends: at `}` or `:-`. */
static size_t
name_length(const struct compiler *c)
{
    const char *text = c->scalar->text;
    size_t      end = c->at;

    while (end < c->scalar->len && text[end] != '}' && strncmp(text + end, ":-", 2) != 0)
        end++;
    return end - c->at;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
begins_with(struct slice s, const char *text)
{
    return s.len >= strlen(text) && memcmp(s.ptr, text, strlen(text)) == 0;
}

/* What is wrong with a field's name, or NULL. */
static const char *
name_fault(struct slice name)
{
    if (name.len == 0)
        return "names no field";
    if (is_blank(name.ptr[0]) || is_blank(name.ptr[name.len - 1]))
        return "has a blank beside the field's name";
    if (memchr(name.ptr, '$', name.len) != NULL)
        return "has a dollar sign in the field's name";
    if (begins_with(name, "env:") || begins_with(name, "file:"))
        return "cannot be replaced here (only where a text is read from a file)";
    return NULL;
}

/* A field; `at` stands on its `${`. */
static void
take_field(struct compiler *c)
{
    const size_t begin = c->at;
    struct part  part = { .is_field = true };
    struct slice name;
    const char  *fault;

    c->at += 2;
    name = (struct slice){ c->scalar->text + c->at, name_length(c) };
    c->at += name.len;
    if (looking_at(c, ":-")) {
        c->at += 2;
        part.text = take_text(c, '}');
    }
    if (c->at == c->scalar->len) {
        mistake(c, begin, 2, "is not closed (a '}' is missing)");
        return;
    }
    c->at++;
    fault = name_fault(name);
    if (fault != NULL)
        mistake(c, begin, c->at - begin, fault);
    else
        part.number = names_intern(c->names, name);
    add_part(c, part);
}

static void
compile(struct compiler *c)
{
    while (c->at < c->scalar->len) {
        if (looking_at(c, "${"))
            take_field(c);
        else
            add_part(c, (struct part){ .text = take_text(c, '\0') });
    }
}

struct template *
template_new(const struct node *scalar, struct names *names, struct errors *errs)
{
    struct compiler c = { .scalar = scalar, .names = names, .errs = errs };

    if (scalar->bad)
        return NULL;
    if (scalar->kind != NODE_SCALAR) {
        errors_at(errs, scalar->at, "a template is a text, not %s", node_kind_name(scalar));
        return NULL;
    }
    c.t = NEW(struct template);
    c.t->source = mem_copy(scalar->text, scalar->len);
    c.t->bytes = mem_alloc(scalar->len);
    c.t->parts = mem_array(NULL, MAX_PARTS, sizeof *c.t->parts);
    compile(&c);
    if (c.failed) {
        template_free(c.t);
        return NULL;
    }
    c.t->parts = mem_array(c.t->parts, c.t->nparts, sizeof *c.t->parts);
    return c.t;
}

void
template_free(struct template *t)
{
    if (t == NULL)
        return;
    free(t->parts);
    free(t->bytes);
    free(t->source);
    free(t);
}

/* ---- Asking ------------------------------------------------------------- */

bool
template_constant(const struct template *t, struct slice *text)
{
    if (t->nparts > 1 || (t->nparts == 1 && t->parts[0].is_field))
        return false;
    *text = t->nparts == 1 ? t->parts[0].text : SLICE("");
    return true;
}

const char *
template_text(const struct template *t)
{
    return t->source;
}

bool
template_mentions(const struct template *t, uint32_t number)
{
    for (size_t i = 0; i < t->nparts; i++)
        if (t->parts[i].is_field && t->parts[i].number == number)
            return true;
    return false;
}

/* ---- Rendering ---------------------------------------------------------- */

static bool
part_text(const struct part *part, const struct record *r, struct arena *a, struct slice *text)
{
    if (part->is_field && record_get(r, part->number, a, text))
        return true;
    *text = part->text;
    return text->ptr != NULL;
}

static struct slice
join(const struct slice *texts, size_t count, size_t len, struct arena *a)
{
    char *to = arena_reserve(a, len);

    for (size_t i = 0; i < count; i++) {
        memcpy(to, texts[i].ptr, texts[i].len);
        to += texts[i].len;
    }
    return arena_commit(a, len);
}

bool
template_render(const struct template *t, const struct record *r, struct arena *a,
                struct slice *text)
{
    struct slice texts[MAX_PARTS];
    size_t       len = 0;

    if (t->nparts == 1)
        return part_text(&t->parts[0], r, a, text);
    assert(t->nparts <= MAX_PARTS);
    for (size_t i = 0; i < t->nparts; i++) {
        if (!part_text(&t->parts[i], r, a, &texts[i]))
            return false;
        len += texts[i].len;
    }
    *text = join(texts, t->nparts, len, a);
    return true;
}

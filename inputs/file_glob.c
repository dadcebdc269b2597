/* file_glob.c - see file_glob.h.
 *
 * Braces are written out first: every combination becomes a pattern of its own,
 * cut at its slashes into parts.  A part is a plain name, a pattern for one
 * name, or `**`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_glob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/buf.h"
#include "agent/base/mem.h"
#include "agent/base/slice.h"

enum { MAX_PATHS = 4096 };      /* of one set, braces written out */

enum part_kind { PART_NAME, PART_PATTERN, PART_DEPTH };

struct part {
    enum part_kind kind;
    char          *text;        /* a name without its backslashes, or a pattern with them */
};

struct file_glob_path {
    struct part *parts;
    size_t       count;
};

/* ---- One name ---------------------------------------------------------------- */

/* The end of a set that begins behind '[': its ']', or NULL.  A ']' that comes
 * first belongs to the set. */
static const char *
set_end(const char *p)
{
    if (*p == '!' || *p == '^')
        p++;
    if (*p == ']')
        p++;
    while (*p != '\0' && *p != ']') {
        if (*p == '\\' && p[1] != '\0')
            p++;
        p++;
    }
    return *p == ']' ? p : NULL;
}

static unsigned char
set_byte(const char **p)
{
    if (**p == '\\')
        (*p)++;
    return (unsigned char)*(*p)++;
}

/* `p` stands behind '['; the set is known to end. */
static bool
in_set(const char *p, unsigned char byte)
{
    const char *end = set_end(p);
    const bool  negated = *p == '!' || *p == '^';
    bool        found = false;

    if (negated)
        p++;
    while (p < end) {
        const unsigned char low = set_byte(&p);
        unsigned char       high = low;

        if (*p == '-' && p + 1 < end) {
            p++;
            high = set_byte(&p);
        }
        if (low <= byte && byte <= high)
            found = true;
    }
    return found != negated;
}

/* Match one byte that is not meant by a star; the rest of the pattern, or NULL. */
static const char *
match_byte(const char *p, char byte)
{
    switch (*p) {
    case '\0':
        return NULL;
    case '?':
        return p + 1;
    case '[':
        return in_set(p + 1, (unsigned char)byte) ? set_end(p + 1) + 1 : NULL;
    case '\\':
        p++;
        break;
    default:
        break;
    }
    return *p == byte ? p + 1 : NULL;
}

/* Only the last star ever needs another try: what an earlier one took could
 * be taken by the last one too. */
static bool
match_name(const char *p, const char *name)
{
    const char *star = NULL, *tried = NULL;

    for (;;) {
        if (*p == '*') {
            star = ++p;
            tried = name;
            continue;
        }
        if (*name == '\0' && *p == '\0')
            return true;
        if (*name != '\0') {
            const char *rest = match_byte(p, *name);

            if (rest != NULL) {
                p = rest;
                name++;
                continue;
            }
        }
        if (star == NULL || *tried == '\0')
            return false;
        p = star;
        name = ++tried;
    }
}

static bool
match_part(const struct part *part, const char *name)
{
    switch (part->kind) {
    case PART_NAME:
        return strcmp(part->text, name) == 0;
    case PART_PATTERN:
        return match_name(part->text, name);
    case PART_DEPTH:
        return true;
    }
    return false;
}

/* ---- Compiling --------------------------------------------------------------- */

static bool
is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr("*?[", text.ptr[i], 3) != NULL)
            return false;
        else if (text.ptr[i] == '\\')
            i++;
    return true;
}

static char *
without_backslashes(struct slice text)
{
    char  *plain = mem_alloc(text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        plain[len++] = text.ptr[i];
    }
    plain[len] = '\0';
    return plain;
}

static bool
ends_with(const struct file_glob_path *path, enum part_kind kind)
{
    return path->count > 0 && path->parts[path->count - 1].kind == kind;
}

/* `..` takes back the name before it. */
static int
go_up(struct file_glob_path *path, struct error *err)
{
    if (path->count == 0)
        return 0;
    if (!ends_with(path, PART_NAME))
        return error_set(err, ERR_CONFIG, "'..' cannot come after a name with wildcards");
    free(path->parts[--path->count].text);
    return 0;
}

static int
add_part(struct file_glob_path *path, struct slice text, struct error *err)
{
    struct part part = { PART_PATTERN, NULL };

    if (slice_is(text, "."))
        return 0;
    if (slice_is(text, ".."))
        return go_up(path, err);
    if (slice_is(text, "**")) {
        part.kind = PART_DEPTH;
        if (ends_with(path, PART_DEPTH))
            return 0;                           /* two say no more than one */
    } else if (is_plain(text)) {
        part.kind = PART_NAME;
        part.text = without_backslashes(text);
    } else {
        part.text = mem_copy(text.ptr, text.len);
    }
    path->parts = mem_array(path->parts, path->count + 1, sizeof *path->parts);
    path->parts[path->count++] = part;
    return 0;
}

static void
free_path(struct file_glob_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        free(path->parts[i].text);
    free(path->parts);
}

/* A pattern without braces. */
static int
add_path(struct file_globs *g, const char *pattern, struct error *err)
{
    struct file_glob_path path = { NULL, 0 };

    if (g->count == MAX_PATHS)
        return error_set(err, ERR_CONFIG, "the patterns mean more than %d combinations", MAX_PATHS);
    for (const char *p = pattern, *end; *p != '\0'; p = end) {
        while (*p == '/')
            p++;
        for (end = p; *end != '\0' && *end != '/'; end++)
            ;
        if (end > p && add_part(&path, (struct slice){ p, (size_t)(end - p) }, err) == -1) {
            free_path(&path);
            return -1;
        }
    }
    if (g->count == g->room) {
        g->room = g->room > 0 ? 2 * g->room : 4;
        g->list = mem_array(g->list, g->room, sizeof *g->list);
    }
    g->list[g->count++] = path;
    return 0;
}

/* What stands at `p`, skipped as a whole: a byte, an escaped byte, or a set. */
static const char *
skip(const char *p)
{
    if (*p == '\\' && p[1] != '\0')
        return p + 2;
    if (*p == '[' && set_end(p + 1) != NULL)
        return set_end(p + 1) + 1;
    return p + 1;
}

static const char *
find_brace(const char *p)
{
    while (*p != '\0' && *p != '{')
        p = skip(p);
    return *p == '{' ? p : NULL;
}

/* The comma or closing brace that ends the choice beginning at `p`, or NULL. */
static const char *
choice_end(const char *p)
{
    unsigned depth = 0;

    for (; *p != '\0'; p = skip(p)) {
        if (depth == 0 && (*p == ',' || *p == '}'))
            return p;
        if (*p == '{')
            depth++;
        else if (*p == '}')
            depth--;
    }
    return NULL;
}

/* Write out the first braces; their other choices and all further braces come
 * with the recursion. */
static int
expand(struct file_globs *g, const char *pattern, struct error *err)
{
    const char *open = find_brace(pattern), *close, *end;
    int         result = 0;

    if (open == NULL)
        return add_path(g, pattern, err);
    for (close = choice_end(open + 1); close != NULL && *close == ','; )
        close = choice_end(close + 1);
    if (close == NULL)
        return error_set(err, ERR_CONFIG, "the '{' has no '}'");
    for (const char *p = open + 1; result == 0 && p <= close; p = end + 1) {
        struct buf one = { NULL, 0, 0 };

        end = choice_end(p);
        buf_add(&one, pattern, (size_t)(open - pattern));
        buf_add(&one, p, (size_t)(end - p));
        buf_add_string(&one, close + 1);
        result = expand(g, buf_string(&one), err);
        buf_fini(&one);
    }
    return result;
}

static int
check_sets(const char *p, struct error *err)
{
    while (*p != '\0') {
        if (*p == '[') {
            const char *end = set_end(p + 1);

            if (end == NULL)
                return error_set(err, ERR_CONFIG, "the '[' has no ']'");
            if (memchr(p, '/', (size_t)(end - p)) != NULL)
                return error_set(err, ERR_CONFIG, "a '/' cannot be in a set");
        }
        if (*p == '\\' && p[1] == '\0')
            return error_set(err, ERR_CONFIG, "nothing comes after the last '\\'");
        p = skip(p);
    }
    return 0;
}

int
file_glob_add(struct file_globs *g, const char *pattern, struct error *err)
{
    assert(pattern[0] == '/');
    if (pattern[strlen(pattern) - 1] == '/')
        return error_set(err, ERR_CONFIG, "it names a folder, not files (did you mean '%s*'?)",
                         pattern);
    if (check_sets(pattern, err) == -1)
        return -1;
    return expand(g, pattern, err);
}

void
file_glob_fini(struct file_globs *g)
{
    for (size_t i = 0; i < g->count; i++)
        free_path(&g->list[i]);
    free(g->list);
    *g = (struct file_globs){ NULL, 0, 0 };
}

/* ---- Walking ----------------------------------------------------------------- */

static void
add_spot(struct file_spots *s, struct file_spot spot)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].path == spot.path && s->list[i].part == spot.part)
            return;
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 4;
        s->list = mem_array(s->list, s->room, sizeof *s->list);
    }
    s->list[s->count++] = spot;
}

/* `**` may also mean no folder at all: what follows it is expected here too. */
static void
arrive(const struct file_globs *g, struct file_spots *s, struct file_spot spot)
{
    const struct file_glob_path *path = &g->list[spot.path];

    add_spot(s, spot);
    if (path->parts[spot.part].kind == PART_DEPTH && spot.part + 1 < path->count)
        add_spot(s, (struct file_spot){ spot.path, spot.part + 1 });
}

void
file_glob_root(const struct file_globs *g, struct file_spots *root)
{
    root->count = 0;
    for (size_t i = 0; i < g->count; i++)
        if (g->list[i].count > 0)
            arrive(g, root, (struct file_spot){ (uint32_t)i, 0 });
}

enum file_match
file_glob_step(const struct file_globs *g, const struct file_spots *from, const char *name,
               struct file_spots *below)
{
    enum file_match match = FILE_MATCH_NO;

    below->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        const struct file_spot       spot = from->list[i];
        const struct file_glob_path *path = &g->list[spot.path];
        const struct part           *part = &path->parts[spot.part];
        const bool                   last = spot.part + 1 == path->count;

        if (!match_part(part, name))
            continue;
        if (part->kind == PART_DEPTH)
            arrive(g, below, spot);
        else if (!last)
            arrive(g, below, (struct file_spot){ spot.path, spot.part + 1 });
        if (last && match != FILE_MATCH_NAMED)
            match = part->kind == PART_NAME ? FILE_MATCH_NAMED : FILE_MATCH_WILD;
    }
    return match;
}

const char *
file_glob_literal(const struct file_globs *g, struct file_spot spot, bool *last)
{
    const struct file_glob_path *path = &g->list[spot.path];
    const struct part           *part = &path->parts[spot.part];

    *last = spot.part + 1 == path->count;
    return part->kind == PART_NAME ? part->text : NULL;
}

bool
file_spots_equal(const struct file_spots *a, const struct file_spots *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->list, b->list, a->count * sizeof *a->list) == 0);
}

void
file_spots_fini(struct file_spots *s)
{
    free(s->list);
    *s = (struct file_spots){ NULL, 0, 0 };
}

enum file_match
file_glob_match(const struct file_globs *g, const char *path)
{
    struct file_spots at = { NULL, 0, 0 }, below = { NULL, 0, 0 };
    enum file_match   match = FILE_MATCH_NO;

    file_glob_root(g, &at);
    for (const char *p = path, *end; at.count > 0; p = end) {
        struct file_spots swap;
        char             *name;

        while (*p == '/')
            p++;
        end = strchrnul(p, '/');
        if (end == p)
            break;
        name = mem_copy(p, (size_t)(end - p));
        match = file_glob_step(g, &at, name, &below);
        free(name);
        if (*end == '\0')
            break;
        match = FILE_MATCH_NO;
        swap = at;
        at = below;
        below = swap;
    }
    file_spots_fini(&at);
    file_spots_fini(&below);
    return match;
}

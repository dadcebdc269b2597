/* expand.c - see expand.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/expand.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"
#include "agent/data/encode.h"
#include "agent/textfile.h"

enum { SECRET_BYTES = 1024 * 1024 };

static bool
starts_with(struct slice s, const char *prefix)
{
    return s.len >= strlen(prefix) && memcmp(s.ptr, prefix, strlen(prefix)) == 0;
}

/* The place of the byte at `offset`. */
static struct mark
mark_inside(struct expand_place place, struct slice text, size_t offset)
{
    struct mark at = place.at;

    if (place.exact)
        for (size_t i = 0; i < offset; i++)
            at.column += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return at;
}

static bool
is_variable_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}

/* `inside` is NAME or NAME:-default. */
static enum expansion
add_variable(char *inside, struct mark at, struct buf *out, struct errors *errs)
{
    char       *preset = strstr(inside, ":-");
    const char *value;

    if (preset != NULL) {
        *preset = '\0';
        preset += 2;
    }
    if (!is_variable_name(inside)) {
        errors_at(errs, at, "'%s' is not the name of an environment variable", inside);
        return EXPAND_BAD;
    }
    value = getenv(inside);
    if (preset != NULL && (value == NULL || *value == '\0'))
        value = preset;
    if (value == NULL) {
        errors_at(errs, at, "environment variable '%s' is not set (a default: ${env:%s:-value})",
                  inside, inside);
        return EXPAND_BAD;
    }
    buf_add_string(out, value);
    return EXPAND_CHANGED;
}

static void
drop_last_newline(struct buf *text)
{
    if (text->len == 0 || text->ptr[text->len - 1] != '\n')
        return;
    text->len--;
    if (text->len > 0 && text->ptr[text->len - 1] == '\r')
        text->len--;
}

static int
read_secret(const char *path, struct buf *secret, struct error *err)
{
    if (textfile_read(path, SECRET_BYTES, secret, err) < 0)
        return -1;
    drop_last_newline(secret);
    if (secret->len == 0)
        return error_set(err, ERR_CONFIG, "is empty");
    if (!encode_is_utf8(buf_slice(secret)))
        return error_set(err, ERR_CONFIG, "is binary (it is not UTF-8 text)");
    return 0;
}

static enum expansion
add_file(const char *inside, struct mark at, struct buf *out, struct errors *errs)
{
    char        *path = textfile_beside(at.file, inside);
    struct buf   secret = { NULL, 0, 0 };
    struct error err;
    int          rc = read_secret(path, &secret, &err);

    if (rc == 0)
        buf_add_slice(out, buf_slice(&secret));
    else
        errors_at(errs, at, "file '%s' %s", path, err.text);
    if (secret.ptr != NULL)
        explicit_bzero(secret.ptr, secret.room);
    buf_fini(&secret);
    free(path);
    return rc == 0 ? EXPAND_SECRET : EXPAND_BAD;
}

/* `rest` begins with ${env: or ${file:; *used gets how much of it that takes. */
static enum expansion
add_replacement(struct slice rest, struct mark at, struct buf *out, struct errors *errs,
                size_t *used)
{
    const bool     is_env = starts_with(rest, "${env:");
    const size_t   prefix = strlen(is_env ? "${env:" : "${file:");
    const char    *brace = memchr(rest.ptr, '}', rest.len);
    char          *inside;
    enum expansion result;

    if (brace == NULL) {
        errors_at(errs, at, "'%.*s' has no '}' at its end", (int)prefix, rest.ptr);
        *used = rest.len;
        return EXPAND_BAD;
    }
    *used = (size_t)(brace - rest.ptr) + 1;
    inside = mem_copy(rest.ptr + prefix, *used - prefix - 1);
    if (is_env) {
        result = add_variable(inside, at, out, errs);
    } else if (*inside == '\0') {
        errors_at(errs, at, "'${file:}' names no file");
        result = EXPAND_BAD;
    } else {
        result = add_file(inside, at, out, errs);
    }
    free(inside);
    return result;
}

enum expansion
expand_text(struct slice text, struct expand_place place, struct buf *out, struct errors *errs)
{
    enum expansion worst = EXPAND_SAME;
    size_t         used;

    if (memmem(text.ptr, text.len, "${env:", 6) == NULL
        && memmem(text.ptr, text.len, "${file:", 7) == NULL)
        return EXPAND_SAME;
    for (size_t i = 0; i < text.len; i += used) {
        const struct slice rest = { text.ptr + i, text.len - i };

        if (starts_with(rest, "${env:") || starts_with(rest, "${file:")) {
            const enum expansion one =
                add_replacement(rest, mark_inside(place, text, i), out, errs, &used);

            worst = one > worst ? one : worst;
            continue;
        }
        used = starts_with(rest, "$$") ? 2 : 1;
        buf_add(out, rest.ptr, used);
    }
    return worst;
}

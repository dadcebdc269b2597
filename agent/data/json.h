/* json.h - reading JSON text (RFC 8259) without making a tree of it.
 *
 * A cursor stands in a text and takes what comes next; values are slices of the
 * text, and whole objects and arrays are passed over at once.  All that is passed is
 * checked: escapes, numbers, commas, the end.  What the standard leaves open:
 *
 *   - bytes over 0x7f are taken as they are, UTF-8 or not;
 *   - a lone surrogate (\ud800) is read as U+FFFD;
 *   - objects and arrays may stand in one another JSON_MAX_DEPTH deep.
 *
 * Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_JSON_H
#define AGENT_DATA_JSON_H

#include <stdbool.h>

#include "agent/base/arena.h"
#include "agent/base/slice.h"

enum { JSON_MAX_DEPTH = 1024 };

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY };

struct json_cursor {
    const char *at, *end;
};

struct json_token {
    enum json_kind kind;
    bool           escaped;     /* there is a backslash in it, which is a string */
    struct slice   text;        /* as it is written; a string without its quotes */
};

static inline struct json_cursor
json_cursor(struct slice text)
{
    return (struct json_cursor){ text.ptr, text.ptr + text.len };
}

static inline void
json_skip_blanks(struct json_cursor *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

/* Is this byte next, blanks aside? */
static inline bool
json_looking_at(struct json_cursor *j, char c)
{
    json_skip_blanks(j);
    return j->at < j->end && *j->at == c;
}

static inline bool
json_take(struct json_cursor *j, char c)
{
    if ((j->at == j->end || *j->at != c) && !json_looking_at(j, c))
        return false;
    j->at++;
    return true;
}

/* The name of an object's member and the colon behind it; false: there is none. */
bool json_take_key(struct json_cursor *j, struct json_token *key);

/* The whole value that comes next; false: there is none. */
bool json_take_value(struct json_cursor *j, struct json_token *value);

/* A string without its escapes, in `a`. */
struct slice json_unescape(struct slice text, struct arena *a);

/* What a token says: its text itself, or without its escapes in `a`. */
static inline struct slice
json_text(const struct json_token *token, struct arena *a)
{
    return token->escaped ? json_unescape(token->text, a) : token->text;
}

/* The character of the \uXXXX that begins at `*p`, as UTF-8 at `*to`, both moved on; of
 * two that are a surrogate pair, one character.  False: there is none. */
bool json_take_unicode(const char **p, const char *end, char **to);

#endif

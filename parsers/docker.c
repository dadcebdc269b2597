/* docker.c - the log of a container, as Docker's json-file driver writes it.
 *
 *     {"log":"what it has written\n","stream":"stdout","time":"2016-10-06T00:17:09.669794202Z"}
 *
 * A line goes on in the next object of its stream when `log` does not end in LF.  With the
 * options `labels`, `env` or `tag` there is an object `attrs`: its members become
 * fields `attrs.NAME`.  Source: moby, daemon/logger/jsonfilelog/jsonlog.
 *
 * The object is flat and written by one program, so it is scanned, not parsed: from quote
 * to quote, and texts are only written anew where something is escaped.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>

#include "agent/base/check.h"
#include "agent/base/mem.h"
#include "agent/flow/parser.h"
#include "parsers/rfc3339.h"

enum {
    MAGIC = 0x646f636b,
    LONGEST_NAME = 200,     /* of an attribute */
    REPLACEMENT = 0xfffd,
};

struct docker_parser {
    struct parser parser;
    unsigned      magic;
};

static const struct field docker_fields[] = { NO_MORE_FIELDS };

/* ---- JSON, as far as it is needed ------------------------------------------------ */

struct scan {
    const char *at, *end;
};

static void
skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static bool
take(struct scan *s, char c)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* What stands between the quotes, escapes and all. */
static bool
take_string(struct scan *s, struct slice *text)
{
    const char *from, *quote;

    if (!take(s, '"'))
        return false;
    from = s->at;
    for (;;) {
        size_t back = 0;

        quote = s->at < s->end ? memchr(s->at, '"', (size_t)(s->end - s->at)) : NULL;
        if (quote == NULL)
            return false;
        s->at = quote + 1;
        while (quote - back > from && quote[-(ptrdiff_t)back - 1] == '\\')
            back++;
        if (back % 2 == 0)
            break;
    }
    *text = (struct slice){ from, (size_t)(quote - from) };
    return true;
}

/* A whole value of any kind, as it is written. */
static bool
take_value(struct scan *s, struct slice *value)
{
    unsigned     depth = 0;
    const char  *from;
    struct slice text;

    skip_blanks(s);
    from = s->at;
    while (s->at < s->end) {
        const char c = *s->at;

        if (c == '"') {
            if (!take_string(s, &text))
                return false;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}'))
            break;
        if (c == '{' || c == '[')
            depth++;
        if (c == '}' || c == ']')
            depth--;
        s->at++;
    }
    *value = (struct slice){ from, (size_t)(s->at - from) };
    return depth == 0 && value->len > 0;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* The four digits at `s`, or -1. */
static int32_t
hex4(const char *s, const char *end)
{
    int32_t value = 0;

    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(s[i]);

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *
put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Behind `\u`: one character, or half of one and its other half.  NULL: no digits. */
static const char *
take_unicode(const char *s, const char *end, char **to)
{
    int32_t c = hex4(s, end), low;

    if (c < 0)
        return NULL;
    s += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - s >= 6 && s[0] == '\\' && s[1] == 'u') {
        low = hex4(s + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            s += 6;
        }
    }
    if (c >= 0xd800 && c < 0xe000)
        c = REPLACEMENT;
    *to = put_utf8(*to, c);
    return s;
}

/* Behind a backslash; NULL: no escape of JSON. */
static const char *
take_escape(const char *s, const char *end, char **to)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char       *letter;

    if (s == end)
        return NULL;
    if (*s == 'u')
        return take_unicode(s + 1, end, to);
    letter = *s != '\0' ? strchr(letters, *s) : NULL;
    if (letter == NULL)
        return NULL;
    *(*to)++ = bytes[letter - letters];
    return s + 1;
}

/* A text that needs no change stays where it is; another is written into `a`. */
static bool
unescape(struct slice *text, struct arena *a)
{
    const char *s = text->ptr, *end = s + text->len;
    char       *room, *to;

    if (text->len == 0 || memchr(s, '\\', text->len) == NULL)
        return true;
    room = to = arena_reserve(a, text->len);
    while (s < end) {
        const char  *escape = memchr(s, '\\', (size_t)(end - s));
        const size_t plain = (size_t)((escape != NULL ? escape : end) - s);

        memcpy(to, s, plain);
        to += plain;
        s += plain;
        if (escape != NULL)
            s = take_escape(escape + 1, end, &to);
        if (s == NULL)
            return false;
    }
    *text = arena_commit(a, (size_t)(to - room));
    return true;
}

/* ---- The object ------------------------------------------------------------------- */

/* Take the escaped LF off that most texts end with, and CR before it. */
static bool
take_line_end(struct slice *log)
{
    size_t back = 0;

    if (log->len < 2 || log->ptr[log->len - 1] != 'n')
        return false;
    while (back + 1 < log->len && log->ptr[log->len - 2 - back] == '\\')
        back++;
    if (back % 2 == 0)
        return false;
    log->len -= 2;
    return true;
}

static void
drop_cr(struct slice *body)
{
    if (body->len > 0 && body->ptr[body->len - 1] == '\r')
        body->len--;
}

/* Text, stream, time and attributes as they are written. */
struct members {
    struct slice log, stream, time, attributes;
};

static bool
take_member(struct scan *s, struct members *m)
{
    struct slice name, value;

    if (!take_string(s, &name) || !take(s, ':'))
        return false;
    if (slice_is(name, "log"))
        return take_string(s, &m->log);
    if (slice_is(name, "stream"))
        return take_string(s, &m->stream);
    if (slice_is(name, "time"))
        return take_string(s, &m->time);
    if (!take_value(s, &value))
        return false;
    if (slice_is(name, "attrs"))
        m->attributes = value;
    return true;
}

static bool
take_object(struct slice line, struct members *m)
{
    struct scan s = { line.ptr, line.ptr + line.len };

    if (!take(&s, '{'))
        return false;
    do {
        if (!take_member(&s, m))
            return false;
    } while (take(&s, ','));
    if (!take(&s, '}'))
        return false;
    skip_blanks(&s);
    return s.at == s.end && m->log.ptr != NULL;
}

static int
frame(const struct parser *p, struct parse_work *work, struct slice line, struct frame *f)
{
    struct members m = { NO_SLICE, NO_SLICE, NO_SLICE, NO_SLICE };
    bool           is_line;

    (void)p;
    work->reason = "no line of a container's log";
    *f = (struct frame){ .stream = STREAM_STDOUT };
    if (!take_object(line, &m))
        return -1;
    if (slice_is(m.stream, "stderr"))
        f->stream = STREAM_STDERR;
    else if (m.stream.ptr != NULL && !slice_is(m.stream, "stdout"))
        return -1;
    is_line = take_line_end(&m.log);
    if (!unescape(&m.log, work->arena))
        return -1;
    if (is_line)
        drop_cr(&m.log);
    f->body = m.log;
    f->partial = !is_line;
    f->attributes = m.attributes;
    f->has_time = m.time.ptr != NULL && rfc3339_read(m.time, &f->time_ms) == RFC3339_TIME;
    f->trouble = f->has_time ? NULL : "bad time";
    return 0;
}

/* ---- Attributes -------------------------------------------------------------------- */

static void
set_attribute(struct parse_work *work, struct slice name, struct slice text, struct record *r)
{
    static const char prefix[] = "attrs.";
    char             *full;

    if (name.len > LONGEST_NAME || !unescape(&name, work->arena) || !unescape(&text, work->arena))
        return;
    full = arena_reserve(work->arena, sizeof prefix + name.len);
    memcpy(full, prefix, sizeof prefix - 1);
    memcpy(full + sizeof prefix - 1, name.ptr, name.len);
    (void)record_set_named(r, arena_commit(work->arena, sizeof prefix - 1 + name.len), VALUE_TEXT,
                           text);
}

/* All of them are texts; what is none is left out. */
static void
attributes(const struct parser *p, struct parse_work *work, struct slice object, struct record *r)
{
    struct scan  s = { object.ptr, object.ptr + object.len };
    struct slice name, text;

    (void)p;
    if (!take(&s, '{'))
        return;
    do {
        if (!take_string(&s, &name) || !take(&s, ':'))
            return;
        if (take_string(&s, &text))
            set_attribute(work, name, text, r);
        else if (!take_value(&s, &text))
            return;
    } while (take(&s, ','));
}

/* ---- Loading ------------------------------------------------------------------------ */

static void
free_parser(struct parser *p)
{
    struct docker_parser *docker = (struct docker_parser *)p;

    CHECK_MAGIC(docker, MAGIC);
    docker->magic = 0;
    free(docker);
}

static const struct parser_ops  docker_ops = { .free = free_parser };
static const struct framing_ops framing = { frame, attributes };

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    const size_t          before = errs->count;
    const struct settings set[] = { { NULL, docker_fields }, { NULL, type_fields } };
    struct docker_parser *docker;

    (void)names;
    fields_load(set, 2, what, conf, conf->at, NULL, NULL, errs);
    if (errs->count > before)
        return NULL;
    docker = NEW(struct docker_parser);
    docker->parser.ops = &docker_ops;
    docker->parser.framing = &framing;
    docker->magic = MAGIC;
    return &docker->parser;
}

extern const struct parser_type docker_parser_type;     /* registry.c */

const struct parser_type docker_parser_type = {
    .name = "docker",
    .help = "The log of a container, as Docker's json-file driver writes it: sets the body, the "
            "time and `log.iostream`; partial lines are joined, each stream by itself; labels and "
            "tags become fields `attrs.NAME`. It must be the first parser of its input.",
    .fields = docker_fields,
    .load = load,
};

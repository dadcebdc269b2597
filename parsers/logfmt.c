/* logfmt.c - key=value pairs become fields.
 *
 *     type: logfmt
 *
 *     level=info msg="started \"web\"" port=8080 tls
 *
 * Pairs stand apart by blanks and tabs.  A value in double quotes may hold them, and
 * the escapes of JSON and of Go (\" \\ \n \x1b \u00e9 ...); what is no escape stays as it
 * is written.  `key=` is an empty value, a key alone is the boolean true; other values
 * are texts, for logfmt has no numbers.  A key may stand in quotes, too, as Go's slog writes
 * one that holds blanks, but not alone.  Of two pairs with one key the last one counts.
 * A line without any pair, with a pair that has no key, a quote that is not closed, or
 * text right behind one that is, gives no fields at all.
 *
 * There is no standard; it is what the writers and readers of Go agree on
 * (github.com/kr/logfmt, github.com/go-logfmt/logfmt).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/json.h"
#include "parsers/parser_base.h"

/* While one line is read. */
struct reader {
    const char              *at, *end;
    const struct names_path *names;
    struct record           *r;
    struct arena            *arena;
    size_t                   pairs;
};

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

/* ---- Quoted values -------------------------------------------------------- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape at `*p`, or its backslash alone if it is none. */
static void
take_escape(const char **p, const char *end, char **to)
{
    static const char forms[] = "\"\"\\\\//''a\ab\bf\fn\nr\rt\tv\v";

    if (json_take_unicode(p, end, to))
        return;
    if (end - *p >= 4 && (*p)[1] == 'x' && hex_digit((*p)[2]) >= 0 && hex_digit((*p)[3]) >= 0) {
        *(*to)++ = (char)(hex_digit((*p)[2]) << 4 | hex_digit((*p)[3]));
        *p += 4;
        return;
    }
    for (const char *form = forms; *form != '\0'; form += 2)
        if ((*p)[1] == form[0]) {
            *(*to)++ = form[1];
            *p += 2;
            return;
        }
    *(*to)++ = *(*p)++;
}

/* Every backslash has a byte behind it; no escape is shorter than what it stands for. */
static struct slice
without_escapes(struct slice text, struct arena *a)
{
    const char *p = text.ptr, *const end = p + text.len;
    char       *begin = arena_reserve(a, text.len), *to = begin;

    while (p < end)
        if (*p == '\\')
            take_escape(&p, end, &to);
        else
            *to++ = *p++;
    return arena_commit(a, (size_t)(to - begin));
}

/* The cursor stands on the opening quote, then behind the closing one.  NULL, or what is wrong. */
static const char *
take_quoted(struct reader *in, struct slice *value, bool *escaped)
{
    const char *const begin = in->at + 1;
    const char       *p = begin;

    for (; p < in->end && *p != '"'; p++)
        if (*p == '\\') {
            *escaped = true;
            p++;
        }
    if (p >= in->end)
        return "a quote is not closed";
    *value = (struct slice){ begin, (size_t)(p - begin) };
    in->at = p + 1;
    return NULL;
}

static const char *
take_quoted_value(struct reader *in, struct slice *value, bool *escaped)
{
    const char *wrong = take_quoted(in, value, escaped);

    if (wrong != NULL)
        return wrong;
    return in->at == in->end || is_blank(*in->at) ? NULL : "text right behind a quote";
}

static const char *
take_quoted_key(struct reader *in, struct slice *key)
{
    bool        escaped = false;
    const char *wrong = take_quoted(in, key, &escaped);

    if (wrong != NULL)
        return wrong;
    if (in->at == in->end || *in->at != '=')
        return "a key in quotes without a value";
    if (escaped)
        *key = without_escapes(*key, in->arena);
    return NULL;
}

/* ---- Pairs ---------------------------------------------------------------- */

static const char *
set_field(struct reader *in, struct slice key, enum value_type type, struct slice value,
          bool escaped)
{
    const struct names_path *path = names_find_below(in->names, key);
    const bool               mentioned = path != NULL && path->number != NAME_NONE;

    if (!mentioned && in->r->numbered_only)
        return NULL;
    if (escaped)
        value = without_escapes(value, in->arena);
    if (mentioned)
        record_set(in->r, path->number, type, value);
    else if (!record_set_unnumbered(in->r, key, type, value))
        return "too many fields";
    return NULL;
}

static struct slice
take_key(struct reader *in)
{
    const char *const begin = in->at;

    while (in->at < in->end && !is_blank(*in->at) && *in->at != '=')
        in->at++;
    return (struct slice){ begin, (size_t)(in->at - begin) };
}

/* NULL, or what is wrong. */
static const char *
take_pair(struct reader *in)
{
    struct slice key, value;
    const char  *wrong;
    bool         escaped = false;

    if (*in->at == '"') {
        wrong = take_quoted_key(in, &key);
        if (wrong != NULL)
            return wrong;
    } else {
        key = take_key(in);
    }
    if (key.len == 0)
        return "a pair without key";
    if (in->at == in->end || *in->at != '=')
        return set_field(in, key, VALUE_BOOL, SLICE("true"), false);
    in->pairs++;
    in->at++;
    if (in->at < in->end && *in->at == '"') {
        wrong = take_quoted_value(in, &value, &escaped);
        if (wrong != NULL)
            return wrong;
    } else {
        value.ptr = in->at;
        while (in->at < in->end && !is_blank(*in->at))
            in->at++;
        value.len = (size_t)(in->at - value.ptr);
    }
    return set_field(in, key, VALUE_TEXT, value, escaped);
}

static const char *
take_line(struct reader *in)
{
    const char *wrong = NULL;

    while (wrong == NULL) {
        while (in->at < in->end && is_blank(*in->at))
            in->at++;
        if (in->at == in->end)
            return in->pairs > 0 ? NULL : "no key=value pair";
        wrong = take_pair(in);
    }
    return wrong;
}

static int
parse(const struct parser *p, struct parse_work *work, struct record *r)
{
    const struct parser_base *base = parser_base_of(p);
    struct slice              text;
    struct reader             in = { .names = names_paths(r->names), .r = r,
                                     .arena = work->arena };

    if (!parser_base_subject(base, work, r, &text))
        return -1;
    in.at = text.ptr;
    in.end = text.ptr + text.len;
    record_mark(r);
    work->reason = take_line(&in);
    if (work->reason == NULL)
        return record_time_set(&base->time, work, r);
    record_rollback(r);
    return -1;
}

static const struct parser_ops logfmt_ops = { parse, parser_base_free };

static struct parser *
load(const char *what, const struct node *conf, struct names *names, struct errors *errs)
{
    return parser_base_new(&logfmt_ops, what, conf, names, errs);
}

extern const struct parser_type logfmt_parser_type;     /* registry.c */

const struct parser_type logfmt_parser_type = {
    .name = "logfmt",
    .help = "Pairs of key=value become fields; a value with blanks stands in double quotes.",
    .fields = parser_base_fields,
    .load = load,
};

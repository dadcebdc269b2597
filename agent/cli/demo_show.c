/* demo_show.c - see demo_show.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/cli/demo_show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/data/encode.h"

/* Key and partition have the colour of their partition: the eye sees that they
 * belong together. */
static const char *const colours[DEMO_PARTITIONS] = { "\033[36m", "\033[33m", "\033[35m",
                                                      "\033[32m" };
#define DIM   "\033[2m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

enum { KEY_WIDTH = 15, HEADERS_WIDTH = 28 };

void
demo_show_init(struct demo_show *s, const char *topic, bool json)
{
    const char    *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    const bool     terminal = !json && isatty(STDOUT_FILENO) == 1;
    struct winsize size;

    *s = (struct demo_show){ .topic = topic, .json = json };
    s->colour = terminal && (term == NULL || strcmp(term, "dumb") != 0) &&
                (no_colour == NULL || *no_colour == '\0');
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        s->width = size.ws_col;
}

void
demo_show_fini(struct demo_show *s)
{
    buf_fini(&s->line);
}

/* ---- One line ----------------------------------------------------------- */

static void
paint(struct demo_show *s, const char *colour)
{
    if (s->colour)
        buf_add_string(&s->line, colour);
}

/* U+0080 to U+009F: control characters too, for some terminals. */
static bool
begins_c1(struct slice text, size_t i)
{
    return (unsigned char)text.ptr[i] == 0xc2 && i + 1 < text.len &&
           (unsigned char)text.ptr[i + 1] < 0xa0;
}

/* Text from a log, as text: what would steer a terminal is shown as \xNN. */
static void
add_text(struct buf *b, struct slice text)
{
    const bool utf8 = encode_is_utf8(text);

    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        if (utf8 && begins_c1(text, i))
            buf_printf(b, "\\x%02x", (unsigned char)text.ptr[++i]);
        else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
            buf_printf(b, "\\x%02x", c);
        else
            buf_add_char(b, (char)c);
    }
}

/* Blanks up to a column, at least two; bytes count as columns. */
static void
pad(struct buf *b, size_t from, size_t width)
{
    const size_t used = b->len - from;

    for (size_t n = used < width ? width - used + 2 : 2; n > 0; n--)
        buf_add_char(b, ' ');
}

static void
add_key(struct demo_show *s, const struct kafka_demo_record *r)
{
    const size_t from = s->line.len;

    if (r->key.ptr == NULL)
        buf_add_char(&s->line, '-');
    else
        add_text(&s->line, r->key);
    pad(&s->line, from, KEY_WIDTH);
}

static void
add_headers(struct demo_show *s, const struct headers *headers)
{
    const size_t from = s->line.len;

    for (uint32_t i = 0; headers != NULL && i < headers->count; i++) {
        if (i > 0)
            buf_add_char(&s->line, ' ');
        add_text(&s->line, headers->list[i].name);
        buf_add_char(&s->line, '=');
        add_text(&s->line, headers->list[i].value);
    }
    pad(&s->line, from, HEADERS_WIDTH);
}

/* As much of the value as the terminal's line has room for, whole characters. */
static void
add_value(struct demo_show *s, struct slice value, size_t column)
{
    const size_t from = s->line.len;
    size_t       room = s->width > column ? s->width - column : 0;

    if (value.ptr != NULL)
        add_text(&s->line, value);
    if (s->width == 0 || s->line.len - from <= room)
        return;
    while (room > 0 && ((unsigned char)s->line.ptr[from + room] & 0xc0) == 0x80)
        room--;
    s->line.len = from + room;
}

static void
build_line(struct demo_show *s, const struct kafka_demo_record *r)
{
    const char *colour = colours[r->partition % DEMO_PARTITIONS];
    size_t      column = 0, from;

    paint(s, colour);
    from = s->line.len;
    buf_printf(&s->line, "%9d  %6lld  ", r->partition, (long long)r->offset);
    add_key(s, r);
    column += s->line.len - from;
    paint(s, PLAIN DIM);
    from = s->line.len;
    add_headers(s, r->headers);
    column += s->line.len - from;
    paint(s, PLAIN);
    add_value(s, r->value, column);
}

static void
build_json(struct demo_show *s, const struct kafka_demo_record *r)
{
    const struct shown_record shown = {
        .output = "demo", .topic = slice_of(s->topic), .partition = r->partition, .key = r->key,
        .value = r->value, .headers = r->headers, .timestamp = r->timestamp,
    };

    buf_printf(&s->line, "{\"offset\":%lld,", (long long)r->offset);
    encode_json_members(&s->line, &shown);
    buf_add_char(&s->line, '}');
}

void
demo_show_record(struct demo_show *s, const struct kafka_demo_record *r)
{
    buf_clear(&s->line);
    if (s->json) {
        build_json(s, r);
    } else {
        if (!s->headed)
            printf("%9s  %6s  %-*s  %-*s  %s\n", "partition", "offset", KEY_WIDTH, "key",
                   HEADERS_WIDTH, "headers", "value");
        s->headed = true;
        build_line(s, r);
    }
    buf_add_char(&s->line, '\n');
    (void)fwrite(s->line.ptr, 1, s->line.len, stdout);
}

/* ---- Beginning and end -------------------------------------------------- */

void
demo_show_start(struct demo_show *s, const char *servers, struct slice config)
{
    if (s->json)
        return;
    printf("A broker runs in this process, at %s.  The agent follows a log with\n"
           "this configuration, and every record is read back from the broker:\n\n", servers);
    printf("%s%.*s%s\n", s->colour ? DIM : "", SLICE_ARG(config), s->colour ? PLAIN : "");
}

static void
print_keys(FILE *out, const struct demo_tally *t)
{
    if (t->nkeys == 0)
        fprintf(out, "keys         none\n");
    else if (t->moved == 0)
        fprintf(out, "keys         %zu, each of them always on the same partition (checked)\n",
                t->nkeys);
    else
        fprintf(out, "keys         %zu, and %" PRIu64 " records are NOT on the partition of their "
                "key\n", t->nkeys, t->moved);
    if (t->keyless > 0)
        fprintf(out, "without key  %" PRIu64 " record%s\n", t->keyless, t->keyless == 1 ? "" : "s");
    if (t->jumps > 0)
        fprintf(out, "offsets      %" PRIu64 " records do NOT follow the one before\n", t->jumps);
}

static void
print_ages(FILE *out, const char *title, const char *until, const struct demo_ages *a)
{
    if (a->count > 0)
        fprintf(out, "%s  write of a line to its %s: median %.1f ms, p99 %.1f ms\n", title, until,
                demo_tally_age(a, 50), demo_tally_age(a, 99));
}

void
demo_show_summary(struct demo_show *s, const struct demo_tally *t, const struct demo_end *end)
{
    FILE *out = s->json ? stderr : stdout;

    fprintf(out, "\n%srecords      %" PRIu64 " of %" PRIu64 " lines came back, in %.1f s%s\n",
            s->colour ? BOLD : "", t->records, end->written, end->seconds, s->colour ? PLAIN : "");
    if (end->cut)
        fprintf(out, "not all      the log goes on; on a terminal all of it is shipped\n");
    if (end->unsent > 0)
        fprintf(out, "unsent       %" PRIu64 " records were not acknowledged\n", end->unsent);
    fprintf(out, "partitions   %u of %d used:", demo_tally_partitions(t), DEMO_PARTITIONS);
    for (int i = 0; i < DEMO_PARTITIONS; i++)
        fprintf(out, "%s %" PRIu64, i == 0 ? "" : ",", t->in_partition[i]);
    fprintf(out, " records\n");
    print_keys(out, t);
    print_ages(out, "latency    ", "acknowledgement", &t->acked);
    print_ages(out, "           ", "return", &t->returned);
}

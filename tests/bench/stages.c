/* stages.c - what each step of a line's way costs, on one core.
 *
 * Every row compiles a small configuration, as `stoker run` does, and takes lines that are
 * made here through one step of it, again and again; the best round counts, in CPU time of
 * this thread.  Where a floor is measured beside it, the two take turns.
 *
 *     stages [NAME...]        only those whose name contains one of them
 *
 * Prints one JSON line a row: what, value, unit, goal; with a floor its value and the ratio.
 * tests/bench/run shows them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/mem.h"
#include "agent/config.h"
#include "agent/data/time_format.h"
#include "agent/flow/source.h"
#include "agent/flow/transform.h"

enum {
    LINES = 2000,               /* different ones */
    ROUNDS = 400,               /* short ones: some are not disturbed */
    LONGEST = 8192,
};

#define PATTERN                                                                          \
    "^(?<client>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] \"(?<method>\\S+) "      \
    "(?<path>\\S+) [^\"]*\" (?<status>\\d{3}) (?<bytes>\\d+|-) \"[^\"]*\" "              \
    "\"(?<agent>[^\"]*)\"$"

/* What is measured, and what it is measured on. */
struct bench {
    struct config       *conf;
    const struct plan   *plan;
    struct record        record;
    struct parse_work    work;
    struct arena         arena;
    struct buf           text;
    char                *bytes;
    struct slice         lines[LINES];
    size_t               size;          /* of all lines */
    pcre2_code          *code;          /* the floor of `regex` */
    pcre2_match_data    *match;
    struct time_format  *format;
    struct slice         moment;
    struct source        source;        /* of the rows about chunks, as all below */
    struct chunk        *chunk;
    struct scratch      *scratch;
};

typedef size_t line_f(char *to, unsigned n);
typedef void   step_f(struct bench *b);

/* ---- Lines --------------------------------------------------------------- */

/* The same lines on every machine. */
static unsigned
mixed(unsigned n, unsigned salt)
{
    uint64_t x = ((uint64_t)n << 32 | salt) * 0x9e3779b97f4a7c15u;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9u;
    return (unsigned)(x >> 33);
}

static size_t
access_line(char *to, unsigned n)
{
    const int len = sprintf(
        to, "203.0.%u.%u - %s [07/Mar/2024:%02u:%02u:%02u +0000] \"GET /api/v1/orders/%u "
        "HTTP/1.1\" %u %u \"https://shop.example/%u\" "
        "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
        mixed(n, 1) % 4, mixed(n, 2) % 254 + 1, n % 3 == 0 ? "ann" : "-", mixed(n, 3) % 24,
        mixed(n, 4) % 60, mixed(n, 5) % 60, mixed(n, 6) % 100000, n % 7 == 0 ? 404u : 200u,
        mixed(n, 7) % 50000, mixed(n, 8) % 1000);

    return (size_t)len;
}

/* `changing`: some names are data, as in a map of users. */
static size_t
json_line(char *to, unsigned n, size_t size, bool changing)
{
    char *p = to;

    p += sprintf(p, "{\"time\":\"2024-03-07T%02u:%02u:%02u.%03uZ\",\"level\":\"%s\",\"service\":"
                 "{\"name\":\"cart\",\"version\":\"1.%u.0\"},\"request_id\":\"%08x%08x\",\"user\":"
                 "{\"id\":%u,\"roles\":[\"admin\",\"ops\"],\"ip\":\"203.0.113.%u\"},\"status\":%u,"
                 "\"duration_ms\":%u.%03u,\"ok\":true,\"error\":null,"
                 "\"message\":\"order %u \\\"placed\\\" by customer\"",
                 mixed(n, 1) % 24, mixed(n, 2) % 60, mixed(n, 3) % 60, mixed(n, 4) % 1000,
                 n % 5 == 0 ? "error" : "info", mixed(n, 5) % 20, mixed(n, 6), mixed(n, 7),
                 mixed(n, 8) % 1000000, mixed(n, 9) % 255, n % 7 == 0 ? 500u : 200u,
                 mixed(n, 10) % 100, mixed(n, 11) % 1000, mixed(n, 12) % 1000000);
    for (unsigned i = 0; (size_t)(p - to) + 130 < size; i++)
        p += sprintf(p, ",\"field_%u\":{\"text\":\"the quick brown fox jumps over the lazy dog "
                     "%u\",\"n\":[%u,%u.5]}", i, mixed(n, 20 + i), mixed(n, 40 + i) % 100,
                     mixed(n, 60 + i) % 10);
    for (unsigned i = 0; (size_t)(p - to) + 30 < size; i++)
        p += sprintf(p, ",\"pad_%04u\":%u", changing ? mixed(n, i) % 10000 : i, n % 1000);
    *p++ = '}';
    return (size_t)(p - to);
}

static size_t
json_400(char *to, unsigned n)
{
    return json_line(to, n, 400, false);
}

static size_t
json_4096(char *to, unsigned n)
{
    return json_line(to, n, 4096, false);
}

static size_t
json_changing(char *to, unsigned n)
{
    return json_line(to, n, 400, true);
}

static size_t
logfmt_line(char *to, unsigned n)
{
    const int len = sprintf(
        to, "time=2024-03-07T%02u:%02u:%02uZ level=%s msg=\"request served in %u ms\" method=GET "
        "path=/api/v1/orders/%u status=%u bytes=%u client=203.0.113.%u "
        "user=\"ann \\\"a\\\" b\" tls",
        mixed(n, 1) % 24, mixed(n, 2) % 60, mixed(n, 3) % 60, n % 5 == 0 ? "warn" : "info",
        mixed(n, 4) % 1000, mixed(n, 5) % 100000, n % 7 == 0 ? 500u : 200u, mixed(n, 6) % 50000,
        mixed(n, 7) % 255);

    return (size_t)len;
}

static size_t
csv_line(char *to, unsigned n)
{
    const int len = sprintf(
        to, "2024-03-07 %02u:%02u:%02u,%s,203.0.113.%u,\"order %u, \"\"placed\"\" by customer\",%u,"
        "%u,shop.example,/api/v1/orders/%u,,end", mixed(n, 1) % 24, mixed(n, 2) % 60,
        mixed(n, 3) % 60, n % 5 == 0 ? "warn" : "info", mixed(n, 4) % 255, mixed(n, 5) % 100000,
        n % 7 == 0 ? 500u : 200u, mixed(n, 6) % 50000, mixed(n, 7) % 100000);

    return (size_t)len;
}

static size_t
rfc3164_line(char *to, unsigned n)
{
    const int len = sprintf(
        to, "Mar %2u %02u:%02u:%02u web-%u sshd[%u]: Failed password for invalid user admin from "
        "203.0.113.%u port %u ssh2", 1 + mixed(n, 1) % 28, mixed(n, 2) % 24, mixed(n, 3) % 60,
        mixed(n, 4) % 60, n % 7, 1000 + mixed(n, 5) % 30000, mixed(n, 6) % 255,
        1024 + mixed(n, 7) % 60000);

    return (size_t)len;
}

static size_t
rfc5424_line(char *to, unsigned n)
{
    const int len = sprintf(
        to, "<%u>1 2024-03-%02uT%02u:%02u:%02u.%06uZ web-%u.example.org shop %u ID%u "
        "[origin@32473 ip=\"203.0.113.%u\" software=\"shop \\\"%u\\\"\"][meta sequenceId=\"%u\"] "
        "order placed by a customer", mixed(n, 1) % 192, 1 + mixed(n, 2) % 28, mixed(n, 3) % 24,
        mixed(n, 4) % 60, mixed(n, 5) % 60, mixed(n, 6) % 1000000, n % 7, mixed(n, 7) % 30000,
        mixed(n, 8) % 100, mixed(n, 9) % 255, n % 9, n);

    return (size_t)len;
}

static void
make_lines(struct bench *b, line_f *line)
{
    b->bytes = mem_alloc((size_t)LINES * LONGEST);
    b->size = 0;
    for (unsigned n = 0; n < LINES; n++) {
        b->lines[n].ptr = b->bytes + b->size;
        b->lines[n].len = line(b->bytes + b->size, n);
        b->size += b->lines[n].len;
    }
}

/* ---- Steps ---------------------------------------------------------------- */

static void
parse_line(struct bench *b, struct slice line)
{
    const struct plan *plan = b->plan;

    record_begin(&b->record, line, line, 0);
    for (size_t i = 0; i < plan->nparsers; i++) {
        const int rc = plan->parsers[i]->ops->parse(plan->parsers[i], &b->work, &b->record);

        assert(rc == 0);
    }
}

static void
parse_all(struct bench *b)
{
    for (size_t i = 0; i < LINES; i++)
        parse_line(b, b->lines[i]);
    arena_reset(&b->arena);
}

/* Fields, key and headers: what a line becomes but for its value. */
static void
parse_and_render(struct bench *b)
{
    const struct route *r = b->plan->routes[0];
    struct slice        text;

    for (size_t i = 0; i < LINES; i++) {
        bool there;

        parse_line(b, b->lines[i]);
        there = template_render(r->key, &b->record, &b->arena, &text);
        for (size_t h = 0; h < r->nheaders; h++)
            there = template_render(r->headers[h].text, &b->record, &b->arena, &text) && there;
        assert(there);
    }
    arena_reset(&b->arena);
}

static void
render_json(struct bench *b)
{
    for (size_t i = 0; i < LINES; i++) {
        parse_line(b, b->lines[i]);
        (void)route_json(b->plan->routes[0], &b->record, &b->arena, NULL, 0,
                         &b->text);
    }
    arena_reset(&b->arena);
}

static void
bare_match(struct bench *b)
{
    for (size_t i = 0; i < LINES; i++) {
        const int rc = pcre2_jit_match(b->code, (PCRE2_SPTR)b->lines[i].ptr, b->lines[i].len, 0, 0,
                                       b->match, NULL);

        assert(rc > 0);
    }
}

static void
first_route(struct bench *b)
{
    for (size_t i = 0; i < LINES; i++) {
        size_t n = 0;

        record_begin(&b->record, b->lines[i], b->lines[i], 0);
        while (!route_matches(b->plan->routes[n], &b->record, &b->arena, b->work.pattern))
            n++;
        assert(n == 0);
    }
    arena_reset(&b->arena);
}

static void
read_times(struct bench *b)
{
    static const struct time_zone utc = { .east = 0 };
    int64_t                       ms;

    for (size_t i = 0; i < LINES; i++) {
        const bool is_time = time_format_read(b->format, &utc, b->moment, &ms);

        assert(is_time);
    }
}

/* ---- Setting up ----------------------------------------------------------- */

static void
load(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
load(struct bench *b, const char *fmt, ...)
{
    char          path[] = "/tmp/stoker-stages-XXXXXX";
    const int     fd = mkstemp(path);
    FILE         *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    struct errors errs = { NULL, 0, 0 };
    va_list       ap;

    assert(file != NULL);
    fputs("outputs: {none: {type: discard}}\n", file);
    va_start(ap, fmt);
    vfprintf(file, fmt, ap);
    va_end(ap);
    fclose(file);
    b->conf = config_load(path, &errs);
    unlink(path);
    if (errs.count > 0) {
        fprintf(stderr, "stages: %s\n", errs.list[0].text);
        exit(1);
    }
    b->plan = b->conf->inputs[0]->plan;
    b->work = (struct parse_work){ .pattern = pattern_work_new(b->conf->groups),
                                   .shapes = json_shapes_new(), .arena = &b->arena };
    arena_init(&b->arena);
    record_init(&b->record, b->conf->names);
    b->record.numbered_only = !names_all_asked(b->conf->names);
}

static void
unload(struct bench *b)
{
    if (b->conf != NULL) {
        record_fini(&b->record);
        arena_fini(&b->arena);
        pattern_work_free(b->work.pattern);
        json_shapes_free(b->work.shapes);
        config_free(b->conf);
        buf_fini(&b->text);
    }
    free(b->bytes);
    b->conf = NULL;
    b->bytes = NULL;
}

/* ---- Measuring ------------------------------------------------------------ */

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double
once(struct bench *b, step_f *step)
{
    const double began = cpu_ns();

    step(b);
    return (cpu_ns() - began) / LINES;
}

/* ns a line; `floor` may be NULL. */
static double
measure(struct bench *b, step_f *step, step_f *floor, double *floor_ns)
{
    double best = 1e18;

    *floor_ns = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double ns = once(b, step);

        best = ns < best ? ns : best;
        ns = floor != NULL ? once(b, floor) : 0;
        *floor_ns = ns < *floor_ns ? ns : *floor_ns;
    }
    return best;
}

static void
say_ns(const char *what, double ns, double goal)
{
    printf("{\"what\": \"%s\", \"value\": %.1f, \"unit\": \"ns\", \"goal\": %.0f}\n", what, ns,
           goal);
}

static void
say_rate(const struct bench *b, const char *what, double ns, double goal)
{
    printf("{\"what\": \"%s\", \"value\": %.0f, \"unit\": \"MB/s\", \"goal\": %.0f}\n", what,
           (double)b->size / LINES / ns * 1e3, goal);
}

/* ---- Rows ----------------------------------------------------------------- */

/* Lines through a parser, and what the route asks for. */
static const struct rate {
    const char *what;
    line_f     *line;
    const char *parser, *route;
    step_f     *step;
    double      goal;           /* MB/s */
} rates[] = {
    { "json, 400 bytes: key and two headers", json_400, "{type: json}",
      "key: '${request_id}', headers: {level: '${level}', status: '${status}'}",
      parse_and_render, 500 },
    { "json, 400 bytes, names that change: key and two headers", json_changing, "{type: json}",
      "key: '${request_id}', headers: {level: '${level}', status: '${status}'}",
      parse_and_render, 500 },
    { "json, 400 bytes: nested key, two headers", json_400, "{type: json}",
      "key: '${user.id}', headers: {name: '${service.name}', message: '${message}'}",
      parse_and_render, 500 },
    { "json, 4 KiB: key and two headers", json_4096, "{type: json}",
      "key: '${request_id}', headers: {level: '${level}', status: '${status}'}",
      parse_and_render, 500 },
    { "json, 400 bytes: all fields to a JSON value", json_400, "{type: json}",
      "value: {format: json, exclude: [body]}", render_json, 0 },
    { "logfmt: all fields", logfmt_line, "{type: logfmt}", "value: {format: json}", parse_all,
      300 },
    { "logfmt: key and two headers", logfmt_line, "{type: logfmt}",
      "key: '${client}', headers: {level: '${level}', user: '${user}'}", parse_and_render, 300 },
    { "delimited: all fields", csv_line,
      "{type: delimited, names: [time, level, client, text, status, n, host, path, none, last]}",
      "value: {format: json}", parse_all, 300 },
    { "delimited: key and two headers", csv_line,
      "{type: delimited, names: [time, level, client, text, status, n, host, path, none, last]}",
      "key: '${client}', headers: {level: '${level}', text: '${text}'}", parse_and_render, 300 },
    { "syslog, RFC 3164: all fields", rfc3164_line, "{type: syslog}", "value: {format: json}",
      parse_all, 0 },
    { "syslog, RFC 3164: key and two headers", rfc3164_line, "{type: syslog}",
      "key: '${hostname}', headers: {app: '${appname}', pid: '${procid}'}", parse_and_render, 0 },
    { "syslog, RFC 5424: all fields", rfc5424_line, "{type: syslog}", "value: {format: json}",
      parse_all, 0 },
    { "regex: 8 groups to a JSON value", access_line, "{type: regex, pattern: '" PATTERN "'}",
      "value: {format: json, exclude: [body]}", render_json, 0 },
};

static void
run_rate(struct bench *b, const struct rate *row)
{
    double none;

    load(b, "inputs: {x: {paths: /x, parser: %s, %s}}\n", row->parser, row->route);
    make_lines(b, row->line);
    say_rate(b, row->what, measure(b, row->step, NULL, &none), row->goal);
    unload(b);
}

/* ---- Chunks: from bytes to messages ---------------------------------------- */

static size_t
cri_line(char *to, unsigned n)
{
    const int head = sprintf(to, "2024-03-07T%02u:%02u:%02u.%09uZ %s F ", mixed(n, 11) % 24,
                             mixed(n, 12) % 60, mixed(n, 13) % 60, mixed(n, 14) % 1000000000,
                             n % 5 == 0 ? "stderr" : "stdout");

    return (size_t)head + access_line(to + head, n);
}

static size_t
docker_line(char *to, unsigned n)
{
    char      text[1024];
    const int len = (int)access_line(text, n);
    char     *p = to + sprintf(to, "{\"log\":\"");

    for (int i = 0; i < len; i++) {
        if (text[i] == '"')
            *p++ = '\\';
        *p++ = text[i];
    }
    p += sprintf(p, "\\n\",\"stream\":\"stdout\",\"time\":\"2024-03-07T%02u:%02u:%02u.%09uZ\"}",
                 mixed(n, 11) % 24, mixed(n, 12) % 60, mixed(n, 13) % 60,
                 mixed(n, 14) % 1000000000);
    return (size_t)(p - to);
}

static size_t
trace_line(char *to, unsigned n)
{
    if (n % 10 == 0)
        return (size_t)sprintf(to, "2024-03-07 10:11:12,%03u ERROR [main] com.example.Shop - order "
                               "%u failed", n % 1000, mixed(n, 1));
    if (n % 10 == 1)
        return (size_t)sprintf(to, "java.lang.IllegalStateException: no order %u", mixed(n, 1));
    return (size_t)sprintf(to, "\tat com.example.shop.orders.OrderService.place(OrderService."
                           "java:%u)", mixed(n, 2) % 1000);
}

/* The lines with LF between, as many as a chunk holds. */
static void
fill_chunk(struct bench *b)
{
    struct chunk *c = chunk_new(CHUNK_SIZE);

    source_init(&b->source, NULL, b->plan, "/var/log/x.log");
    c->len = 0;
    for (size_t i = 0; i < LINES && c->len + b->lines[i].len < c->size; i++) {
        memcpy(c->bytes + c->len, b->lines[i].ptr, b->lines[i].len);
        c->len += b->lines[i].len;
        c->bytes[c->len++] = '\n';
    }
    b->chunk = c;
    b->size = c->len;
}

static void
transform(struct bench *b)
{
    const size_t          len = b->chunk->len;
    enum transform_result result;

    chunk_begin(b->chunk, &b->source, 0, b->source.path, b->source.name);
    b->chunk->len = len;
    result = transform_chunk(b->plan, b->scratch, b->chunk, true);
    assert(result == TRANSFORM_DONE && b->chunk->end == len);
}

static void
find_line_ends(struct bench *b)
{
    const char *at = b->chunk->bytes, *end = at + b->chunk->len;

    while (at < end)
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
}

static const struct chunk_row {
    const char *what;
    line_f     *line;
    const char *settings;
    double      goal;           /* MB/s; 0: none */
} chunk_rows[] = {
    { "chunk: lines", access_line, "max_line: 1MiB", 0 },
    { "chunk: cri", cri_line, "parser: {type: cri}", 300 },
    { "chunk: cri with multiline", cri_line,
      "parser: {type: cri}, multiline: {start: '^[0-9]'}", 0 },
    { "chunk: docker", docker_line, "parser: {type: docker}", 0 },
    { "chunk: multiline, java", trace_line, "multiline: {preset: java}", 0 },
    { "chunk: multiline, start", trace_line, "multiline: {start: '^\\d{4}-'}", 0 },
};

static void
run_chunk(struct bench *b, const struct chunk_row *row)
{
    double ns, floor;

    load(b, "inputs: {x: {paths: /x, value: body, %s}}\n", row->settings);
    make_lines(b, row->line);
    fill_chunk(b);
    b->scratch = scratch_new(b->conf->names, b->conf->groups);
    ns = measure(b, transform, find_line_ends, &floor);
    printf("{\"what\": \"%s\", \"value\": %.0f, \"unit\": \"MB/s\", \"floor\": %.0f, "
           "\"goal\": %.0f}\n", row->what, (double)b->size / LINES / ns * 1e3,
           (double)b->size / LINES / floor * 1e3, row->goal);
    scratch_free(b->scratch);
    chunk_free(&b->chunk);
    source_fini(&b->source);
    unload(b);
}

static const struct regex_row {
    const char *what, *pattern;
} regex_rows[] = {
    { "regex: 8 groups", PATTERN },
    { "regex: 8 groups, not straight", "(?:)" PATTERN },
};

static void
run_regex(struct bench *b, const struct regex_row *row)
{
    int        error;
    PCRE2_SIZE at;
    double     ns, floor;

    load(b, "inputs: {x: {paths: /x, parser: {type: regex, pattern: '%s'}, "
         "value: {format: json}}}\n", row->pattern);
    make_lines(b, access_line);
    b->code = pcre2_compile((PCRE2_SPTR)row->pattern, PCRE2_ZERO_TERMINATED, 0, &error, &at, NULL);
    assert(b->code != NULL);
    pcre2_jit_compile(b->code, PCRE2_JIT_COMPLETE);
    b->match = pcre2_match_data_create_from_pattern(b->code, NULL);
    ns = measure(b, parse_all, bare_match, &floor);
    printf("{\"what\": \"%s\", \"value\": %.1f, \"unit\": \"ns\", \"floor\": %.1f, "
           "\"ratio\": %.3f, \"goal\": 1.3}\n", row->what, ns, floor, ns / floor);
    pcre2_match_data_free(b->match);
    pcre2_code_free(b->code);
    unload(b);
}

static void
run_routes(struct bench *b, const char *what)
{
    char   routes[50 * 80], *p = routes;
    double none;

    for (int i = 0; i < 50; i++)
        p += sprintf(p, "  - {when: {body: '/ \"%s \\/api\\/v%d\\//'}}\n", "GET", i + 1);
    load(b, "inputs: {x: {paths: /x}}\nroutes:\n%s", routes);
    make_lines(b, access_line);
    say_ns(what, measure(b, first_route, NULL, &none), 1000);
    unload(b);
}

static const struct moment {
    const char *what, *format, *text;
} moments[] = {
    { "time: access log", "%d/%b/%Y:%H:%M:%S %z", "07/Mar/2024:10:11:12 +0000" },
    { "time: iso8601 with a fraction", "iso8601", "2024-03-07T10:11:12.345678Z" },
    { "time: %F %T", "%Y-%m-%d %H:%M:%S", "2024-03-07 10:11:12" },
    { "time: syslog, no year", "%b %e %H:%M:%S", "Mar  7 10:11:12" },
    { "time: epoch_ms", "epoch_ms", "1709806272345" },
};

static void
run_time(struct bench *b, const struct moment *row)
{
    struct error err;
    double       none;

    b->format = time_format_new(row->format, NULL, &err);
    b->moment = slice_of(row->text);
    assert(b->format != NULL);
    say_ns(row->what, measure(b, read_times, NULL, &none), 50);
    time_format_free(b->format);
}

static bool
is_chosen(const char *what, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(what, argv[i]) != NULL)
            return true;
    return argc == 1;
}

int
main(int argc, char **argv)
{
    static struct bench b;

    for (size_t i = 0; i < sizeof regex_rows / sizeof *regex_rows; i++)
        if (is_chosen(regex_rows[i].what, argc, argv))
            run_regex(&b, &regex_rows[i]);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (is_chosen(rates[i].what, argc, argv))
            run_rate(&b, &rates[i]);
    for (size_t i = 0; i < sizeof chunk_rows / sizeof *chunk_rows; i++)
        if (is_chosen(chunk_rows[i].what, argc, argv))
            run_chunk(&b, &chunk_rows[i]);
    if (is_chosen("routes: the first of 50 matches", argc, argv))
        run_routes(&b, "routes: the first of 50 matches");
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        if (is_chosen(moments[i].what, argc, argv))
            run_time(&b, &moments[i]);
    return 0;
}

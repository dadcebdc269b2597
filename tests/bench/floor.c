/* floor.c - the bare loop: what shipping a file costs when nothing else is done.
 *
 * One thread reads big blocks, finds the line ends with memchr, and hands runs
 * of 1,000 lines to rd_kafka_produce_batch() on a fixed partition, the next run
 * on the next one.  Values are not copied.  Delivery reports are drained as
 * events on the same thread, and no more than MAX_OUT bytes are out.  No state,
 * no routes, no retries of its own: the least that a careful program pays, and
 * what tests/bench/run measures stoker against.
 *
 *     floor --bootstrap HOST:PORT --topic NAME [options] FILE
 *     floor --discard FILE                reads and finds lines only
 *
 * Prints one JSON line: lines, seconds, CPU, memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "agent/base/slice.h"

enum {
    BLOCK = 1024 * 1024,            /* bytes a read */
    RUN = 1000,                     /* lines a call */
    MAX_OUT = 16 * 1024 * 1024,     /* bytes that are not acknowledged yet */
    EVENT_ROOM = 1000,              /* reports taken out of an event at a time */
};

/* A block is free again when nothing of it is out and it is not being read. */
struct block {
    struct block *next;
    size_t        waiting;          /* lines handed over or about to be, and one while it is read */
    char          bytes[BLOCK];
};

struct options {
    const char *bootstrap, *topic, *compression, *acks, *linger, *pattern, *file;
    int32_t     partitions;
    uint32_t    key_group;          /* 0: no keys */
    int         discard;
};

struct loop {
    struct options      opt;
    rd_kafka_t         *rk;
    rd_kafka_topic_t   *topic;
    rd_kafka_queue_t   *queue;
    pcre2_code         *code;
    pcre2_match_data   *match;
    struct block       *spare;
    rd_kafka_message_t  run[RUN];
    int                 run_length;
    int32_t             partition;
    size_t              out;        /* bytes handed over and not acknowledged */
    uint64_t            lines, bytes, matched;
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("floor: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

/* ---- Setting up --------------------------------------------------------- */

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[300];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        die("%s", text);
}

static void
connect_producer(struct loop *l)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[300];

    set(conf, "bootstrap.servers", l->opt.bootstrap);
    set(conf, "compression.type", l->opt.compression);
    if (strcmp(l->opt.compression, "zstd") == 0)
        set(conf, "compression.level", "1");        /* as stoker does */
    set(conf, "acks", l->opt.acks);
    if (strcmp(l->opt.acks, "all") == 0)
        set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", l->opt.linger);
    set(conf, "batch.size", "1000000");
    set(conf, "message.timeout.ms", "0");
    set(conf, "queue.buffering.max.messages", "0");
    set(conf, "queue.buffering.max.kbytes", "2097151");
    set(conf, "socket.nagle.disable", "true");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);

    l->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (l->rk == NULL)
        die("%s", text);
    l->queue = rd_kafka_queue_get_main(l->rk);
    l->topic = rd_kafka_topic_new(l->rk, l->opt.topic, NULL);
}

static void
compile_pattern(struct loop *l)
{
    int error;
    PCRE2_SIZE at;

    l->code = pcre2_compile((PCRE2_SPTR)l->opt.pattern, PCRE2_ZERO_TERMINATED, 0, &error, &at,
                            NULL);
    if (l->code == NULL)
        die("bad pattern at offset %zu", (size_t)at);
    if (pcre2_jit_compile(l->code, PCRE2_JIT_COMPLETE) != 0)
        die("this PCRE2 has no JIT");
    l->match = pcre2_match_data_create_from_pattern(l->code, NULL);
}

/* ---- Blocks ------------------------------------------------------------- */

static struct block *
block_take(struct loop *l)
{
    struct block *b = l->spare;

    if (b != NULL)
        l->spare = b->next;
    else
        b = mem_alloc(sizeof(*b));
    b->waiting = 1;
    return b;
}

static void
block_let_go(struct loop *l, struct block *b, size_t lines)
{
    b->waiting -= lines;
    if (b->waiting > 0)
        return;
    b->next = l->spare;
    l->spare = b;
}

/* ---- The way back ------------------------------------------------------- */

static void
take_reports(struct loop *l, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *reports[EVENT_ROOM];
    size_t n;

    while ((n = rd_kafka_event_message_array(event, reports, EVENT_ROOM)) > 0) {
        for (size_t i = 0; i < n; i++) {
            if (reports[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR)
                die("not delivered: %s", rd_kafka_err2str(reports[i]->err));
            l->out -= reports[i]->len;
            block_let_go(l, reports[i]->_private, 1);
        }
    }
}

/* Take what has arrived; wait for the first of it up to `timeout` ms. */
static void
drain(struct loop *l, int timeout)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(l->queue, timeout)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
            take_reports(l, event);
        else if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL)
            die("%s", rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
        timeout = 0;
    }
}

/* ---- The way out -------------------------------------------------------- */

static void
send_run(struct loop *l)
{
    int taken;

    if (l->run_length == 0)
        return;
    taken = rd_kafka_produce_batch(l->topic, l->partition, 0, l->run, l->run_length);
    if (taken != l->run_length)
        die("produce_batch took %d of %d lines", taken, l->run_length);
    l->run_length = 0;
    l->partition = (l->partition + 1) % l->opt.partitions;
}

/* The bare match, and the key if one was asked for. */
static struct slice
match_line(struct loop *l, const char *line, size_t len)
{
    const PCRE2_SIZE *found = pcre2_get_ovector_pointer(l->match);
    const uint32_t g = l->opt.key_group;
    const int rc = pcre2_jit_match(l->code, (PCRE2_SPTR)line, len, 0, 0, l->match, NULL);

    if (rc < 1)
        return NO_SLICE;
    l->matched++;
    if (g == 0 || (uint32_t)rc <= g || found[2 * g] == PCRE2_UNSET)
        return NO_SLICE;
    return (struct slice){ line + found[2 * g], found[2 * g + 1] - found[2 * g] };
}

static void
add_line(struct loop *l, struct block *b, char *line, size_t len)
{
    struct slice key = NO_SLICE;

    l->lines++;
    if (l->code != NULL)
        key = match_line(l, line, len);
    if (l->opt.discard)
        return;
    l->run[l->run_length++] = (rd_kafka_message_t){
        .payload = line, .len = len, .key = (char *)(uintptr_t)key.ptr, .key_len = key.len,
        ._private = b,
    };
    b->waiting++;
    l->out += len;
    if (l->run_length == RUN)
        send_run(l);
}

/* The whole lines of a block; returns how many bytes they are. */
static size_t
split(struct loop *l, struct block *b, size_t len)
{
    char *line = b->bytes, *end = b->bytes + len, *lf;

    while ((lf = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        add_line(l, b, line, (size_t)(lf - line));
        line = lf + 1;
    }
    return (size_t)(line - b->bytes);
}

static void
ship(struct loop *l, int fd)
{
    size_t used;

    for (uint64_t at = 0;; at += used) {
        struct block *b = block_take(l);
        const ssize_t got = pread(fd, b->bytes, BLOCK, (off_t)at);

        if (got < 0)
            die("cannot read '%s': %s", l->opt.file, strerror(errno));
        used = split(l, b, (size_t)got);
        block_let_go(l, b, 1);
        l->bytes += used;
        if (used == 0)
            break;                  /* the end, or a line longer than a block */
        if (l->opt.discard)
            continue;
        drain(l, 0);
        while (l->out >= MAX_OUT)
            drain(l, 100);
    }
    if (l->opt.discard)
        return;
    send_run(l);
    while (l->out > 0)
        drain(l, 100);
}

/* ---- What it was -------------------------------------------------------- */

static double
cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Not ru_maxrss: that remembers the process which started this one. */
static long
max_rss_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long kib = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return kib;
}

static void
print_result(const struct loop *l, double seconds)
{
    const double cpu = cpu_seconds(), lines = (double)(l->lines == 0 ? 1 : l->lines);

    printf("{\"lines\": %llu, \"bytes\": %llu, \"matched\": %llu, \"seconds\": %.4f, "
           "\"cpu_seconds\": %.4f, \"lines_per_second\": %.0f, \"cpu_us_per_line\": %.4f, "
           "\"max_rss_kib\": %ld}\n",
           (unsigned long long)l->lines, (unsigned long long)l->bytes,
           (unsigned long long)l->matched, seconds, cpu, (double)l->lines / seconds,
           cpu * 1e6 / lines, max_rss_kib());
}

/* ---- Starting ----------------------------------------------------------- */

static void
usage(void)
{
    fputs("usage: floor --bootstrap HOST:PORT --topic NAME [--partitions N] [--compression C]\n"
          "             [--acks all|1|0] [--linger MS] [--regex PATTERN [--key-group N]] FILE\n"
          "       floor --discard [--regex PATTERN] FILE\n", stderr);
    exit(64);
}

static int
number(const char *text, int min, int max)
{
    char *end;
    const long n = strtol(text, &end, 10);

    if (end == text || *end != '\0' || n < min || n > max)
        usage();
    return (int)n;
}

static struct options
read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "bootstrap", required_argument, NULL, 'b' },
        { "topic", required_argument, NULL, 't' },
        { "partitions", required_argument, NULL, 'p' },
        { "compression", required_argument, NULL, 'c' },
        { "acks", required_argument, NULL, 'a' },
        { "linger", required_argument, NULL, 'l' },
        { "regex", required_argument, NULL, 'r' },
        { "key-group", required_argument, NULL, 'k' },
        { "discard", no_argument, NULL, 'd' },
        { NULL, 0, NULL, 0 },
    };
    struct options o = { .compression = "lz4", .acks = "all", .linger = "5", .partitions = 4 };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'b': o.bootstrap = optarg; break;
        case 't': o.topic = optarg; break;
        case 'p': o.partitions = number(optarg, 1, 10000); break;
        case 'c': o.compression = optarg; break;
        case 'a': o.acks = optarg; break;
        case 'l': o.linger = optarg; break;
        case 'r': o.pattern = optarg; break;
        case 'k': o.key_group = (uint32_t)number(optarg, 1, 1000); break;
        case 'd': o.discard = 1; break;
        default: usage();
        }
    }
    if (optind + 1 != argc || (!o.discard && (o.bootstrap == NULL || o.topic == NULL)))
        usage();
    o.file = argv[optind];
    return o;
}

int
main(int argc, char **argv)
{
    static struct loop l;
    const uint64_t began = clock_ns();
    int fd;

    l.opt = read_options(argc, argv);
    fd = open(l.opt.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open '%s': %s", l.opt.file, strerror(errno));
    if (l.opt.pattern != NULL)
        compile_pattern(&l);
    if (!l.opt.discard)
        connect_producer(&l);
    ship(&l, fd);
    print_result(&l, (double)(clock_ns() - began) / 1e9);
    return 0;
}

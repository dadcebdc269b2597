/* latency.c - how long a line takes from the end of a file to a consumer.
 *
 * Appends lines to FILE at a fixed rate, each with the moment of its write in
 * it, and consumes TOPIC in the same process: one clock for both ends.  Some
 * agent in between ships FILE to TOPIC.  Afterwards the file is left alone for
 * a while, and the first line after that is timed too.
 *
 *     latency --bootstrap HOST:PORT --topic NAME [--rate N] [--seconds N]
 *             [--quiet SECONDS] [--firsts N] [--fetch-wait MS] FILE
 *
 * The topic exists already.  --fetch-wait is how long the broker may hold back
 * an empty answer: a real broker answers as soon as there is something, the
 * mock cluster only when the time is over.  Prints one JSON line, in ms.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "agent/base/clock.h"
#include "agent/base/mem.h"

enum {
    LINE = 200,                 /* bytes, the LF included */
    PATIENCE_MS = 30000,        /* a line that takes longer is lost */
    WARM_UP_MS = 50,            /* between two lines of the warm-up */
};

enum phase { WARM_UP, STEADY, FIRST };

struct bench {
    const char *bootstrap, *topic, *fetch_wait, *file;
    unsigned    rate, seconds, quiet, firsts;
    int         fd;
    rd_kafka_t *rk;
    double     *ms;             /* of the present phase, in the order of arrival */
    size_t      count;
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("latency: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

/* ---- Writing ------------------------------------------------------------ */

static void
append_line(const struct bench *b, enum phase phase)
{
    char line[LINE + 1];
    const int n = snprintf(line, sizeof(line), "%d %llu ", phase, (unsigned long long)clock_ns());

    memset(line + n, 'x', LINE - (size_t)n - 1);
    line[LINE - 1] = '\n';
    if (write(b->fd, line, LINE) != LINE)
        die("cannot write '%s': %s", b->file, strerror(errno));
}

/* Every line has its own moment: being late once does not move the others. */
static void *
write_steadily(void *arg)
{
    const struct bench *b = arg;
    const uint64_t began = clock_ns();

    for (uint64_t i = 0; i < (uint64_t)b->rate * b->seconds; i++) {
        const uint64_t at = began + i * 1000000000u / b->rate;
        const struct timespec when = { (time_t)(at / 1000000000u), (long)(at % 1000000000u) };

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
        append_line(b, STEADY);
    }
    return NULL;
}

/* ---- Reading ------------------------------------------------------------ */

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[300];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        die("%s", text);
}

static void
connect_consumer(struct bench *b)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[300];

    set(conf, "bootstrap.servers", b->bootstrap);
    set(conf, "group.id", "latency");
    set(conf, "enable.auto.commit", "false");
    set(conf, "fetch.min.bytes", "1");
    set(conf, "fetch.wait.max.ms", b->fetch_wait);
    set(conf, "socket.nagle.disable", "true");
    b->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (b->rk == NULL)
        die("%s", text);
    rd_kafka_poll_set_consumer(b->rk);
}

/* Every partition, from its first record on. */
static void
assign_topic(struct bench *b)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(b->rk, b->topic, NULL);
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_partition_list_t *all;
    rd_kafka_resp_err_t err = rd_kafka_metadata(b->rk, 0, topic, &meta, 10000);

    if (err != RD_KAFKA_RESP_ERR_NO_ERROR || meta->topic_cnt != 1 ||
        meta->topics[0].partition_cnt == 0)
        die("no topic '%s': %s", b->topic, rd_kafka_err2str(err));
    all = rd_kafka_topic_partition_list_new(meta->topics[0].partition_cnt);
    for (int i = 0; i < meta->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(all, b->topic, meta->topics[0].partitions[i].id)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    err = rd_kafka_assign(b->rk, all);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("cannot read '%s': %s", b->topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(topic);
}

/* Note how old a line is, if it is of this phase. */
static void
take_line(struct bench *b, const rd_kafka_message_t *m, enum phase phase)
{
    const uint64_t now = clock_ns();
    char text[LINE + 1] = "";
    unsigned long long written;
    int of;

    memcpy(text, m->payload, m->len < LINE ? m->len : LINE);
    if (sscanf(text, "%d %llu", &of, &written) != 2)
        die("'%s' holds other records than ours", b->topic);
    if (of == (int)phase)
        b->ms[b->count++] = (double)(now - written) / 1e6;
}

static void
read_for(struct bench *b, enum phase phase, int ms)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(b->rk, ms);

    if (m == NULL)
        return;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        take_line(b, m, phase);
    rd_kafka_message_destroy(m);
}

static void
read_all(struct bench *b, enum phase phase, size_t want)
{
    const uint64_t began = clock_ms();

    while (b->count < want) {
        read_for(b, phase, 100);
        if (clock_ms() - began > PATIENCE_MS + 1000u * b->seconds)
            die("%zu of %zu lines have not arrived", want - b->count, want);
    }
}

/* ---- The phases --------------------------------------------------------- */

/* Connections, topic and consumer are up when lines come through. */
static void
warm_up(struct bench *b)
{
    const uint64_t began = clock_ms();
    size_t written = 0;

    b->count = 0;
    while (b->count == 0) {
        append_line(b, WARM_UP);
        written++;
        read_for(b, WARM_UP, WARM_UP_MS);
        if (clock_ms() - began > PATIENCE_MS)
            die("nothing arrives in '%s'", b->topic);
    }
    read_all(b, WARM_UP, written);
}

static void
run_steady(struct bench *b)
{
    pthread_t writer;

    b->count = 0;
    if (pthread_create(&writer, NULL, write_steadily, b) != 0)
        die("cannot start a thread");
    read_all(b, STEADY, (size_t)b->rate * b->seconds);
    pthread_join(writer, NULL);
}

static void
run_first(struct bench *b)
{
    const uint64_t began = clock_ms();

    b->count = 0;
    while (clock_ms() - began < 1000u * (uint64_t)b->quiet)
        read_for(b, FIRST, 100);
    append_line(b, FIRST);
    read_all(b, FIRST, 1);
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
print_steady(struct bench *b)
{
    qsort(b->ms, b->count, sizeof(*b->ms), compare);
    printf("{\"lines\": %zu, \"rate\": %u, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f",
           b->count, b->rate, b->ms[b->count / 2], b->ms[b->count * 99 / 100],
           b->ms[b->count - 1]);
}

/* ---- Starting ----------------------------------------------------------- */

static void
usage(void)
{
    fputs("usage: latency --bootstrap HOST:PORT --topic NAME [--rate N] [--seconds N]\n"
          "               [--quiet SECONDS] [--firsts N] [--fetch-wait MS] FILE\n", stderr);
    exit(64);
}

static unsigned
number(const char *text, unsigned min, unsigned max)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || n < min || n > max)
        usage();
    return (unsigned)n;
}

static void
read_options(struct bench *b, int argc, char **argv)
{
    static const struct option known[] = {
        { "bootstrap", required_argument, NULL, 'b' },
        { "topic", required_argument, NULL, 't' },
        { "rate", required_argument, NULL, 'r' },
        { "seconds", required_argument, NULL, 's' },
        { "quiet", required_argument, NULL, 'q' },
        { "firsts", required_argument, NULL, 'n' },
        { "fetch-wait", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'b': b->bootstrap = optarg; break;
        case 't': b->topic = optarg; break;
        case 'r': b->rate = number(optarg, 1, 100000); break;
        case 's': b->seconds = number(optarg, 1, 3600); break;
        case 'q': b->quiet = number(optarg, 0, 3600); break;
        case 'n': b->firsts = number(optarg, 0, 1000); break;
        case 'f': b->fetch_wait = optarg; break;
        default: usage();
        }
    }
    if (optind + 1 != argc || b->bootstrap == NULL || b->topic == NULL)
        usage();
    b->file = argv[optind];
}

int
main(int argc, char **argv)
{
    struct bench b = { .rate = 1000, .seconds = 10, .quiet = 5, .firsts = 3, .fetch_wait = "100" };

    read_options(&b, argc, argv);
    b.fd = open(b.file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (b.fd < 0)
        die("cannot open '%s': %s", b.file, strerror(errno));
    b.ms = mem_array(NULL, (size_t)b.rate * b.seconds + PATIENCE_MS / WARM_UP_MS + 2,
                     sizeof(*b.ms));
    connect_consumer(&b);
    assign_topic(&b);
    warm_up(&b);
    run_steady(&b);
    print_steady(&b);
    printf(", \"after_quiet_s\": %u, \"firsts_ms\": [", b.quiet);
    for (unsigned i = 0; i < b.firsts; i++) {
        run_first(&b);
        printf("%s%.3f", i == 0 ? "" : ", ", b.ms[0]);
    }
    printf("]}\n");
    rd_kafka_destroy(b.rk);
    return 0;
}

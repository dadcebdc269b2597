/* mock_broker.c - a cluster in a process of its own, to be measured against and
 * to be hurt.
 *
 *     mock_broker [--brokers N] [--partitions N] [--rtt MS] TOPIC[:PARTITIONS]...
 *
 * It is librdkafka's mock cluster.  Prints "bootstrap.servers=HOST:PORT,..." and
 * then obeys commands, one a line, on standard input; each is answered with "ok"
 * or "error: ...".  It ends with "quit" or at the end of its input.
 *
 *     down ID                      close the broker's connections, refuse new ones
 *     up ID
 *     rtt MS                       every answer takes so long
 *     error APIKEY COUNT ERROR     answer the next COUNT requests so (0: Produce,
 *                                  3: Metadata, 22: InitProducerId), with the
 *                                  number of an error, or its name without
 *                                  RD_KAFKA_RESP_ERR_
 *     leader TOPIC PARTITION ID    -1: nobody
 *     topic_error TOPIC ERROR      what metadata says of a topic; 0: it is well
 *     topic TOPIC PARTITIONS       make one more
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 4 };

struct broker {
    rd_kafka_t              *owner;
    rd_kafka_mock_cluster_t *cluster;
    long                     brokers, partitions, rtt;
};

/* ---- Words ----------------------------------------------------------------- */

static bool
to_number(const char *text, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && errno == 0;
}

static bool
to_error(const char *text, rd_kafka_resp_err_t *err)
{
    const struct rd_kafka_err_desc *all;
    size_t                          count;
    long                            number;

    if (to_number(text, &number)) {
        *err = (rd_kafka_resp_err_t)number;
        return true;
    }
    rd_kafka_get_err_descs(&all, &count);
    for (size_t i = 0; i < count; i++)
        if (all[i].name != NULL && strcmp(all[i].name, text) == 0) {
            *err = all[i].code;
            return true;
        }
    return false;
}

/* ---- Commands -------------------------------------------------------------- */

/* Each gets its words and returns what is wrong, or NULL. */
typedef const char *command_f(struct broker *b, char **words);

static const char *
said(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_NO_ERROR ? NULL : rd_kafka_err2str(err);
}

static const char *
set_down(struct broker *b, char **words)
{
    long id;

    if (!to_number(words[0], &id))
        return "not a number";
    return said(rd_kafka_mock_broker_set_down(b->cluster, (int32_t)id));
}

static const char *
set_up(struct broker *b, char **words)
{
    long id;

    if (!to_number(words[0], &id))
        return "not a number";
    return said(rd_kafka_mock_broker_set_up(b->cluster, (int32_t)id));
}

static const char *
set_rtt(struct broker *b, char **words)
{
    const char *wrong = NULL;

    if (!to_number(words[0], &b->rtt))
        return "not a number";
    for (long id = 1; id <= b->brokers && wrong == NULL; id++)
        wrong = said(rd_kafka_mock_broker_set_rtt(b->cluster, (int32_t)id, (int)b->rtt));
    return wrong;
}

static const char *
push_errors(struct broker *b, char **words)
{
    rd_kafka_resp_err_t err;
    long                key, count;

    if (!to_number(words[0], &key) || !to_number(words[1], &count) || !to_error(words[2], &err))
        return "wants: error APIKEY COUNT ERROR";
    for (long i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors_array(b->cluster, (int16_t)key, 1, &err);
    return NULL;
}

static const char *
set_leader(struct broker *b, char **words)
{
    long partition, id;

    if (!to_number(words[1], &partition) || !to_number(words[2], &id))
        return "wants: leader TOPIC PARTITION ID";
    return said(rd_kafka_mock_partition_set_leader(b->cluster, words[0], (int32_t)partition,
                                                   (int32_t)id));
}

static const char *
set_topic_error(struct broker *b, char **words)
{
    rd_kafka_resp_err_t err;

    if (!to_error(words[1], &err))
        return "no such error";
    rd_kafka_mock_topic_set_error(b->cluster, words[0], err);
    return NULL;
}

/* Leaders in turn: the mock would choose them at random. */
static const char *
make_topic(struct broker *b, char **words)
{
    long        partitions;
    const char *wrong;

    if (!to_number(words[1], &partitions) || partitions < 1)
        return "not a number of partitions";
    wrong = said(rd_kafka_mock_topic_create(b->cluster, words[0], (int)partitions, 1));
    for (long p = 0; p < partitions && wrong == NULL; p++)
        wrong = said(rd_kafka_mock_partition_set_leader(b->cluster, words[0], (int32_t)p,
                                                        (int32_t)(1 + p % b->brokers)));
    return wrong;
}

static const struct command {
    const char *name;
    int         words;
    command_f  *run;
} commands[] = {
    { "down", 1, set_down }, { "up", 1, set_up }, { "rtt", 1, set_rtt },
    { "error", 3, push_errors }, { "leader", 3, set_leader },
    { "topic_error", 2, set_topic_error }, { "topic", 2, make_topic },
};

static const char *
obey(struct broker *b, char *line)
{
    char *words[MAX_WORDS], *rest;
    int   n = 0;

    for (char *w = strtok_r(line, " \t\n", &rest); w != NULL; w = strtok_r(NULL, " \t\n", &rest)) {
        if (n == MAX_WORDS)
            return "too many words";
        words[n++] = w;
    }
    for (size_t i = 0; n > 0 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(words[0], commands[i].name) == 0)
            return n - 1 == commands[i].words ? commands[i].run(b, words + 1)
                                              : "wrong number of words";
    return "no such command";
}

/* ---- The program ----------------------------------------------------------- */

static int
wrong_usage(void)
{
    fprintf(stderr, "usage: mock_broker [--brokers N] [--partitions N] [--rtt MS] "
                    "TOPIC[:PARTITIONS]...\n");
    return 64;
}

static bool
read_options(struct broker *b, int argc, char **argv)
{
    static const struct option options[] = {
        { "brokers", required_argument, NULL, 'b' },
        { "partitions", required_argument, NULL, 'p' },
        { "rtt", required_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    bool good = true;
    int  o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
        good = good && (o == 'b' ? to_number(optarg, &b->brokers)
                      : o == 'p' ? to_number(optarg, &b->partitions)
                      : o == 'r' && to_number(optarg, &b->rtt));
    return good && b->brokers > 0 && b->partitions > 0 && b->rtt >= 0;
}

static bool
start(struct broker *b)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char             why[300];

    /* A request may be as large as a client likes. */
    if (rd_kafka_conf_set(conf, "receive.message.max.bytes", "1000000000", why, sizeof why) != 0 ||
        rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why) != 0 ||
        (b->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why)) == NULL) {
        fprintf(stderr, "mock_broker: %s\n", why);
        return false;
    }
    b->cluster = rd_kafka_mock_cluster_new(b->owner, (int)b->brokers);
    return b->cluster != NULL;
}

static bool
add_topic(struct broker *b, char *name)
{
    char        number[24], *colon = strrchr(name, ':');
    char       *words[2] = { name, number };
    const char *wrong;

    snprintf(number, sizeof number, "%ld", b->partitions);
    if (colon != NULL) {
        *colon = '\0';
        words[1] = colon + 1;
    }
    wrong = make_topic(b, words);
    if (wrong != NULL)
        fprintf(stderr, "mock_broker: topic '%s': %s\n", name, wrong);
    return wrong == NULL;
}

static void
answer(const char *wrong)
{
    if (wrong == NULL)
        puts("ok");
    else
        printf("error: %s\n", wrong);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    struct broker b = { .brokers = 1, .partitions = 4 };
    char          line[512], rtt[24];
    char         *words[1] = { rtt };

    signal(SIGPIPE, SIG_IGN);
    if (!read_options(&b, argc, argv))
        return wrong_usage();
    if (!start(&b))
        return 1;
    for (int i = optind; i < argc; i++)
        if (!add_topic(&b, argv[i]))
            return 1;
    snprintf(rtt, sizeof rtt, "%ld", b.rtt);
    if (b.rtt > 0)
        (void)set_rtt(&b, words);
    printf("bootstrap.servers=%s\n", rd_kafka_mock_cluster_bootstraps(b.cluster));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "quit\n") != 0)
        answer(obey(&b, line));
    rd_kafka_mock_cluster_destroy(b.cluster);
    rd_kafka_destroy(b.owner);
    return 0;
}

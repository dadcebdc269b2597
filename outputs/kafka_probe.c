/* kafka_probe.c - `check --connect`: would this output work?
 *
 * A producer of its own, which creates nothing, and no loop: brokers and login
 * first, each broker by the address that the cluster has for it, then every topic,
 * then what the topics say about sizes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "outputs/kafka.h"
#include "outputs/kafka_errors.h"

enum {
    RETRY_MS = 300,
    HOPE_MS = 5000,         /* how long a cluster may take before an error counts */
    SIZES_MS = 3000,        /* how long its answer about sizes is worth waiting for */
    BROKERS_MS = 3000,      /* how long each broker has to answer, all at once */
};

struct probe {
    const struct kafka        *kafka;
    rd_kafka_t                *rk;
    rd_kafka_queue_t          *events;
    uint64_t                   begin, deadline;     /* clock_ms() */
    struct errors             *errs;
    char                       text[400];   /* of the worst error that was heard of */
    struct kafka_advice        advice;
    bool                       heard;
    _Atomic int                certificate; /* why the broker's is not trusted */
    const rd_kafka_metadata_t *metadata;
    int32_t                    broker;      /* one that answered, or -1 */
};

static int
left(const struct probe *p)
{
    const uint64_t now = clock_ms();

    return now < p->deadline ? (int)(p->deadline - now) : 0;
}

static int __attribute__((format(printf, 2, 3)))
trouble(struct probe *p, const char *fmt, ...)
{
    struct error err = { .code = ERR_CLUSTER, .at = NO_MARK };
    va_list      ap;

    va_start(ap, fmt);
    vsnprintf(err.text, sizeof err.text, fmt, ap);
    va_end(ap);
    return errors_add(p->errs, NO_MARK, &err);
}

/* ---- Brokers and login ----------------------------------------------------- */

/* Of several complaints the one that says most is kept: troubles are numbered so. */
static void
hear(struct probe *p)
{
    rd_kafka_event_t *event;

    while ((event = rd_kafka_queue_poll(p->events, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
            const char               *text = rd_kafka_event_error_string(event);
            const struct kafka_advice advice =
                kafka_errors_explain(rd_kafka_event_error(event), text, false,
                                     atomic_load(&p->certificate));

            if (!p->heard || advice.trouble < p->advice.trouble) {
                p->advice = advice;
                snprintf(p->text, sizeof p->text, "%s", text);
            }
            p->heard = true;
        }
        rd_kafka_event_destroy(event);
    }
}

/* A wrong password or certificate does not heal while we look; for the rest a
 * broker that is just starting gets some time. */
static bool
hopeless(const struct probe *p)
{
    if (!p->heard)
        return false;
    return p->advice.trouble == TROUBLE_LOGIN || p->advice.trouble == TROUBLE_CERTIFICATE ||
           p->advice.trouble == TROUBLE_CLIENT || clock_ms() - p->begin > HOPE_MS;
}

static int
reach(struct probe *p)
{
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__TIMED_OUT;
    const char         *name = p->kafka->base.name;

    while (err != 0 && left(p) > 0 && !hopeless(p)) {
        const int slice = left(p) < 1000 ? left(p) : 1000;

        err = rd_kafka_metadata(p->rk, 0, NULL, &p->metadata, slice);
        hear(p);
    }
    if (err == 0)
        return 0;
    if (p->heard)
        return trouble(p, "output '%s': %s%s: %s", name, p->advice.text, p->advice.advice,
                       p->text);
    return trouble(p, "output '%s': the brokers do not answer: %s (check bootstrap.servers)", name,
                   rd_kafka_err2str(err));
}

/* ---- What they say of themselves -------------------------------------------- */

/* The settings of brokers or topics: `found` lives as long as the answer, which is NULL
 * with none found if there was none. */
static rd_kafka_event_t *
describe(struct probe *p, rd_kafka_ResourceType_t kind, const struct strings *names,
         const rd_kafka_ConfigResource_t ***found, size_t *count)
{
    rd_kafka_ConfigResource_t **wanted = mem_array(NULL, names->count, sizeof *wanted);
    rd_kafka_AdminOptions_t    *options =
        rd_kafka_AdminOptions_new(p->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_queue_t           *answers = rd_kafka_queue_new(p->rk);
    const int                   wait = left(p) < SIZES_MS ? left(p) + 1 : SIZES_MS;
    rd_kafka_event_t           *answer;
    char                        text[200];

    *count = 0;
    for (size_t i = 0; i < names->count; i++)
        wanted[i] = rd_kafka_ConfigResource_new(kind, names->list[i]);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, wait, text, sizeof text);
    rd_kafka_DescribeConfigs(p->rk, wanted, names->count, options, answers);
    answer = rd_kafka_queue_poll(answers, wait);
    if (answer != NULL && rd_kafka_event_error(answer) == 0)
        *found = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(answer), count);
    rd_kafka_ConfigResource_destroy_array(wanted, names->count);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(answers);
    free(wanted);
    return answer;
}

/* NULL: it may not be seen. */
static const char *
find_value(const rd_kafka_ConfigResource_t *resource, const char *name)
{
    const rd_kafka_ConfigEntry_t **entries;
    size_t                         count = 0;

    if (rd_kafka_ConfigResource_error(resource) != 0)
        return NULL;
    entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

/* Would they make a topic that is asked for?  Not known: yes. */
static bool
brokers_create(struct probe *p)
{
    struct strings                    ids = { NULL, 0, 0 };
    const rd_kafka_ConfigResource_t **found;
    size_t                            count;
    rd_kafka_event_t                 *answer;
    bool                              create = true;
    char                              id[16];

    snprintf(id, sizeof id, "%" PRId32, p->broker);
    strings_add(&ids, id);
    answer = describe(p, RD_KAFKA_RESOURCE_BROKER, &ids, &found, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = find_value(found[i], "auto.create.topics.enable");

        create = create && (value == NULL || strcmp(value, "true") == 0);
    }
    if (answer != NULL)
        rd_kafka_event_destroy(answer);
    strings_fini(&ids);
    return create;
}

/* ---- Every broker ----------------------------------------------------------- */

/* Any question that goes to this broker and no other: the answer does not matter. */
static void
call_broker(struct probe *p, int i, int wait, rd_kafka_queue_t *answers)
{
    rd_kafka_AdminOptions_t   *options =
        rd_kafka_AdminOptions_new(p->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *broker;
    char                       text[200];

    snprintf(text, sizeof text, "%" PRId32, p->metadata->brokers[i].id);
    broker = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, text);
    rd_kafka_AdminOptions_set_opaque(options, (void *)&p->metadata->brokers[i]);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, wait, text, sizeof text);
    rd_kafka_DescribeConfigs(p->rk, &broker, 1, options, answers);
    rd_kafka_ConfigResource_destroy(broker);
    rd_kafka_AdminOptions_destroy(options);
}

static bool
is_answer(rd_kafka_resp_err_t err)
{
    return err != RD_KAFKA_RESP_ERR__TIMED_OUT && err != RD_KAFKA_RESP_ERR__TRANSPORT;
}

/* What was heard is the worst of all brokers; its text says of which. */
static void
say_silent(struct probe *p, const rd_kafka_metadata_broker_t *broker)
{
    const char *name = p->kafka->base.name;

    if (p->heard && (p->advice.trouble == TROUBLE_LOGIN ||
                     p->advice.trouble == TROUBLE_CERTIFICATE ||
                     p->advice.trouble == TROUBLE_CLIENT))
        (void)trouble(p, "output '%s': broker %" PRId32 ", %s:%d: %s%s: %s", name, broker->id,
                      broker->host, broker->port, p->advice.text, p->advice.advice, p->text);
    else
        (void)trouble(p, "output '%s': broker %" PRId32 " cannot be reached at %s:%d, the address "
                      "that the cluster has for it (check the brokers' advertised.listeners)%s%s",
                      name, broker->id, broker->host, broker->port, p->heard ? ": " : "",
                      p->heard ? p->text : "");
}

/* The servers that are configured may be others than those that the records go to.
 * False: they cannot all be reached. */
static bool
check_brokers(struct probe *p)
{
    const rd_kafka_metadata_broker_t *brokers = p->metadata->brokers;
    const int         count = p->metadata->broker_cnt;
    const int         wait = left(p) < BROKERS_MS ? left(p) + 1 : BROKERS_MS;
    const uint64_t    end = clock_ms() + (uint64_t)wait;
    bool             *answered = mem_zero((size_t)count * sizeof *answered);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(p->rk);
    rd_kafka_event_t *event;
    int               reached = 0;

    p->heard = false;
    for (int i = 0; i < count; i++)
        call_broker(p, i, wait, answers);
    while (reached < count && clock_ms() < end &&
           (event = rd_kafka_queue_poll(answers, (int)(end - clock_ms()))) != NULL) {
        const rd_kafka_metadata_broker_t *broker = rd_kafka_event_opaque(event);

        answered[broker - brokers] = is_answer(rd_kafka_event_error(event));
        reached += answered[broker - brokers];
        rd_kafka_event_destroy(event);
    }
    hear(p);
    for (int i = 0; i < count; i++)
        if (!answered[i])
            say_silent(p, &brokers[i]);
    rd_kafka_queue_destroy(answers);
    free(answered);
    return reached == count;
}

/* ---- Topics ---------------------------------------------------------------- */

static int
check_partitions(struct probe *p, const rd_kafka_metadata_topic_t *t)
{
    int without = 0;

    for (int i = 0; i < t->partition_cnt; i++)
        without += t->partitions[i].leader < 0;
    if (without == 0)
        return 0;
    return trouble(p, "output '%s': %d of the %d partitions of topic '%s' have no leader (their "
                   "records would wait)", p->kafka->base.name, without, t->partition_cnt,
                   t->topic);
}

static int
judge_topic(struct probe *p, const rd_kafka_metadata_topic_t *t)
{
    const char *name = p->kafka->base.name;

    switch (t->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return check_partitions(p, t);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        if (p->kafka->settings.create_topics && brokers_create(p)) {
            log_info("output '%s': topic '%s' does not exist yet (the brokers are asked to create "
                     "it when there are records)", name, t->topic);
            return 0;
        }
        return trouble(p, "output '%s': topic '%s' does not exist (%s)", name, t->topic,
                       p->kafka->settings.create_topics ? "and the brokers do not create it"
                                                        : "create it, or set create_topics: true");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return trouble(p, "output '%s': not authorised for topic '%s' (grant Describe and Write)",
                       name, t->topic);
    default:
        return trouble(p, "output '%s': topic '%s': %s", name, t->topic, rd_kafka_err2str(t->err));
    }
}

/* Ask about one topic; one that the brokers are just creating gets some time.
 * True: it is there, and more can be asked of it. */
static bool
check_topic(struct probe *p, const char *topic)
{
    rd_kafka_topic_t          *rkt = rd_kafka_topic_new(p->rk, topic, NULL);
    const rd_kafka_metadata_t *md = NULL;
    rd_kafka_resp_err_t        err;
    bool                       there = false;

    if (rkt == NULL) {
        (void)trouble(p, "output '%s': topic '%s': %s", p->kafka->base.name, topic,
                      rd_kafka_err2str(rd_kafka_last_error()));
        return false;
    }
    for (;;) {
        err = rd_kafka_metadata(p->rk, 0, rkt, &md, left(p) + 1);
        if (err != 0 || md->topic_cnt == 0 || left(p) <= RETRY_MS ||
            md->topics[0].err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
            break;
        rd_kafka_metadata_destroy(md);
        uv_sleep(RETRY_MS);
    }
    if (err != 0) {
        (void)trouble(p, "output '%s': cannot ask about topic '%s': %s", p->kafka->base.name,
                      topic, rd_kafka_err2str(err));
    } else {
        there = md->topic_cnt > 0 && md->topics[0].err == 0;
        if (md->topic_cnt > 0)
            (void)judge_topic(p, &md->topics[0]);
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(rkt);
    return there;
}

/* ---- Sizes ----------------------------------------------------------------- */

static void
judge_size(struct probe *p, const rd_kafka_ConfigResource_t *resource, uint64_t max_line)
{
    const char *value = find_value(resource, "max.message.bytes");

    if (value != NULL && strtoull(value, NULL, 10) < max_line)
        (void)trouble(p, "output '%s': topic '%s' takes records of at most %s bytes, and lines "
                      "may have %" PRIu64 " (lower max_line, or raise max.message.bytes of the "
                      "topic)", p->kafka->base.name, rd_kafka_ConfigResource_name(resource),
                      value, max_line);
}

/* Who may not describe the topic's settings just does not learn its limit. */
static void
check_sizes(struct probe *p, const struct strings *topics, uint64_t max_line)
{
    const rd_kafka_ConfigResource_t **found;
    size_t                            count;
    rd_kafka_event_t                 *answer = describe(p, RD_KAFKA_RESOURCE_TOPIC, topics, &found,
                                                        &count);

    for (size_t i = 0; i < count; i++)
        judge_size(p, found[i], max_line);
    if (answer != NULL)
        rd_kafka_event_destroy(answer);
}

static void
check_client_size(struct probe *p, uint64_t max_line)
{
    const uint64_t most = p->kafka->settings.max_message;

    if (most < max_line)
        (void)trouble(p, "output '%s': message.max.bytes is %" PRIu64 ", and lines may have %"
                      PRIu64 " (lower max_line, or raise message.max.bytes)", p->kafka->base.name,
                      most, max_line);
}

/* ---- All of it ------------------------------------------------------------- */

static int
begin(struct probe *p)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(p->kafka->settings.client);

    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_ERROR);
    (void)rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", NULL, 0);
    kafka_errors_watch(conf, &p->certificate);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, p->text, sizeof p->text);
    if (p->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return trouble(p, "output '%s': cannot make a producer: %s", p->kafka->base.name, p->text);
    }
    p->events = rd_kafka_queue_get_main(p->rk);
    return 0;
}

int
kafka_probe(struct output *o, const struct strings *topics, uint64_t max_line,
            unsigned timeout_ms, struct errors *errs)
{
    struct probe   p = { .kafka = (const struct kafka *)o, .errs = errs,
                         .begin = clock_ms(), .deadline = clock_ms() + timeout_ms };
    const size_t   before = errs->count;
    struct strings there = { NULL, 0, 0 };
    bool           all;

    if (begin(&p) == -1)
        return -1;
    check_client_size(&p, max_line);
    if (reach(&p) == 0) {
        p.broker = p.metadata->broker_cnt > 0 ? p.metadata->brokers[0].id : -1;
        all = check_brokers(&p);
        rd_kafka_metadata_destroy(p.metadata);
        for (size_t i = 0; i < topics->count; i++)
            if (check_topic(&p, topics->list[i]))
                strings_add(&there, topics->list[i]);
        if (p.kafka->settings.dead_letter_topic != NULL)
            (void)check_topic(&p, p.kafka->settings.dead_letter_topic);
        if (there.count > 0 && all)
            check_sizes(&p, &there, max_line);
    }
    strings_fini(&there);
    rd_kafka_queue_destroy(p.events);
    rd_kafka_destroy(p.rk);
    return errs->count > before ? -1 : 0;
}

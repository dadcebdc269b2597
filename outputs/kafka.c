/* kafka.c - the Kafka output as a plugin: its beginning and its end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outputs/kafka.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/mem.h"
#include "agent/flow/pipeline.h"

/* ---- What an older librdkafka cannot do ------------------------------------ */

static bool
uses_scram(const struct kafka_settings *s)
{
    char text[64];

    return kafka_settings_get(s, "sasl.mechanisms", text, sizeof text) &&
           strncasecmp(text, "SCRAM", 5) == 0;
}

static bool
uses_kerberos(const struct kafka_settings *s)
{
    char mechanism[64], protocol[64];

    return kafka_settings_get(s, "sasl.mechanisms", mechanism, sizeof mechanism) &&
           kafka_settings_get(s, "security.protocol", protocol, sizeof protocol) &&
           strcmp(mechanism, "GSSAPI") == 0 && strncasecmp(protocol, "SASL", 4) == 0;
}

static bool
is_idempotent(const struct kafka_settings *s)
{
    return s->idempotence;
}

/* Versions from `from` to before `fixed`, as rd_kafka_version() gives them
 * without the last byte. */
static const struct notice {
    int         from, fixed;
    bool      (*concerns)(const struct kafka_settings *s);
    const char *text;
} notices[] = {
    { 0, 0x020601, uses_scram, "cannot log in to Kafka 4 with SCRAM (2.6.1 can)" },
    { 0, 0x020b00, uses_kerberos, "cannot log in to Kafka 4 with GSSAPI (2.11.0 can)" },
    { 0x020200, 0x020500, is_idempotent, "may fail to send batches again after a lost connection "
                                         "(use 2.0, 2.1, or 2.5.3 and later)" },
};

static void
tell_notices(const struct kafka *k)
{
    const int version = rd_kafka_version() >> 8;

    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        if (version >= notices[i].from && version < notices[i].fixed &&
            notices[i].concerns(&k->settings))
            log_warn("output '%s': librdkafka %s %s", k->base.name, rd_kafka_version_str(),
                     notices[i].text);
}

/* ---- Beginning and end ----------------------------------------------------- */

static void
on_wake(uv_async_t *async)
{
    struct kafka *k = async->data;

    kafka_reports_take(k);
    kafka_step(k);
}

static int
start(struct output *o, struct pipeline *p, struct error *err)
{
    struct kafka *k = (struct kafka *)o;
    uv_loop_t    *loop = pipeline_loop(p);

    if (kafka_producer_make(k, err) == -1)
        return -1;
    o->pipeline = p;
    uv_async_init(loop, &k->wake, on_wake);
    uv_prepare_init(loop, &k->turn);
    uv_timer_init(loop, &k->retry);
    uv_timer_init(loop, &k->ask);
    uv_timer_init(loop, &k->again);
    uv_timer_init(loop, &k->watch);
    k->wake.data = k->turn.data = k->retry.data = k->ask.data = k->again.data = k->watch.data = k;
    tell_notices(k);
    kafka_producer_use(k);
    return 0;
}

static void
take_run(struct output *o, const struct run *run)
{
    kafka_topic_take(kafka_topic_get((struct kafka *)o, run->topic), run);
}

static const void *
topic(const struct output *o, struct slice name)
{
    struct kafka_topic *t = kafka_topic_find((const struct kafka *)o, name);

    return t != NULL && atomic_load_explicit(&t->count, memory_order_relaxed) > 0 ? t : NULL;
}

static void
on_closed(uv_handle_t *handle)
{
    struct kafka *k = handle->data;

    if (--k->handles == 0)
        k->stopped(k->stopped_ctx);
}

/* The client is gone and reads no chunk any more: now they may be let go. */
static void
finish(struct kafka *k)
{
    uv_handle_t *const handles[] = {
        (uv_handle_t *)&k->wake, (uv_handle_t *)&k->turn, (uv_handle_t *)&k->retry,
        (uv_handle_t *)&k->ask, (uv_handle_t *)&k->again, (uv_handle_t *)&k->watch,
    };

    if (k->base.at_most_once)
        kafka_forget_stop(k);
    kafka_report_tell(k);
    kafka_topics_let_go(k);
    k->handles = sizeof handles / sizeof *handles;
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        uv_close(handles[i], on_closed);
}

void
kafka_step(struct kafka *k)
{
    kafka_producer_step(k);
    if (k->stopped != NULL && kafka_producer_gone(k) && !k->asking && k->handles == 0)
        finish(k);
}

static void
stop(struct output *o, output_stopped_f *stopped, void *ctx)
{
    struct kafka *k = (struct kafka *)o;

    k->stopped = stopped;
    k->stopped_ctx = ctx;
    uv_prepare_stop(&k->turn);
    uv_timer_stop(&k->retry);
    uv_timer_stop(&k->ask);
    uv_timer_stop(&k->again);
    uv_timer_stop(&k->watch);
    kafka_step(k);              /* or when the job that is out is over */
}

static void
free_output(struct output *o)
{
    struct kafka *k = (struct kafka *)o;

    kafka_topics_free(k);
    kafka_pieces_free_spare(k);
    kafka_report_free(k);
    kafka_settings_fini(&k->settings);
    free(k->handful);
    free(o->name);
    free(k);
}

/* ---- The plugin ------------------------------------------------------------ */

static const struct output_ops kafka_ops = {
    .start = start, .send = take_run, .stop = stop, .free = free_output, .topic = topic,
    .place = kafka_topic_place, .yield = kafka_yield, .probe = kafka_probe,
    .dead_letter = kafka_dead_letter, .report = kafka_report,
    .partition_of = kafka_topic_place_among,
};

static struct output *
load(const char *name, const char *what, const struct node *conf, struct errors *errs)
{
    struct kafka *k = NEW(struct kafka);

    k->base.ops = &kafka_ops;
    k->base.name = mem_string(name);
    if (kafka_settings_load(&k->settings, what, conf, errs) == -1) {
        free(k->base.name);
        free(k);
        return NULL;
    }
    k->how.partitioner = (enum kafka_partitioner)k->settings.partitioner;
    k->how.keyless = (enum kafka_keyless)k->settings.keyless;
    k->base.read_pause = k->settings.linger;
    k->base.memory = k->settings.memory;
    k->in_time = KAFKA_FIRST_BATCH;
    k->base.on_rejected = (enum on_rejected)k->settings.on_rejected;
    k->base.key_serializer = k->settings.key_serializer;
    k->base.at_most_once = k->settings.send == KAFKA_FIRE_AND_FORGET;
    k->base.one_at_a_time = k->settings.send == KAFKA_SYNC;
    k->handful = mem_zero(KAFKA_HANDFUL * sizeof *k->handful);
    return &k->base;
}

const struct output_type kafka_output_type = {
    .name = "kafka",
    .help = "Sends every record to a Kafka cluster.",
    .fields = kafka_fields,
    .has_topics = true,
    .load = load,
};

const char *
kafka_library(void)
{
    return rd_kafka_version_str();
}

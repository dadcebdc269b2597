/* kafka_producer.c - librdkafka's client, and another one in its place.
 *
 * An idempotent producer can fail for good (a sequence that the broker does not
 * take).  Then nothing more is handed over; requests on their way get a moment
 * for their answer, as what is not known to have arrived is sent twice.  The
 * rest comes back as failed to the front of its lanes, a job lets the client go
 * and makes another, and all of it goes out again in order, once the new one knows
 * the topics: it would sort out later what it got before, one message after the other,
 * while its sender takes what is there, and so make several requests of a batch
 * (agent/notes/split_batches.md).  If that happens again soon there is a pause.
 *
 * A client is let go in a job, and only then are chunks: its threads read them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <assert.h>
#include <inttypes.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "agent/base/clock.h"
#include "agent/flow/pipeline.h"
#include "outputs/kafka.h"

enum {
    IN_FLIGHT_MS = 3000,        /* how long requests may still get their answer */
    SOON_MS = 60 * 1000,
    FIRST_PAUSE_MS = 1000,
    LONGEST_PAUSE_MS = 30 * 1000,
};

static const unsigned long MAIN_SLACK_NS = 2000000, OTHERS_SLACK_NS = 50000;    /* Linux's own */

/* Each thread that opens a connection: none of those that send may be late. */
static int
open_socket(int domain, int type, int protocol, void *opaque)
{
    (void)opaque;
    (void)prctl(PR_SET_TIMERSLACK, OTHERS_SLACK_NS);
    return socket(domain, type | SOCK_CLOEXEC, protocol);
}

/* librdkafka's main thread sleeps for whole milliseconds and turns in a loop for the rest of
 * the last one: each second most of a millisecond, more than all else of an agent that
 * is idle.  Woken a little late it has nothing left to wait for; so the threads that are made
 * here have a slack, prctl(2), and those that open a connection give it up. */
static rd_kafka_t *
make_client(rd_kafka_conf_t *conf, char *text, size_t size)
{
    rd_kafka_t *client;

    rd_kafka_conf_set_socket_cb(conf, open_socket);
    (void)prctl(PR_SET_TIMERSLACK, MAIN_SLACK_NS);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, size);
    (void)prctl(PR_SET_TIMERSLACK, OTHERS_SLACK_NS);
    return client;
}

/* All that we do on librdkafka's threads, besides open_socket() and noting why a certificate is
 * not trusted; its queue is locked meanwhile. */
static void
wake_loop(rd_kafka_t *rk, void *opaque)
{
    (void)rk;
    (void)uv_async_send(opaque);
}

/* On the loop, or in the job that has the client to itself. */
int
kafka_producer_make(struct kafka *k, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(k->settings.client);
    char             text[400];

    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG |
                                   RD_KAFKA_EVENT_STATS);
    kafka_errors_watch(conf, &k->certificate);
    k->producer = make_client(conf, text, sizeof text);
    if (k->producer != NULL)
        return 0;
    rd_kafka_conf_destroy(conf);
    return error_set(err, ERR_SYSTEM, "output '%s': cannot make a producer: %s", k->base.name,
                     text);
}

void
kafka_producer_use(struct kafka *k)
{
    k->state = PRODUCER_THERE;
    k->changed_at = clock_ms();
    k->blind = true;
    (void)rd_kafka_set_log_queue(k->producer, NULL);
    k->queue = rd_kafka_queue_get_main(k->producer);
    rd_kafka_queue_cb_event_enable(k->queue, wake_loop, &k->wake);
    (void)uv_async_send(&k->wake);      /* what came before that has woken nobody */
    kafka_topics_new_handles(k);
}

bool
kafka_producer_gone(const struct kafka *k)
{
    return k->state == PRODUCER_NONE;
}

/* ---- The job --------------------------------------------------------------- */

/* `change.data` is set if another client is wanted. */
static void
change(uv_work_t *request)
{
    struct kafka *k = (struct kafka *)(void *)((char *)request - offsetof(struct kafka, change));

    k->change_err.code = ERR_NONE;
    if (k->producer != NULL) {
        (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy_flags(k->producer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        k->producer = NULL;
    }
    if (request->data != NULL)
        (void)kafka_producer_make(k, &k->change_err);
}

static void on_again(uv_timer_t *timer);

static void
on_changed(uv_work_t *request, int status)
{
    struct kafka *k = (struct kafka *)(void *)((char *)request - offsetof(struct kafka, change));

    assert(status == 0 && k->state == PRODUCER_CHANGING);
    if (k->producer != NULL) {
        kafka_producer_use(k);
        kafka_metadata_ask_now(k);      /* then lanes take turns */
    } else {
        k->state = PRODUCER_NONE;
        if (k->change_err.code != ERR_NONE)
            (void)log_again(&k->told_change, LOG_ERROR, "%s", k->change_err.text);
        if (k->stopped == NULL)
            uv_timer_start(&k->again, on_again, k->change_pause, 0);
    }
    kafka_step(k);
}

static void
start_change(struct kafka *k, bool another)
{
    k->state = PRODUCER_CHANGING;
    k->change.data = another ? k : NULL;
    uv_queue_work(pipeline_loop(k->base.pipeline), &k->change, change, on_changed);
}

static void
on_again(uv_timer_t *timer)
{
    start_change(timer->data, true);
}

/* No event comes any more, no job uses it: let it go. */
static void
let_go(struct kafka *k)
{
    const bool soon = clock_ms() - k->changed_at < SOON_MS;

    uv_timer_stop(&k->again);
    if (k->stopped == NULL)
        kafka_report_carry(k);
    rd_kafka_queue_cb_event_enable(k->queue, NULL, NULL);
    rd_kafka_queue_destroy(k->queue);
    k->queue = NULL;
    kafka_topics_drop_handles(k);
    k->change_pause = !soon || k->change_pause == 0 ? FIRST_PAUSE_MS : 2 * k->change_pause;
    if (k->change_pause > LONGEST_PAUSE_MS)
        k->change_pause = LONGEST_PAUSE_MS;
    start_change(k, k->stopped == NULL && !soon);
}

/* ---- When ------------------------------------------------------------------ */

static void
on_no_answer(uv_timer_t *timer)
{
    struct kafka *k = timer->data;

    (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                      RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void
kafka_producer_failed(struct kafka *k)
{
    char                      text[400] = "";
    const rd_kafka_resp_err_t err = k->state == PRODUCER_THERE
        ? rd_kafka_fatal_error(k->producer, text, sizeof text) : RD_KAFKA_RESP_ERR_NO_ERROR;

    if (k->state != PRODUCER_THERE)
        return;
    k->state = PRODUCER_FAILED;
    k->report.producers++;
    (void)log_again(&k->told_change, LOG_ERROR,
                    "output '%s': the producer has failed and is replaced; %" PRIu64
                    " records are sent again%s: %s: %s", k->base.name, k->outstanding,
                    kafka_errors_judge(err, text, k->worked).advice, rd_kafka_err2name(err), text);
    (void)rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
    if (k->stopped == NULL)
        uv_timer_start(&k->again, on_no_answer, IN_FLIGHT_MS, 0);
    (void)uv_async_send(&k->wake);      /* the next step, if nothing is out */
}

void
kafka_producer_step(struct kafka *k)
{
    if (k->asking || k->purging)
        return;                     /* a job uses it */
    if (k->state == PRODUCER_FAILED && k->outstanding == 0)
        let_go(k);
    else if (k->stopped != NULL && (k->state == PRODUCER_THERE || k->state == PRODUCER_FAILED))
        let_go(k);
}

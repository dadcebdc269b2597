/* kafka.h - the Kafka output: one cluster.
 *
 *     send ─► topic ─► lane ─► librdkafka ─► broker
 *                       ▲                      │
 *       put back ───────┴── reports ◄──────────┘
 *
 * A lane is one partition of one topic: messages first in first out, and never
 * more than one batch out.  So order, retry and the choice of the next batch
 * have one place.  All on the loop, except what workers ask of a topic
 * (kafka_topic_find, kafka_topic_place), the jobs, and the one line that
 * librdkafka's threads run.
 *
 *     kafka            the plugin: beginning and end
 *     kafka_settings   what the user may say, with kafka_java, _jaas, _property,
 *                      _security
 *     kafka_producer   the client, and another one when it has failed for good
 *     kafka_partition  which partition a key belongs to
 *     kafka_topic      topics by name, and a place for every message
 *     kafka_metadata   how many partitions a topic has, and whether there is one
 *     kafka_watch      partitions that take nothing, and who is told of them
 *     kafka_pieces     messages that stand in a list
 *     kafka_merge      runs of one chunk that meet in a lane
 *     kafka_lane       one batch out, put back, back-off
 *     kafka_send       handing a batch over
 *     kafka_reports    the way back
 *     kafka_errors     librdkafka's errors in the user's words
 *     kafka_dead       dead letters on their way to a topic
 *     kafka_yield      giving memory back that only waits
 *     kafka_doubt      lanes that have held memory for long, and may hold a little only
 *     kafka_forget     fire_and_forget: giving up what cannot be sent
 *     kafka_limits     what a topic takes
 *     kafka_times      times that a topic does not take
 *     kafka_report     librdkafka's statistics
 *     kafka_probe      `check --connect`
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef OUTPUTS_KAFKA_H
#define OUTPUTS_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/log.h"
#include "agent/data/chunk.h"
#include "agent/flow/output.h"
#include "agent/flow/report.h"
#include "outputs/kafka_errors.h"
#include "outputs/kafka_partition.h"
#include "outputs/kafka_settings.h"

enum {
    KAFKA_BACKOFF_MS = 100,             /* after the first failure; doubled with each */
    KAFKA_MAX_BACKOFF_MS = 5000,
    KAFKA_STUCK_MS = 10 * 1000,         /* a lane that has not moved for so long is no slow one */
    KAFKA_ELECTION_MS = 5000,           /* that of a leader takes less */
    KAFKA_NO_LEADER = -1,
    KAFKA_HANDFUL = 128,                /* messages handed over in one call */
    KAFKA_FIRST_BATCH = 2000,           /* until it is known how long that takes */
};

/* message.state, bits: its last sending failed; it is a dead letter on its way to
 * dead_letter_topic (kafka_dead.c). */
enum { MESSAGE_FAILED = 1, MESSAGE_DEAD = 2 };

/* Messages [first, first + count) of a chunk that stand together in a list,
 * which pins the chunk once for them. */
struct kafka_piece {
    struct kafka_piece *next;
    struct chunk       *chunk;
    uint32_t            first, count;
};

struct kafka_pieces {
    struct kafka_piece *first, *last;
};

struct kafka_topic;

enum kafka_lane_state {
    LANE_IDLE,      /* nothing waits, nothing is out */
    LANE_READY,     /* something waits; its turn comes before the loop sleeps */
    LANE_OUT,       /* one batch is with librdkafka */
    LANE_RESTING,   /* it failed; the timer wakes it */
    LANE_STATES
};

/* May a lane have a whole batch out?  See kafka_doubt.c. */
enum kafka_doubt {
    DOUBT_NONE,
    DOUBT_LEADER,           /* others that have its leader hold memory for long */
    DOUBT_LANE,             /* it did itself */
};

struct kafka_lane {
    struct kafka_topic   *topic;
    int32_t               partition;
    int32_t               leader;           /* a broker's number, once metadata has said it */
    uint64_t              leaderless_at;    /* clock_ms(), if it is none */
    enum kafka_lane_state state;
    struct kafka_lane    *next;             /* of those that are ready, or that rest */
    struct kafka_pieces   waiting;
    uint64_t              waiting_messages;
    uint64_t              waiting_bytes;    /* of values and keys */
    struct kafka_pieces   out;              /* the one batch, in order */
    uint32_t              out_messages;
    uint64_t              out_bytes;        /* on the wire, estimated */
    uint32_t              outstanding;      /* of them: not reported yet */
    rd_kafka_resp_err_t   error;            /* of the batch, in no message: the last */
    rd_kafka_resp_err_t   fault;            /* of the batch, one that lies in some message of it */
    uint32_t              limit;            /* messages a batch; smaller after such a fault */
    uint64_t              backoff;          /* ms, 0: none */
    uint64_t              retry_at;         /* clock_ms(), while it rests */
    uint64_t              moved_at;         /* clock_ms(): a batch arrived, or the first came in */
    uint64_t              met_at;           /* clock_ms(): one of this producer did; 0: none */
    bool                  gave_up;          /* what waited was taken back since */
    enum kafka_doubt      doubt;
};

struct kafka_lanes {
    struct kafka_lane *first, *last;
};

enum kafka_topic_state {
    TOPIC_UNKNOWN,          /* asked for, no answer yet */
    TOPIC_KNOWN,
    TOPIC_MISSING,          /* the cluster says that it does not exist */
    TOPIC_FORBIDDEN,        /* we may not see it or write to it */
    TOPIC_ILLEGAL,          /* the cluster does not take the name */
};

/* Why a partition takes nothing, for one more reason than its topic's. */
enum kafka_standstill {
    STILL_LEADERLESS,
    STILL_LATE,             /* it has a leader, and a batch is out for long */
    STILLS
};

/* How far from now a record's time may be, as far as is known. */
struct kafka_times {
    bool     known;
    int64_t  ahead, behind;         /* ms */
};

struct kafka_topic {
    struct kafka          *kafka;
    struct kafka_topic    *next;
    char                  *name;
    uint64_t               hash;
    rd_kafka_topic_t      *handle;          /* of the present producer */
    enum kafka_topic_state state;
    uint64_t               since;           /* clock_ms() of the trouble */
    struct log_repeat      told, told_failing, told_still[STILLS];
    uint32_t               still[STILLS];   /* partitions that were told of, */
    uint64_t               still_since[STILLS];     /* and clock_ms() of when that began */
    int32_t                leaderless;      /* partitions, as metadata has it */
    uint64_t               moves;           /* counts on when something goes on that was given up */
    _Atomic int32_t        count;           /* partitions, 0: not known; workers read it */
    _Atomic uint64_t       turn;            /* for records that take turns; workers count it up */
    struct kafka_lane    **lanes;
    uint64_t               known_at;        /* clock_ms(): metadata has last told of them */
    int32_t                nlanes;          /* as many as partitions, */
    int32_t                max_lanes;       /* and those that were there once */
    bool                   shrinks;         /* nothing is handed over until all is back */
    int32_t                sticky;          /* the lane that keyless records fill, */
    uint64_t               sticky_bytes;    /* what it got since it was chosen, */
    uint64_t               sticky_since;    /* and when that was */
    uint64_t               batch_bytes;     /* the most at once, as learned from the broker, */
    uint64_t               most_bytes;      /* and what that may grow to: the topic's own limit */
    int32_t                seen;            /* partitions, when metadata last knew it */
    uint64_t               limits_asked;    /* clock_ms(); 0: never, of this producer */
    bool                   limits_heard;    /* or there is no answer: it may take records */
    uint32_t               successes;       /* large batches that arrived since that changed */
    struct topic_report    report;
    uint64_t               sent_before;     /* of it, by former clients */
    struct kafka_times     times;
    struct kafka_pieces    unplaced;        /* while the count is not known */
    uint64_t               unplaced_messages;
};

/* Topics by name: open addressing, written by the loop only, read by workers. */
struct kafka_table {
    struct kafka_table         *older;      /* kept: a worker may still read it */
    size_t                      room;       /* a power of two */
    struct kafka_topic *_Atomic slots[];
};

enum kafka_producer_state {
    PRODUCER_NONE,      /* stopped; or it could not be made, and the timer tries again */
    PRODUCER_THERE,
    PRODUCER_FAILED,    /* for good; its reports are still coming in */
    PRODUCER_CHANGING,  /* a job lets it go, and makes another */
};

struct kafka {
    struct output                  base;
    struct kafka_settings          settings;
    struct kafka_partitioning      how;

    /* kafka_producer */
    enum kafka_producer_state      state;
    rd_kafka_t                    *producer;
    rd_kafka_queue_t              *queue;       /* its events */
    uv_async_t                     wake;
    uv_work_t                      change;
    uv_timer_t                     again;
    struct error                   change_err;
    uint64_t                       changed_at;  /* clock_ms() */
    uint64_t                       change_pause;    /* ms */
    uint64_t                       outstanding; /* messages with librdkafka */
    bool                           blind;       /* it has not heard of the topics yet */
    struct log_repeat              told_change;

    /* kafka_topic, kafka_metadata */
    struct kafka_topic            *topics;      /* all */
    size_t                         ntopics;
    struct kafka_table *_Atomic    table;
    uv_timer_t                     ask;         /* the next look at metadata */
    uv_work_t                      metadata;
    bool                           asking;      /* the job is out */
    bool                           ask_again;   /* somebody wanted it meanwhile */
    const rd_kafka_metadata_t     *answer;      /* the job's */
    rd_kafka_resp_err_t            answer_err;
    int32_t                        answered_by; /* the broker that did, last */
    uint64_t                       ask_backoff; /* ms */

    uv_timer_t                     watch;       /* runs while something is out, or has no leader */

    /* kafka_lane, kafka_send */
    uv_prepare_t                   turn;        /* runs while a lane is ready */
    uv_timer_t                     retry;       /* runs while a lane rests */
    struct kafka_lanes             ready, resting;
    struct kafka_piece            *spare;       /* pieces for reuse */
    rd_kafka_message_t            *handful;     /* KAFKA_HANDFUL, for handing over */
    uint32_t                       in_time;     /* messages that can be within linger */

    /* kafka_reports */
    bool                           worked;      /* the cluster has answered once */
    bool                           down;        /* no broker could be reached since */
    uint64_t                       successes;   /* events with messages that arrived */
    bool                           unanswered;  /* a request for limits, and no success since */
    _Atomic int                    certificate; /* why the broker's is not trusted: _errors.h */
    struct log_repeat              told[TROUBLES];

    /* kafka_report */
    struct output_report           report;
    struct topic_report           *topic_reports;   /* as many as topics, when it was asked for */
    struct broker_report          *brokers;
    size_t                         nbrokers;
    struct output_report           before;      /* sent, sent_bytes, retried; by former clients, */
    struct broker_report          *brokers_before;      /* and what they had of each broker */
    size_t                         nbrokers_before;

    /* kafka_doubt */
    uv_work_t                      purge;
    bool                           purging;         /* the job is out: nothing is handed over */
    uint64_t                       took_back_at;    /* clock_ms(), */
    uint64_t                       next_try;        /* and when a lane in doubt may send */

    /* kafka_dead */
    struct kafka_topic            *dead;        /* that of dead_letter_topic, once it is wanted */
    struct log_repeat              told_dead;

    /* kafka_forget */
    uint64_t                       seen_successes, pressed_at, stalled_since, purged_at;
    uint64_t                       lost;        /* messages, since they were told */
    struct log_repeat              told_lost;

    unsigned                       handles;     /* still to be closed */
    output_stopped_f              *stopped;     /* set: nothing new is begun */
    void                          *stopped_ctx;
};

extern const struct output_type kafka_output_type;

/* librdkafka's version. */
const char *kafka_library(void);

/* Jobs and reports are over: what waited for that goes on (kafka.c). */
void kafka_step(struct kafka *k);

/* ---- kafka_producer.c */
int  kafka_producer_make(struct kafka *k, struct error *err);
void kafka_producer_use(struct kafka *k);       /* from here on its events come */
void kafka_producer_failed(struct kafka *k);    /* put another one in its place */
void kafka_producer_step(struct kafka *k);      /* that can begin when nothing is out */
bool kafka_producer_gone(const struct kafka *k);

/* ---- kafka_topic.c */
struct kafka_topic *kafka_topic_find(const struct kafka *k, struct slice name);
struct kafka_topic *kafka_topic_get(struct kafka *k, struct slice name);
void kafka_topic_take(struct kafka_topic *t, const struct run *run);
void kafka_topic_resize(struct kafka_topic *t, int32_t count);
bool kafka_topic_stuck(const struct kafka_topic *t);    /* it takes nothing, as far as is known */
void kafka_topics_new_handles(struct kafka *k);
void kafka_topics_drop_handles(struct kafka *k);
void kafka_topics_let_go(struct kafka *k);      /* every piece of every list */
void kafka_topics_free(struct kafka *k);
int32_t kafka_topic_place(const struct output *o, const void *topic, struct slice key,
                          uint64_t source);
int32_t kafka_topic_place_among(const struct output *o, int32_t count, struct slice key,
                                uint64_t source);

/* ---- kafka_metadata.c */
void kafka_metadata_ask(struct kafka *k);       /* soon, or after the back-off */
void kafka_metadata_ask_now(struct kafka *k);
void kafka_metadata_trouble(struct kafka_topic *t, enum kafka_topic_state state);
void kafka_metadata_fine(struct kafka_topic *t);
const char *kafka_utc(uint64_t since, char text[sizeof "2025-03-07T10:00:00Z"]);  /* clock_ms() */

/* ---- kafka_watch.c: `begin` with every batch that is out: then one looks every few seconds;
 * `leaders` are metadata's. */
void kafka_watch_begin(struct kafka *k);
void kafka_watch_look(struct kafka *k);
void kafka_watch_leaders(struct kafka_topic *t, const rd_kafka_metadata_topic_t *mt);

/* ---- kafka_pieces.c */
void kafka_pieces_add(struct kafka *k, struct kafka_pieces *list, struct chunk *c,
                      uint32_t first, uint32_t count);
void kafka_pieces_drop_first(struct kafka *k, struct kafka_pieces *list);
void kafka_pieces_let_go(struct kafka *k, struct kafka_pieces *list);
void kafka_pieces_prepend(struct kafka_pieces *list, struct kafka_pieces *before);
void kafka_pieces_free_spare(struct kafka *k);

/* ---- kafka_merge.c: kafka_lane_add() of a run, none of which is out. */
void kafka_lane_add_run(struct kafka_lane *l, struct chunk *c, uint32_t first, uint32_t count,
                        uint64_t bytes);

/* ---- kafka_lane.c */
struct kafka_lane *kafka_lane_new(struct kafka_topic *t, int32_t partition);
void kafka_lane_free(struct kafka_lane *l);
void kafka_lane_add(struct kafka_lane *l, struct chunk *c, uint32_t first, uint32_t count,
                    uint64_t bytes);
void kafka_lane_reported(struct kafka_lane *l);     /* every report of the batch is in */
void kafka_lane_reject(struct kafka_lane *l, struct message *m, const char *reason);
void kafka_lanes_take_turns(struct kafka *k);       /* if there is a producer that knows them */

/* ---- kafka_send.c: hand over the next batch; what librdkafka has accepted of it is
 * `outstanding` now, everything of it stands in `out`. */
void kafka_send_batch(struct kafka_lane *l);

/* ---- kafka_reports.c */
void kafka_reports_take(struct kafka *k);           /* all that are there */
void kafka_reports_failure(struct kafka_lane *l, struct message *m, rd_kafka_resp_err_t err);

/* ---- kafka_dead.c: see output.h; `headers` gives a message room for one more at the end of
 * its list, `refused` is for one that dead_letter_topic does not take, `waited` for a
 * topic that is stuck: dead letters wait for it no longer. */
bool kafka_dead_letter(struct output *o, const struct run *run, struct message *m,
                       const char *reason);
struct headers *kafka_dead_headers(struct message *m, uint32_t more);
void kafka_dead_refused(struct kafka *k, struct message *m, const char *reason);
void kafka_dead_waited(struct kafka_topic *t);

/* ---- kafka_yield.c: is it so slow that it counts as not moving at all? */
bool kafka_lane_stuck(const struct kafka_lane *l);

/* ---- kafka_doubt.c: `take_back` what lanes that are stuck have with the client, if that is
 * much; a lane in doubt `may_send` a little from then on; `over` when a lane has moved of which
 * something was taken back, `leader` when it has another leader, or one again. */
void kafka_doubt_take_back(struct kafka *k);
bool kafka_doubt_may_send(struct kafka_lane *l);
void kafka_doubt_over(struct kafka_lane *l);
void kafka_doubt_leader(struct kafka_lane *l);

/* ---- kafka_forget.c: with at_most_once.  `error`: is it one after which a message is given
 * up?  `failed`: then let go of what of the batch has failed; `doubtful`: of a message that may
 * have arrived; `stop`: of everything. */
bool kafka_forget_error(const struct kafka *k, rd_kafka_resp_err_t err);
void kafka_forget_pressed(struct kafka *k);
bool kafka_forget_failed(struct kafka_lane *l);
void kafka_forget_doubtful(struct kafka *k, struct message *m, const rd_kafka_message_t *rkm);
void kafka_forget_stop(struct kafka *k);

/* ---- kafka_limits.c: `ask_first` for topics that metadata has just come to know, which get their
 * partitions with the answer; `ask` may be called with every refusal; `take` the answers. */
void kafka_limits_ask_first(struct kafka *k);
void kafka_limits_ask(struct kafka_topic *t);
void kafka_limits_take(struct kafka *k, rd_kafka_event_t *event);

/* ---- kafka_times.c: `check`: a message before it is sent, where limits are known;
 * `refused`: the batch of a lane, for a time in it; true if something was mended. */
void kafka_times_check(struct kafka_topic *t, struct message *m);
bool kafka_times_refused(struct kafka_lane *l);

/* ---- kafka_report.c: see output.h */
const struct output_report *kafka_report(struct output *o);
void kafka_report_take(struct kafka *k, const char *statistics);
void kafka_report_carry(struct kafka *k);       /* the next client counts from 0 */
void kafka_report_tell(struct kafka *k);        /* with debug messages only */
void kafka_report_free(struct kafka *k);

/* ---- kafka_yield.c, kafka_probe.c: see output.h */
void kafka_yield(struct output *o);
int  kafka_probe(struct output *o, const struct strings *topics, uint64_t max_line,
                 unsigned timeout_ms, struct errors *errs);

#endif

/* pipeline.h - who may read, and the way of a chunk from its reader to its
 * outputs and back.
 *
 * Room is memory of the budget (agent.memory), a free worker, and a fair share:
 * a source may have out what an even division of the budget gives it, and always
 * one chunk.  Sources without room wait in one queue, first come first served,
 * one chunk a turn: a huge backlog and a small live file take turns.
 *
 *     pipeline_job ─► (worker: read, transform_chunk) ─► pipeline_push ─► send
 *                                                 committed ◄── pipeline_delivered
 *
 * Loop thread only, except the work function of a job.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_PIPELINE_H
#define AGENT_FLOW_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/error.h"
#include "agent/data/chunk.h"
#include "agent/flow/source.h"

struct checkpoints;
struct names;
struct output;
struct pipeline;
struct scratch;

struct pipeline_conf {
    uv_loop_t          *loop;
    uint64_t            memory;         /* bytes: agent.memory */
    unsigned            workers;
    const struct names *names;          /* complete */
    size_t              groups;         /* the most groups that any pattern has */
    struct checkpoints *store;          /* told of every source whose committed moved; or NULL */
    const char         *state_dir;      /* for the dead letters; or NULL: they are only counted */

    /* Instead of dead letters and of what outputs say of rejected messages; or
     * NULL.  The message counts as arrived afterwards. */
    void              (*rejected)(void *ctx, const struct run *run, const struct message *m,
                                  const char *reason);
    void               *rejected_ctx;
};

struct pipeline *pipeline_new(const struct pipeline_conf *conf);

/* Ask this output to yield (output.h) when memory is short. */
void pipeline_add_output(struct pipeline *p, struct output *o);

/* Close its handles, after every input and output has stopped; call `closed`
 * when they are.  Then free it; the loop may be gone by then. */
void pipeline_stop(struct pipeline *p, void (*closed)(void *ctx), void *ctx);
void pipeline_free(struct pipeline *p);

/* ---- Reading ----------------------------------------------------------- */

/* A turn to read one chunk.  `chunk` is begun (chunk_begin) at the end of the
 * source's window, with room for at least the size asked for. */
struct job {
    struct source  *source;
    struct chunk   *chunk;
    struct scratch *scratch;    /* the worker's; for transform_chunk() */
    void          (*work)(struct job *job);
    void          (*done)(struct job *job);
    struct pipeline *pipeline;
    struct errand  *errand;     /* with which it goes to a worker */
    struct job     *next;
};

/* A turn for this source, or NULL: it is queued, and ops->room comes when it may
 * ask again.  `size`: bytes of room in the chunk: CHUNK_SMALL if it brings little,
 * CHUNK_SIZE, or more if a line is longer.  A source has at most one job. */
struct job *pipeline_job(struct pipeline *p, struct source *s, size_t size);

/* Run work(job) on a worker, then done(job) on the loop.  Small ones go together:
 * those that one turn of the loop begins are one errand of a worker. */
void pipeline_run(struct job *job, void (*work)(struct job *), void (*done)(struct job *));

/* The chunk has records: take it over and send what came out of it.  The job is
 * over.  May call the source's `advanced` (never its `room`) before it returns. */
void pipeline_push(struct job **job);

/* Nothing was read: the chunk is free again.  The job is over. */
void pipeline_return(struct job **job);

/* The source does not want its turn any more. */
void pipeline_forget(struct pipeline *p, struct source *s);

/* Much memory has become free: give it back to the system once it is quiet. */
void pipeline_tidy(struct pipeline *p);

/* Outputs are about to stop: what was not handed over yet, because its offset is not on
 * disk (at_most_once), is lost. */
void pipeline_stop_sending(struct pipeline *p);

/* Read nothing any more: pipeline_job() refuses, room() is not called. */
void pipeline_close(struct pipeline *p);

/* ---- The way back ------------------------------------------------------ */

/* `count` messages of this chunk have arrived.  Their memory may be gone
 * afterwards, and so may the chunk unless the output holds a pin. */
void pipeline_delivered(struct pipeline *p, struct chunk *c, uint32_t count);

/* A message that the output will never take, by a fault of its own: it goes to the dead
 * letters, and counts as arrived when it is there; or what the output's on_rejected
 * says.  The output has a pin on its chunk. */
void pipeline_rejected(struct pipeline *p, const struct run *run, struct message *m,
                       const char *reason);

/* The same for one that was rejected before, and that the output has failed to put
 * elsewhere (ops->dead_letter): into the file. */
void pipeline_dead_letter(struct pipeline *p, const struct run *run, const struct message *m,
                          const char *reason);

/* A dead letter of an output that is at_most_once could not be written. */
void pipeline_letter_lost(struct pipeline *p);

/* `count` messages that `o` gives up: they are counted, and kept nowhere. */
void pipeline_lost(struct pipeline *p, const struct output *o, struct chunk *c, uint32_t count);

/* The output no longer points into this chunk (chunk->pins--). */
void pipeline_unpin(struct pipeline *p, struct chunk *c);

/* Take back what this source has out behind `last` (NULL: all) and let it read that
 * again later (ops->rewound).  Only if no worker reads for it (source->jobs is 0),
 * what was read can be read again (not source->once), and the outputs have let go of all
 * of those chunks.  What was acknowledged of them comes again: then `last` is not NULL, and
 * the source is parked (source.h).  `moves` counts on when what it waits for moves
 * again, and lives as long as the loop runs; or NULL. */
void pipeline_rewind(struct pipeline *p, struct source *s, struct chunk *last,
                     const char *reason, const uint64_t *moves);

/* For how many milliseconds nobody got room, while somebody waits for it who has nothing
 * out; 0: there is nobody like that. */
uint64_t pipeline_starving(const struct pipeline *p);

/* ---- To be shown ------------------------------------------------------- */

struct pipeline_counts {
    uint64_t read_records, read_bytes;
    uint64_t acked_records, acked_bytes;
    uint64_t filtered_records, dead_letters;
    uint64_t lost;              /* messages that were rejected and dropped, or given up */
    uint64_t in_flight;         /* messages handed to outputs and not yet reported */
    uint64_t records_out;       /* records of the chunks that are out, */
    uint64_t records_held;      /* and of them those that are behind a committed offset */
    uint64_t long_lines;
    uint64_t undecoded;         /* characters that became U+FFFD */
    uint64_t cut_off;           /* searches for a regular expression that were given up */
    uint64_t memory;            /* bytes charged now */
    uint64_t chunks;            /* out now */
};

void pipeline_counts(const struct pipeline *p, struct pipeline_counts *counts);

/* Nothing is out: every message was delivered, rejected or taken back. */
bool pipeline_idle(const struct pipeline *p);

uint64_t   pipeline_budget(const struct pipeline *p);      /* bytes: agent.memory */
uv_loop_t *pipeline_loop(const struct pipeline *p);

#endif

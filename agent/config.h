/* config.h - the whole configuration, compiled: what `run`, `check` and `try`
 * work with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "agent/config_tests.h"
#include "agent/data/field.h"
#include "agent/flow/input.h"
#include "agent/flow/output.h"
#include "agent/flow/parser.h"
#include "agent/flow/plan.h"
#include "agent/flow/route.h"
#include "agent/tree.h"

struct agent_conf {
    char    *state_dir;
    char    *admin;
    uint64_t memory;                /* bytes */
    uint64_t workers;               /* 0: number of CPUs, 4 at most */
    uint64_t checkpoint_interval;   /* ms */
    uint64_t shutdown_timeout;      /* ms */
    char    *host_name;
    const struct node *log;         /* `log` as written: the two below */
    int      log_level;             /* enum log_level */
    int      log_format;            /* enum log_format */
};

/* The keys of `agent`, and of its map `log`. */
extern const struct field agent_fields[];
extern const struct field agent_log_fields[];

struct config {
    struct tree    *tree;
    struct agent_conf agent;
    struct names   *names;
    struct output **outputs;
    size_t          noutputs;
    struct parser **parsers;        /* named and inline ones */
    size_t          nparsers;
    struct route  **routes;         /* those of `routes` in order, then those of inputs */
    size_t          nroutes;
    struct input  **inputs;
    size_t          ninputs;
    size_t          groups;         /* the most groups of any pattern */
    struct config_test *tests;      /* in load order */
    size_t          ntests;
};

/* Load, check and compile.  Never NULL; usable only if `errs` stayed empty, but
 * always to be freed.  Creates nothing outside memory. */
struct config *config_load(const char *file, struct errors *errs);
void           config_free(struct config *c);

struct input *config_input(const struct config *c, const char *name);

/* agent.workers, with its default worked out. */
unsigned config_workers(const struct config *c);

#endif

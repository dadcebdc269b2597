/* input.h - the contract between an input and the rest.
 *
 * An input finds sources and reads them, when the pipeline has room.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_INPUT_H
#define AGENT_FLOW_INPUT_H

#include "agent/base/error.h"
#include "agent/base/strings.h"
#include "agent/data/field.h"
#include "agent/data/node.h"
#include "agent/flow/checkpoint.h"
#include "agent/flow/pipeline.h"
#include "agent/flow/plan.h"

/* Embedded first in the input's own struct. */
struct input {
    const struct input_ops *ops;
    struct plan            *plan;   /* owned; plan->input is its name */
};

typedef void input_stopped_f(void *ctx);

struct input_ops {
    /* Begin: look for sources, continue those of `store`.  What is not there
     * yet is waited for.  Loop thread, as all below. */
    int (*start)(struct input *in, struct pipeline *p, struct checkpoints *store,
                 struct error *err);

    /* Read no more.  Sources stay until `free`, so that acknowledgements still
     * move their checkpoints.  Calls `stopped` when no job is out, never from inside. */
    void (*stop)(struct input *in, input_stopped_f *stopped, void *ctx);

    /* Free it and its sources; it was never started, or it has stopped. */
    void (*free)(struct input *in);

    /* For `stoker check`: the paths it would follow now, sorted; creates and
     * changes nothing. */
    int (*list)(struct input *in, struct strings *paths, struct error *err);
};

/* One row of the registry. */
struct input_type {
    const char         *name;       /* the value of `type` */
    const char         *help;
    const struct field *fields;     /* its own keys; the common ones are in plan.h */

    /* Make it; `plan` is filled by the caller, and taken over.  The keys of the map
     * that belong to the plan are loaded with plan_settings(). NULL, with every mistake
     * added to `errs`: then `plan` is freed too. */
    struct input *(*load)(const char *what, const struct node *conf, struct plan *plan,
                          struct errors *errs);
};

#endif

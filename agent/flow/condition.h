/* condition.h - `when` and `unless`: does a record say what it should?
 *
 *     when: {status: [/^5/, "404"], host: example.com}
 *
 * A map of fields; an entry holds if the field equals one of its texts or one of
 * its patterns matches it; all entries must hold.  A missing field equals
 * nothing.  Compiled once and then constant: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_CONDITION_H
#define AGENT_FLOW_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/strings.h"
#include "agent/data/names.h"
#include "agent/data/node.h"
#include "agent/data/pattern.h"
#include "agent/data/record.h"

/* One entry. */
struct condition {
    uint32_t         field;
    struct strings   texts;
    struct pattern **patterns;
    size_t           npatterns;
};

/* A zeroed struct is an empty one. */
struct conditions {
    struct condition *list;
    size_t            count;
};

/* Compile a map (NULL or null: none); every mistake is added to `errs`.  `what`
 * names the owner in messages ("route 2: when"). */
void conditions_load(struct conditions *set, const char *what, const struct node *map,
                     struct names *names, struct errors *errs);
void conditions_fini(struct conditions *set);

/* Is it written as a regular expression, between slashes? */
bool condition_is_regex(const struct node *n);

/* The most groups that one of the patterns has. */
size_t conditions_groups(const struct conditions *set);

/* Do all entries hold?  True if there are none.  `work` has room for
 * conditions_groups(). */
bool conditions_hold(const struct conditions *set, const struct record *r, struct arena *a,
                     struct pattern_work *work);

#endif

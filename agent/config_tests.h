/* config_tests.h - the section `tests`: what lines of an input must become.
 *
 *     tests:
 *       - name: probes are dropped
 *         input: nginx
 *         given: [first line, second line]
 *         expect: [{topic: nginx-access, key: 192.0.2.7}]
 *
 * Read and checked with the rest of the configuration, whoever loads it; run by
 * `stoker check` only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CONFIG_TESTS_H
#define AGENT_CONFIG_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/error.h"
#include "agent/data/field.h"
#include "agent/data/node.h"

struct config;
struct input;

struct config_test {
    char               *name;
    const struct input *input;
    struct buf          given;          /* the lines, each with its LF */
    char               *path;           /* the file that they seem to come from */
    uint64_t            partitions;     /* as if topics had so many; 0: not known */
    const struct node  *expect;         /* a list of maps, or one; of the kinds that the
                                         * table below says */
};

/* The keys of a test, and those of one record of `expect`. */
extern const struct field config_test_fields[];
extern const struct field config_expect_fields[];

/* Of a key or value that is expected: is it {base64: TEXT}, bytes that are not UTF-8? */
bool config_test_is_base64(const struct node *n);

/* Fill c->tests, once the inputs are there.  What refers to an input that is
 * broken is left out: that was reported. */
void config_tests_load(struct config *c, struct errors *errs);
void config_tests_free(struct config *c);

#endif

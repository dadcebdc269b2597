/* pattern.h - a regular expression (PCRE2, with its JIT).
 *
 * Patterns work on bytes: \w and \d are ASCII, a dot is one byte; (*UTF) at the
 * beginning of a pattern asks for characters.  A match that backtracks over the limit is no match,
 * and says so.  A pattern is constant after pattern_new(): any thread, each with
 * a pattern_work of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_PATTERN_H
#define AGENT_DATA_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/base/slice.h"

struct pattern;
struct pattern_work;    /* match data and JIT stack of one worker */

/* NULL with `err` filled: what is wrong, and at which offset of the pattern.
 * `offset` (may be NULL) gets that offset, in bytes. */
struct pattern *pattern_new(struct slice text, size_t *offset, struct error *err);
void            pattern_free(struct pattern *p);

/* The groups, numbered from 1; `name` of a group without name is NULL. */
size_t      pattern_groups(const struct pattern *p);
const char *pattern_group_name(const struct pattern *p, size_t group);

/* Room for any pattern of up to `groups` groups. */
struct pattern_work *pattern_work_new(size_t groups);
void                 pattern_work_free(struct pattern_work *work);

/* How many searches were given up since it was asked last (PATTERN_LIMIT). */
uint32_t pattern_work_take_limits(struct pattern_work *work);

/* PCRE2's version: "10.42 2022-12-11". */
const char *pattern_library(void);

enum pattern_result { PATTERN_NO, PATTERN_YES, PATTERN_LIMIT };

/* Search `subject` from its beginning. */
enum pattern_result pattern_match(const struct pattern *p, struct pattern_work *work,
                                  struct slice subject);

/* Search from byte `start` on for a match that is not empty; what lies before
 * `start` is there for \b, ^ and what looks behind. */
enum pattern_result pattern_search(const struct pattern *p, struct pattern_work *work,
                                   struct slice subject, size_t start);

/* After PATTERN_YES: the text of a group (0: the whole match), a part of the
 * subject; ptr NULL if the group took no part in the match. */
struct slice pattern_group(const struct pattern_work *work, struct slice subject, size_t group);

/* The same for who asks for many: by group, where its text begins and ends in the subject, two
 * numbers each; both PATTERN_UNSET if it took no part.  As long as `work`. */
#define PATTERN_UNSET (~(size_t)0)
const size_t *pattern_offsets(const struct pattern_work *work);

#endif

/* straight.h - regular expressions that are matched without going back.
 *
 * Many patterns for logs leave no choice: `^(?<client>\S+) \[(?<time>[^\]]+)\]` says at each byte
 * what it is a part of.  Such a pattern is *straight*, and is matched byte by byte from the left to
 * the right, three times as fast as by PCRE2's JIT.  What it matches, and its groups, are
 * exactly what PCRE2 says (pcre2pattern(3), without options, on bytes).
 *
 *     ^ ...          at the beginning (or \A)
 *     x \. . \d [^"] a byte, or one of a set
 *     * + ? {2,3}    a repeat of that, also lazy or possessive
 *     (...) (?<n>...) (?:...)    a group, with alternatives (a|b), which may be missing: (...)?
 *     ... $          at the end
 *
 * It is straight if what follows a repeat begins with other bytes than those repeated, and
 * alternatives begin with different bytes, and so do what may be missing and what follows it.
 *
 * Constant after straight_new(): any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_STRAIGHT_H
#define AGENT_DATA_STRAIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/slice.h"

struct straight;

/* Of a pattern that PCRE2 takes.  NULL: it is not straight, or holds what is not above. */
struct straight *straight_new(struct slice pattern);
void             straight_free(struct straight *s);

/* How many groups it captures. */
size_t straight_groups(const struct straight *s);

/* Does it match?  `offsets` gets where the whole match (0) and each group begin and end in the
 * subject, two numbers each, both ~0 where a group took no part; without a match, anything. */
bool straight_match(const struct straight *s, struct slice subject, size_t *offsets);

#endif

/* expand.h - what stands for something else in a configuration's texts.
 *
 *     ${env:NAME}             an environment variable; unset: a mistake
 *     ${env:NAME:-default}    the default when it is unset or empty
 *     ${file:PATH}            the content of a file, without its last newline:
 *                             a secret, of which no message tells anything
 *
 * Every other ${...} belongs to templates and stays, and so does "$$", which
 * is how a template spells a dollar sign: $${env:X} is not replaced.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_EXPAND_H
#define AGENT_EXPAND_H

#include <stdbool.h>

#include "agent/base/buf.h"
#include "agent/base/error.h"
#include "agent/base/slice.h"

enum expansion {
    EXPAND_SAME,        /* nothing was replaced: `out` is of no use */
    EXPAND_CHANGED,
    EXPAND_SECRET,      /* changed, and a part of it is secret */
    EXPAND_BAD,         /* every mistake was added to the errors */
};

/* Where a text stands: the place of its first character, and whether the
 * following ones stand there one by one, so that a mistake can be shown inside. */
struct expand_place {
    struct mark at;
    bool        exact;
};

/* Write `text` with everything replaced to `out`. */
enum expansion expand_text(struct slice text, struct expand_place place, struct buf *out,
                           struct errors *errs);

#endif

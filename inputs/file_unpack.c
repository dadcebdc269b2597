/* file_unpack.c - see file_unpack.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_unpack.h"

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "inputs/file.h"

enum {
    MOST_UNPACKED = 32,
    IDLE_MS = 5000,
};

void
file_unpack_drop(struct file_tail *t)
{
    file_gzip_free(t->read.gzip);
    t->read.gzip = NULL;
    if (t->is_unpacked) {
        TAILQ_REMOVE(&t->input->unpacked, t, unpacked);
        t->input->nunpacked--;
    }
    t->is_unpacked = false;
}

void
file_unpack_tell(struct file_tail *t)
{
    const char *trouble = t->read.trouble;

    if (trouble != NULL && trouble != t->trouble)
        log_warn("'%s' is read up to byte %llu of its content only: %s", file_source(t)->path,
                 (unsigned long long)t->read.size, trouble);
    t->trouble = trouble;
}

static void
make_room(struct file_input *in)
{
    const uint64_t    now = clock_ms();
    struct file_tail *t, *next;

    for (t = TAILQ_FIRST(&in->unpacked); t != NULL; t = next) {
        next = TAILQ_NEXT(t, unpacked);
        if (t->state != TAIL_READING && now - t->read_at > IDLE_MS)
            file_unpack_drop(t);
    }
}

bool
file_unpack_may(struct file_tail *t)
{
    struct file_input *in = t->input;

    if (!t->read.compressed || t->is_unpacked)
        return true;
    if (in->nunpacked >= MOST_UNPACKED)
        make_room(in);
    if (in->nunpacked >= MOST_UNPACKED)
        return false;
    TAILQ_INSERT_TAIL(&in->unpacked, t, unpacked);
    in->nunpacked++;
    t->is_unpacked = true;
    return true;
}

/* file_mark.c - see file_mark.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_mark.h"

#include "agent/base/clock.h"
#include "agent/base/mem.h"
#include "inputs/file_tail.h"

enum { MARK_MS = 20 };

struct file_mark
file_mark_present(const struct file_tail *t)
{
    const struct window *w = &t->read.source.window;

    return (struct file_mark){ window_end(w), w->newest != NULL ? w->newest->tail : w->tail,
                               window_lead(w) };
}

/* At most one mark in MARK_MS; one where it was at the end of what there was
 * replaces one in the midst of it. */
void
file_mark_set(struct file_tail *t)
{
    const uint64_t now = clock_ms();
    const bool     midst = t->in_midst;

    t->in_midst = t->read.more;
    if (window_end(&file_source(t)->window) == 0)
        return;
    if (t->nmarks > 0 && now - t->marked_at < MARK_MS) {
        if (midst || !t->marked_in_midst)
            return;
        t->nmarks--;
    }
    if (t->marks == NULL)
        t->marks = mem_array(NULL, FILE_MARKS, sizeof *t->marks);
    t->marks[t->nmarks++ % FILE_MARKS] = file_mark_present(t);
    t->marked_at = now;
    t->marked_in_midst = midst;
}

unsigned
file_tail_marks(const struct file_tail *t, struct file_mark *marks)
{
    unsigned n = 0;

    marks[n++] = file_mark_present(t);
    for (unsigned i = 0; i < t->nmarks && n < FILE_MARKS; i++)
        marks[n++] = t->marks[(t->nmarks - 1 - i) % FILE_MARKS];
    return n;
}

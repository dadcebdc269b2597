/* file_hold.c - see file_hold.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_hold.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/mem.h"
#include "inputs/file.h"

struct hold {
    uv_work_t         work;
    struct file_tail *tail;
    char             *path;
    uint64_t          device, inode;
    int               fd;
};

static void
on_work(uv_work_t *work)
{
    struct hold *h = work->data;
    struct stat  st;

    h->fd = open(h->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (h->fd < 0)
        return;
    if (fstat(h->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == h->device &&
        st.st_ino == h->inode)
        return;
    close(h->fd);
    h->fd = -1;
}

static void
on_done(uv_work_t *work, int status)
{
    struct hold       *h = work->data;
    struct file_input *in = h->tail->input;

    assert(status == 0);
    file_tail_opened(h->tail, h->fd);
    free(h->path);
    free(h);
    file_came_back(in);
}

void
file_hold(struct file_tail *t)
{
    struct file_input   *in = t->input;
    const struct source *s = file_source(t);
    struct hold         *h;

    if (t->read.fd >= 0 || t->opening || in->stopping ||
        file_tail_descriptors() >= in->sweep.most_open - in->sweep.most_open / 4)
        return;
    h = NEW(struct hold);
    h->work.data = h;
    h->tail = t;
    h->path = mem_string(s->path);
    h->device = s->identity.device;
    h->inode = s->identity.inode;
    t->opening = true;
    in->out++;
    uv_queue_work(in->loop, &h->work, on_work, on_done);
}

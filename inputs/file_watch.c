/* file_watch.c - see file_watch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "inputs/file_watch.h"

#include <assert.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { EVENT_BYTES = 64 * 1024 };

static void on_readable(uv_poll_t *poll, int status, int events);

void
file_watch_take(const struct file_watch *w, const char *bytes, size_t len)
{
    struct inotify_event ev;

    for (size_t at = 0; at + sizeof ev <= len; at += sizeof ev + ev.len) {
        memcpy(&ev, bytes + at, sizeof ev);
        assert(at + sizeof ev + ev.len <= len);
        if ((ev.mask & IN_Q_OVERFLOW) != 0)
            w->calls->lost(w->ctx);
        else
            w->calls->event(w->ctx, ev.wd, ev.mask, ev.cookie,
                            ev.len > 0 ? bytes + at + sizeof ev : NULL);
    }
}

static void
on_again(uv_timer_t *timer)
{
    struct file_watch *w = timer->data;

    uv_poll_start(&w->poll, UV_READABLE, on_readable);
}

/* One read: when there is more, the next turn of the loop or the end of the
 * pause brings it. */
static void
on_readable(uv_poll_t *poll, int status, int events)
{
    struct file_watch *w = poll->data;
    char               bytes[EVENT_BYTES];
    ssize_t            len;

    (void)status;
    (void)events;
    len = read(w->fd, bytes, sizeof bytes);
    if (len > 0)
        file_watch_take(w, bytes, (size_t)len);
    if (len < EVENT_BYTES / 2 && uv_is_active((uv_handle_t *)&w->poll)) {
        uv_poll_stop(&w->poll);
        uv_timer_start(&w->again, on_again, w->pause, 0);
    }
}

int
file_watch_open(struct file_watch *w, uv_loop_t *loop, uint64_t pause,
                const struct file_watch_calls *calls, void *ctx, struct error *err)
{
    *w = (struct file_watch){ .pause = pause, .calls = calls, .ctx = ctx };
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0)
        return error_set(err, ERR_SYSTEM, "%s%s", strerror(errno),
                         errno == EMFILE ? " (raise fs.inotify.max_user_instances)" : "");
    uv_poll_init(loop, &w->poll, w->fd);
    uv_timer_init(loop, &w->again);
    w->poll.data = w->again.data = w;
    uv_poll_start(&w->poll, UV_READABLE, on_readable);
    return 0;
}

static void
on_closed(uv_handle_t *handle)
{
    struct file_watch *w = handle->data;

    if (--w->handles > 0)
        return;
    close(w->fd);
    w->fd = -1;
    w->closed(w->ctx);
}

void
file_watch_close(struct file_watch *w, void (*closed)(void *ctx))
{
    assert(w->fd >= 0 && w->closed == NULL);
    w->closed = closed;
    w->handles = 2;
    uv_close((uv_handle_t *)&w->poll, on_closed);
    uv_close((uv_handle_t *)&w->again, on_closed);
}

int
file_watch_add(int inotify, const char *path, enum file_watch_kind kind)
{
    static const uint32_t masks[] = {
        [FILE_WATCH_FOLDER] = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                              IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
        [FILE_WATCH_FILE] = IN_MODIFY | IN_ATTRIB,
    };

    return inotify_add_watch(inotify, path, masks[kind]);
}

void
file_watch_remove(int inotify, int wd)
{
    (void)inotify_rm_watch(inotify, wd);
}

bool
file_watch_is_deaf(const char *path)
{
    enum { CIFS = 0xff534d42, CEPH = 0x00c36400, FUSE = 0x65735546, LUSTRE = 0x0bd00bd0,
           GPFS = 0x47504653, VBOX = 0x786f4256, SMB2 = 0xfe534d42, GFS2 = 0x01161970 };
    struct statfs fs;

    if (statfs(path, &fs) != 0)
        return false;
    switch ((uint32_t)fs.f_type) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case CODA_SUPER_MAGIC:
    case OCFS2_SUPER_MAGIC:
    case V9FS_MAGIC:
    case CIFS:
    case SMB2:
    case CEPH:
    case FUSE:
    case LUSTRE:
    case GPFS:
    case VBOX:
    case GFS2:
        return true;
    default:
        return false;
    }
}

/* file_watch.h - file-system events, by inotify.
 *
 * Not libuv's own watcher, because that keeps two things from its user: that
 * events were lost (the kernel's queue is bounded), and watches that can be added on
 * a worker, before a folder is read.
 *
 * Events are read at most once in `pause`: a file that is written to a thousand
 * times a second is one event then, because the kernel joins equal ones.  The
 * first event after a quiet time is read at once.
 *
 * Loop thread, except file_watch_add() and file_watch_remove(): any.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_WATCH_H
#define INPUTS_FILE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/error.h"

struct file_watch_calls {
    /* This happened (IN_* of <sys/inotify.h>) in a watched folder to `name`, or,
     * `name` NULL, to what is watched itself.  The two events of a rename have
     * one cookie. */
    void (*event)(void *ctx, int wd, uint32_t mask, uint32_t cookie, const char *name);

    /* Events were lost: anything may have happened. */
    void (*lost)(void *ctx);
};

struct file_watch {
    int                            fd;      /* -1: not open */
    uv_poll_t                      poll;
    uv_timer_t                     again;
    uint64_t                       pause;   /* ms */
    const struct file_watch_calls *calls;
    void                          *ctx;
    unsigned                       handles; /* still to be closed */
    void                         (*closed)(void *ctx);
};

/* Open it.  -1 with `err` filled when the system has no more watchers: then
 * w->fd is -1, and everything goes without events. */
int file_watch_open(struct file_watch *w, uv_loop_t *loop, uint64_t pause,
                    const struct file_watch_calls *calls, void *ctx, struct error *err);

/* No event comes any more; `closed` is called with ctx, never from inside.
 * Only if it is open.  Nobody may use w->fd on a worker now. */
void file_watch_close(struct file_watch *w, void (*closed)(void *ctx));

/* Hand on the events in `bytes`, as they were read. */
void file_watch_take(const struct file_watch *w, const char *bytes, size_t len);

enum file_watch_kind { FILE_WATCH_FOLDER, FILE_WATCH_FILE };

/* Watch what this path leads to; its number, the same for each path to the same
 * thing, or -1: errno says why. */
int  file_watch_add(int inotify, const char *path, enum file_watch_kind kind);
void file_watch_remove(int inotify, int wd);

/* Do writes by other machines, or behind the kernel's back, go unnoticed here?  Any thread
 * that may block. */
bool file_watch_is_deaf(const char *path);

#endif

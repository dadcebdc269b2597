/* tidy.h - memory that a busy time has left, given back to the system once it is quiet.
 *
 * While there is work, the heap keeps what was freed for what comes next
 * (mem_keep_freed()); an agent that is quiet has no use for it.
 *
 * Loop thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_FLOW_TIDY_H
#define AGENT_FLOW_TIDY_H

#include <stdbool.h>
#include <uv.h>

struct tidy {
    uv_timer_t  timer;
    uv_work_t   work;
    bool        working;
    unsigned    asked;          /* since tidy_later() */
    bool      (*quiet)(const void *ctx);
    const void *ctx;
    void      (*closed)(uv_handle_t *handle);   /* NULL: it is not being closed */
};

/* `quiet` is asked every few seconds after tidy_later(), until it says yes, or for a
 * minute. */
void tidy_init(struct tidy *t, uv_loop_t *loop, bool (*quiet)(const void *ctx), const void *ctx);

/* Much was freed just now, or will be before it is quiet. */
void tidy_later(struct tidy *t);

void tidy_close(struct tidy *t, uv_close_cb closed, void *data);     /* handle->data */

#endif

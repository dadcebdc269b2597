/* run.c - `stoker run`: the agent in the foreground.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "agent/agent.h"
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "agent/cli/cli.h"

struct run_state {
    uv_loop_t     loop;
    uv_signal_t   signals[3];
    struct agent *agent;
    bool          stopping;
};

static const int our_signals[3] = { SIGTERM, SIGINT, SIGHUP };

/* sd_notify(3)'s protocol: one datagram to the socket that systemd names. */
static void
tell_systemd(const char *state)
{
    const char        *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    const size_t       len = path != NULL ? strlen(path) : 0;
    int                fd;

    if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        log_warn("cannot tell systemd '%s'", state);
    close(fd);
}

/* Signals wait from the first moment on, and are taken when the loop can. */
static void
hold_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < 3; i++)
        sigaddset(&set, our_signals[i]);
    sigprocmask(how, &set, NULL);
}

static void
on_stopped(void *ctx, uint64_t unsent)
{
    struct run_state      *r = ctx;
    struct pipeline_counts counts;

    agent_counts(r->agent, &counts);
    if (counts.filtered_records > 0)
        log_info("filtered: %llu records, for which nothing was sent (by drop, sample or "
                 "rate_limit, or because no route took them)",
                 (unsigned long long)counts.filtered_records);
    if (unsent > 0)
        log_warn("stopped before everything was acknowledged: %llu records will be sent again at "
                 "the next start", (unsigned long long)unsent);
    else if (counts.lost > 0)
        log_warn("stopped, everything that was read is acknowledged but for %llu records that "
                 "were dropped or given up", (unsigned long long)counts.lost);
    else
        log_info("stopped, everything that was read is acknowledged");
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&r->signals[i], NULL);
}

static void
on_signal(uv_signal_t *handle, int number)
{
    struct run_state *r = handle->data;

    if (number == SIGHUP) {
        log_warn("SIGHUP: reloading is not supported yet (restart to read the configuration)");
    } else if (r->stopping) {
        log_warn("a second signal: stopping at once");
        _exit(EXIT_FAILED);
    } else {
        r->stopping = true;
        log_info("stopping");
        tell_systemd("STOPPING=1");
        agent_stop(r->agent, on_stopped, r);
    }
}

static int
exit_status(const struct error *err)
{
    return err->code == ERR_LOCKED ? EXIT_LOCKED : EXIT_FAILED;
}

static int
start(struct run_state *r, struct error *err)
{
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&r->loop, &r->signals[i]);
        r->signals[i].data = r;
        uv_signal_start(&r->signals[i], on_signal, our_signals[i]);
    }
    return agent_start(r->agent, &r->loop, err);
}

static int
run_config(struct config *config)
{
    struct run_state r = { .stopping = false };
    struct error     err;

    r.agent = agent_new(config, &err);
    if (r.agent == NULL) {
        log_error("%s", err.text);
        return exit_status(&err);
    }
    uv_loop_init(&r.loop);
    if (start(&r, &err) == -1) {
        log_error("%s", err.text);
        _exit(exit_status(&err));       /* nothing was read yet: nothing to clean up but memory */
    }
    hold_signals(SIG_UNBLOCK);
    log_info("started with %zu input%s and %zu output%s", config->ninputs,
             config->ninputs == 1 ? "" : "s", config->noutputs, config->noutputs == 1 ? "" : "s");
    tell_systemd("READY=1");
    uv_run(&r.loop, UV_RUN_DEFAULT);
    agent_free(r.agent);
    uv_loop_close(&r.loop);
    return EXIT_DONE;
}

int
cli_run(int argc, char **argv)
{
    const char    *file = NULL;
    struct config *config;
    int            status;

    hold_signals(SIG_BLOCK);
    mem_keep_freed();
    if (cli_config_option(argc, argv, &file) == -1)
        return EXIT_USAGE;
    if (optind < argc)
        return cli_usage("run", "unexpected argument '%s'", argv[optind]);
    config = cli_load(file);
    if (config == NULL)
        return EXIT_CONFIG;
    log_set_up((enum log_level)config->agent.log_level, (enum log_format)config->agent.log_format);
    status = run_config(config);
    config_free(config);
    return status;
}

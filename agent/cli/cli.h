/* cli.h - the subcommands.
 *
 * Each gets its own arguments (argv[0] is its name) and returns the exit
 * status.  One file a command.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_CLI_CLI_H
#define AGENT_CLI_CLI_H

#include "agent/base/buf.h"
#include "agent/config.h"

/* Exit status (config.md 9). */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 64,
    EXIT_CLUSTER = 69,
    EXIT_LOCKED = 75,
    EXIT_CONFIG = 78,
};

typedef int cli_command_f(int argc, char **argv);

cli_command_f cli_run, cli_check, cli_try, cli_demo, cli_offsets, cli_replay, cli_reference,
    cli_version;

/* Run the command that argv[1] names. */
int cli_main(int argc, char **argv);

/* Say on stderr what was wrong, and how `command` is used; returns EXIT_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next option as getopt_long(3) gives it, argv[0] being the command; `shorts` must
 * begin with ':'.  '?': something is wrong, which was said. */
struct option;
int cli_option(int argc, char **argv, const char *shorts, const struct option *longs);

/* Read the options of a command whose only one is -c FILE; `optind` (getopt(3)) is then
 * its first operand.  -1: something is wrong, which was said. */
int cli_config_option(int argc, char **argv, const char **file);

/* `path` as it is shown: a control character, which would break the line or steer the
 * terminal, as \xNN; all else as it is.  Cleared first. */
const char *cli_shown_path(struct buf *b, const char *path);

/* Load the configuration file (NULL: the default place); if it has mistakes print
 * them all on stderr and return NULL. */
struct config *cli_load(const char *file);

/* Run the tests of a configuration; what fails is told on stderr.  EXIT_DONE or
 * EXIT_FAILED. */
int cli_check_tests(const struct config *config);

#define CLI_DEFAULT_CONFIG "/etc/stoker/stoker.yaml"

#endif

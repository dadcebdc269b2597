/* version.c - `stoker version`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <uv.h>

#include "agent/cli/cli.h"
#include "agent/data/pattern.h"
#include "agent/flow/checkpoint.h"
#include "outputs/kafka.h"

int
cli_version(int argc, char **argv)
{
    if (argc > 1)
        return cli_usage("version", "unexpected argument '%s'", argv[1]);
    printf("stoker %s\n", STOKER_VERSION);
    printf("librdkafka %s\n", kafka_library());
    printf("libuv %s\n", uv_version_string());
    printf("libyaml %s\n", tree_library());
    printf("PCRE2 %s\n", pattern_library());
    printf("SQLite %s\n", checkpoint_library());
    return EXIT_DONE;
}

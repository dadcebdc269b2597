/* registry.c - see registry.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/registry.h"

#include <stddef.h>

extern const struct input_type  file_input_type;
extern const struct parser_type regex_parser_type, json_parser_type, logfmt_parser_type,
    delimited_parser_type, syslog_parser_type, cri_parser_type,
    docker_parser_type;
extern const struct output_type kafka_output_type, stdout_output_type, file_output_type,
    discard_output_type;

const struct input_type *const registry_inputs[] = { &file_input_type, NULL };

const struct parser_type *const registry_parsers[] = {
    &regex_parser_type, &json_parser_type, &logfmt_parser_type,
    &delimited_parser_type, &syslog_parser_type, &cri_parser_type,
    &docker_parser_type,
    NULL,
};

const struct output_type *const registry_outputs[] = {
    &kafka_output_type, &stdout_output_type, &file_output_type, &discard_output_type, NULL,
};

/* registry.h - every plugin by name: the only place that knows them all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_REGISTRY_H
#define AGENT_REGISTRY_H

#include "agent/flow/input.h"
#include "agent/flow/output.h"
#include "agent/flow/parser.h"

/* Each list ends with NULL; the first entry is the default `type`. */
extern const struct input_type *const  registry_inputs[];
extern const struct parser_type *const registry_parsers[];
extern const struct output_type *const registry_outputs[];

#endif

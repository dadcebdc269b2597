/* names.h - field names are numbered once, at load.
 *
 * Parsers, templates and conditions speak of fields by number, so that no name
 * is compared while lines pass.  The first numbers are the fields that every
 * record has (config.md 6); `time`, `body` and `raw` are the record's own parts.
 * Built while the configuration is loaded, constant afterwards: any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_NAMES_H
#define AGENT_DATA_NAMES_H

#include <stdint.h>

#include "agent/base/slice.h"

enum well_known_name {
    NAME_BODY,
    NAME_RAW,
    NAME_TIME,                  /* epoch milliseconds */
    NAME_HOST_NAME,             /* host.name */
    NAME_INPUT,                 /* input */
    NAME_LOG_FILE_PATH,         /* log.file.path */
    NAME_LOG_FILE_NAME,         /* log.file.name */
    NAME_LOG_FILE_OFFSET,       /* log.file.offset */
    NAME_PARSE_ERROR,           /* parse.error */
    NAME_LOG_IOSTREAM,          /* log.iostream */
    NAME_K8S_NAMESPACE_NAME,    /* k8s.namespace.name */
    NAME_K8S_POD_NAME,          /* k8s.pod.name */
    NAME_K8S_POD_UID,           /* k8s.pod.uid */
    NAME_K8S_CONTAINER_NAME,    /* k8s.container.name */
    NAME_K8S_RESTART_COUNT,     /* k8s.container.restart_count */
    NAME_WELL_KNOWN             /* how many */
};

/* A field whose name nothing in the configuration mentions. */
#define NAME_NONE UINT32_MAX

struct names;

struct names *names_new(void);
void          names_free(struct names *names);

/* The number of a name, given out if it is new. */
uint32_t names_intern(struct names *names, struct slice name);

/* The number of a name that the configuration mentions, or NAME_NONE. */
uint32_t names_find(const struct names *names, struct slice name);

struct slice names_text(const struct names *names, uint32_t number);
uint32_t     names_count(const struct names *names);

#endif

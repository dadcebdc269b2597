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

#include <stdbool.h>
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

/* The number of a name, given out if it is new.  Whoever calls it will ask for the
 * field: a template, a condition, a parser that reads it. */
uint32_t names_intern(struct names *names, struct slice name);

/* The number of a name that a parser can set.  Not asked for by that: a field
 * that nobody asks for need not be set (names_asked). */
uint32_t names_offer(struct names *names, struct slice name);

/* Somebody asks for every field, whatever its name. */
void names_ask_all(struct names *names);
bool names_all_asked(const struct names *names);

/* By number: does anybody ask for it?  Valid once the names are complete. */
const bool *names_asked(const struct names *names);

/* The number of a name that the configuration mentions, or NAME_NONE. */
uint32_t names_find(const struct names *names, struct slice name);

/* The names that are asked for as a tree, cut at their dots: `a`, `a.b` and `a.b.c` are one
 * branch.  For parsers whose names come from the line. */
struct names_path {
    struct slice        part;
    uint32_t            number;     /* of the name that ends here; NAME_NONE: none does */
    struct names_path  *first;      /* of those below; NULL: none */
    struct names_path  *next;       /* beside */
    struct names_path **slots;      /* those below, by hash; never more than half full */
    uint32_t            mask;
    uint64_t            goes_on;    /* first bytes, modulo 64, of what is two or more parts */
};

/* All names were given out: make the tree, and their quoted forms. */
void names_complete(struct names *names);

/* A name as that of a member of a JSON object: quoted, with the colon.  After
 * names_complete(). */
struct slice names_quoted(const struct names *names, uint32_t number);

/* The tree's root; after names_complete(). */
const struct names_path *names_paths(const struct names *names);

/* What `name`, which may hold dots itself, leads to from here; NULL: nothing. */
const struct names_path *names_find_below(const struct names_path *at, struct slice name);

struct slice names_text(const struct names *names, uint32_t number);
uint32_t     names_count(const struct names *names);

#endif

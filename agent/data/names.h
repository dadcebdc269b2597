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

struct slice names_text(const struct names *names, uint32_t number);
uint32_t     names_count(const struct names *names);

#endif

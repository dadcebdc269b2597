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
    NAME_WELL_KNOWN,            /* how many */
    NAME_OWN = NAME_HOST_NAME,  /* from here on they are the agent's word: see names_of_line() */
    NAME_FIRST_GIVEN = 2 * NAME_WELL_KNOWN - NAME_OWN   /* of those that a configuration gives */
};

/* What a line itself calls `host.name` (a JSON member, say) is not what the record is known by: it
 * is a field of another number, of the same text. */
static inline bool
names_is_own(uint32_t number)
{
    return number >= NAME_OWN && number < NAME_WELL_KNOWN;
}

static inline uint32_t
names_of_line(uint32_t number)
{
    return names_is_own(number) ? number + NAME_WELL_KNOWN - NAME_OWN : number;
}

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

/* As names_intern(), of what a line calls so (names_of_line()), if it does, or else of what
 * the record has: for parsers that read it. */
uint32_t names_intern_read(struct names *names, struct slice name);

/* The number of a name that the configuration mentions, or NAME_NONE. */
uint32_t names_find(const struct names *names, struct slice name);

/* The names that are asked for as a tree, cut at their dots: `a`, `a.b` and `a.b.c` are one
 * branch.  For parsers whose names come from the line: names_of_line() has been done. */
struct names_path {
    struct slice        part;
    uint32_t            number;     /* of the name that ends here; NAME_NONE: none does */
    struct names_path  *first;      /* of those below; NULL: none */
    struct names_path  *next;       /* beside */
    struct names_path **slots;      /* those below, by hash; a quarter full at the most */
    uint32_t            mask;
    uint64_t            begins;     /* first bytes, modulo 64, of those below */
    uint64_t            goes_on;    /* the same of what is two or more parts */
};

/* All names were given out: make the tree, and what they are in JSON. */
void names_complete(struct names *names);

/* By number: the names as what stands in a JSON object before a text: `,"name":"`.  Behind its end
 * NAMES_PADDING bytes may be read: it can be copied by blocks of so many.  After
 * names_complete(). */
enum { NAMES_PADDING = 16 };
const struct slice *names_members(const struct names *names);

/* The tree's root; after names_complete(). */
const struct names_path *names_paths(const struct names *names);

static inline uint32_t
names_part_hash(struct slice part)
{
    const unsigned char *p = (const unsigned char *)part.ptr;

    return part.len == 0 ? 0 : (uint32_t)part.len * 5 + p[0] * 3u + p[part.len - 1];
}

/* Of a text that begins with a dot, the first part is empty. */
static inline uint64_t
names_first_bit(struct slice text)
{
    return (uint64_t)1 << ((text.len > 0 ? text.ptr[0] : '.') & 63);
}

/* False: names_find_below() finds nothing. */
static inline bool
names_may_lead(const struct names_path *at, struct slice name)
{
    return (at->begins & names_first_bit(name)) != 0;
}

static inline const struct names_path *
names_find_part(const struct names_path *at, struct slice part)
{
    const struct names_path *p;

    for (uint32_t i = names_part_hash(part);; i++) {
        p = at->slots[i & at->mask];
        if (p == NULL || (p->part.len == part.len && memcmp(p->part.ptr, part.ptr, part.len) == 0))
            return p;
    }
}

/* For names_find_below(). */
const struct names_path *names_find_parts(const struct names_path *at, struct slice name);

/* What `name`, which may hold dots itself, leads to from here; NULL: nothing. */
static inline const struct names_path *
names_find_below(const struct names_path *at, struct slice name)
{
    const struct names_path *below = names_find_part(at, name);

    return below == NULL && (at->goes_on & names_first_bit(name)) != 0
        ? names_find_parts(at, name) : below;
}

/* By number: their texts.  Valid once the names are complete. */
const struct slice *names_texts(const struct names *names);

struct slice names_text(const struct names *names, uint32_t number);
uint32_t     names_count(const struct names *names);

#endif

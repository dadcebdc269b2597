/* names.c - see names.h.
 *
 * The texts stand in the order of their numbers; beside them an open hash table
 * of numbers + 1, never more than half full.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/hash.h"
#include "agent/base/mem.h"
#include "agent/data/encode.h"

enum { FIRST_SLOTS = 64 };      /* a power of two */

struct names {
    struct arena       bytes;
    struct slice      *texts;   /* room for half of nslots */
    bool              *asked;   /* the same */
    bool               all_asked;
    uint32_t           count;
    uint32_t          *slots;
    uint32_t           nslots;
    struct names_path *paths;   /* NULL until all names are there, as the next */
    struct slice      *members;
};

static const char *const well_known[] = {
    [NAME_BODY] = "body",
    [NAME_RAW] = "raw",
    [NAME_TIME] = "time",
    [NAME_HOST_NAME] = "host.name",
    [NAME_INPUT] = "input",
    [NAME_LOG_FILE_PATH] = "log.file.path",
    [NAME_LOG_FILE_NAME] = "log.file.name",
    [NAME_LOG_FILE_OFFSET] = "log.file.offset",
    [NAME_PARSE_ERROR] = "parse.error",
    [NAME_LOG_IOSTREAM] = "log.iostream",
    [NAME_K8S_NAMESPACE_NAME] = "k8s.namespace.name",
    [NAME_K8S_POD_NAME] = "k8s.pod.name",
    [NAME_K8S_POD_UID] = "k8s.pod.uid",
    [NAME_K8S_CONTAINER_NAME] = "k8s.container.name",
    [NAME_K8S_RESTART_COUNT] = "k8s.container.restart_count",
};

_Static_assert(sizeof well_known / sizeof *well_known == NAME_WELL_KNOWN, "each has a text");

/* It shares its text with one of the record's own. */
static bool
is_of_line(uint32_t number)
{
    return number >= NAME_WELL_KNOWN && number < NAME_FIRST_GIVEN;
}

/* The slot that holds this name, or the empty one where it belongs. */
static uint32_t *
slot_of(const struct names *names, struct slice name)
{
    const uint32_t mask = names->nslots - 1;
    uint32_t       i = (uint32_t)hash_bytes(name) & mask;

    while (names->slots[i] != 0 && !slice_equal(names->texts[names->slots[i] - 1], name))
        i = (i + 1) & mask;
    return &names->slots[i];
}

static void
resize(struct names *names, uint32_t nslots)
{
    free(names->slots);
    names->nslots = nslots;
    names->slots = mem_zero(nslots * sizeof *names->slots);
    names->texts = mem_array(names->texts, nslots / 2, sizeof *names->texts);
    names->asked = mem_array(names->asked, nslots / 2, sizeof *names->asked);
    for (uint32_t i = 0; i < names->count; i++)
        if (!is_of_line(i))
            *slot_of(names, names->texts[i]) = i + 1;
}

struct names *
names_new(void)
{
    struct names *names = NEW(struct names);

    arena_init(&names->bytes);
    resize(names, FIRST_SLOTS);
    for (uint32_t i = 0; i < NAME_WELL_KNOWN; i++) {
        const uint32_t number = names_offer(names, slice_of(well_known[i]));

        assert(number == i);
    }
    names->asked[NAME_BODY] = true;
    names->asked[NAME_RAW] = true;
    for (uint32_t i = NAME_OWN; i < NAME_WELL_KNOWN; i++) {
        names->texts[names->count] = names->texts[i];
        names->asked[names->count++] = false;
    }
    assert(names->count == NAME_FIRST_GIVEN && names->count < names->nslots / 2);
    return names;
}

void
names_free(struct names *names)
{
    if (names == NULL)
        return;
    arena_fini(&names->bytes);
    free(names->members);
    free(names->texts);
    free(names->asked);
    free(names->slots);
    free(names);
}

uint32_t
names_offer(struct names *names, struct slice name)
{
    uint32_t *slot = slot_of(names, name);

    if (*slot != 0)
        return *slot - 1;
    if (names->count == names->nslots / 2) {
        resize(names, 2 * names->nslots);
        slot = slot_of(names, name);
    }
    names->asked[names->count] = names->all_asked;
    names->texts[names->count++] = arena_copy(&names->bytes, name);
    *slot = names->count;
    return names->count - 1;
}

uint32_t
names_intern(struct names *names, struct slice name)
{
    const uint32_t number = names_offer(names, name);

    names->asked[number] = true;
    return number;
}

uint32_t
names_intern_read(struct names *names, struct slice name)
{
    const uint32_t number = names_intern(names, name);

    names->asked[names_of_line(number)] = true;
    return number;
}

void
names_ask_all(struct names *names)
{
    names->all_asked = true;
    for (uint32_t i = 0; i < names->count; i++)
        names->asked[i] = true;
}

bool
names_all_asked(const struct names *names)
{
    return names->all_asked;
}

const bool *
names_asked(const struct names *names)
{
    return names->asked;
}

uint32_t
names_find(const struct names *names, struct slice name)
{
    const uint32_t held = *slot_of(names, name);

    return held != 0 ? held - 1 : NAME_NONE;
}

struct slice
names_text(const struct names *names, uint32_t number)
{
    assert(number < names->count);
    return names->texts[number];
}

const struct slice *
names_texts(const struct names *names)
{
    return names->texts;
}

uint32_t
names_count(const struct names *names)
{
    return names->count;
}

/* ---- The tree ------------------------------------------------------------ */

/* What stands before the first dot; `rest`: behind it, or no slice. */
static struct slice
cut_part(struct slice name, struct slice *rest)
{
    const char  *dot = name.len > 0 ? memchr(name.ptr, '.', name.len) : NULL;
    struct slice part = name;

    *rest = NO_SLICE;
    if (dot != NULL) {
        part.len = (size_t)(dot - name.ptr);
        *rest = (struct slice){ dot + 1, name.len - part.len - 1 };
    }
    return part;
}

static struct names_path *
new_path(struct names *names, struct slice part)
{
    struct names_path *p = arena_alloc(&names->bytes, sizeof *p);

    *p = (struct names_path){ .part = part, .number = NAME_NONE };
    return p;
}

static void
add_path(struct names *names, uint32_t number)
{
    struct names_path *at = names->paths;
    struct slice       rest = names->texts[number];

    while (rest.ptr != NULL) {
        const struct slice part = cut_part(rest, &rest);
        struct names_path *below = at->first;

        while (below != NULL && !slice_equal(below->part, part))
            below = below->next;
        if (below == NULL) {
            below = new_path(names, part);
            below->next = at->first;
            at->first = below;
            at->begins |= names_first_bit(part);
        }
        if (rest.ptr != NULL)
            at->goes_on |= names_first_bit(part);
        at = below;
    }
    at->number = number;
}

static void
make_slots(struct names *names, struct names_path *at)
{
    uint32_t count = 0, nslots = 4;

    for (struct names_path *p = at->first; p != NULL; p = p->next, count++)
        make_slots(names, p);
    while (nslots < 4 * count)
        nslots *= 2;
    at->mask = nslots - 1;
    at->slots = arena_alloc(&names->bytes, nslots * sizeof *at->slots);
    for (uint32_t i = 0; i < nslots; i++)
        at->slots[i] = NULL;
    for (struct names_path *p = at->first; p != NULL; p = p->next) {
        uint32_t i = names_part_hash(p->part) & at->mask;

        while (at->slots[i] != NULL)
            i = (i + 1) & at->mask;
        at->slots[i] = p;
    }
}

static void
make_members(struct names *names)
{
    struct buf b = { NULL, 0, 0 };

    names->members = mem_array(names->members, names->count, sizeof *names->members);
    for (uint32_t i = 0; i < names->count; i++) {
        buf_clear(&b);
        buf_add_char(&b, ',');
        encode_json_string(&b, names->texts[i]);
        buf_add_string(&b, ":\"");
        memset(buf_reserve(&b, NAMES_PADDING), 0, NAMES_PADDING);
        names->members[i].ptr =
            arena_copy(&names->bytes, (struct slice){ b.ptr, b.len + NAMES_PADDING }).ptr;
        names->members[i].len = b.len;
    }
    buf_fini(&b);
}

void
names_complete(struct names *names)
{
    names->paths = new_path(names, NO_SLICE);
    for (uint32_t i = 0; i < names->count; i++)
        if (names->asked[i] && !names_is_own(i))
            add_path(names, i);
    make_slots(names, names->paths);
    make_members(names);
}

const struct slice *
names_members(const struct names *names)
{
    assert(names->members != NULL);
    return names->members;
}

const struct names_path *
names_paths(const struct names *names)
{
    assert(names->paths != NULL);
    return names->paths;
}

const struct names_path *
names_find_parts(const struct names_path *at, struct slice name)
{
    struct slice       rest;
    const struct slice part = cut_part(name, &rest);

    if (rest.ptr == NULL)
        return NULL;            /* it was looked for already */
    at = names_find_part(at, part);
    return at != NULL ? names_find_below(at, rest) : NULL;
}

/* json_read.h - a JSON text (RFC 8259) read from left to right.
 *
 * For texts whose form is known: dead letters, librdkafka's statistics.  The
 * caller asks for what it expects next; what it has no use for it skips:
 *
 *     json_read_object(&j);
 *     while (json_read_member(&j, &name))
 *         if (slice_is(name, "txmsgs"))
 *             json_read_number(&j, &sent);
 *         else
 *             json_read_skip(&j);
 *     if (json_read_failed(&j)) ...
 *
 * The first thing that is not as expected ends it: from then on every function
 * does nothing and gives false.  Any bytes are safe; nesting has a limit.
 * One thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_JSON_READ_H
#define AGENT_DATA_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/slice.h"

struct json_read {
    const char   *at, *end;
    struct arena *arena;        /* for strings with escapes */
    bool          begun;        /* an object or array was opened just now */
    bool          failed;
};

enum json_kind { JSON_NONE, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_WORD };

struct json_read json_read_begin(struct slice text, struct arena *a);

/* What comes next; JSON_NONE: nothing, or nothing that is JSON. */
enum json_kind json_read_kind(struct json_read *j);

/* Go into it.  Then its members or elements one by one, whose values are to be
 * read or skipped; false behind the last. */
bool json_read_object(struct json_read *j);
bool json_read_member(struct json_read *j, struct slice *name);
bool json_read_array(struct json_read *j);
bool json_read_element(struct json_read *j);

/* A string, its escapes resolved: a part of the text, or of the arena. */
bool json_read_string(struct json_read *j, struct slice *text);

/* A whole number; a fraction is cut off. */
bool json_read_number(struct json_read *j, int64_t *number);

/* Is it null?  Then it is read. */
bool json_read_null(struct json_read *j);

void json_read_skip(struct json_read *j);

/* Nothing follows but blanks. */
bool json_read_at_end(struct json_read *j);

bool json_read_failed(const struct json_read *j);

/* RFC 4648, section 4, with padding, into `a`.  False: it is none. */
bool json_read_base64(struct slice text, struct arena *a, struct slice *bytes);

#endif

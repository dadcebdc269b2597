/* encode.h - records as JSON.
 *
 * The JSON form of a record (config.md 4): what `stdout` and `file` outputs, `try`, `demo`
 * and dead letters write.  RFC 8259; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_ENCODE_H
#define AGENT_DATA_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/arena.h"
#include "agent/base/buf.h"
#include "agent/base/slice.h"
#include "agent/data/message.h"

/* Is it UTF-8 (RFC 3629: no surrogates, nothing overlong)? */
bool encode_is_utf8(struct slice s);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void encode_json_string(struct buf *b, struct slice s);

/* The rest of such a string from its `i`th byte on (plain_copy()), and the quote behind it. */
void encode_json_rest(struct buf *b, struct slice s, size_t i);

/* The bytes; those that are not UTF-8 become U+FFFD. */
void encode_utf8(struct buf *b, struct slice s);

/* Bytes as they are: a string; {"base64": "..."} if they are not UTF-8; null if
 * there are none (ptr NULL). */
void encode_json_bytes(struct buf *b, struct slice s);

/* The bytes that a base64 text stands for (RFC 4648, section 4, with its padding), in `a`; false
 * if it is none. */
bool encode_from_base64(struct slice text, struct arena *a, struct slice *bytes);

/* A record as it would be, or was, sent. */
struct shown_record {
    const char           *output;
    struct slice          topic;        /* ptr NULL: null */
    int32_t               partition;    /* negative: null */
    struct slice          key, value;
    const struct headers *headers;
    int64_t               timestamp;    /* NO_TIMESTAMP: null */
};

/* "output":...,"topic":...,"partition":...,"key":...,"headers":...,"timestamp":...,
 * "value":... without the braces around, so that others can stand beside them.
 * headers: an object of name and text, a list of [name, text] only where a name repeats, null
 * where there are none. */
void encode_json_members(struct buf *b, const struct shown_record *r);

/* The same as one object on one line, without LF. */
void encode_json_record(struct buf *b, const struct shown_record *r);

#endif

/* serializer.h - a key's text as the bytes that a Java serializer would write.
 *
 * Big endian, two's complement, IEEE 754 with Java's one NaN; a UUID as its 36
 * characters in lower case (org.apache.kafka.common.serialization).  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_SERIALIZER_H
#define AGENT_DATA_SERIALIZER_H

#include "agent/base/arena.h"
#include "agent/base/slice.h"

enum serializer {
    SERIALIZER_TEXT,        /* string and bytes: as they are */
    SERIALIZER_SHORT,       /* 2 bytes */
    SERIALIZER_INTEGER,     /* 4 */
    SERIALIZER_LONG,        /* 8 */
    SERIALIZER_FLOAT,       /* 4 */
    SERIALIZER_DOUBLE,      /* 8 */
    SERIALIZER_UUID,
};

/* By the word of a configuration (string, bytes, short ...) or by the name of the Java class,
 * with or without its package; -1: there is none. */
int serializer_find(const char *name);

/* Every word, for messages. */
enum { SERIALIZER_WORDS = 8 };
extern const char *const serializer_words[SERIALIZER_WORDS];

/* The bytes for this text, in `a` unless it stays as it is.  NULL, or why it does
 * not convert (a constant text).  Numbers are decimal, without blanks. */
const char *serializer_apply(enum serializer kind, struct slice text, struct arena *a,
                             struct slice *bytes);

#endif

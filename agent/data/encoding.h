/* encoding.h - lines that are not written in UTF-8.
 *
 * A line ends where the encoding's own LF stands (one, two or four bytes, at a
 * multiple of as many); its text is converted to UTF-8 before anything is made of
 * it.  What cannot be converted becomes U+FFFD, and is counted.  NULL is UTF-8
 * everywhere: nothing is converted then.
 *
 * Encodings are what iconv(3) knows.  Constant once made: any thread.  A decoder
 * belongs to one worker.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_ENCODING_H
#define AGENT_DATA_ENCODING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/arena.h"
#include "agent/base/error.h"
#include "agent/base/slice.h"

struct encoding;
struct decoder;

enum {
    ENCODING_MARK = 4,      /* bytes at the beginning that may say which it is */
    ENCODING_UNIT = 4,      /* the longest LF */
};

/* The encoding of this name, in *e: NULL if it is UTF-8, else to be freed.  -1:
 * iconv does not know it, or it has no LF of its own. */
int  encoding_new(const char *name, struct encoding **e, struct error *err);
void encoding_free(struct encoding *e);

/* UTF-16 and UTF-32 come in two orders of bytes, which a mark at the beginning tells
 * apart: the one of a file that begins with these bytes, borrowed from `e`.  Without a
 * mark it is little endian.  Every other encoding is what it is. */
const struct encoding *encoding_marked(const struct encoding *e, const char *first, size_t len);

/* The same as below, of what is not UTF-8. */
size_t encoding_unit_of(const struct encoding *e);
size_t encoding_first_line_of(const struct encoding *e, const char *bytes, size_t len);
size_t encoding_last_line_of(const struct encoding *e, const char *bytes, size_t len);
size_t encoding_cr_of(const struct encoding *e, const char *line, size_t len);

/* How many bytes its LF has. */
static inline size_t
encoding_unit(const struct encoding *e)
{
    return e == NULL ? 1 : encoding_unit_of(e);
}

/* Where the first line of these bytes ends, behind its LF; 0: there is no LF. */
static inline size_t
encoding_first_line(const struct encoding *e, const char *bytes, size_t len)
{
    const char *lf;

    if (e != NULL)
        return encoding_first_line_of(e, bytes, len);
    lf = memchr(bytes, '\n', len);
    return lf != NULL ? (size_t)(lf - bytes) + 1 : 0;
}

/* The same of the last line. */
static inline size_t
encoding_last_line(const struct encoding *e, const char *bytes, size_t len)
{
    const char *lf;

    if (e != NULL)
        return encoding_last_line_of(e, bytes, len);
    lf = memrchr(bytes, '\n', len);
    return lf != NULL ? (size_t)(lf - bytes) + 1 : 0;
}

/* How many of its last bytes are a CR. */
static inline size_t
encoding_cr(const struct encoding *e, const char *line, size_t len)
{
    if (e != NULL)
        return encoding_cr_of(e, line, len);
    return len > 0 && line[len - 1] == '\r' ? 1 : 0;
}

/* ---- Decoding ------------------------------------------------------------------ */

/* One that is ready for any encoding; not NULL, not UTF-8. */
struct decoder *decoder_new(void);
void            decoder_free(struct decoder *d);

/* The text in UTF-8, in `a`; *bad grows by what could not be converted. */
struct slice decoder_text(struct decoder *d, const struct encoding *e, struct slice bytes,
                          struct arena *a, uint32_t *bad);

/* The longest beginning of at most `most` bytes that does not end inside a
 * character; at least one unit. */
size_t decoder_cut(struct decoder *d, const struct encoding *e, const char *bytes, size_t most);

/* ---- Encoding ------------------------------------------------------------------ */

/* The other way round, for tests: UTF-8 as a file would have it, in `a`; a question mark for
 * what the encoding has not. */
struct slice encoding_write(const struct encoding *e, struct slice text, struct arena *a);

#endif

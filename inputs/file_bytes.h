/* file_bytes.h - the content of a file, whether it is compressed or not.
 *
 * Offsets are those of the content: of a `.gz` (RFC 1952, one member or several)
 * they count decompressed bytes.  A compressed file can only be read forwards:
 * a struct file_gzip stands somewhere in it and keeps the last bytes that it
 * made; whoever asks for earlier ones makes it begin anew.
 *
 * One thread at a time; it reads and decompresses: on a worker, never on the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_BYTES_H
#define INPUTS_FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct file_gzip;

/* Borrows both. */
struct file_bytes {
    int               fd;
    struct file_gzip *gzip;     /* NULL: the file is its content */
};

/* Does its name say that a file is compressed? */
bool file_bytes_named_gz(const char *path);

/* As pread(): fewer bytes than asked for only where the content ends (for now). */
ssize_t file_bytes_at(struct file_bytes b, void *to, size_t len, uint64_t offset);

/* ---- Compressed files -------------------------------------------------------- */

enum file_gzip_end {
    FILE_GZIP_OPEN,     /* not reached, or in the middle of a member: more is to come */
    FILE_GZIP_WHOLE,    /* the file ends with a member */
    FILE_GZIP_BROKEN,   /* what follows cannot be decompressed: file_gzip_trouble() */
};

/* At the beginning; about 45 KiB once it is used. */
struct file_gzip *file_gzip_new(void);
void              file_gzip_free(struct file_gzip *g);

/* Go towards this offset, making at most `most` bytes.  1: it is reached, or the
 * content ends before it; 0: not yet; -1: errno says why. */
int file_gzip_reach(struct file_bytes b, uint64_t offset, size_t most);

/* Forget what it keeps of the bytes before this offset, and give the memory back. */
void file_gzip_keep(struct file_gzip *g, uint64_t from);

/* How many bytes of content it has made; how it ends, when they all were asked for. */
uint64_t           file_gzip_made(const struct file_gzip *g);
uint64_t           file_gzip_used(const struct file_gzip *g);       /* of the file */
enum file_gzip_end file_gzip_end(const struct file_gzip *g);
const char        *file_gzip_trouble(const struct file_gzip *g);    /* a constant text */

#define FILE_GZIP_NONE "it is no gzip file"

#endif

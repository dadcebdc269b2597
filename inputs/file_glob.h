/* file_glob.h - which paths a list of patterns means.
 *
 *     *        any bytes of one name, none included; a leading dot too
 *     ?        one byte
 *     [a-z]    one byte of a set; [!a-z] and [^a-z] one that is not in it
 *     {a,b}    either; may hold slashes, and other braces
 *     **       as a whole name: any number of folders, none included
 *     \x       the byte x, whatever it means otherwise
 *     ..       as a whole name: takes back the name before it
 *
 * Names are bytes, in no encoding.  A set of patterns is compiled once and then
 * constant: any thread.
 *
 * A walk through folders carries along the *spots* that it has reached in the
 * patterns, so that a folder is read once however many patterns lead into it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INPUTS_FILE_GLOB_H
#define INPUTS_FILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/error.h"

struct file_glob_path;      /* one pattern without braces, cut into names */

/* A zeroed struct is an empty set. */
struct file_globs {
    struct file_glob_path *list;
    size_t                 count, room;
};

/* Add an absolute pattern; -1 with `err` filled if it is none. */
int file_glob_add(struct file_globs *g, const char *pattern, struct error *err);

void file_glob_fini(struct file_globs *g);

enum file_match {
    FILE_MATCH_NO,
    FILE_MATCH_WILD,        /* by a pattern */
    FILE_MATCH_NAMED,       /* the pattern's last name is this very name */
};

/* Does any pattern mean this absolute path? */
enum file_match file_glob_match(const struct file_globs *g, const char *path);

/* ---- Walking --------------------------------------------------------------- */

/* A folder can be reached in several ways, of several patterns: the next name
 * that each of them expects. */
struct file_spot {
    uint32_t path, part;
};

/* A zeroed struct is an empty list. */
struct file_spots {
    struct file_spot *list;
    size_t            count, room;
};

/* The spots of the root folder. */
void file_glob_root(const struct file_globs *g, struct file_spots *root);

/* Go to `name` in a folder at `from`: is it meant as a file?  `below` becomes
 * the spots inside it if it is a folder; without any, nothing in there is meant. */
enum file_match file_glob_step(const struct file_globs *g, const struct file_spots *from,
                               const char *name, struct file_spots *below);

/* The only name that this spot can mean, or NULL if it takes a look at all names;
 * *last: that name is meant as a file. */
const char *file_glob_literal(const struct file_globs *g, struct file_spot spot, bool *last);

bool file_spots_equal(const struct file_spots *a, const struct file_spots *b);
void file_spots_fini(struct file_spots *s);

#endif

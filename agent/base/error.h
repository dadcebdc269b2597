/* error.h - what went wrong, and where in the user's own files.
 *
 * Every function that can fail takes a `struct error *err` last, fills it and
 * returns -1 (or NULL).  Whoever decides what to do about it logs it, once.
 * Messages are lower case, name the thing that failed, and do not name our
 * functions: "cannot open '/var/log/x': permission denied".
 *
 * Reading a configuration is different: every mistake is reported, not only
 * the first.  Such functions take a `struct errors *errs` and go on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_ERROR_H
#define AGENT_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_code {
    ERR_NONE,
    ERR_CONFIG,         /* the user must change a file; never retried */
    ERR_SYSTEM,         /* the kernel said no; retried with back-off */
    ERR_DATA,           /* this record cannot be handled; counted and skipped */
    ERR_STORE,          /* the checkpoint database; fatal at start, later retried */
    ERR_LOCKED,         /* another agent holds the state */
    ERR_CLUSTER,        /* the brokers are unreachable or unfit */
};

/* A place in a file that the user wrote.  file NULL: no place. */
struct mark {
    const char *file;   /* borrowed from the configuration's tree */
    unsigned    line;   /* from 1 */
    unsigned    column; /* from 1, in characters */
};

#define NO_MARK ((struct mark){ NULL, 0, 0 })

struct error {
    enum error_code code;
    struct mark     at;
    char            text[500];
};

/* Both return -1, so that a caller can `return error_set(...)`.  A text that
 * does not fit is cut and ends with "...". */
int error_set(struct error *err, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int error_at(struct error *err, struct mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The kernel's reason for an errno, as it stands in a message: lower case.
 * Lives until the next call of the same thread. */
const char *error_reason(int errnum);

/* Every mistake found so far; of more than ERRORS_MOST the rest is one line.
 * A zeroed struct is an empty one. */
enum { ERRORS_MOST = 1000 };

struct errors {
    struct error *list;
    size_t        count;
    size_t        room;
};

/* Add one; returns -1.  `errors_add` copies `err`, and gives it the place `at`
 * if it has none. */
int  errors_at(struct errors *errs, struct mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int  errors_add(struct errors *errs, struct mark at, const struct error *err);
void errors_fini(struct errors *errs);

/* No more are kept: who works through a long list may stop. */
bool errors_full(const struct errors *errs);

#endif

/* error.c - see error.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

static void
fill(struct error *err, enum error_code code, struct mark at, const char *fmt, va_list ap)
{
    int len;

    err->code = code;
    err->at = at;
    len = vsnprintf(err->text, sizeof err->text, fmt, ap);
    if (len >= (int)sizeof err->text)
        strcpy(err->text + sizeof err->text - sizeof "...", "...");
}

int
error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, code, NO_MARK, fmt, ap);
    va_end(ap);
    return -1;
}

int
error_at(struct error *err, struct mark at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(err, ERR_CONFIG, at, fmt, ap);
    va_end(ap);
    return -1;
}

const char *
error_reason(int errnum)
{
    static _Thread_local char text[128];

    snprintf(text, sizeof text, "%s", strerror(errnum));
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

bool
errors_full(const struct errors *errs)
{
    return errs->count > ERRORS_MOST;
}

static struct error *
next_slot(struct errors *errs)
{
    if (errs->count == errs->room) {
        errs->room = errs->room > 0 ? 2 * errs->room : 8;
        errs->list = mem_array(errs->list, errs->room, sizeof *errs->list);
    }
    return &errs->list[errs->count++];
}

/* NULL: there are enough; the last one kept says so. */
static struct error *
new_slot(struct errors *errs)
{
    if (errors_full(errs))
        return NULL;
    if (errs->count < ERRORS_MOST)
        return next_slot(errs);
    error_set(next_slot(errs), ERR_CONFIG, "and more mistakes than these %d", ERRORS_MOST);
    return NULL;
}

int
errors_at(struct errors *errs, struct mark at, const char *fmt, ...)
{
    struct error *slot = new_slot(errs);
    va_list       ap;

    if (slot == NULL)
        return -1;
    va_start(ap, fmt);
    fill(slot, ERR_CONFIG, at, fmt, ap);
    va_end(ap);
    return -1;
}

int
errors_add(struct errors *errs, struct mark at, const struct error *err)
{
    struct error *slot = new_slot(errs);

    if (slot == NULL)
        return -1;
    *slot = *err;
    if (slot->at.file == NULL)
        slot->at = at;
    return -1;
}

void
errors_fini(struct errors *errs)
{
    free(errs->list);
    *errs = (struct errors){ NULL, 0, 0 };
}

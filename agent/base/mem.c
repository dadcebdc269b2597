/* mem.c - see mem.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 16 * 1024 * 1024 };      /* bytes; more than any buffer of a batch */

static void *
or_die(void *ptr, size_t size)
{
    if (ptr == NULL) {
        fprintf(stderr, "stoker: out of memory (%zu bytes)\n", size);
        abort();
    }
    return ptr;
}

void *
mem_alloc(size_t size)
{
    return or_die(malloc(size > 0 ? size : 1), size);
}

void *
mem_zero(size_t size)
{
    return or_die(calloc(1, size > 0 ? size : 1), size);
}

void *
mem_resize(void *old, size_t size)
{
    return or_die(realloc(old, size > 0 ? size : 1), size);
}

void *
mem_array(void *old, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        return or_die(NULL, SIZE_MAX);
    return mem_resize(old, count * size);
}

char *
mem_copy(const void *bytes, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *
mem_string(const char *string)
{
    return mem_copy(string, strlen(string));
}

void
mem_keep_freed(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEEP);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP);
}

void
mem_give_back(void)
{
    (void)malloc_trim(0);
}

/* mem.h - memory from the heap, or the end of the program.
 *
 * A daemon that cannot have a few hundred bytes cannot say why either; large
 * memory is bounded by budgets, not by failing allocations.  None of these
 * returns NULL.  Free with free().  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_MEM_H
#define AGENT_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zero(size_t size);
void *mem_resize(void *old, size_t size);

/* `count` * `size` bytes, the product checked. */
void *mem_array(void *old, size_t count, size_t size);

/* Copies, with a NUL behind. */
char *mem_string(const char *string);
char *mem_copy(const void *bytes, size_t len);

/* The habits of this process's heap: what was freed is kept for what comes next, instead
 * of going to the system and coming back with every batch; until mem_give_back(), which
 * may take milliseconds.  (mallopt(3), malloc_trim(3)) */
void mem_keep_freed(void);      /* once, before there are threads */
void mem_give_back(void);

#define NEW(type) ((type *)mem_zero(sizeof(type)))

#endif

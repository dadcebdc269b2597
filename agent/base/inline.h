/* inline.h - for the loops that every byte of a log goes through.
 *
 * INLINE becomes a part of whoever calls it, whatever the compiler thinks of its size; RARE never
 * does, so that what hardly happens takes no registers and no room among what always does.  APART
 * does not either: a loop that needs all registers for itself.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_INLINE_H
#define AGENT_BASE_INLINE_H

#define INLINE __attribute__((always_inline)) static inline
#define RARE   __attribute__((noinline))
#define APART  __attribute__((noinline))

#endif

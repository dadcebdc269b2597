/* check.h - a struct that came back through a `void *` says what it is.
 *
 * The first member of such a struct is `unsigned magic`; its own constant
 * stands there from _init to _fini.  Asserts stay on in release builds: they
 * state what is proven, and never judge input.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_CHECK_H
#define AGENT_BASE_CHECK_H

#include <assert.h>

#define CHECK_MAGIC(object, value) assert((object) != NULL && (object)->magic == (value))

#endif

/* strings.h - a list of strings that owns them.
 *
 * A zeroed struct is an empty one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_BASE_STRINGS_H
#define AGENT_BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

struct strings {
    char **list;
    size_t count;
    size_t room;
};

void strings_add(struct strings *s, const char *string);    /* copies */
bool strings_have(const struct strings *s, const char *string);
void strings_fini(struct strings *s);

/* The one of `count` names that is most like `word` (Damerau-Levenshtein, case
 * ignored), or NULL if none is near enough to be meant. */
const char *strings_nearest(const char *word, const char *const *names, size_t count);

#endif

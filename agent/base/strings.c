/* strings.c - see strings.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/base/strings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/mem.h"

enum { LONGEST_WORD = 63 };

void
strings_add(struct strings *s, const char *string)
{
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 4;
        s->list = mem_array(s->list, s->room, sizeof *s->list);
    }
    s->list[s->count++] = mem_string(string);
}

bool
strings_have(const struct strings *s, const char *string)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->list[i], string) == 0)
            return true;
    return false;
}

void
strings_fini(struct strings *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->list[i]);
    free(s->list);
    *s = (struct strings){ NULL, 0, 0 };
}

static bool
same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be inserted, removed, replaced or swapped with their
 * neighbour; three rows of the table are alive at a time. */
static size_t
distance(const char *a, const char *b)
{
    const size_t la = strlen(a), lb = strlen(b);
    size_t       rows[3][LONGEST_WORD + 1];

    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        const size_t *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        size_t       *row = rows[i % 3];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            const size_t cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

            row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

const char *
strings_nearest(const char *word, const char *const *names, size_t count)
{
    const size_t len = strlen(word);
    const char  *best = NULL;
    size_t       best_distance = len / 3 + 2;   /* as far as this is no likeness */

    if (len == 0 || len > LONGEST_WORD)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t name_len = strlen(names[i]);
        const size_t least_distance = len > name_len ? len - name_len : name_len - len;
        size_t       d;

        if (name_len > LONGEST_WORD || least_distance >= best_distance)
            continue;
        d = distance(word, names[i]);
        if (d < best_distance && d < name_len) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

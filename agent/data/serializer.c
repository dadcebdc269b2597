/* serializer.c - see serializer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "agent/data/serializer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 400, UUID_LENGTH = 36 };

/* ---- By name --------------------------------------------------------------- */

static const struct kind {
    const char     *word;
    const char     *class_name;
    enum serializer kind;
} kinds[] = {
    { "string", "StringSerializer", SERIALIZER_TEXT },
    { "bytes", "BytesSerializer", SERIALIZER_TEXT },
    { "short", "ShortSerializer", SERIALIZER_SHORT },
    { "integer", "IntegerSerializer", SERIALIZER_INTEGER },
    { "long", "LongSerializer", SERIALIZER_LONG },
    { "float", "FloatSerializer", SERIALIZER_FLOAT },
    { "double", "DoubleSerializer", SERIALIZER_DOUBLE },
    { "uuid", "UUIDSerializer", SERIALIZER_UUID },
    { NULL, "ByteArraySerializer", SERIALIZER_TEXT },
    { NULL, "ByteBufferSerializer", SERIALIZER_TEXT },
};

const char *const serializer_words[SERIALIZER_WORDS] = {
    "string", "bytes", "short", "integer", "long", "float", "double", "uuid",
};

int
serializer_find(const char *name)
{
    static const char package[] = "org.apache.kafka.common.serialization.";
    const bool        full = strncmp(name, package, sizeof package - 1) == 0;
    const char       *last = full ? name + sizeof package - 1 : name;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].class_name, last) == 0 ||
            (kinds[i].word != NULL && strcmp(kinds[i].word, name) == 0))
            return (int)kinds[i].kind;
    return -1;
}

/* ---- Numbers --------------------------------------------------------------- */

static struct slice
big_endian(struct arena *a, uint64_t bits, unsigned count)
{
    char bytes[8];

    for (unsigned i = 0; i < count; i++)
        bytes[i] = (char)(bits >> (8 * (count - 1 - i)));
    return arena_copy(a, (struct slice){ bytes, count });
}

/* With a NUL behind, for strtoll() and its like. */
static bool
copy_text(struct slice text, char *copy, size_t room)
{
    if (text.len == 0 || text.len >= room || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *
whole(struct slice text, unsigned size, struct arena *a, struct slice *bytes)
{
    const int64_t most = (int64_t)(UINT64_MAX >> (65 - 8 * size));
    char          copy[LONGEST_NUMBER], *end;
    const char   *digits;
    long long     number;

    if (!copy_text(text, copy, sizeof copy))
        return "the key is not a whole number";
    digits = *copy == '-' || *copy == '+' ? copy + 1 : copy;
    if (!is_digit(*digits))
        return "the key is not a whole number";
    errno = 0;
    number = strtoll(copy, &end, 10);
    if (*end != '\0')
        return "the key is not a whole number";
    if (errno != 0 || number > most || number < -most - 1)
        return "the key is out of the range of its serializer";
    *bytes = big_endian(a, (uint64_t)number, size);
    return NULL;
}

/* Decimal, or what Java prints for numbers that are none.  strtod() would take
 * more: blanks, hexadecimal, "inf". */
static bool
is_decimal(const char *text)
{
    size_t digits = 0;

    text += *text == '-' || *text == '+';
    if (strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0)
        return true;
    for (; is_digit(*text); text++)
        digits++;
    for (text += *text == '.'; is_digit(*text); text++)
        digits++;
    if (digits == 0)
        return false;
    if (*text != 'e' && *text != 'E')
        return *text == '\0';
    text++;
    text += *text == '-' || *text == '+';
    if (!is_digit(*text))
        return false;
    while (is_digit(*text))
        text++;
    return *text == '\0';
}

static const char *
fraction(struct slice text, bool twice, struct arena *a, struct slice *bytes)
{
    char     copy[LONGEST_NUMBER];
    uint64_t bits = 0;

    if (!copy_text(text, copy, sizeof copy) || !is_decimal(copy))
        return "the key is not a number";
    if (strstr(copy, "NaN") != NULL) {
        bits = twice ? 0x7ff8000000000000 : 0x7fc00000;     /* without a sign, as Java's */
    } else if (twice) {
        const double number = strtod(copy, NULL);

        memcpy(&bits, &number, sizeof number);
    } else {
        const float number = strtof(copy, NULL);
        uint32_t    bits32;

        memcpy(&bits32, &number, sizeof number);
        bits = bits32;
    }
    *bytes = big_endian(a, bits, twice ? 8 : 4);
    return NULL;
}

static const char *
uuid(struct slice text, struct arena *a, struct slice *bytes)
{
    char lower[UUID_LENGTH];

    if (text.len != UUID_LENGTH)
        return "the key is not a UUID";
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        const char c = text.ptr[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return "the key is not a UUID";
        } else if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) {
            return "the key is not a UUID";
        }
        lower[i] = c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c;
    }
    *bytes = arena_copy(a, (struct slice){ lower, UUID_LENGTH });
    return NULL;
}

const char *
serializer_apply(enum serializer kind, struct slice text, struct arena *a, struct slice *bytes)
{
    switch (kind) {
    case SERIALIZER_SHORT:
        return whole(text, 2, a, bytes);
    case SERIALIZER_INTEGER:
        return whole(text, 4, a, bytes);
    case SERIALIZER_LONG:
        return whole(text, 8, a, bytes);
    case SERIALIZER_FLOAT:
        return fraction(text, false, a, bytes);
    case SERIALIZER_DOUBLE:
        return fraction(text, true, a, bytes);
    case SERIALIZER_UUID:
        return uuid(text, a, bytes);
    case SERIALIZER_TEXT:
        break;
    }
    *bytes = text;
    return NULL;
}

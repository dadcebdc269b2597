/* plain.h - copying text that stands in a JSON string as it is.
 *
 * Most bytes of most logs are plain ASCII without quotes and backslashes.  They are copied and
 * looked at in one go, sixteen at a time (eight without SSE2).  For loops that write many short
 * texts: all of it is inline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef AGENT_DATA_PLAIN_H
#define AGENT_DATA_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/inline.h"
#include "agent/base/slice.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A control character, a quote, a backslash, or not ASCII: it needs more than copying. */
INLINE bool
plain_not(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

#ifdef __SSE2__
enum { PLAIN_BLOCK = 16 };

/* Bytes of ones where a byte is not plain. */
INLINE __m128i
plain_not_in(__m128i block)
{
    return _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)),     /* from 0x80 on: negative */
                        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
}

/* A bit for each byte that is not plain. */
INLINE unsigned
plain_not_of_16(__m128i block)
{
    return (unsigned)_mm_movemask_epi8(plain_not_in(block));
}

INLINE bool
plain_words(uint64_t first, uint64_t last)
{
    return plain_not_of_16(_mm_set_epi64x((long long)last, (long long)first)) == 0;
}

/* Copy a block; true if it is one line of ASCII. */
INLINE bool
plain_copy_line_block(char *to, const char *text)
{
    const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)text);

    _mm_storeu_si128((__m128i *)(void *)to, block);
    return _mm_movemask_epi8(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20))) == 0;
}

/* Copy a block; how many of its first bytes are plain. */
INLINE size_t
plain_copy_block(char *to, const char *text)
{
    const __m128i  block = _mm_loadu_si128((const __m128i *)(const void *)text);
    const unsigned special = plain_not_of_16(block);

    _mm_storeu_si128((__m128i *)(void *)to, block);
    return special == 0 ? PLAIN_BLOCK : (size_t)__builtin_ctz(special);
}

/* Copy by whole blocks: up to PLAIN_BLOCK bytes behind the text are read too, and written behind
 * the copy.  True if all of the text is plain.  Short texts of all lengths go the same way. */
INLINE bool
plain_copy_over(char *to, const char *text, size_t len)
{
    __m128i block, special = _mm_setzero_si128();

    for (; len > PLAIN_BLOCK; len -= PLAIN_BLOCK, text += PLAIN_BLOCK, to += PLAIN_BLOCK) {
        block = _mm_loadu_si128((const __m128i *)(const void *)text);
        _mm_storeu_si128((__m128i *)(void *)to, block);
        special = _mm_or_si128(special, plain_not_in(block));
    }
    block = _mm_loadu_si128((const __m128i *)(const void *)text);
    _mm_storeu_si128((__m128i *)(void *)to, block);
    return ((plain_not_of_16(block) & ((1u << len) - 1)) |
            (unsigned)_mm_movemask_epi8(special)) == 0;
}
#else
enum { PLAIN_BLOCK = 8 };

/* (Hacker's Delight, 6-1: x - ONES & ~x has a high bit if a byte of x is 0.) */
INLINE bool
plain_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    const uint64_t control = word - ones * 0x20;

    return (((quote - ones) | (backslash - ones) | control | word) & (ones * 0x80)) == 0;
}

INLINE bool
plain_words(uint64_t first, uint64_t last)
{
    return plain_word(first) && plain_word(last);
}

INLINE bool
plain_copy_over(char *to, const char *text, size_t len)
{
    uint64_t word;
    bool     plain = true;

    for (; len > PLAIN_BLOCK; len -= PLAIN_BLOCK, text += PLAIN_BLOCK, to += PLAIN_BLOCK) {
        memcpy(&word, text, sizeof word);
        memcpy(to, &word, sizeof word);
        plain = plain && plain_word(word);
    }
    memset(&word, ' ', sizeof word);
    memcpy(&word, text, len);
    memcpy(to, &word, sizeof word);
    return plain && plain_word(word);
}

INLINE bool
plain_copy_line_block(char *to, const char *text)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t       word;

    memcpy(&word, text, sizeof word);
    memcpy(to, &word, sizeof word);
    return (((word - ones * 0x20) | word) & (ones * 0x80)) == 0;
}

INLINE size_t
plain_copy_block(char *to, const char *text)
{
    uint64_t word;
    size_t   n = 0;

    memcpy(&word, text, sizeof word);
    memcpy(to, &word, sizeof word);
    if (plain_word(word))
        return PLAIN_BLOCK;
    while (!plain_not((unsigned char)text[n]))
        n++;
    return n;
}
#endif

/* Fewer than sixteen bytes, put together of two words, so that some are copied twice.  True if
 * all of them are plain. */
INLINE bool
plain_copy_short(char *to, const char *text, size_t len)
{
    const size_t word = sizeof(uint64_t), half = sizeof(uint32_t);
    uint64_t     first, last;
    uint32_t     first_half, last_half;

    if (len >= word) {
        memcpy(&first, text, word);
        memcpy(&last, text + len - word, word);
        memcpy(to, &first, word);
        memcpy(to + len - word, &last, word);
        return plain_words(first, last);
    }
    if (len >= half) {
        memcpy(&first_half, text, half);
        memcpy(&last_half, text + len - half, half);
        memcpy(to, &first_half, half);
        memcpy(to + len - half, &last_half, half);
        first = (uint64_t)last_half << 32 | first_half;
        return plain_words(first, first);
    }
    if (len == 0)
        return true;
    to[0] = text[0];
    to[len / 2] = text[len / 2];
    to[len - 1] = text[len - 1];
    first = (uint64_t)' ' << 24 | (uint64_t)(unsigned char)text[len / 2] << 16 |
            (uint64_t)(unsigned char)text[len - 1] << 8 | (unsigned char)text[0];
    return plain_words(first | first << 32, first | first << 32);
}

/* Copy what is plain up to the first byte that is not; how many bytes.  All of `to` [0, len) may
 * be written.  The last bytes go with some that were copied before. */
INLINE size_t
plain_copy(char *to, const char *text, size_t len)
{
    size_t i = 0, n;

    if (len >= PLAIN_BLOCK) {
        for (; len - i >= PLAIN_BLOCK; i += PLAIN_BLOCK)
            if ((n = plain_copy_block(to + i, text + i)) < PLAIN_BLOCK)
                return i + n;
        i = len - PLAIN_BLOCK;
        return i + plain_copy_block(to + i, text + i);
    }
    if (plain_copy_short(to, text, len))
        return len;
    while (!plain_not((unsigned char)text[i]))
        i++;
    return i;
}

/* Copy a text that may hold quotes and backslashes; true if all of it is ASCII without control
 * characters.  All of `to` [0, len) may be written. */
INLINE bool
plain_copy_line(char *to, const char *text, size_t len)
{
    size_t i = 0;

    if (len >= PLAIN_BLOCK) {
        for (; len - i >= PLAIN_BLOCK; i += PLAIN_BLOCK)
            if (!plain_copy_line_block(to + i, text + i))
                return false;
        i = len - PLAIN_BLOCK;
        return plain_copy_line_block(to + i, text + i);
    }
    for (; i < len; i++) {
        to[i] = text[i];
        if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

#endif

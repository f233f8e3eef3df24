#pragma once
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Sixteen bytes at a time, which the Swift compiler has no masks for. Every function reads sixteen bytes from `from`,
// and those that copy write sixteen to `to`, however few of them count. A mask has a bit for each byte, the lowest for
// the first.

#if !defined(__SSE2__)
/// The sign bit of each byte of `word`, one behind the other.
static inline uint32_t eb_sign_bits(uint64_t word) {
    return (uint32_t)(((word >> 7 & 0x0101010101010101) * 0x0102040810204080) >> 56);
}

/// The sign bit of each byte of `word` that is below `limit`, which is at most 0x80.
static inline uint64_t eb_below(uint64_t word, uint8_t limit) {
    const uint64_t ones = 0x0101010101010101;
    return ~((word & 0x7F * ones) + (0x80 - limit) * ones) & ~word & 0x80 * ones;
}

static inline uint64_t eb_special_in_word(uint64_t word) {
    const uint64_t ones = 0x0101010101010101;
    return (word & 0x80 * ones) | eb_below(word, 0x20) | eb_below(word ^ 0x22 * ones, 1)
        | eb_below(word ^ 0x5C * ones, 1);
}
#endif

/// Copies, and tells which bytes a JSON string cannot hold as they are or that need a look: quotes, backslashes, control
/// characters, and bytes of characters beyond ASCII.
static inline uint32_t eb_copy_and_find_special(uint8_t *to, const uint8_t *from) {
#if defined(__SSE2__)
    __m128i block = _mm_loadu_si128((const __m128i *)from);
    _mm_storeu_si128((__m128i *)to, block);
    // Bytes beyond ASCII are negative.
    __m128i special = _mm_or_si128(
        _mm_cmplt_epi8(block, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))));
    return (uint32_t)_mm_movemask_epi8(special);
#else
    uint64_t low, high;
    memcpy(&low, from, 8);
    memcpy(&high, from + 8, 8);
    memcpy(to, &low, 8);
    memcpy(to + 8, &high, 8);
    return eb_sign_bits(eb_special_in_word(low)) | eb_sign_bits(eb_special_in_word(high)) << 8;
#endif
}

/// Copies, and tells which bytes are control characters.
static inline uint32_t eb_copy_and_find_control(uint8_t *to, const uint8_t *from) {
#if defined(__SSE2__)
    __m128i block = _mm_loadu_si128((const __m128i *)from);
    _mm_storeu_si128((__m128i *)to, block);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
    return (uint32_t)_mm_movemask_epi8(control);
#else
    uint64_t low, high;
    memcpy(&low, from, 8);
    memcpy(&high, from + 8, 8);
    memcpy(to, &low, 8);
    memcpy(to + 8, &high, 8);
    return eb_sign_bits(eb_below(low, 0x20)) | eb_sign_bits(eb_below(high, 0x20)) << 8;
#endif
}

/// Copies `length` bytes, in steps of sixteen.
static inline void eb_copy(uint8_t *to, const uint8_t *from, intptr_t length) {
    for (intptr_t done = 0; done < length; done += 16) memcpy(to + done, from + done, 16);
}

/// Copies, and tells which bytes are no decimal digits.
static inline uint32_t eb_copy_and_find_other_than_digits(uint8_t *to, const uint8_t *from) {
#if defined(__SSE2__)
    __m128i block = _mm_loadu_si128((const __m128i *)from);
    _mm_storeu_si128((__m128i *)to, block);
    __m128i shifted = _mm_sub_epi8(block, _mm_set1_epi8('0'));
    __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(shifted, _mm_set1_epi8(9)), shifted);
    return ~(uint32_t)_mm_movemask_epi8(digits) & 0xFFFF;
#else
    uint32_t mask = 0;
    memcpy(to, from, 16);
    for (int index = 0; index < 16; index++) mask |= (uint32_t)((uint8_t)(from[index] - '0') > 9) << index;
    return mask;
#endif
}

/// Which of sixteen bytes differ.
static inline uint32_t eb_find_differing(const uint8_t *left, const uint8_t *right) {
#if defined(__SSE2__)
    __m128i equal =
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)left), _mm_loadu_si128((const __m128i *)right));
    return ~(uint32_t)_mm_movemask_epi8(equal) & 0xFFFF;
#else
    uint32_t mask = 0;
    for (int index = 0; index < 16; index++) mask |= (uint32_t)(left[index] != right[index]) << index;
    return mask;
#endif
}

/// Whether `text` begins with the `length` bytes of `key`; both are read in steps of sixteen bytes.
static inline _Bool eb_begins_with(const uint8_t *text, const uint8_t *key, intptr_t length) {
    for (intptr_t done = 0; done < length; done += 16) {
        uint32_t differing = eb_find_differing(text + done, key + done);
        if (length - done < 16) differing &= (1u << (length - done)) - 1;
        if (differing != 0) return 0;
    }
    return 1;
}

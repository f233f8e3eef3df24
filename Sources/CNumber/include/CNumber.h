#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Writes the shortest decimal text that reads back as `value` (a finite number), with a fraction or an exponent
/// always present, so that it cannot be taken for an integer. `buffer` holds at least 32 bytes. Returns the length.
size_t eb_format_double(double value, char *buffer);

/// Reads the decimal text of `length` bytes as the nearest double. Returns 0 when the whole text was a number,
/// 1 when it was not, 2 when it lies outside the range of a double.
int eb_parse_double(const char *text, size_t length, double *value);

#ifdef __cplusplus
}
#endif

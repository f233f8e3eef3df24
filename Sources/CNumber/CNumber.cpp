#include "CNumber.h"

#include <charconv>
#include <cstring>

extern "C" size_t eb_format_double(double value, char *buffer) {
    char *end = std::to_chars(buffer, buffer + 30, value).ptr;
    size_t length = static_cast<size_t>(end - buffer);
    if (memchr(buffer, '.', length) == nullptr && memchr(buffer, 'e', length) == nullptr) {
        buffer[length++] = '.';
        buffer[length++] = '0';
    }
    return length;
}

extern "C" int eb_parse_double(const char *text, size_t length, double *value) {
    auto result = std::from_chars(text, text + length, *value);
    if (result.ec == std::errc::result_out_of_range) return 2;
    return result.ec == std::errc() && result.ptr == text + length ? 0 : 1;
}

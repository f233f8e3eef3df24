#pragma once

/// renameat2(2) with RENAME_NOREPLACE, which the Swift overlay of the C library does not show. Returns 0 or the error
/// number.
int eb_rename_without_replacing(const char *old_path, const char *new_path);

#pragma once

/// renameat2(2) with RENAME_NOREPLACE, which the Swift overlay of the C library does not show. Returns 0 or the error
/// number.
int eb_rename_without_replacing(const char *old_path, const char *new_path);

/// sync_file_range(2), which the overlay does not show either: begins to write a range of a file to the disk, or, where
/// `waits` is not 0, returns when that is done. Returns 0 or the error number.
int eb_write_back(int descriptor, long long offset, long long count, int waits);

/// Gives the pages of program text and constants back that are in memory, of this program and of its libraries
/// (madvise(2), MADV_DONTNEED, on what dl_iterate_phdr(3) names as not writable). What is still needed is mapped again
/// when it is touched, from the same file.
void eb_return_program_pages(void);

/// Gives every block of `threshold` bytes or more pages of its own, which the system gets back when it is freed
/// (mallopt(3), M_MMAP_THRESHOLD). Left alone, glibc raises the threshold with the largest block that was ever freed,
/// and keeps what is freed below it. Returns whether it was taken.
int eb_return_large_blocks(int threshold);

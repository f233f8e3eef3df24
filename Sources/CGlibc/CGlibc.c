#define _GNU_SOURCE
#include "CGlibc.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>

int eb_rename_without_replacing(const char *old_path, const char *new_path) {
    return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int eb_write_back(int descriptor, long long offset, long long count, int waits) {
    unsigned int flags = SYNC_FILE_RANGE_WRITE;
    if (waits) flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    return sync_file_range(descriptor, offset, count, flags) == 0 ? 0 : errno;
}

int eb_return_large_blocks(int threshold) { return mallopt(M_MMAP_THRESHOLD, threshold); }

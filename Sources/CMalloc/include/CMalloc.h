#pragma once

/// Has each block of at least so many bytes be given back to the system as soon as it is free (mallopt(3),
/// M_MMAP_THRESHOLD), which also keeps the C library from raising that size by itself. Returns whether it is so now.
int eb_return_blocks_of(int bytes);

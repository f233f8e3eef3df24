#include "CMalloc.h"
#include <malloc.h>

int eb_return_blocks_of(int bytes) {
#if defined(M_MMAP_THRESHOLD)
    return mallopt(M_MMAP_THRESHOLD, bytes);
#else
    return 0;
#endif
}

#pragma once
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

// Compound macros are not imported into Swift; this carries them over.
static inline uint32_t eb_isal_workspace_size(uint32_t level) {
    switch (level) {
    case 1: return ISAL_DEF_LVL1_DEFAULT;
    case 2: return ISAL_DEF_LVL2_DEFAULT;
    case 3: return ISAL_DEF_LVL3_DEFAULT;
    default: return 0;
    }
}

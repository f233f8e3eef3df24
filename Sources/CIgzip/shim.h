#pragma once
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

// Compound macros are not imported into Swift; these carry them over.
static const uint32_t EB_ISAL_LEVEL1_BUFFER_SIZE = ISAL_DEF_LVL1_DEFAULT;
static const uint32_t EB_ISAL_BLOCK_FINISH = ISAL_BLOCK_FINISH;
static const uint32_t EB_ISAL_DEFLATE_END = ZSTATE_END;

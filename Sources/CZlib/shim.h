#ifndef USHER_CZLIB_H
#define USHER_CZLIB_H

#include <zlib.h>

// A macro, which Swift does not see.
static inline int usher_deflate_init_gzip(z_stream *stream) {
    return deflateInit2(stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif

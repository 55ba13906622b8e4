#ifndef USHER_CZLIB_H
#define USHER_CZLIB_H

#include <zlib.h>

// Macros, which Swift does not see.
static inline int usher_deflate_init_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

static inline int usher_inflate_init_gzip(z_stream *stream) {
    return inflateInit2(stream, 15 + 16);
}

#endif

// What the Glibc module leaves out of Linux: variadic calls, macros and the headers that it does not import.
// No C shim of the package sets _GNU_SOURCE, since modules that differ in it clash in debug builds.
#ifndef USHER_CLINUX_H
#define USHER_CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// glibc declares accept4 under _GNU_SOURCE only.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

// glibc declares pipe2 under _GNU_SOURCE only.
extern int pipe2(int descriptors[2], int flags);

// glibc declares fallocate under _GNU_SOURCE only.
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

// Gives a part of a file back to the disk. Returns 0, or -1 with errno, as where the disk cannot.
static inline int usher_punch_hole(int descriptor, off_t offset, off_t length) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length);
}

#include "spawn.h"
#include "children.h"

#endif

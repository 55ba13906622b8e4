// What a process does about children that it did not start itself.
#ifndef USHER_CHILDREN_H
#define USHER_CHILDREN_H

// Makes the calling process the parent of every descendant whose own parent ends. Returns 0, or -1 with errno.
static inline int usher_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

// The id of a child that has ended and was not reaped yet; 0 if there is none. It stays to be reaped.
static inline pid_t usher_ended_child(void) {
    siginfo_t information;
    information.si_pid = 0;
    int result;
    do result = waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT); while (result < 0 && errno == EINTR);
    return result == 0 ? information.si_pid : 0;
}

// Whether the calling process has children, among them such as have ended and were not reaped.
static inline int usher_has_children(void) {
    siginfo_t information;
    int result;
    do result = waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT); while (result < 0 && errno == EINTR);
    return result == 0;
}

#endif

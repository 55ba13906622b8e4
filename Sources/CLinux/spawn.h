// Starts a program in a process group of its own. Written in C because Swift has no fork, and because nothing but
// async-signal-safe calls may run between fork and exec in a process that has threads.
#ifndef USHER_SPAWN_H
#define USHER_SPAWN_H

enum { USHER_SPAWN_MAX_DESCRIPTORS = 16 };

// Where a start failed, in the order in which things happen.
enum usher_spawn_step {
    USHER_SPAWN_FORK = 1,
    USHER_SPAWN_GROUP,
    USHER_SPAWN_PARENT_DEATH_SIGNAL,
    USHER_SPAWN_DIRECTORY,
    USHER_SPAWN_DESCRIPTORS,
    USHER_SPAWN_EXECUTE,
};

struct usher_spawn_request {
    const char *path;
    char *const *arguments;    // ends with a null pointer, as does the environment
    char *const *environment;
    const char *directory;     // null keeps the parent's
    const int *descriptors;    // descriptors[i] becomes descriptor i; every other one is closed
    int descriptor_count;      // at most USHER_SPAWN_MAX_DESCRIPTORS
    int parent_death_signal;   // 0 for none
    int control_group;         // `cgroup.procs` of the group to be in, open for writing; negative for the parent's
};

// The child's side. Returns only on failure, with errno set: the step that failed.
static inline int usher_spawn_child(const struct usher_spawn_request *request, int *report, pid_t parent) {
    // An ignored signal stays ignored across exec, so what the parent ignores (SIGPIPE) is set back for the child.
    struct sigaction action = {0};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < 65; number++) sigaction(number, &action, 0);

    if (setpgid(0, 0) != 0) return USHER_SPAWN_GROUP;
    if (request->parent_death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, request->parent_death_signal) != 0) return USHER_SPAWN_PARENT_DEATH_SIGNAL;
        // A parent that died before the call above would never be noticed, and nobody is left to report to.
        if (getppid() != parent) _exit(127);
    }
    // A program without its group is one that is harder to end; without its start it would be none.
    if (request->control_group >= 0) {
        ssize_t ignored = write(request->control_group, "0", 1);
        (void)ignored;
    }
    if (request->directory != 0 && chdir(request->directory) != 0) return USHER_SPAWN_DIRECTORY;

    // Everything is first moved above the range of targets, so that no target overwrites a source not yet used.
    int count = request->descriptor_count;
    int moved[USHER_SPAWN_MAX_DESCRIPTORS];
    int moved_report = fcntl(*report, F_DUPFD_CLOEXEC, count);
    if (moved_report < 0) return USHER_SPAWN_DESCRIPTORS;
    *report = moved_report;
    for (int index = 0; index < count; index++) {
        moved[index] = fcntl(request->descriptors[index], F_DUPFD_CLOEXEC, count);
        if (moved[index] < 0) return USHER_SPAWN_DESCRIPTORS;
    }
    for (int index = 0; index < count; index++) {
        if (dup2(moved[index], index) < 0) return USHER_SPAWN_DESCRIPTORS;
    }
#ifdef SYS_close_range
    // Marks the rest close-on-exec (flag 4). A kernel without the call still closes all that were opened so, and this
    // program opens nothing otherwise.
    syscall(SYS_close_range, (unsigned)count, ~0U, 4U);
#endif

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    execve(request->path, request->arguments, request->environment);
    return USHER_SPAWN_EXECUTE;
}

// Returns the child's process id once it runs the program, or -1 with errno and *failed_step set and no child left.
// The parent death signal is bound to the calling thread: it is sent when that thread ends.
static inline pid_t usher_spawn(const struct usher_spawn_request *request, int *failed_step) {
    struct { int step; int code; } failure;
    int report[2];
    *failed_step = USHER_SPAWN_FORK;
    if (request->descriptor_count > USHER_SPAWN_MAX_DESCRIPTORS) { errno = EINVAL; return -1; }
    if (pipe2(report, O_CLOEXEC) != 0) return -1;

    // No handler of the parent's may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        failure.step = usher_spawn_child(request, &report[1], parent);
        failure.code = errno;
        ssize_t ignored = write(report[1], &failure, sizeof failure);
        (void)ignored;
        _exit(127);
    }
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    close(report[1]);

    // The pipe closes by itself when the program starts, so an end of file is success.
    ssize_t length = 0;
    if (child > 0) {
        do length = read(report[0], &failure, sizeof failure); while (length < 0 && errno == EINTR);
    }
    close(report[0]);
    if (child < 0) { errno = fork_error; return -1; }
    if (length == (ssize_t)sizeof failure) {
        while (waitpid(child, 0, 0) < 0 && errno == EINTR) {}
        *failed_step = failure.step;
        errno = failure.code;
        return -1;
    }
    return child;
}

// A descriptor that becomes readable when the process has ended. glibc has had a function for it only since 2.36.
static inline int usher_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0U); }

// How many processors this process may run on: what a container or `taskset` leaves it, not what the machine has.
static inline int usher_available_processors(void) {
    unsigned long mask[128];
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    int count = 0;
    for (long index = 0; index < bytes / (long)sizeof mask[0]; index++) count += __builtin_popcountl(mask[index]);
    return count > 0 ? count : 1;
}

#endif

// A bot that attends nothing: it notes when it was started, and stays until it is ended.
//
// note_start FILE BOT_ID appends one line to FILE: BOT_ID, and CLOCK_REALTIME in microseconds.
// It is linked statically, so that the note is made within a fraction of a millisecond of the kernel's start of it.

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words) {
    struct timespec now;
    char line[256];
    clock_gettime(CLOCK_REALTIME, &now);
    if (count != 3) return 2;
    int length = snprintf(
        line, sizeof line, "%s %lld\n", words[2], (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    int file = open(words[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    // A line that is written at once is whole, however many others are appended at the same time.
    if (file < 0 || length >= (int)sizeof line || write(file, line, length) != length) return 1;
    close(file);
    for (;;) pause();
}

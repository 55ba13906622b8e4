"""Standard error or output that somebody stops reading."""

import fcntl
import os
import select
import threading

PIPE_BYTES = 4096


class Tap:
    """A pipe, as small as the kernel makes it, whose reader copies it to a file: until `stall`, and again from `flow` on.

    Give it to a process as its `error_tap` or `output_tap`, before that starts. It outlives the process, and is that of
    the next in its place.
    """

    def __init__(self):
        self._reading, self.descriptor = os.pipe()
        fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(self._reading, False)
        # Tells the reader that something has changed.
        self._changed = os.eventfd(0)
        # Held while the pipe is read: nothing is read once `stall` has returned.
        self._lock = threading.Lock()
        self._is_stalled = False
        self._is_over = False
        self._reader = None

    def begin(self, path):
        if self._reader is None:
            self._reader = threading.Thread(target=self._copy, args=(path,), daemon=True)
            self._reader.start()

    def stall(self):
        self._set_stalled(True)

    def flow(self):
        self._set_stalled(False)

    def fill(self):
        """So that whoever writes next waits."""
        filler = os.open(f"/proc/self/fd/{self.descriptor}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(filler, b"\n")
        except BlockingIOError:
            pass
        finally:
            os.close(filler)

    def end(self):
        """Returns once all that was written has been copied."""
        self._is_over = True
        self.flow()
        if self._reader is not None:
            self._reader.join()
        for descriptor in (self._reading, self.descriptor, self._changed):
            os.close(descriptor)

    def _set_stalled(self, is_stalled):
        with self._lock:
            self._is_stalled = is_stalled
        os.eventfd_write(self._changed, 1)

    def _copy(self, path):
        poll = select.poll()
        poll.register(self._changed, select.POLLIN)
        with open(path, "ab", buffering=0) as file:
            while not self._is_over:
                poll.register(self._reading, 0 if self._is_stalled else select.POLLIN)
                if self._changed in dict(poll.poll()):
                    os.eventfd_read(self._changed)
                self._copy_some(file)
            while self._copy_some(file):
                pass

    def _copy_some(self, file):
        """Whether there was anything."""
        with self._lock:
            try:
                return not self._is_stalled and file.write(os.read(self._reading, 65536)) > 0
            except BlockingIOError:
                return False

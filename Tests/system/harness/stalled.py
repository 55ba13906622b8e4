"""Standard error or output that somebody stops reading."""

import fcntl
import os
import select
import threading

PIPE_BYTES = 4096


class Tap:
    """A pipe, as small as the kernel makes it, whose reader copies it to a file: until `stall`, and again from `flow` on.

    Give it to a process as its `error_tap` or `output_tap`, before that starts.
    """

    def __init__(self):
        self._reading, self.descriptor = os.pipe()
        fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(self._reading, False)
        # Held while the pipe is read, and while it is stalled.
        self._lock = threading.Lock()
        self._is_stalled = False
        self._is_over = False
        self._path = None

    def begin(self, path):
        self._path = path
        threading.Thread(target=self._copy, daemon=True).start()

    def stall(self):
        self._lock.acquire()
        self._is_stalled = True

    def flow(self):
        self._is_stalled = False
        self._lock.release()

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

    def _copy(self):
        with open(self._path, "ab", buffering=0) as file:
            while not self._is_over:
                with self._lock:
                    if select.select([self._reading], [], [], 0.01)[0]:
                        file.write(os.read(self._reading, 65536))

    def end(self):
        self._is_over = True
        if self._is_stalled:
            self.flow()

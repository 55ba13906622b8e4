"""A network of the run's own, in which servers can be cut off from each other, and from nobody else.

It is a namespace with a loopback alone. Every address of 127.0.0.0/8 is there, so each server of Redis has one of its
own, and a rule of the packet filter can be about two of them. Runs side by side know nothing of each other.
"""

import ctypes
import os
import shutil
import subprocess

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
PROGRAMS = ("ip", "iptables")
# Of the servers, from 127.0.1.1 on; everybody else speaks from 127.0.0.1.
HOSTS = "127.0.1.{}"
MOST_HOSTS = 16

_libc = ctypes.CDLL(None, use_errno=True)


def is_possible():
    """Only root may make a namespace, and only there may it set up rules."""
    return os.geteuid() == 0 and all(shutil.which(program) for program in PROGRAMS)


class PrivateNetwork:
    """Entered by the thread that calls `enter`, and by every thread and process that it starts from then on."""

    def __init__(self):
        self._outside = None
        self.hosts = (HOSTS.format(number) for number in range(1, MOST_HOSTS + 1))

    def enter(self):
        self._outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _call(_libc.unshare, NEW_NETWORK)
        _run("ip", "link", "set", "lo", "up")
        return self

    def leave(self):
        """The namespace ends with the last process in it."""
        _call(_libc.setns, self._outside, NEW_NETWORK)
        os.close(self._outside)

    @staticmethod
    def cut(server, others):
        """Nothing passes between a server and these others any more, in either direction. Connections stand, and go on
        once the cut is mended, if nobody has given them up."""
        for other in others:
            for source, target in ((server, other), (other, server)):
                _run("iptables", "-w", "-A", "INPUT", "-s", source.host, "-d", target.host, "-j", "DROP")

    @staticmethod
    def mend():
        _run("iptables", "-w", "-F", "INPUT")


def _run(*words):
    subprocess.run(words, check=True, timeout=30, stdin=subprocess.DEVNULL)


def _call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

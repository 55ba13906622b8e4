import CLinux
import EventLoop
import Glibc

/// The signals that ask this process to end (SIGINT, SIGTERM, SIGHUP), received as data instead of in a handler.
///
/// Make it on the main thread before any other thread starts: it blocks the signals there, and threads inherit that.
/// Child processes do not (`ChildProcess` sets their mask back).
public final class StopSignals {
    /// Readable when a signal has come: for those who wait for several things at once.
    public let descriptor: Int32

    /// - Throws: `SystemError` if the kernel refuses, as it does when descriptors have run out.
    public init() throws(SystemError) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        // A blocked signal is delivered here even if it is ignored, and `nohup` ignores SIGHUP for a reason.
        var hangUp = sigaction()
        sigaction(SIGHUP, nil, &hangUp)
        if hangUp.__sigaction_handler.sa_handler == nil { sigaddset(&signals, SIGHUP) }

        descriptor = signalfd(-1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0 else { throw SystemError("signalfd") }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    deinit {
        close(descriptor)
    }

    /// Takes a signal that has come, or nil.
    public func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &information, size) == size ? Int32(information.ssi_signo) : nil
    }

    /// Sleeps until a signal comes.
    ///
    /// - Parameter deadline: nil waits for ever.
    /// - Returns: nil if none had come at the deadline.
    public func wait(deadline: MonotonicTime? = nil) -> Int32? {
        while true {
            if let signal = next() { return signal }
            if waitUntilReadable([descriptor], deadline: deadline).isEmpty { return nil }
        }
    }
}

import CLinux
import Glibc

/// Writes lines to a descriptor on a thread of its own: whoever says something never waits for whoever is to read it, be
/// that a pipe that nobody empties or a disk that is full.
///
/// What waits is bounded. Once there is no room, lines are dropped until everything before them is out; then a line says
/// how many there were. The order of lines is kept, and a line leaves in one `write`, with others if all of them together
/// are short enough to go into a pipe at once, so those of several processes do not mix either.
///
/// The descriptor keeps its flags: whether it blocks is a property that other processes share.
///
/// `@unchecked Sendable`: what changes is read and written under `lock`, but for `isMidLine` and `problem`, which belong to
/// the thread, or to whoever is in its place.
public final class LineWriter: @unchecked Sendable {
    /// Standard error of this process: for logs, and for sentences about what went wrong.
    public static let standardError = LineWriter(STDERR_FILENO)
    /// How much may wait.
    public static let defaultMaximumBytes = 1 << 20
    /// What goes into a pipe as a whole, whoever else writes into it (`PIPE_BUF`, pipe(7)).
    private static let pieceBytes = 4_096
    /// How long the thread lets lines gather after some were written: to be woken for each of many would cost more than
    /// to write it.
    private static let restMicroseconds: UInt32 = 1_000
    /// How long a turn of waiting for the thread is, and how many there are at most: half a minute.
    private static let turnMilliseconds = 10
    private static let maximumTurns = 3_000

    private let descriptor: Int32
    private let maximumBytes: Int
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// There is something to write, or all is written.
    private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [UInt8] = []
    /// What the thread has taken and not written yet, in bytes.
    private var underWay = 0
    /// Or somebody in its place.
    private var hasThread = false
    private var noticeFormat: Logger.Format
    private var dropped = 0
    /// Lines that were dropped and that no line has told of.
    private var untold = 0
    /// The value of `errno` of the last write, if it failed.
    private var failure: Int32?
    private var isMidLine = false
    private var problem: Int32 = 0

    /// - Parameter descriptor: stays open for as long as the process runs, as the writer does.
    public init(_ descriptor: Int32, maximumBytes: Int = LineWriter.defaultMaximumBytes) {
        self.descriptor = descriptor
        self.maximumBytes = maximumBytes
        noticeFormat = isatty(descriptor) == 1 ? .people : .json
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Waits are not to depend on a clock that people set.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(change, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    // MARK: For those who say something

    /// Takes a line, or several, each with its line break; or drops them if there is no room.
    /// - Parameter format: that of the line which tells of dropped ones, from now on; nil leaves it as it is.
    public func write(_ lines: [UInt8], noticeFormat format: Logger.Format? = nil) {
        locked {
            if let format { noticeFormat = format }
            startThread()
            // What comes after a dropped line waits for that to be told, so that the order is kept.
            let isClosed = untold > 0 && failure == nil
            guard !isClosed, waiting.count + underWay + lines.count <= maximumBytes else { return drop(lines[...]) }
            waiting += lines
            pthread_cond_broadcast(change)
        }
    }

    /// Waits until all that was said is written, or could not be.
    ///
    /// What counts is for how long the descriptor takes nothing. While it would, the thread has only not got its turn on
    /// a busy machine, or the disk is slow: that may last `maximumTurns`. Turns are counted, not read from a clock: one
    /// in which the whole machine stood still is one.
    /// - Returns: false if it still waited to be written after so many milliseconds.
    @discardableResult
    public func flush(withinMilliseconds milliseconds: Int) -> Bool {
        var closed = 0
        var turns = 0
        while !isWritten {
            guard closed * Self.turnMilliseconds < milliseconds, turns < Self.maximumTurns else { return false }
            let isOpen = takesBytes
            if isOpen, takesPlaceOfThread() {
                round(ofOnePiece: true)
                locked { hasThread = false }
            } else {
                waitForTurn()
            }
            turns += 1
            if !isOpen { closed += 1 }
        }
        return true
    }

    private var isWritten: Bool { locked { !hasWork && underWay == 0 } }

    /// Where the kernel grants no thread, whoever waits does its work once: nobody else until `hasThread` is reset.
    private func takesPlaceOfThread() -> Bool {
        locked {
            guard !startThread(), hasWork else { return false }
            hasThread = true
            return true
        }
    }

    private func waitForTurn() {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = end.tv_nsec + Self.turnMilliseconds * 1_000_000
        end.tv_sec += nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        locked {
            while hasWork || underWay > 0, pthread_cond_timedwait(change, lock, &end) != ETIMEDOUT {}
        }
    }

    /// Whether a write would not wait now, as far as the kernel says.
    private var takesBytes: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// How many lines were dropped so far: there was no room for them, or they could not be written.
    public var droppedLines: Int { locked { dropped } }

    /// Why the last write failed, as a value of `errno`; nil if it did not.
    public var lastFailure: Int32? { locked { failure } }

    // MARK: The thread

    /// What could not be written is told with the next line: trying again by itself would go on for ever.
    private var hasWork: Bool { !waiting.isEmpty || (untold > 0 && failure == nil) }

    /// - Returns: whether there is one.
    @discardableResult
    private func startThread() -> Bool {
        guard !hasThread else { return true }
        // Signals are for the threads that expect them.
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        // If the kernel grants none, lines wait, and the next one tries again.
        hasThread = pthread_create(&thread, nil, runLineWriter, context.toOpaque()) == 0
        if hasThread { pthread_detach(thread) } else { context.release() }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        return hasThread
    }

    fileprivate func run() -> Never {
        while true {
            round()
            usleep(Self.restMicroseconds)
        }
    }

    /// Writes what waits, and what comes first if nothing does.
    /// - Parameter isOfOnePiece: no more than an open descriptor takes at once, though a long line is cut for it.
    private func round(ofOnePiece isOfOnePiece: Bool = false) {
        let (batch, told) = take(onePiece: isOfOnePiece)
        let written = deliver(batch)
        locked {
            underWay = 0
            if written < batch.count {
                failure = problem
                // The first line of the batch was no one's but the writer's own.
                let lost = Self.lineCount(batch[written...])
                let isNoticeLost = told > 0 && written < Self.endOfLine(batch[...])
                dropped += lost - (isNoticeLost ? 1 : 0)
                untold += lost + (isNoticeLost ? told - 1 : 0)
            } else {
                failure = nil
            }
            pthread_cond_broadcast(change)
        }
    }

    /// Waits for something to write, and takes all of it.
    /// - Returns: the lines, and of how many dropped ones the first of them tells.
    private func take(onePiece: Bool) -> (batch: [UInt8], told: Int) {
        locked {
            while !hasWork { pthread_cond_wait(change, lock) }
            var told = 0
            var batch: [UInt8] = []
            // Those that could not be written were before what waits, and those without room after it.
            if untold > 0, failure != nil || waiting.isEmpty {
                told = untold
                batch = Self.notice(noticeFormat, told)
                untold = 0
            }
            if !onePiece {
                batch = batch.isEmpty ? waiting : batch + waiting
                waiting = []
            } else if batch.isEmpty {
                let count = min(Self.pieceLength(waiting[...]), Self.pieceBytes)
                batch = Array(waiting[..<count])
                waiting.removeFirst(count)
            }
            underWay = batch.count
            return (batch, told)
        }
    }

    /// - Returns: how many bytes were written; if not all, `problem` tells why.
    private func deliver(_ batch: [UInt8]) -> Int {
        var rest = batch[...]
        // After a line that was cut off, the next one begins on a line of its own.
        if isMidLine, put([UInt8(ascii: "\n")]) == 1 { isMidLine = false }
        while !isMidLine, !rest.isEmpty {
            let piece = rest.prefix(Self.pieceLength(rest))
            let count = put(piece)
            rest = rest.dropFirst(count)
            if count < piece.count {
                isMidLine = count > 0 && batch[rest.startIndex - 1] != UInt8(ascii: "\n")
                break
            }
            locked { underWay -= count }
        }
        return rest.startIndex
    }

    /// - Returns: how many bytes were written.
    private func put(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                // Somebody who shares the descriptor wants it so.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if count == 0 || errno != EINTR {
                problem = count == 0 ? EIO : errno
                break
            }
        }
        return bytes.count - rest.count
    }

    // MARK: Lines

    private func drop(_ lines: ArraySlice<UInt8>) {
        dropped += Self.lineCount(lines)
        untold += Self.lineCount(lines)
    }

    /// Whole lines that go into a pipe at once; or one that is too long for that.
    private static func pieceLength(_ bytes: ArraySlice<UInt8>) -> Int {
        let piece = bytes.prefix(pieceBytes)
        if piece.count == bytes.count { return piece.count }
        return piece.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 - bytes.startIndex } ?? endOfLine(bytes)
    }

    private static func endOfLine(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 - bytes.startIndex } ?? bytes.count
    }

    private static func lineCount(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.count { $0 == UInt8(ascii: "\n") }
    }

    private static func notice(_ format: Logger.Format, _ count: Int) -> [UInt8] {
        Logger.line(
            format, level: .warning, milliseconds: WallClock.milliseconds,
            message: "Lines of the log were dropped: nobody took them", fields: ["lines": String(count)])
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }
}

private func runLineWriter(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<LineWriter>.fromOpaque(context).takeRetainedValue().run()
}

import CLinux
import EventLoop
import Metrics
import Synchronization

/// Gives back to the kernel what large answers have left in pieces among what is in use (malloc_trim(3)).
///
/// A loop that needs memory meanwhile waits, for milliseconds where much is given back; and for longer where the allocator is
/// asked how much is free, as it walks through every piece. So neither is asked: it is tried as long as something comes of it,
/// when the process has grown, and rarely otherwise. It takes its own time too: so on a thread of its own.
struct FreedMemory {
    static let lookMilliseconds = 2_000
    private static let looksBetweenTries = 30
    private static let muchBytes = 12 << 20

    private var looks = 0
    /// What was left in memory by the last try, and whether it gave much back.
    private var left = 0
    private var wasOfUse = false

    /// To be called every `lookMilliseconds`.
    mutating func look() {
        guard let resident = ProcessStatistics.residentBytes(), isDue(resident: resident) else { return }
        malloc_trim(4 << 20)
        note(from: resident, to: ProcessStatistics.residentBytes() ?? resident)
    }

    /// Whether to try.
    /// - Parameter resident: what the process has in memory, in bytes.
    mutating func isDue(resident: Int) -> Bool {
        looks += 1
        return wasOfUse || resident - left > Self.muchBytes || looks >= Self.looksBetweenTries
    }

    /// What came of it.
    mutating func note(from before: Int, to after: Int) {
        (looks, left, wasOfUse) = (0, after, before - after > Self.muchBytes)
    }
}

extension BackgroundTask {
    /// Gives memory of the whole process back, from time to time.
    static func freedMemory() throws -> BackgroundTask {
        let loop = try EventLoop(name: "memory")
        let memory = Mutex(FreedMemory())
        return BackgroundTask(
            name: "memory", pace: .every(milliseconds: FreedMemory.lookMilliseconds), loop: loop, ownLoops: [loop],
            work: { memory.withLock { $0.look() } })
    }
}

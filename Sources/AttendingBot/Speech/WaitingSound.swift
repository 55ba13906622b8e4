import CLinux
import EventLoop
import Glibc

/// Keeps sound until the speech service takes it: on disk, up to a bound. The file has no name once it is open, so it goes
/// with the bot, however that ends, and nobody else can open it. Belongs to its bot's thread.
final class WaitingSound {
    /// Where some sound is.
    enum Place: Equatable {
        case memory([Int16])
        /// In bytes of the file.
        case file(Range<Int>)
    }

    /// What memory takes where there is no disk to write to, in bytes: a minute.
    private static let memoryBytes = 60 * 2 * WAV.samplesPerSecond
    /// Disks give back whole blocks.
    private static let blockBytes = 4_096

    private let maximumBytes: Int
    private let file: Int32
    /// Why sound cannot be written, if it could not be the last time; then memory has to do.
    private(set) var problem: SystemError?
    private var inMemory = 0
    private var placesInFile = 0
    /// Whether the disk takes a part of the file back, as far as is known. Some take nothing before the file is empty.
    private(set) var givesBack = true
    /// What the file takes of the disk, and where it ends.
    private var inFile = 0
    private var end = 0

    /// - Parameters:
    ///   - folder: where the file is made; a folder that whoever tidies up after the bot removes.
    ///   - maximumBytes: of all that waits.
    init(folder: String, maximumBytes: Int) {
        self.maximumBytes = maximumBytes
        let path = "\(folder)/waiting-sound"
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if file >= 0 { unlink(path) } else { problem = SystemError("make \(path)") }
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Whether so many samples more are within the bound.
    func hasRoom(for samples: Int) -> Bool { inMemory + inFile + Self.blocks(samples) <= maximumBytes }

    /// Keeps samples. What waits alone is asked for at once, and stays in memory.
    /// - Returns: nil if they can be kept nowhere.
    func keep(_ samples: [Int16]) -> Place? {
        if inMemory + inFile > 0, write(samples) {
            defer { end += Self.blocks(samples.count) }
            inFile += Self.blocks(samples.count)
            placesInFile += 1
            return .file(end..<end + 2 * samples.count)
        }
        guard inMemory == 0 || inMemory + 2 * samples.count <= Self.memoryBytes else { return nil }
        inMemory += 2 * samples.count
        return .memory(samples)
    }

    /// - Throws: `SystemError` if they cannot be read back.
    func samples(at place: Place) throws(SystemError) -> [Int16] {
        switch place {
        case .memory(let samples): return samples
        case .file(let range):
            var samples = [Int16](repeating: 0, count: range.count / 2)
            let isRead = samples.withUnsafeMutableBytes { bytes in
                Self.all(bytes.count) { pread(file, bytes.baseAddress! + $0, $1, off_t(range.lowerBound + $0)) }
            }
            guard isRead else { throw SystemError("read sound that waited") }
            return samples
        }
    }

    /// They are not wanted any more.
    func release(_ place: Place) {
        switch place {
        case .memory(let samples): inMemory -= 2 * samples.count
        case .file(let range):
            placesInFile -= 1
            if placesInFile == 0, ftruncate(file, 0) == 0 {
                (inFile, end) = (0, 0)
                return
            }
            let bytes = Self.blocks(range.count / 2)
            givesBack = usher_punch_hole(file, off_t(range.lowerBound), off_t(bytes)) == 0
            if givesBack { inFile -= bytes }
        }
    }

    private func write(_ samples: [Int16]) -> Bool {
        guard file >= 0 else { return false }
        let isWritten = samples.withUnsafeBytes { bytes in
            Self.all(bytes.count) { pwrite(file, bytes.baseAddress! + $0, $1, off_t(end + $0)) }
        }
        problem = isWritten ? nil : SystemError("write sound that waits")
        return isWritten
    }

    /// Calls `step` with how much is done and what is left, until that is nothing.
    /// - Returns: false if it failed, or the file ends before that.
    private static func all(_ count: Int, _ step: (Int, Int) -> Int) -> Bool {
        var done = 0
        while done < count {
            let more = step(done, count - done)
            guard more > 0 || more < 0 && errno == EINTR else { return false }
            done += max(0, more)
        }
        return true
    }

    private static func blocks(_ samples: Int) -> Int {
        (2 * samples + blockBytes - 1) / blockBytes * blockBytes
    }
}

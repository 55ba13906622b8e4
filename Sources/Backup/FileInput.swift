import CZlib
import EventLoop
import Glibc

/// The lines of a packed file, one after the other, of which no more is held than one line and a piece.
final class FileInput {
    /// More than a record may take, each of whose bytes takes six at most in JSON.
    static let maximumLineBytes = 8 << 20

    private let descriptor: Int32
    private var stream = z_stream()
    private var packed = [UInt8](repeating: 0, count: 65_536)
    private var packedCount = 0
    private var packedPlace = 0
    private var unpacked = [UInt8](repeating: 0, count: 65_536)
    private var line: [UInt8] = []
    private var ready: ArraySlice<UInt8> = []
    private var isAtEnd = false
    /// Of the line that was read last.
    private(set) var lineNumber = 0

    /// - Parameter descriptor: of a file, which is read from its beginning.
    init(_ descriptor: Int32) throws(FileFault) {
        self.descriptor = descriptor
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.unreadable(SystemError("seek")) }
        guard usher_inflate_init_gzip(&stream) == Z_OK else { throw FileFault("zlib has no memory.") }
    }

    deinit { inflateEnd(&stream) }

    private static func unreadable(_ error: SystemError) -> FileFault {
        FileFault("The export could not be read (\(error.reason)).")
    }

    /// - Returns: the next line, without its end; nil if there are no more.
    func next() throws(FileFault) -> [UInt8]? {
        line.removeAll(keepingCapacity: true)
        lineNumber += 1
        while true {
            if let end = ready.firstIndex(of: UInt8(ascii: "\n")) {
                line += ready[..<end]
                ready = ready[(end + 1)...]
                return line
            }
            line += ready
            ready = []
            guard line.count <= Self.maximumLineBytes else {
                throw FileFault("Line \(lineNumber) of the export is longer than one may be.")
            }
            guard !isAtEnd else {
                guard line.isEmpty else { throw FileFault("The export ends within line \(lineNumber).") }
                return nil
            }
            try unpack()
        }
    }

    private func unpack() throws(FileFault) {
        if packedPlace == packedCount { try fill() }
        let given = packedCount - packedPlace
        var result: Int32 = Z_OK
        packed.withUnsafeMutableBufferPointer { input in
            unpacked.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress! + packedPlace
                stream.avail_in = UInt32(given)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                result = inflate(&stream, Z_NO_FLUSH)
            }
        }
        packedPlace += given - Int(stream.avail_in)
        ready = unpacked[..<(unpacked.count - Int(stream.avail_out))]
        if result == Z_STREAM_END {
            isAtEnd = true
            if packedPlace == packedCount { try fill() }
            guard packedPlace == packedCount else { throw FileFault("Something follows the end of the export.") }
        } else if given == 0 {
            guard !ready.isEmpty else { throw FileFault("The export is cut off: its file ends before it does.") }
        } else if result != Z_OK {
            throw FileFault("The export cannot be unpacked: it is not what was written, or no export.")
        }
    }

    private func fill() throws(FileFault) {
        while true {
            let count = packed.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(SystemError("read")) }
            (packedPlace, packedCount) = (0, count)
            return
        }
    }
}

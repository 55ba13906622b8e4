import CZlib
import EventLoop
import Glibc

/// Why the file of an export cannot be written or read.
public struct FileFault: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Packs what is written (gzip, RFC 1952), a piece at a time.
final class FileOutput {
    private let descriptor: Int32
    private var stream = z_stream()
    private var output = [UInt8](repeating: 0, count: 65_536)

    /// - Parameter descriptor: its writer is waited for.
    init(_ descriptor: Int32) throws(FileFault) {
        self.descriptor = descriptor
        guard usher_deflate_init_gzip(&stream, Z_DEFAULT_COMPRESSION) == Z_OK else {
            throw FileFault("zlib has no memory.")
        }
    }

    deinit { deflateEnd(&stream) }

    func write(_ bytes: [UInt8]) throws(FileFault) { try pack(bytes, Z_NO_FLUSH) }

    func end() throws(FileFault) { try pack([], Z_FINISH) }

    private func pack(_ bytes: [UInt8], _ flush: Int32) throws(FileFault) {
        var input = bytes
        var packed: [UInt8] = []
        input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            repeat {
                output.withUnsafeMutableBufferPointer { output in
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    deflate(&stream, flush)
                }
                packed += output[..<(output.count - Int(stream.avail_out))]
            } while stream.avail_out == 0
            stream.next_in = nil
        }
        try save(packed)
    }

    private func save(_ bytes: [UInt8]) throws(FileFault) {
        if let problem = writeAll(bytes, to: descriptor) {
            throw FileFault("The export could not be written (\(problem.reason)).")
        }
    }
}

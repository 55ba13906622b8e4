import CZlib

/// Bytes as gzip packs them (RFC 1952), all at once: up to 1 GiB, for as long as it takes.
public enum Gzip {
    public enum Effort: Sendable {
        case usual
        /// As small as zlib makes it, in several times the time.
        case most
    }

    /// - Returns: nil if it is too much, or zlib has no memory.
    public static func packed(_ bytes: [UInt8], effort: Effort = .usual) -> [UInt8]? {
        var stream = z_stream()
        let level = effort == .usual ? Z_DEFAULT_COMPRESSION : Z_BEST_COMPRESSION
        guard usher_deflate_init_gzip(&stream, level) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        return run(&stream, bytes, room: Int(deflateBound(&stream, UInt(bytes.count)))) { deflate(&$0, Z_FINISH) }
    }

    /// - Parameter count: how many bytes it has unpacked.
    /// - Returns: nil if it has not so many, or is none.
    public static func unpacked(_ bytes: [UInt8], count: Int) -> [UInt8]? {
        var stream = z_stream()
        guard (0..<1 << 30).contains(count) else { return nil }
        guard usher_inflate_init_gzip(&stream) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // With room for one more, which must not come.
        let unpacked = run(&stream, bytes, room: count + 1) { inflate(&$0, Z_FINISH) }
        return unpacked?.count == count && stream.avail_in == 0 ? unpacked : nil
    }

    private static func run(
        _ stream: inout z_stream, _ bytes: [UInt8], room: Int, _ body: (inout z_stream) -> Int32
    ) -> [UInt8]? {
        guard bytes.count <= 1 << 30, room <= 1 << 31 else { return nil }
        var input = bytes
        var output = [UInt8](repeating: 0, count: room)
        let isDone = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return body(&stream) == Z_STREAM_END
            }
        }
        guard isDone else { return nil }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }
}

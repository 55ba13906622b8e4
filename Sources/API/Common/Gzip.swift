import CZlib

/// Compression of what is sent often and made once.
enum Gzip {
    /// Bytes in the gzip format (RFC 1952), as small as zlib makes them; nil if it cannot be done.
    static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard bytes.count <= 1 << 30, usher_deflate_init_gzip(&stream, Z_BEST_COMPRESSION) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let isDone = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return deflate(&stream, Z_FINISH) == Z_STREAM_END
            }
        }
        guard isDone else { return nil }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }

    /// Whether an `Accept-Encoding` allows it: it is named, or `*` is, with another weight than 0 (RFC 9110, section 12.5.3).
    static func isAccepted(_ field: String?) -> Bool {
        var others = false
        for entry in (field ?? "").lowercased().split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let name = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            let isAllowed = weight.map { Double($0) ?? 0 > 0 } ?? true
            if name == "gzip" || name == "x-gzip" { return isAllowed }
            if name == "*" { others = isAllowed }
        }
        return others
    }
}

/// A line of a feed (RFC 5545, section 3.1): `NAME;PARAMETER=value:value`.
struct ContentLine {
    /// In upper case.
    let name: String
    /// Of its parameters and value.
    var count: Int { bytes.count }
    private let bytes: ArraySlice<UInt8>

    fileprivate init?(_ line: ArraySlice<UInt8>) {
        let end = line.firstIndex { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ":") } ?? line.endIndex
        guard end > line.startIndex, end < line.endIndex, end - line.startIndex <= 64 else { return nil }
        name = String(decoding: line[..<end], as: UTF8.self).uppercased()
        bytes = line[end...]
    }

    /// The parameters that are looked at. Of others there may be any number.
    private static let parameters: Set<String> = ["TZID", "RANGE", "PARTSTAT"]
    private static let parameterBytes = 256

    /// Its parameters, by names in upper case, and its value; nil where no value follows.
    ///
    /// To compare or hash text that is not ASCII can take the square of its length: what is to be is short.
    /// - Parameter most: how many bytes of the value are kept.
    func parts(most: Int) -> (parameters: [String: String], value: String)? {
        var parameters: [String: String] = [:]
        var rest = bytes
        while rest.first == UInt8(ascii: ";") {
            rest.removeFirst()
            var isQuoted = false
            let end = rest.firstIndex { byte in
                if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
                return !isQuoted && (byte == UInt8(ascii: ";") || byte == UInt8(ascii: ":"))
            }
            guard let end else { return nil }
            let sides = rest[..<end].split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            rest = rest[end...]
            guard sides.count == 2, sides[0].count <= 8 else { continue }
            let name = String(decoding: sides[0], as: UTF8.self).uppercased()
            guard Self.parameters.contains(name) else { continue }
            let value = sides[1].lazy.filter { $0 != UInt8(ascii: "\"") }.prefix(Self.parameterBytes)
            parameters[name] = String(decoding: Array(value), as: UTF8.self)
        }
        guard rest.first == UInt8(ascii: ":") else { return nil }
        return (parameters, String(decoding: rest.dropFirst().prefix(most), as: UTF8.self))
    }
}

/// The lines of a feed, unfolded one at a time. Line ends may lack their CR, as files that people have touched do.
struct ContentLines {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A mark of the byte order is no part of the first name.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// The next line that is one; what is none is passed over.
    mutating func next() -> ContentLine? {
        while position < bytes.count {
            var line = physical()
            while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 {
                position += 1
                let more = physical()
                line += more.prefix(max(0, FeedLimits.lineBytes - line.count))
            }
            if let line = ContentLine(line) { return line }
        }
        return nil
    }

    private mutating func physical() -> ArraySlice<UInt8> {
        let rest = bytes[position...]
        let end = rest.firstIndex(of: 0x0a) ?? rest.endIndex
        position = min(end + 1, bytes.count)
        var line = rest[..<end]
        if line.last == 0x0d { line.removeLast() }
        return line.prefix(FeedLimits.lineBytes)
    }
}

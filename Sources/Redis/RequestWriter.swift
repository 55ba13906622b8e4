/// Writes a command as the bytes that Redis reads, into memory of the right size: an array of bulk strings, whose lengths
/// come first (Redis protocol specification).
struct RequestWriter {
    private var position: UnsafeMutablePointer<UInt8>

    /// - Parameters:
    ///   - count: the bytes that `body` writes: no more, and no less.
    static func write(_ count: Int, _ body: (inout RequestWriter) -> Void) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            var writer = RequestWriter(position: buffer.baseAddress!)
            body(&writer)
            written = writer.position - buffer.baseAddress!
            precondition(written == count, "a command has the size that was reckoned")
        }
    }

    static func bytes(ofArrayOf count: Int) -> Int { 1 + digits(of: count) + 2 }

    static func bytes(of word: String) -> Int {
        let count = word.utf8.count
        return 1 + digits(of: count) + 2 + count + 2
    }

    mutating func array(of count: Int) {
        line(UInt8(ascii: "*"), count)
    }

    mutating func append(_ word: String) {
        var word = word
        word.withUTF8 { text in
            line(UInt8(ascii: "$"), text.count)
            append(text)
        }
        endLine()
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        position.initialize(from: start, count: bytes.count)
        position += bytes.count
    }

    private mutating func line(_ type: UInt8, _ number: Int) {
        byte(type)
        let digits = Self.digits(of: number)
        var rest = number
        for place in stride(from: digits - 1, through: 0, by: -1) {
            position[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        position += digits
        endLine()
    }

    private mutating func endLine() {
        byte(UInt8(ascii: "\r"))
        byte(UInt8(ascii: "\n"))
    }

    private mutating func byte(_ byte: UInt8) {
        position.initialize(to: byte)
        position += 1
    }

    private static func digits(of number: Int) -> Int {
        var (count, rest) = (1, number)
        while rest > 9 {
            rest /= 10
            count += 1
        }
        return count
    }
}

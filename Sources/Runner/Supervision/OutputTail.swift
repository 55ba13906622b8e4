/// The end of what a program wrote.
struct OutputTail {
    /// As much as a meeting's record keeps.
    static let maximumBytes = 4_096

    private var bytes: [UInt8] = []

    mutating func append(_ more: some Collection<UInt8>) {
        bytes.append(contentsOf: more)
        // Cut now and then, not at each byte beyond the limit.
        if bytes.count > 4 * Self.maximumBytes { bytes.removeFirst(bytes.count - Self.maximumBytes) }
    }

    /// The last lines, whole unless one alone is too long: at most 4 KiB of valid UTF-8. What is no UTF-8 is replaced
    /// by U+FFFD, and NUL by a space.
    var text: String {
        var tail = bytes.suffix(Self.maximumBytes)
        if tail.count < bytes.count, let lineBreak = tail.firstIndex(of: UInt8(ascii: "\n")),
            lineBreak < tail.endIndex - 1
        {
            tail = tail[(lineBreak + 1)...]
        }
        var text = Substring(String(decoding: tail.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self))
        while let last = text.last, last.isNewline { text.removeLast() }
        // A replacement character is longer than the byte that it replaces.
        while text.utf8.count > Self.maximumBytes { text.removeFirst() }
        return String(text)
    }
}

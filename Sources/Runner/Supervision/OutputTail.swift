/// The end of what a program wrote, without its secrets. They are looked for before anything is cut, since nobody would
/// know half of one.
struct OutputTail {
    /// As much as a meeting's record keeps.
    static let maximumBytes = 4_096

    private let mask: SecretMask
    private var bytes: [UInt8] = []
    private var wasCut = false

    /// - Parameter mask: of what is not to be kept.
    init(masking mask: SecretMask = SecretMask()) {
        self.mask = mask
    }

    mutating func append(_ more: some Collection<UInt8>) {
        bytes.append(contentsOf: more)
        // As they were written, and more than will be kept: a secret may not be whole yet, and takes more room than what
        // stands for it. Cut now and then, not at each byte beyond the limit.
        let kept = 2 * Self.maximumBytes + mask.longest
        guard bytes.count > 2 * kept else { return }
        bytes.removeFirst(bytes.count - kept)
        wasCut = true
    }

    /// The last lines, whole unless one alone is too long: at most 4 KiB of valid UTF-8. What is no UTF-8 is replaced
    /// by U+FFFD, and NUL by a space.
    var text: String {
        let shown = mask.masked(bytes, wasCut: wasCut)
        var tail = shown.suffix(Self.maximumBytes)
        if wasCut || tail.count < shown.count, let lineBreak = tail.firstIndex(of: UInt8(ascii: "\n")),
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

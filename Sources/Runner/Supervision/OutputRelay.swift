import Log

/// Passes what a program writes on to standard error, in whole lines, and without waiting for whoever reads that: a bot that
/// was given standard error itself would stand still in its meeting where nobody does.
struct OutputRelay {
    /// A longer line is passed on in parts.
    private static let maximumBytes = 16_384

    private let mask: SecretMask
    /// A line that has not ended yet.
    private var rest: [UInt8] = []
    /// Whether that goes on with a line whose beginning was passed on.
    private var wasCut = false

    /// - Parameter mask: of what is not to be shown.
    init(masking mask: SecretMask) {
        self.mask = mask
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        if let shown = take(bytes) { LineWriter.standardError.write(shown) }
    }

    /// - Returns: what is to be shown by now.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        rest += bytes
        let lineEnd = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
        guard let end = lineEnd ?? (rest.count > Self.maximumBytes ? rest.count : nil) else { return nil }
        defer {
            rest.removeFirst(end)
            wasCut = lineEnd == nil
        }
        return mask.masked(Array(rest[..<end]), wasCut: wasCut)
    }

    /// Nothing more comes.
    mutating func finish() {
        if !rest.isEmpty { append([UInt8(ascii: "\n")]) }
    }
}

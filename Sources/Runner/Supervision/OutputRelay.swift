import Log

/// Passes what a program writes on to standard error, in whole lines, and without waiting for whoever reads that: a bot that
/// was given standard error itself would stand still in its meeting where nobody does.
struct OutputRelay {
    /// A longer line is passed on in parts.
    private static let maximumBytes = 16_384

    private let mask: SecretMask
    /// A line that has not ended yet.
    private var rest: [UInt8] = []

    /// - Parameter mask: of what is not to be shown.
    init(masking mask: SecretMask) {
        self.mask = mask
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        rest += bytes
        let lineEnd = rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
        guard let end = lineEnd ?? (rest.count > Self.maximumBytes ? rest.count : nil) else { return }
        LineWriter.standardError.write(mask.masked(Array(rest[..<end]), wasCut: false))
        rest.removeFirst(end)
    }

    /// Nothing more comes.
    mutating func finish() {
        if !rest.isEmpty { append([UInt8(ascii: "\n")]) }
    }
}

/// Whether bytes that come in pieces are UTF-8 (RFC 3629 section 4): no overlong forms, no surrogates, nothing beyond
/// U+10FFFF.
struct UTF8Check: Hashable, Sendable {
    /// Continuation bytes that are still to come.
    private var missing = 0
    /// What the next one may be.
    private var range: ClosedRange<UInt8> = 0x80...0xbf

    /// Whether no character is left half-way.
    var isComplete: Bool { missing == 0 }

    /// - Returns: false as soon as nothing that follows could make it right.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> Bool {
        for byte in bytes {
            if missing > 0 {
                guard range.contains(byte) else { return false }
                missing -= 1
                range = 0x80...0xbf
                continue
            }
            switch byte {
            case 0x00...0x7f: continue
            case 0xc2...0xdf: missing = 1
            case 0xe0...0xef:
                missing = 2
                if byte == 0xe0 { range = 0xa0...0xbf }
                if byte == 0xed { range = 0x80...0x9f }
            case 0xf0...0xf4:
                missing = 3
                if byte == 0xf0 { range = 0x90...0xbf }
                if byte == 0xf4 { range = 0x80...0x8f }
            default: return false
            }
        }
        return true
    }
}

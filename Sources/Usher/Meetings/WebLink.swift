/// The parts of an http(s) link that say which meeting it is. Deliberately narrow: no user, a host of letters, digits,
/// hyphens and dots, the default port.
struct WebLink {
    /// In lower case.
    let host: String
    /// The segments, percent-decoded, without empty ones at the end.
    let path: [String]
    private let parameters: [(name: String, value: String)]

    /// Nil if the text is not such a link.
    init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let text = Self.withScheme(text)
        guard let slashes = text.schemeSlashes else { return nil }
        guard ["http:", "https:"].contains(text[..<slashes.lowerBound].lowercased()) else { return nil }
        let rest = text[slashes.upperBound...].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var segments = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        var authority = segments.removeFirst().lowercased()
        if authority.hasSuffix(":443") { authority.removeLast(4) }
        guard authority.contains("."), authority.utf8.allSatisfy(Self.isHostByte) else { return nil }
        host = authority
        while segments.last?.isEmpty == true { segments.removeLast() }
        var path: [String] = []
        for segment in segments {
            guard let decoded = Self.decoded(segment) else { return nil }
            path.append(decoded)
        }
        self.path = path
        parameters = (parts.count == 2 ? parts[1] : "").split(separator: "&").compactMap { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let value = Self.decoded(sides[1]) else { return nil }
            return (String(sides[0]), value)
        }
    }

    /// The value of the first parameter of this name, if it is there and not empty.
    func query(_ name: String) -> String? {
        parameters.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// The link with `https://` in front if it has no scheme.
    static func withScheme(_ text: String) -> String {
        text.schemeSlashes == nil ? "https://\(text)" : text
    }

    /// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
    static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            if isLetterOrDigit(byte) || "-._~".utf8.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    /// Nil if an escape is broken, or stands for a control character or something that is not UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = Substring(rest.prefix(2))
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16),
                value >= 0x20, value != 0x7f
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension String {
    /// The two slashes that follow a scheme and its colon, if the text starts with a scheme.
    fileprivate var schemeSlashes: Range<String.Index>? {
        guard let end = firstIndex(where: { "/?#".contains($0) }), self[end...].hasPrefix("//"), end > startIndex,
            self[index(before: end)] == ":"
        else { return nil }
        return end..<index(end, offsetBy: 2)
    }
}

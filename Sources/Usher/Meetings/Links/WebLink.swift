/// The parts of an http(s) link that say which meeting it is. Deliberately narrow: no user, a host of letters, digits,
/// hyphens and dots, the default port.
struct WebLink {
    /// In lower case.
    let host: String
    /// The segments, percent-decoded, without empty ones at the end.
    let path: [String]
    /// As it was written, from its slash to the query.
    let rawPath: String
    /// As it was written; nil if there is none.
    let rawQuery: String?
    /// As it was written, without its `#`; empty if there is none.
    let fragment: String
    private let parameters: [(name: String, value: String)]

    /// Nil if the text is not such a link.
    init?(_ text: String) {
        guard text.utf8.allSatisfy(Self.isVisible) else { return nil }
        let text = Self.withScheme(text)
        guard let slashes = text.schemeSlashes else { return nil }
        guard ["http:", "https:"].contains(text[..<slashes.lowerBound].lowercased()) else { return nil }
        let sides = text[slashes.upperBound...].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        fragment = sides.count == 2 ? String(sides[1]) : ""
        let parts = sides[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var authority = parts[0].prefix { $0 != "/" }.lowercased()
        rawPath = String(parts[0].dropFirst(authority.count))
        rawQuery = parts.count == 2 ? String(parts[1]) : nil
        if authority.hasSuffix(":443") { authority.removeLast(4) }
        guard Self.isHost(authority) else { return nil }
        host = authority
        var segments = rawPath.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        while segments.last?.isEmpty == true { segments.removeLast() }
        var path: [String] = []
        for segment in segments {
            guard let decoded = Self.decoded(segment) else { return nil }
            path.append(decoded)
        }
        self.path = path
        parameters = (rawQuery ?? "").split(separator: "&").compactMap { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let value = Self.decoded(sides[1]) else { return nil }
            return (String(sides[0]), value)
        }
    }

    /// The value of the first parameter of this name, if it is there and not empty.
    func query(_ name: String) -> String? {
        parameters.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// Whether the host is this domain or lies in it.
    func isIn(_ domain: String) -> Bool { host == domain || host.hasSuffix(".\(domain)") }

    /// The link with `https://` in front if it has no scheme.
    static func withScheme(_ text: String) -> String {
        text.schemeSlashes == nil ? "https://\(text)" : text
    }

    /// Percent-encodes all but unreserved characters (RFC 3986, section 2.3).
    static func encoded(_ text: String) -> String {
        encoded(text) { isLetterOrDigit($0) || "-._~".utf8.contains($0) }
    }

    /// Percent-encodes what can't stand in a link at all: what is no visible ASCII character.
    static func encodedWhereInvisible(_ text: String) -> String { encoded(text, but: isVisible) }

    private static func encoded(_ text: String, but isKept: (UInt8) -> Bool) -> String {
        text.utf8.reduce(into: "") { result, byte in
            if isKept(byte) {
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

    private static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

    /// Two or more labels of letters, digits and inner hyphens (RFC 1123, section 2.1).
    private static func isHost(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count > 1 && text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
            }
    }

    /// Nil if an escape is broken, or stands for a control character or something that is not UTF-8.
    static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8[...]
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

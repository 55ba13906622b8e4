import Usher

/// Finds the link to join by in what an event says.
enum MeetingLinkSearch {
    /// Where programs put it, those first that have nothing else there: RFC 7986's, Google's, Microsoft's.
    static let properties = [
        "CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "LOCATION", "URL", "DESCRIPTION",
        "X-ALT-DESC",
    ]
    /// What is in every link that is understood, plain or wrapped.
    private static let marks = ["meet.google.com", "zoom", "safelinks", "google.com/url"] + MeetingLink.teamsHosts
    /// Of a property.
    private static let mostTried = 100

    /// The first link that a bot can be sent by.
    static func link(in component: FeedComponent) -> MeetingLink? {
        for name in properties {
            for property in component.all(name) {
                let text = FeedText.unescaped(property.value)
                if let link = words(in: text).prefix(mostTried).lazy.compactMap(link(in:)).first { return link }
            }
        }
        return nil
    }

    private static func link(in word: String) -> MeetingLink? {
        guard let link = try? MeetingLink(url: word), link.passcode != nil || !link.needsPasscode else { return nil }
        return link
    }

    /// What may be a link, of a text or of HTML.
    private static func words(in text: String) -> [String] {
        var words: [String] = []
        for word in split(text) where looksLikeLink(word) {
            // A link in HTML has its ampersands written out, and all of a text may be.
            words += split(FeedText.withoutEntities(word)).filter(looksLikeLink)
        }
        return words.map { word in
            // What stands before it, as in `Join:https://...`.
            let start = word.range(ofASCII: "https://") ?? word.range(ofASCII: "http://")
            return String(start.map { word[$0...] } ?? word[...])
        }
    }

    private static func split(_ text: String) -> [String] {
        let separators = Set("\"'<>()[]{}|".utf8)
        return text.utf8.split { $0 <= 0x20 || separators.contains($0) }.compactMap { String($0) }
    }

    private static func looksLikeLink(_ word: String) -> Bool {
        guard word.utf8.count >= 12, word.utf8.contains(UInt8(ascii: "/")) else { return false }
        let lowered = word.lowercased()
        return marks.contains { lowered.range(ofASCII: $0) != nil }
    }
}

/// Texts of a feed.
enum FeedText {
    /// TEXT (RFC 5545, section 3.3.11).
    static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                bytes.append(byte | 0x20 == UInt8(ascii: "n") ? 0x0a : byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let entities = [
        "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'", "&#38;": "&", "&#x26;": "&",
        "&nbsp;": " ", "&#160;": " ",
    ]

    /// HTML's entities that stand in and around links.
    static func withoutEntities(_ text: String) -> String {
        var rest = text.utf8[...]
        var result = ""
        while let sign = rest.firstIndex(of: UInt8(ascii: "&")) {
            result += String(Substring(rest[..<sign]))
            let end = rest[sign...].prefix(8).firstIndex(of: UInt8(ascii: ";"))
            if let end, let plain = entities[Substring(rest[sign...end]).lowercased()] {
                result += plain
                rest = rest[rest.index(after: end)...]
            } else {
                result += "&"
                rest = rest[rest.index(after: sign)...]
            }
        }
        return result + String(Substring(rest))
    }

    /// A title as records have it: on one line, and short.
    static func title(_ text: String) -> String? {
        var title = ""
        var bytes = 0
        // An escaped character has two bytes.
        let first = String(decoding: text.utf8.prefix(4 * FeedLimits.titleBytes), as: UTF8.self)
        for scalar in unescaped(first).unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control
            let kept = isControl ? " " : scalar
            bytes += UTF8.width(kept)
            guard bytes <= FeedLimits.titleBytes else { break }
            title.unicodeScalars.append(kept)
        }
        let trimmed = title.utf8.drop { $0 == 0x20 }
        let last = trimmed.lastIndex { $0 != 0x20 }
        return last.map { String(Substring(trimmed[...$0])) }
    }
}

extension String {
    /// Where a text of ASCII begins in this one, by bytes.
    fileprivate func range(ofASCII part: String) -> Index? {
        let (own, other) = (utf8, Array(part.utf8))
        guard let first = other.first else { return nil }
        var rest = own[...]
        while let start = rest.firstIndex(of: first) {
            if own[start...].starts(with: other) { return start }
            rest = own[own.index(after: start)...]
        }
        return nil
    }
}

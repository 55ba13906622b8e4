/// What names an MS Teams meeting.
enum TeamsID: Equatable {
    /// 6 to 20 digits, which need a passcode.
    case number(String)
    /// `19:...@thread.v2` or `@thread.skype`; with the number of the meeting behind a colon where the thread is a
    /// channel's, in which there can be several (`@thread.tacv2`, and older ones).
    case thread(String)
    /// 16 hexadecimal digits that a client made of a link (the beginning of its SHA-256): they name a meeting only
    /// beside that link.
    case digest(String)

    private static let kinds = ["@thread.v2", "@thread.tacv2", "@thread.skype"]
    private static let maximumThreadBytes = 200

    init?(_ text: String) {
        if MeetingLink.isNumber(text, digits: 6...20) {
            self = .number(text)
        } else if let at = text.firstIndex(of: "@") {
            // The number stands behind a colon as we write it, or behind a slash as links do.
            let separator = text[at...].firstIndex { ":/".contains($0) } ?? text.endIndex
            let number = separator == text.endIndex ? nil : String(text[text.index(after: separator)...])
            self.init(thread: String(text[..<separator]), number: number)
        } else if text.utf8.count == 16, text.utf8.allSatisfy(Self.isHexDigit) {
            self = .digest(text.lowercased())
        } else {
            return nil
        }
    }

    /// - Parameter number: what a link has behind the thread.
    init?(thread: String, number: String?) {
        guard thread.hasPrefix("19:"), let kind = Self.kinds.first(where: thread.hasSuffix),
            thread.utf8.count <= Self.maximumThreadBytes,
            thread.utf8.count > kind.utf8.count + 3
        else { return nil }
        let isSound = thread.dropFirst(3).dropLast(kind.count).utf8.allSatisfy { byte in
            WebLink.isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
        guard isSound, number.map({ MeetingLink.isNumber($0, digits: 1...20) }) ?? true else { return nil }
        switch kind {
        case "@thread.v2": self = .thread(thread)
        case "@thread.skype" where number == nil || number == "0": self = .thread(thread)
        default:
            guard let number else { return nil }
            self = .thread("\(thread):\(number)")
        }
    }

    /// As rooms have it.
    var text: String {
        switch self {
        case .number(let text), .thread(let text), .digest(let text): text
        }
    }

    var room: Room { Room(platform: .teams, nativeID: text) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte < 0x80 && Character(Unicode.Scalar(byte)).isHexDigit
    }
}

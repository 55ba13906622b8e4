extension MeetingLink {
    /// `/abc-defg-hij`, also behind `/u/0/` (the account that a browser chose), and without its hyphens.
    static func googleMeet(_ link: WebLink) throws(Invalid) -> MeetingLink {
        var path = link.path[...]
        if path.count == 3, path[0] == "u", isNumber(path[1], digits: 1...3) { path = path.dropFirst(2) }
        guard path.count == 1, let code = path.first, meetCode(code) != nil else {
            throw Invalid(reason: "is a Google Meet link without a meeting code like abc-defg-hij")
        }
        return try MeetingLink(meetCode: code, passcode: nil)
    }

    init(meetCode text: String, passcode: String?) throws(Invalid) {
        guard let code = Self.meetCode(text) else {
            throw Invalid(reason: "must be a Google Meet code like abc-defg-hij")
        }
        self.init(
            room: Room(platform: .googleMeet, nativeID: code), url: "https://meet.google.com/\(code)",
            passcode: passcode)
    }

    /// Three, four and three letters, in lower case. Nil for anything else.
    static func meetCode(_ text: String) -> String? {
        // Of bytes, not of characters: the Kelvin sign's lower case is a "k".
        var letters = text.utf8.prefix(13).map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        if letters.count == 12 {
            guard letters[3] == UInt8(ascii: "-"), letters[8] == UInt8(ascii: "-") else { return nil }
            letters.remove(at: 8)
            letters.remove(at: 3)
        }
        guard letters.count == 10, letters.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) else {
            return nil
        }
        let code = String(decoding: letters, as: UTF8.self)
        return "\(code.prefix(3))-\(code.dropFirst(3).prefix(4))-\(code.suffix(3))"
    }
}

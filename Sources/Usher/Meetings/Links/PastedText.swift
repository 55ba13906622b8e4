/// What stands around a link when people paste it, and what mail programs make of links.
enum PastedText {
    private static let before: Set<Unicode.Scalar> = ["<", "("]
    private static let after: Set<Unicode.Scalar> = [">", ")", ".", ",", ";"]

    /// The text without the blanks, line ends, brackets and full stops around it.
    static func link(in text: String) -> String {
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, isBlank(first) || before.contains(first) { scalars.removeFirst() }
        while let last = scalars.last, isBlank(last) || after.contains(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// Also those that have no width, which chats add.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || ["\u{200b}", "\u{2060}", "\u{feff}"].contains(scalar)
    }

    /// A link that was percent-encoded as a whole, decoded once; nil if it was not.
    static func decodedLink(_ text: String) -> String? {
        let start = text.prefix(10).lowercased()
        guard ["http%", "https%"].contains(where: start.hasPrefix) else { return nil }
        return WebLink.decoded(text)
    }

    /// What a link leads on to: an Outlook Safe Link, or one of Google's results, which Google's mail and calendar make
    /// of links too.
    static func link(wrappedIn link: WebLink) -> String? {
        if link.host.hasSuffix(".safelinks.protection.outlook.com") { return link.query("url") }
        if ["www.google.com", "google.com"].contains(link.host), link.path == ["url"] {
            return link.query("q") ?? link.query("url")
        }
        return nil
    }
}

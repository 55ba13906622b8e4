/// The address of an HTTP service as a setting.
enum HTTPAddress {
    /// Whether `text` is an http or https URL with a host, and without what a base address cannot have.
    static func isValid(_ text: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: text.hasPrefix), text.utf8.count <= 1024,
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            !text.contains(where: { "?#@\"<>\\^`{|}".contains($0) })
        else { return false }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            host = authority[..<colon]
            guard let port = UInt16(authority[authority.index(after: colon)...]), port > 0 else { return false }
        }
        return !host.isEmpty && (host.hasPrefix("[") == host.hasSuffix("]"))
            && (host.hasPrefix("[") || !host.contains(":"))
    }
}

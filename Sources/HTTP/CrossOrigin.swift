/// Which web pages of other origins may use the server from a browser (Fetch standard, "CORS protocol"). Credentials in
/// the browser's sense, cookies, are never allowed: keys travel in fields that a page sets itself.
public struct CrossOrigin: Sendable {
    /// Seconds for which a browser need not ask again what is allowed.
    private static let maximumAgeSeconds = 600

    private let origins: Set<String>
    private let allowsAll: Bool
    private let allowedFields: String
    private let exposedFields: String
    private let isShared: @Sendable (_ path: String) -> Bool

    /// - Parameters:
    ///   - origins: `https://app.example.com`, as browsers write it; `*` stands for all.
    ///   - allowedFields: what requests may carry, beside what they always may.
    ///   - exposedFields: what pages may read of an answer's fields, beside what they always may.
    ///   - isShared: whether a route's pattern, or a path that has none, is for pages at all.
    public init(
        origins: [String], allowedFields: [String], exposedFields: [String],
        isShared: @escaping @Sendable (_ path: String) -> Bool
    ) {
        self.origins = Set(origins)
        allowsAll = origins.contains("*")
        self.allowedFields = allowedFields.joined(separator: ", ")
        self.exposedFields = exposedFields.joined(separator: ", ")
        self.isShared = isShared
    }

    /// What the answer to a request has more.
    /// - Parameters:
    ///   - pattern: of the route, if there is one.
    ///   - allow: the methods of the path, if this answers OPTIONS.
    func fields(for request: Request, pattern: String?, allow: String?) -> [(name: String, value: String)] {
        guard isShared(pattern ?? request.path) else { return [] }
        // What is said depends on who asks, so nothing in between may give it to another.
        var fields = allowsAll ? [] : [(name: "Vary", value: "Origin")]
        guard let origin = request.header("Origin"), allowsAll || origins.contains(origin) else { return fields }
        fields.append(("Access-Control-Allow-Origin", allowsAll ? "*" : origin))
        if let allow, request.header("Access-Control-Request-Method") != nil {
            fields.append(("Access-Control-Allow-Methods", allow))
            fields.append(("Access-Control-Allow-Headers", allowedFields))
            fields.append(("Access-Control-Max-Age", String(Self.maximumAgeSeconds)))
        } else {
            fields.append(("Access-Control-Expose-Headers", exposedFields))
        }
        return fields
    }

    /// Whether a text is an origin as browsers write one (RFC 6454 section 6.2), or `*`.
    public static func isOrigin(_ text: some StringProtocol) -> Bool {
        if text == "*" { return true }
        guard let separator = text.firstRange(of: "://") else { return false }
        let authority = text[separator.upperBound...]
        return ["http", "https"].contains(text[..<separator.lowerBound])
            && !authority.contains { "/?#@".contains($0) || $0.isUppercase }
            && (try? HTTPURL("http://\(authority)")) != nil
    }
}

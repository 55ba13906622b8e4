import HTTP
import Usher

/// What browsers are told about the answers of this service.
public enum WebFields {
    /// On every answer: it is what its type says and not to be kept, and no page is to be made of it or shown around it
    /// (OWASP REST Security Cheat Sheet, "Security Headers"). An answer that is a page has a policy of its own.
    public static let common: [(name: String, value: String)] = [
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]

    /// - Parameter origins: of the pages that may use the APIs of users; nil if there are none.
    public static func crossOrigin(_ origins: [String]) -> CrossOrigin? {
        guard !origins.isEmpty else { return nil }
        return CrossOrigin(
            origins: origins,
            allowedFields: [
                "Authorization", "X-API-Key", "Content-Type", "X-Request-Id", IdempotencyKey.fieldName, "traceparent",
                "If-None-Match", "Last-Event-ID",
            ],
            exposedFields: ["X-Request-Id", "Retry-After", "ETag"],
            isShared: { path in !["/admin", "/internal", "/metrics"].contains(where: path.hasPrefix) })
    }
}

import Redis

/// The Redis URL as a setting. `RedisURL` takes it apart; this is about messages, which must not show its password.
enum RedisAddress {
    /// Completes "must be ...".
    static let allowed =
        "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], redis+unix://[USER:PASSWORD@]/PATH[?db=N], "
        + "redis+sentinel://[USER:PASSWORD@]HOST[:PORT],.../SERVICE[/DATABASE] or "
        + "redis+cluster://[USER:PASSWORD@]HOST[:PORT],...; with TLS rediss in place of redis (but for +unix)"

    /// - Returns: what is wrong with `text`, as the end of a sentence that begins with the URL; nil if nothing is.
    static func fault(_ text: String) -> String? {
        guard text.utf8.count <= 1024, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            return "is too long or holds control characters"
        }
        do throws(RedisURL.Invalid) {
            _ = try RedisURL(text)
            return nil
        } catch {
            return error.description
        }
    }

    /// The URL without users and passwords. Of one that is malformed, everything between the scheme and the last `@`
    /// goes, since the password may stand anywhere there, and what a password of Sentinels begins.
    static func redacted(_ text: String) -> String {
        var bytes = Array(text.utf8)[...]
        var end = ""
        if let query = text.firstRange(of: "sentinel_") {
            bytes = Array(text[..<query.lowerBound].utf8)[...]
            end = "***"
        }
        guard let at = bytes.lastIndex(of: UInt8(ascii: "@")) else {
            return String(decoding: bytes, as: UTF8.self) + end
        }
        let schemes =
            ["redis+unix://"] + ["://", "+sentinel://", "+cluster://"].flatMap { ["redis" + $0, "rediss" + $0] }
        let scheme = schemes.first { text.hasPrefix($0) } ?? ""
        return scheme + "***" + String(decoding: bytes[at...], as: UTF8.self) + end
    }
}

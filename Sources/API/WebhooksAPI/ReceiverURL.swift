import EventLoop
import Usher

/// The address of a receiver.
public struct ReceiverURL: Sendable {
    let text: String
    let host: String

    public static let maximumBytes = 2_048
    static let form = Form<String>.text(maximumBytes).map { text in
        guard let host = host(of: text) else {
            throw FormError("must be \(meaning)")
        }
        return ReceiverURL(text: text, host: host)
    }

    /// What one is, in short.
    public static let meaning = "http(s)://host/path, without a user, a password or a fragment"

    /// The host of an absolute http or https URL (RFC 3986, section 3) that has maybe a port, and no credentials; nil of
    /// another text.
    public static func host(of text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            return nil
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else {
            return nil
        }
        let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            let digits = authority[authority.index(after: colon)...]
            // A sign is a number's for Swift, and no part of a port.
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits), port > 0 else {
                return nil
            }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            return IPAddress(address) == nil ? nil : String(address)
        }
        let isSound =
            !host.isEmpty && host.utf8.count <= 253 && host.first != "." && host.first != "-"
            && host.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
        return isSound ? String(host) : nil
    }
}

extension ReceiverPolicy {
    /// - Throws: `APIError` 422 that names the field.
    func check(_ receiver: ReceiverURL?, field: String) throws {
        guard let receiver, !mayName(receiver.host) else { return }
        throw APIError.invalid(field, "must name a host of the internet, not of a private network")
    }
}

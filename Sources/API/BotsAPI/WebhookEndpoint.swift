import HTTP
import Log
import Usher

/// `PUT /user/webhook`: where the key's workspace wants to be told what happens. It is kept and shown; nothing is sent
/// there yet.
struct WebhookEndpoint: Sendable {
    let store: Store
    let callers: BotsCaller
    let logger: Logger

    struct Body: Decodable {
        /// nil removes it.
        let url: String?

        enum CodingKeys: String, CodingKey {
            case url = "webhook_url"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard container.contains(.url) else { throw APIError.invalid(CodingKeys.url.rawValue, "is required") }
            url = try container.text(.url, maximum: 2_048)
            if let url, !WebhookEndpoint.isWebhook(url) {
                throw APIError.invalid(
                    CodingKeys.url.rawValue, "must be http(s)://host/path, without a user, a password or a fragment")
            }
        }
    }

    /// Whoever sets it is to get what all bots of the workspace hear, so it takes a manager.
    func set(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .manager)
            let url = try JSONBody.decode(Body.self, from: request).url
            try await store.setWebhook(url, workspace: caller.workspaceID, deadline: request.deadline)
            guard let user = try await store.user(of: caller, deadline: request.deadline) else {
                throw Self.noUser
            }
            return try .encoding(200, UserObject(user))
        }
    }

    static let noUser = APIError(404, "The user of this API key no longer exists.")

    /// An absolute http or https URL (RFC 3986, section 3) with a host, maybe a port, and no credentials.
    static func isWebhook(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\"<>\\^`{|}#".utf8.contains($0) }) else {
            return false
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else {
            return false
        }
        let authority = text.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            guard let port = UInt16(authority[authority.index(after: colon)...]), port > 0 else { return false }
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.count > 4 && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || ":.".contains($0) }
        }
        return !host.isEmpty && host.utf8.count <= 253 && host.first != "." && host.first != "-"
            && host.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
    }
}

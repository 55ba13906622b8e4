import EventLoop
import HTTP
import Log
import Usher

/// `PUT` and `GET /user/webhook`: where the key's workspace wants to be told what happens. It is kept and shown; nothing
/// is sent there yet.
struct WebhookEndpoint: Sendable {
    let store: Store
    let callers: BotsCaller
    let logger: Logger

    struct Body: Decodable {
        let webhook: Webhook

        enum CodingKeys: String, CodingKey {
            case url = "webhook_url"
            case secret = "webhook_secret"
            case events = "webhook_events"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard container.contains(.url) else { throw APIError.invalid(CodingKeys.url.rawValue, "is required") }
            let url = try container.text(.url, maximum: 2_048)
            if let url {
                guard let host = WebhookEndpoint.host(of: url) else {
                    throw APIError.invalid(
                        CodingKeys.url.rawValue,
                        "must be http(s)://host/path, without a user, a password or a fragment")
                }
                guard PublicHost.mayBePublic(host) else {
                    throw APIError.invalid(
                        CodingKeys.url.rawValue, "must name a host of the internet, not of a private network")
                }
            }
            // An empty one leaves it as it is, and so does none.
            var secret = try container.decodeIfPresent(String.self, forKey: .secret)
            if secret?.isEmpty == true { secret = nil }
            if let secret, let problem = Administration.problem(of: secret, maximum: 256) {
                throw APIError.invalid(CodingKeys.secret.rawValue, problem)
            }
            webhook = Webhook(url: url, secret: secret, events: try Self.events(container))
        }

        private static func events(_ container: KeyedDecodingContainer<CodingKeys>) throws -> [Webhook.Event: Bool]? {
            guard container.contains(.events), try !container.decodeNil(forKey: .events) else { return nil }
            let choices = try container.nestedContainer(keyedBy: AnyMember.self, forKey: .events)
            var events: [Webhook.Event: Bool] = [:]
            for member in choices.allKeys {
                guard let event = Webhook.Event(rawValue: member.stringValue) else {
                    throw APIError.invalid(
                        CodingKeys.events.rawValue,
                        "may have these members: \(Webhook.Event.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                events[event] = try choices.decode(Bool.self, forKey: member)
            }
            return events
        }
    }

    /// Whoever sets it is to get what all bots of the workspace hear, so it takes a manager.
    func set(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .manager)
            let webhook = try JSONBody.decode(Body.self, from: request).webhook
            try await store.setWebhook(webhook, workspace: caller.workspaceID, deadline: request.deadline)
            guard let user = try await store.user(of: caller, deadline: request.deadline) else {
                throw Self.noUser
            }
            return try .encoding(200, UserObject(user))
        }
    }

    func get(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .manager)
            let webhook = try await store.webhook(workspace: caller.workspaceID, deadline: request.deadline)
            var object = JSONText()
            object.add("webhook_url", webhook.url)
            object.add("webhook_secret_set", json: webhook.secret == nil ? "false" : "true")
            object.add("webhook_secret", webhook.maskedSecret)
            let events = webhook.events ?? [.completed: true]
            let choices = Webhook.Event.allCases.map { "\"\($0.rawValue)\":\(events[$0] ?? false)" }
            object.add("webhook_events", json: "{\(choices.joined(separator: ","))}")
            return .json(object.bytes)
        }
    }

    static let noUser = APIError(404, "The user of this API key no longer exists.")

    /// The host of an absolute http or https URL (RFC 3986, section 3) that has maybe a port, and no credentials; nil of
    /// another text.
    static func host(of text: String) -> String? {
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
            guard let port = UInt16(authority[authority.index(after: colon)...]), port > 0 else { return nil }
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

import HTTP
import Redis
import Usher

/// Which bot speaks on the internal routes.
extension Access<BotPlace> {
    /// The bot in the request's path, whose secret the request carries: 401 for a missing secret, another's, or a bot that
    /// is not known; 429 in place of it to an address that has got too many of those. A secret is always looked up: a bot
    /// is heard whatever others send from the same machine.
    static var botSecret: Self {
        Access(section: .internal, credentials: .botSecret) { request, services in
            guard let secret = request.header("x-internal-secret"), secret.utf8.count <= maximumSecretBytes else {
                throw services.gatekeeper.refuse(request, with: .wrongSecret)
            }
            let place: BotPlace?
            do throws(RedisError) {
                place = try await services.session(for: request).bots.authenticate(
                    bot: request.parameter("bot_id"), secret: secret)
            } catch {
                throw APIError.unavailable(cause: error)
            }
            guard let place else { throw services.gatekeeper.refuse(request, with: .wrongSecret) }
            return place
        }
    }

    /// No secret of ours is longer.
    private static var maximumSecretBytes: Int { 512 }
}

extension APIError {
    static let wrongSecret = APIError(401, "Send the bot's own secret: x-internal-secret: <secret>.")
}

enum InternalAPI {
    static let endpoints = [StatusReportEndpoint.report, SegmentsEndpoint.send]

    static let botID = Input<String>.path(
        "bot_id", "The bot's id: the `connectionId` of its configuration.", example: .string(Sample.botID))
}

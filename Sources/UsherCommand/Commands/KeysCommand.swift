import Redis
import Usher

/// `usher keys`: the Redis keys of a workspace or of a meeting, ready to paste into redis-cli.
enum KeysCommand {
    /// - Returns: 0 if there is such a record, else 1.
    static func run(_ settings: Settings, _ request: KeysRequest) -> Int32 {
        do {
            let found = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                switch request {
                case .id(let id): return try await session.installation.keys(ofRecord: id)
                case .number(let number): return try await session.installation.keys(ofNumber: number)
                case .room(let link, let workspace):
                    return try await session.installation.keys(ofRoom: link, in: workspace)
                }
            }
            guard let found else {
                Terminal.complain(absence(of: request))
                return 1
            }
            for entry in found { Terminal.say(entry.command) }
            return 0
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func absence(of request: KeysRequest) -> String {
        switch request {
        case .id(let id): "there is no workspace, meeting or bot with the id \(id)."
        case .number(let number): "there is no meeting with the number \(number)."
        case .room(let link, nil): "there is no meeting in \(link.room) in any workspace that is listed."
        case .room(let link, let workspace?):
            "there is no meeting in \(link.room) in a workspace \(quoted(workspace))."
        }
    }
}

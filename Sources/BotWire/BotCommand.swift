import JSON

/// A command from the channel `bot_commands:meeting:{meeting_id}` (docs/bot-wire.md, "Commands").
public enum BotCommand: Equatable {
    case leave
    /// What is nil stays as it is. An inner nil of the language means that none is set.
    case reconfigure(language: String??, task: BotConfiguration.Task?)
    /// Unknown ones, and those that need a voice, are ignored.
    case other(action: String)

    private static let maximumBytes = 65_536

    /// nil if the message is no command.
    public init?(_ message: String) {
        guard message.utf8.count <= Self.maximumBytes,
            let command = try? Message(json: Array(message.utf8))
        else { return nil }
        switch command.action {
        case "leave": self = .leave
        case "reconfigure": self = .reconfigure(language: command.language, task: command.task)
        default: self = .other(action: String(command.action.prefix(64)))
        }
    }

    private struct Message: Decodable {
        let action: String
        let language: String??
        let task: BotConfiguration.Task?

        enum Field: String, CodingKey {
            case action, language, task
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Field.self)
            action = try fields.decode(String.self, forKey: .action)
            language = fields.contains(.language) ? .some(try fields.decode(String?.self, forKey: .language)) : .none
            task = try fields.decodeIfPresent(String.self, forKey: .task).flatMap(BotConfiguration.Task.init)
        }
    }
}

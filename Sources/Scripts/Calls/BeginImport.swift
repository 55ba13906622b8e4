// Made by `make scripts` from the header of lua/begin_import.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Makes the workspace of an export, or goes on with one that was begun of the same. While its record has `importing`,
    /// `<export> <run>`, it is not whole, and the run that began last writes alone: two would undo what each other did.
    public struct BeginImport: ScriptCall {
        public static let script = load("begin_import", PackageResources.begin_import_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("begun", "goes_on")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, removingKey: String, removedKey: String, workspaceID: String, export: String,
            run: String, lateMilliseconds: Int, fields: [String]
        ) {
            keys = [workspaceKey, removingKey, removedKey]
            arguments = [workspaceID, export, run, String(lateMilliseconds)] + fields
        }

        public enum Reply: Equatable, Sendable {
            case begun
            /// It was begun before.
            case goesOn
            /// There is such a workspace, of something else.
            case taken
            /// It was removed, and something is left of it still, or was a moment ago.
            case removing
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "begun": return .begun
            case "goes_on": return .goesOn
            case "taken": return .taken
            case "removing": return .removing
            default: throw reply.unexpected
            }
        }
    }
}

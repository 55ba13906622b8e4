// Made by `make scripts` from the header of lua/import_fields.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Writes fields of a hash of a workspace that is being imported, and lists that. Repeating it changes nothing.
    public struct ImportFields: ScriptCall {
        public static let script = load("import_fields", PackageResources.import_fields_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("written")
        public let keys: [String]
        public let arguments: [String]

        public init(
            workspaceKey: String, recordKey: String, listKey: String? = nil, importing: String, isAnew: Bool,
            member: String?, madeAt: Int?, fields: [String]
        ) {
            keys = [workspaceKey, recordKey] + Scripts.list(listKey)
            arguments = [importing, isAnew ? "1" : "0", member ?? "", madeAt.map { String($0) } ?? ""] + fields
        }

        public enum Reply: Equatable, Sendable {
            case written
            /// The workspace is not being imported by that run (any more).
            case notYours
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "written": return .written
            case "not_yours": return .notYours
            default: throw reply.unexpected
            }
        }
    }
}

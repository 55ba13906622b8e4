// Made by `make scripts` from the header of lua/keep_screenshot.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// Keeps the picture that a bot sent of the meeting's page, and what it says of that page, until the meeting goes or
    /// newer ones of the workspace take its place. One for each meeting: its last.
    public struct KeepScreenshot: ScriptCall {
        public static let script = load("keep_screenshot", PackageResources.keep_screenshot_lua)
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, imagesKey: String, orderKey: String, meetingID: String, botID: String, image: String,
            outline: String, most: Int, keepMilliseconds: Int
        ) {
            keys = [meetingKey, imagesKey, orderKey]
            arguments = [meetingID, botID, image, outline, String(most), String(keepMilliseconds)]
        }

        public enum Reply: Equatable, Sendable {
            case kept
            /// It is not the meeting's bot, or what that left has been deleted.
            case stale
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "kept": return .kept
            case "stale": return .stale
            default: throw reply.unexpected
            }
        }
    }
}

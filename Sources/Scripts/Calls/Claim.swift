// Made by `make scripts` from the header of lua/claim.lua, which is what to change.
// swift-format-ignore-file

import Redis

extension Scripts {
    /// A runner takes a dispatch: from here on the bot is its to start, under a lease. Only the current bot of the meeting,
    /// still wanted and with its in-flight key alive, can be claimed, and only once; a runner that asks again because it
    /// lost the answer gets the same one, which it tells by the secret: a later claim of its own would take the lease for
    /// younger than it is. An entry that can't be claimed any more is removed, but for one whose time is up:
    /// by its entry, expire_dispatch finds what is to be ended. docs/architecture.md, "Leases".
    public struct Claim: ScriptCall {
        public static let script = load("claim", PackageResources.claim_lua)
        public static let isChange: (@Sendable (Value) -> Bool)? = changes("claimed")
        public let keys: [String]
        public let arguments: [String]

        public init(
            meetingKey: String, botKey: String, inflightKey: String, leasesKey: String, dispatchKey: String,
            botID: String, epoch: Int, runner: String, leaseMilliseconds: Int, secret: String, entry: String,
            container: String, usesStream: Bool, position: String?
        ) {
            keys = [meetingKey, botKey, inflightKey, leasesKey, dispatchKey]
            arguments = [
                botID, String(epoch), runner, String(leaseMilliseconds), secret, entry, container,
                usesStream ? "1" : "0", position ?? ""
            ]
        }

        public enum Reply: Equatable, Sendable {
            case claimed(claimedAt: Int, meeting: [String: String], traceparent: String?, tracestate: String?)
            /// The bot is not the meeting's current one, or has ended.
            case stale
            /// Another runner has it, or another claim of this one.
            case claimedBefore
            /// It is no longer wanted.
            case unwanted
            /// Its in-flight key has gone.
            case expired
        }

        public static func read(_ reply: ReplyParts) throws(RedisError) -> Reply {
            switch reply.word {
            case "claimed": return .claimed(claimedAt: try reply.integer(1), meeting: try reply.hash(2), traceparent: try reply.optionalText(3), tracestate: try reply.optionalText(4))
            case "stale": return .stale
            case "claimed_before": return .claimedBefore
            case "unwanted": return .unwanted
            case "expired": return .expired
            default: throw reply.unexpected
            }
        }
    }
}

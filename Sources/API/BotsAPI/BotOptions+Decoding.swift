import Usher

extension BotOptions {
    private enum CodingKeys: String, CodingKey {
        case transcribes = "transcribe_enabled"
        case automaticLeave = "automatic_leave"
    }

    /// - Throws: `APIError` 422 that names the member which is wrong.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            transcribes: try container.decodeIfPresent(Bool.self, forKey: .transcribes),
            automaticLeave: try container.decodeIfPresent(AutomaticLeaveBody.self, forKey: .automaticLeave)?.value
                ?? AutomaticLeave())
    }

    /// `automatic_leave` (docs/bot-wire.md, "Requests for a bot"): each time has two names. All members are wishes that
    /// a bot would have to keep, so that one which is not known is refused.
    private struct AutomaticLeaveBody: Decodable {
        let value: AutomaticLeave

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: AnyMember.self)
            for member in container.allKeys {
                guard Self.names.joined().contains(where: { $0.utf8.elementsEqual(member.stringValue.utf8) }) else {
                    guard try !container.decodeNil(forKey: member) else { continue }
                    // Of what clients of this field send, it is the one that bots can't be told.
                    let isKnown = member.stringValue == "max_bot_time"
                    throw APIError.invalid(
                        isKnown ? "automatic_leave.max_bot_time" : "automatic_leave",
                        isKnown ? "is not there yet: leave it out" : "has a member that is not known")
                }
            }
            let times = try Self.names.map { try Self.time(container, $0) }
            value = AutomaticLeave(
                waitingRoomTimeout: times[0], noOneJoinedTimeout: times[1], everyoneLeftTimeout: times[2])
        }

        private static let names = [
            ["waiting_room_timeout", "max_wait_for_admission"], ["no_one_joined_timeout"],
            ["everyone_left_timeout", "max_time_left_alone"],
        ]

        private static func time(_ container: KeyedDecodingContainer<AnyMember>, _ names: [String]) throws -> Int? {
            var time: Int?
            for name in names {
                let member = AnyMember(name)
                guard container.contains(member), try !container.decodeNil(forKey: member) else { continue }
                guard let given = try? container.decode(Int.self, forKey: member),
                    AutomaticLeave.bounds.contains(given)
                else {
                    throw APIError.invalid(
                        "automatic_leave.\(name)",
                        "must be between \(AutomaticLeave.bounds.lowerBound) and \(AutomaticLeave.bounds.upperBound) "
                            + "milliseconds")
                }
                guard time == nil || time == given else {
                    throw APIError.invalid("automatic_leave.\(name)", "does not agree with \(names[0])")
                }
                time = given
            }
            return time
        }
    }
}

import API
import Log
import Redis
import Usher

/// `usher send` and `usher stop`: what `POST /bots` and `DELETE /bots/...` do, from a shell, straight on the records.
enum BotActionCommand {
    private struct Answer: Encodable {
        let outcome: String
        let botID: String?
        let meetingID: String
        let room: String

        enum CodingKeys: String, CodingKey {
            case outcome, room
            case botID = "bot_id"
            case meetingID = "meeting_id"
        }
    }

    private struct UnknownMember: Error, CustomStringConvertible {
        let description: String
    }

    /// Prints what was done.
    /// - Returns: 0 done, 1 failed or refused; then nothing was changed, or the message says what may have been.
    static func run(_ settings: Settings, _ action: BotAction, _ link: MeetingLink) -> Int32 {
        do {
            let answer = try Records.use(settings, redis: RedisURL(settings.redisURL)) { session in
                let caller = Caller(
                    keyID: "", workspaceID: action.workspace, userID: String(action.userID), scopes: [])
                guard let role = try await session.callers.role(of: caller) else {
                    throw UnknownMember(
                        description: "User \(action.userID) is no member of a workspace \(quoted(action.workspace)).")
                }
                guard role >= .member else { throw BotRefusal.roleTooLow }
                switch action.kind {
                case .send:
                    var random = SystemRandomNumberGenerator()
                    let (meeting, _) = try await session.bots.request(
                        BotRequest(link: link), by: caller,
                        trace: TraceContext(newTrace: random.next(), random.next(), operation: random.next()))
                    return Answer(
                        outcome: "sent", botID: meeting.botID, meetingID: meeting.id,
                        room: meeting.room.description)
                case .stop:
                    let (stop, place) = try await session.bots.stop(in: link.room, by: caller)
                    return Answer(
                        outcome: outcome(of: stop), botID: place.botID.isEmpty ? nil : place.botID,
                        meetingID: place.meetingID, room: place.room.description)
                }
            }
            Terminal.say(try PrettyJSON.text(answer))
            return 0
        } catch let refusal as BotRefusal {
            Terminal.complain(BotsAnswer.detail(of: refusal))
            return 1
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }

    private static func outcome(of stop: Bots.Stop) -> String {
        switch stop {
        case .cancelled: "cancelled"
        case .ended: "ended"
        case .leaving: "leaving"
        case .wasLeaving: "was_leaving"
        }
    }
}

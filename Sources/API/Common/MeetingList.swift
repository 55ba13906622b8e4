import EventLoop
import HTTP
import Usher

/// A page of meetings, as each of the two APIs lists them: bounded in rows and in bytes, and with a cursor that leads on.
struct MeetingList: Sendable {
    private static let maximumOffset = 1_000_000
    /// About the most bytes that a page has; the last record may go beyond.
    private static let maximumBytes = 1_048_576
    /// Records are read in batches of about so many bytes.
    private static let batchBytes = 65_536
    /// A page up to here needs no place in the budget of large answers.
    private static let smallBytes = 131_072
    /// What one beyond that may hold at most, with the batch that it is made from.
    private static let heldBytes = 3_145_728

    let store: Store
    let budget: AnswerBudget

    /// - Parameters:
    ///   - limits: what `limit` may be, and what it is if it is absent.
    ///   - append: writes a meeting as the API shows it.
    func page(
        _ request: Request, workspace: String, conditions: MeetingConditions,
        limits: (maximum: Int, default: Int), append: (Meeting, inout [UInt8]) throws -> Void
    ) async throws -> Response {
        let offset = try request.number("offset", in: 0...Self.maximumOffset) ?? 0
        let limit = try request.number("limit", in: 1...limits.maximum) ?? limits.default
        let cursor = try Self.cursor(of: request)
        var walk = MeetingWalk(
            store: store, workspace: workspace, conditions: conditions, from: cursor, offset: offset,
            deadline: request.deadline)
        var hold: AnswerHold?
        var body = Array("{\"meetings\":[".utf8)
        var rows = 0
        while rows < limit, body.count < Self.maximumBytes {
            if body.count > Self.smallBytes, hold == nil {
                hold = try await budget.hold(Self.heldBytes, for: workspace, of: request, on: store.client.loop)
            }
            let meetings = try await walk.read(count: limit - rows, bytes: Self.batchBytes)
            if meetings.isEmpty { break }
            for meeting in meetings {
                if rows > 0 { body.append(UInt8(ascii: ",")) }
                try append(meeting, &body)
                rows += 1
            }
        }
        let next = try await walk.next()
        var end = JSONText()
        end.add("offset", offset)
        end.add("limit", limit)
        end.add("has_more", json: next == nil ? "false" : "true")
        end.add("next_cursor", next?.description)
        body += "],".utf8
        body += end.bytes.dropFirst()
        var response = Response.json(body)
        response.hold = hold
        return response
    }

    private static func cursor(of request: Request) throws -> MeetingCursor? {
        guard let text = request.query("cursor") else { return nil }
        guard let cursor = MeetingCursor(text) else {
            throw APIError.invalid("cursor", "must be the next_cursor of a page")
        }
        guard request.query("offset") == nil else {
            throw APIError.invalid("offset", "must be absent beside a cursor, which says where to go on")
        }
        return cursor
    }
}

extension AnswerBudget {
    /// Takes bytes for a large answer. It waits for at most half of the time that the request has left, since the answer is
    /// still to be made.
    /// - Throws: `APIError` 503 if they could not be had by then.
    func hold(_ bytes: Int, for workspace: String, of request: Request, on loop: EventLoop) async throws -> AnswerHold {
        let now = loop.now
        let end = now.advanced(byMilliseconds: max(0, request.deadline.milliseconds(since: now)) / 2)
        guard let hold = await hold(bytes, for: workspace, until: end, on: loop) else {
            throw APIError.tooManyLargeAnswers
        }
        return hold
    }
}

extension APIError {
    static let tooManyLargeAnswers = APIError(
        503, "Too many large answers are under way at the moment. Ask for smaller pages, or retry in a few seconds.",
        retryAfterSeconds: 2)
}

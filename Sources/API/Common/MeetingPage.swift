import EventLoop
import HTTP
import Usher

/// Which page of meetings is asked for. Each of the two APIs lists them: bounded in rows and in bytes, and with a cursor
/// that leads on.
struct MeetingPage: Sendable {
    private static let offsets = 0...1_000_000
    /// About the most bytes that a page has; the last record may go beyond.
    private static let maximumBytes = 1_048_576
    /// Records are read in batches of about so many bytes.
    private static let batchBytes = 65_536
    /// A page up to here needs no place in the budget of large answers.
    private static let smallBytes = 131_072
    /// What one beyond that may hold at most, with the batch that it is made from.
    private static let heldBytes = 3_145_728

    let offset: Int
    let limit: Int
    let cursor: MeetingCursor?

    /// - Parameter append: writes a meeting as the API shows it.
    func response(
        to call: Call<Caller>, conditions: MeetingConditions, append: (Meeting, inout [UInt8]) throws -> Void
    ) async throws -> Response {
        let workspace = call.caller.workspaceID
        var walk = MeetingWalk(
            in: call.session, workspace: workspace, conditions: conditions, from: cursor, offset: offset)
        var hold: AnswerHold?
        var body = Array("{\"meetings\":[".utf8)
        var rows = 0
        while rows < limit, body.count < Self.maximumBytes {
            if body.count > Self.smallBytes, hold == nil {
                hold = try await call.services.budget.hold(
                    Self.heldBytes, for: workspace, of: call.request, on: call.loop)
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

    // MARK: What is said of it

    static func schema(of meeting: Schema, limits: ClosedRange<Int>) -> Schema {
        .object(
            .required("meetings", .list(of: meeting)), .required("offset", .integer(offsets)),
            .required("limit", .integer(limits)),
            .required("has_more", .boolean, "Whether there are, or may be, meetings beyond this page."),
            .required(
                "next_cursor", Schema.string.orNull,
                "The `cursor` of the next page; null if there is none. A page may end early, even without a meeting: it has "
                    + "about a megabyte at most, and only so many meetings are looked through for those that are asked for."
            ))
    }

    static func example(of meeting: OrderedJSON, limit: Int) -> OrderedJSON {
        ["meetings": [meeting], "offset": 0, "limit": .integer(limit), "has_more": false, "next_cursor": nil]
    }

    fileprivate static let offset = Input<Int?>.query("offset", offsets, "How many to pass over. 0 if it is absent.")
    fileprivate static let cursor = Input<MeetingCursor?>.query(
        "cursor", .string(1...40),
        "The `next_cursor` of the page before, in place of `offset`: meetings that are made meanwhile do not shift it."
    ) { text in
        guard let cursor = MeetingCursor(text) else { throw FormError("must be the next_cursor of a page") }
        return cursor
    }
}

extension Input<MeetingPage> {
    /// - Parameters:
    ///   - limits: what `limit` may be.
    ///   - number: what it is if it is absent.
    static func page(_ limits: ClosedRange<Int>, default number: Int) -> Self {
        .group(
            MeetingPage.offset, MeetingPage.cursor,
            .query("limit", limits, default: number, "The most that a page has.")
        ) { offset, cursor, limit in
            guard offset == nil || cursor == nil else {
                throw FormError("must be absent beside a cursor, which says where to go on").inside(member: "offset")
            }
            return MeetingPage(offset: offset ?? 0, limit: limit, cursor: cursor)
        }
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

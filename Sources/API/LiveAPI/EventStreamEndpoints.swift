import HTTP
import Usher

/// The live feed as Server-Sent Events (WHATWG HTML, section 9.2): the same messages as `GET /ws` has, one an event, with
/// the cursor as the event's id, so that a browser's `EventSource` goes on by itself where it was.
enum EventStreamEndpoints {
    static let all = [meeting, workspace]

    private static let answer = Answer(
        status: 200, meaning: "The events, without an end.", content: .other(type: "text/event-stream"))
    private static let tooMany = DescribedError(
        .tooManyFeeds, "The key, or the address, has as many live feeds open as it may have.")
    private static let after = Input<FeedCursor?>.cursor(
        "after",
        "The cursor of the last event that was seen; `Last-Event-ID` counts before it. From now on without either.")
    private static let key = Input<String?>.query(
        "api_key", .string,
        "The API key, for a browser's `EventSource`, which can send no fields. Better is a `ticket`."
    ) { $0 }

    private static let meeting = Endpoint(
        .get, "/transcripts/{platform}/{native_meeting_id}/events", id: "followTranscript", .live,
        summary: "Follow a transcript",
        details: """
            What changes in a meeting, as it is stored: segments, retractions, statuses. An event's `id` is the cursor to \
            go on from. `reset` says that what followed the cursor is not told any more: fetch the transcript anew.
            """,
        takes: .meetingInRoom, after, key, .ticket, answers: [answer],
        errors: [.unknownBotMeeting, .wrongRoom, tooMany]
    ) { call, place, after, _, _ in
        let meeting = try await place.meeting(for: call)
        let cursor = try lastEvent(of: call.request) ?? after
        return try stream(call, after: cursor) { hub, session, events in
            try await hub.follow(
                meeting, after: cursor, in: session, hasRoom: { await events.hasRoom() }, events.add)
        }
    }

    private enum Kind: String, CaseIterable {
        case statuses
    }

    private static let workspace = Endpoint(
        .get, "/events", id: "followWorkspace", .live, summary: "Follow all meetings",
        details: "The same of all meetings of the key's workspace. Its cursors are of another kind than a meeting's.",
        takes: after, .query("only", Kind.self, "Statuses alone, and `reset`. All is told if it is absent."), key,
        .ticket,
        answers: [answer], errors: [tooMany]
    ) { call, after, only, _, _ in
        let (cursor, workspace) = (try lastEvent(of: call.request) ?? after, call.caller.workspaceID)
        return try stream(call, after: cursor, ofWorkspace: true) { hub, session, events in
            try await hub.followAll(
                workspace: workspace, statusesOnly: only != nil, after: cursor, in: session,
                hasRoom: { await events.hasRoom() }, events.add)
        }
    }

    private static func lastEvent(of request: Request) throws -> FeedCursor? {
        guard let text = request.header("Last-Event-ID"), !text.isEmpty else { return nil }
        guard let cursor = FeedCursor(text) else {
            throw APIError.invalid("Last-Event-ID", "must be the id of an event")
        }
        return cursor
    }

    private static func stream(
        _ call: Call<Caller>, after cursor: FeedCursor?, ofWorkspace: Bool = false,
        _ follow: @escaping @Sendable (FeedHub, Session, EventQueue) async throws -> FeedViewer
    ) throws -> Response {
        guard let live = call.services.live else { throw APIError.noFeeds }
        guard call.request.method == .get else { return Response(status: 200, contentType: "text/event-stream") }
        let hold = live.budget.hold(call.caller, from: call.services.gatekeeper.address(of: call.request))
        guard let hold else { throw APIError.tooManyFeeds }
        let (store, loop) = (call.services.store, call.loop)
        let client = call.caller.feedClient
        let right = LiveRight(caller: call.caller, store: store)
        var response = Response(status: 200, contentType: "text/event-stream", headers: [("X-Accel-Buffering", "no")])
        response.isLive = true
        response.stream = { writer in
            let events = EventQueue(loop: loop, ofWorkspace: ofWorkspace, after: cursor, live, of: client)
            defer {
                events.end()
                _ = hold
            }
            writer.whenEnding { events.wake() }
            // Beside the writing: what follows the cursor may be much more than waits here at once.
            Task(executorPreference: loop) {
                await events.fill { try await follow(live.hub, store.session(milliseconds: 10_000), events) }
            }
            try await writer.write(Array("retry: 1000\n\n".utf8))
            while !writer.isEnding {
                let batch = await events.next(withinMilliseconds: LiveRight.checkMilliseconds)
                if events.isFull { live.budget.noteSlow() }
                // The client goes on by its last event once it asks anew.
                if events.isFull || events.isBroken || writer.isEnding { return }
                if !batch.isEmpty { try await writer.write(batch) }
                guard events.isCheckDue else { continue }
                guard await right.isGood() else { return }
                try await writer.write(Array(":\n\n".utf8))
            }
        }
        return response
    }
}

import FoundationEssentials
import HTTP
import Log
import Usher

/// `/meetings`, and the lists beside it: meetings as users of the Bots API see and annotate them.
struct BotsMeetingsEndpoints: Sendable {
    private static let maximumLimit = 1_000

    let store: Store
    let callers: BotsCaller
    let budget: AnswerBudget
    let logger: Logger

    // MARK: Lists

    /// `GET /meetings`. The client asks for no page, and looks for its meeting in what comes: so the page is large.
    func list(_ request: Request) async -> Response {
        await list(request, defaultLimit: Self.maximumLimit)
    }

    /// `GET /bots`
    func listBots(_ request: Request) async -> Response {
        await list(request, defaultLimit: 50)
    }

    /// The newest first; `limit`, `offset`, `cursor`, `platform`, `status` and `exclude_planned` narrow it.
    private func list(_ request: Request, defaultLimit: Int) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .viewer)
            return try await MeetingList(store: store, budget: budget).page(
                request, workspace: caller.workspaceID, conditions: try Self.conditions(of: request),
                limits: (Self.maximumLimit, defaultLimit)
            ) { meeting, body in
                BotsMeetingObject.json(meeting).write(to: &body)
            }
        }
    }

    /// What `platform`, `status` and `exclude_planned` ask for.
    private static func conditions(of request: Request) throws -> MeetingConditions {
        var conditions = MeetingConditions()
        conditions.platform = try request.query("platform").map { try Platform(named: $0) }
        conditions.botStatus = try request.query("status").map { text in
            guard let status = BotStatus(rawValue: text) else {
                throw APIError.invalid(
                    "status", "must be one of \(BotStatus.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return status
        }
        conditions.excludesPlanned = try request.flag("exclude_planned") ?? false
        return conditions
    }

    // MARK: One meeting

    /// `GET /meetings/{number}` and `GET /bots/id/{number}`
    func get(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .viewer)
            guard let number = Int(request.parameter("number")),
                let meeting = try await store.meeting(
                    number: number, workspace: caller.workspaceID, deadline: request.deadline)
            else { throw Self.unknown }
            return .json(BotsMeetingObject.json(meeting).bytes)
        }
    }

    struct Changes: Decodable {
        let data: Data

        struct Data: Decodable {
            /// As the record has them.
            let fields: [String: String]

            enum CodingKeys: String, CodingKey {
                case name, participants, languages, notes
            }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                var fields: [String: String] = [:]
                fields["title"] = try container.text(.name, maximum: 200)
                fields["participants"] = try container.list(.participants, maximum: 1_000, length: 200)
                fields["languages"] = try container.list(.languages, maximum: 100, length: 35)
                if let notes = try container.decodeIfPresent(String.self, forKey: .notes) {
                    guard notes.unicodeScalars.count <= 32_768 else {
                        throw APIError.invalid("data.notes", "must have at most 32768 characters")
                    }
                    fields["notes"] = notes
                }
                guard !fields.isEmpty else {
                    throw APIError.invalid(
                        "data", "must have at least one of name, participants, languages, notes")
                }
                self.fields = fields
            }
        }
    }

    /// `PATCH /meetings/{platform}/{native_meeting_id}`: what is absent or null stays as it is.
    func update(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .member)
            let room = try BotsCaller.room(of: request)
            let changes = try JSONBody.decode(Changes.self, from: request).data.fields
            let meeting = try await find(in: room, caller, request)
            switch try await store.update(meeting, fields: changes, deadline: request.deadline) {
            case .changed(let changed): return .json(BotsMeetingObject.json(changed).bytes)
            case .unknown: throw Self.unknown
            case .tooLarge: throw Self.tooLarge
            case .workspaceFull: throw APIError.workspaceFull
            }
        }
    }

    /// `DELETE /meetings/{platform}/{native_meeting_id}`: the transcript and what was collected go, the bare record
    /// stays. A plan goes altogether.
    func delete(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await callers.authenticate(request, atLeast: .member)
            let meeting = try await find(in: try BotsCaller.room(of: request), caller, request)
            let removal =
                meeting.isPlanned
                ? try await store.removePlan(meeting, deadline: request.deadline)
                : try await store.removeContents(of: meeting, deadline: request.deadline)
            switch removal {
            case .removed: break
            case .unknown: throw Self.unknown
            case .busy: throw Self.notOver(number: meeting.number)
            }
            var object = JSONText()
            object.add(
                "message",
                meeting.isPlanned
                    ? "The planned meeting \(meeting.number) was deleted."
                    : "The transcript and the data of meeting \(meeting.number) were deleted.")
            return .json(object.bytes)
        }
    }

    /// The meeting that the room stands for, or the one whose number `?meeting_id=` says.
    func find(in room: Room, _ caller: Caller, _ request: Request) async throws -> Meeting {
        if let number = try request.number("meeting_id", in: 1...Int.max) {
            guard
                let found = try await store.meeting(
                    number: number, workspace: caller.workspaceID, deadline: request.deadline),
                try await store.isMeeting(found, in: room, deadline: request.deadline)
            else { throw Self.unknown }
            return found
        }
        guard
            let found = try await store.meeting(
                in: room, workspace: caller.workspaceID, deadline: request.deadline)
        else { throw Self.unknown }
        return found
    }

    static let unknown = APIError(
        404, title: "Meeting not found", "There is no such meeting in this workspace. GET /meetings lists them.")

    /// Nothing of the request was changed.
    static let tooLarge = APIError.invalid(
        "data", "would have more than \(Store.maximumNoteBytes) bytes with what the meeting has already: shorten it")

    static func notOver(number: Int) -> APIError {
        APIError(
            409, title: "Meeting not over",
            "A bot is in this meeting or on its way to it, or its transcript is being collected. Stop the bot "
                + "and wait until the meeting is completed.", meetingNumber: number)
    }
}

extension KeyedDecodingContainer {
    /// A list of strings as JSON text; nil if it is absent or null.
    fileprivate func list(_ key: Key, maximum: Int, length: Int) throws -> String? {
        guard let values = try decodeIfPresent([String].self, forKey: key) else { return nil }
        guard values.count <= maximum, values.allSatisfy({ (1...length).contains($0.unicodeScalars.count) }) else {
            throw APIError.invalid(
                "data.\(key.stringValue)", "must be at most \(maximum) strings of 1 to \(length) characters")
        }
        return String(decoding: try JSONEncoder().encode(values), as: UTF8.self)
    }
}

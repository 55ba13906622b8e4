import FoundationEssentials
import HTTP
import Log
import Usher

/// `/api/v1/public/meeting/{workspace_id}/meetings`: what a caller of the re-invite endpoint needs beside it. Code
/// 12110 tells users to "fetch the latest meeting state", so they can.
struct MeetingsEndpoints: Sendable {
    private static let maximumLimit = 100

    let store: Store
    let authentication: Authentication
    let budget: AnswerBudget
    let logger: Logger

    struct NewMeetingBody: Decodable {
        let link: MeetingLink
        let title: String?
        let language: String?

        enum CodingKeys: String, CodingKey {
            case title, language
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            title = try container.text(.title, maximum: 200)
            language = try container.text(.language, maximum: 35)
            try NotYetThere.refuse(NotYetThere.members + NotYetThere.membersOfPlans, in: decoder)
            let reference = try MeetingReference(from: decoder)
            guard reference.url != nil || reference.platform != nil else {
                throw APIError.invalid("meeting_url", "is required, or platform and native_meeting_id")
            }
            do {
                link = try reference.link()
            } catch {
                throw APIError(error)
            }
        }
    }

    func create(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await caller(of: request, atLeast: .member)
            let body = try JSONBody.decode(NewMeetingBody.self, from: request)
            let new = NewMeeting(link: body.link, title: body.title, language: body.language)
            switch try await store.createMeeting(
                new, by: caller, idempotencyKey: try request.idempotencyKey(), deadline: request.deadline)
            {
            case .made(let meeting): return try .encoding(201, MeetingObject(meeting))
            case .unknownWorkspace: throw Self.noWorkspace(caller.workspaceID)
            case .refused(let quota): throw APIError(quota)
            }
        }
    }

    static func noWorkspace(_ id: String) -> APIError {
        APIError(404, "Workspace \(id) no longer exists.")
    }

    func get(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await caller(of: request, atLeast: .viewer)
            let id = request.parameter("meeting_id")
            var refusal = ReinviteRefusal.unknownMeeting
            // Whose it is first: an id that is none can name a key of another kind.
            if let owner = try await store.workspaceID(ofMeeting: id, deadline: request.deadline) {
                if owner != caller.workspaceID {
                    refusal = .otherWorkspace
                } else if let meeting = try await store.meeting(
                    id: id, workspace: owner, deadline: request.deadline)
                {
                    return try .encoding(200, MeetingObject(meeting))
                }
            }
            throw APIError(refusal, meetingID: id, workspaceID: caller.workspaceID)
        }
    }

    func list(_ request: Request) async -> Response {
        await answer(request, logger: logger) {
            let caller = try await caller(of: request, atLeast: .viewer)
            var conditions = MeetingConditions()
            if let text = request.query("status") {
                guard let status = MeetingStatus(rawValue: text.uppercased()) else {
                    throw APIError.invalid(
                        "status", "must be one of \(MeetingStatus.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                conditions.status = status
            }
            let encoder = JSONEncoder.ofAnswers
            return try await MeetingList(store: store, budget: budget).page(
                request, workspace: caller.workspaceID, conditions: conditions, limits: (Self.maximumLimit, 20)
            ) { meeting, body in
                body += try encoder.encode(MeetingObject(meeting))
            }
        }
    }

    private func caller(of request: Request, atLeast minimum: Role) async throws -> Caller {
        let workspaceID = request.parameter("workspace_id")
        let caller = try await authentication.caller(of: request, scope: .seameet, workspaceID: workspaceID)
        try await authentication.require(minimum, of: caller, deadline: request.deadline)
        return caller
    }
}

import HTTP
import Usher

/// Who asks the Bots API: the holder of a key, about the key's own workspace.
extension Access<Caller> {
    /// - Parameters:
    ///   - role: the least that may do this.
    ///   - isAskedLater: whether the endpoint finds out the role in the same exchange as the rest.
    static func bots(_ role: Role, isAskedLater: Bool = false) -> Self {
        let check: @Sendable (Caller, Request, Services) async throws -> Void = { caller, request, services in
            try await services.authentication.require(role, of: caller, in: services.session(for: request))
        }
        return Access(section: .bots, credentials: .apiKey(.bots, role)) { request, services in
            let caller = try await services.authentication.caller(of: request, scope: .bots)
            if !isAskedLater { try await check(caller, request, services) }
            return caller
        } beforeRefusing: { call in
            if isAskedLater { try await check(call.caller, call.request, call.services) }
        }
    }
}

extension Access<Caller> {
    /// The same of a live feed, whose key may be in the query.
    static func live(_ role: Role) -> Self {
        Access(section: .bots, credentials: .apiKey(.bots, role)) { request, services in
            guard let key = Authentication.apiKey(of: request, orQuery: true) else {
                throw services.gatekeeper.refuse(request, with: .unauthorized)
            }
            let caller = try await services.authentication.caller(
                withKey: key, of: request, scope: .bots, in: services.session(for: request))
            try await services.authentication.require(role, of: caller, in: services.session(for: request))
            return caller
        }
    }
}

enum BotsAPI {
    static let endpoints: [Endpoint] =
        BotEndpoints.all + BotsMeetingEndpoints.all + PlanEndpoints.all
        + [TimelineEndpoint.get, ScreenshotEndpoint.get, TranscriptEndpoint.get, RecordingEndpoint.get]
        + EventStreamEndpoints.all
        + [LiveSocketEndpoint.open, CallerEndpoint.get] + UserWebhookEndpoints.all + CalendarEndpoints.all
        + WebhookEndpoints.all + DeliveryEndpoints.all + WorkspaceKeyEndpoints.all + WorkspaceMemberEndpoints.all
}

extension Input<Room> {
    /// The room of `{platform}/{native_meeting_id}`, in whichever spelling. No room has an id that is none.
    static var room: Self {
        .group(platform, nativeID) { Room(platform: $0, anySpelling: $1) }
    }

    private static var platform: Input<Platform> {
        .path("platform", "Meeting platform.", schema: .choice(Platform.self), example: "google_meet") {
            try Platform(named: $0)
        }
    }

    private static var nativeID: Input<String> {
        // No id of a platform is longer.
        let maximumBytes = 256
        return .path(
            "native_meeting_id", "The platform-specific meeting ID.", schema: .segment(atMost: maximumBytes),
            example: "abc-defg-hij"
        ) { id in
            guard id.utf8.count <= maximumBytes else { throw FormError("is longer than \(maximumBytes) bytes") }
            return id
        }
    }
}

import HTTP
import Usher

/// Who asks the Bots API: the holder of a key, about the key's own workspace.
extension Access<Caller> {
    /// - Parameters:
    ///   - role: the least that may do this.
    ///   - isAskedLater: whether the endpoint finds out the role in the same exchange as the rest.
    static func bots(_ role: Role, isAskedLater: Bool = false) -> Self {
        Access(section: .bots, credentials: .apiKey(.bots, role)) { request, services in
            isAskedLater
                ? try await services.authentication.caller(of: request, scope: .bots)
                : try await services.authentication.member(of: request, scope: .bots, atLeast: role)
        } beforeRefusing: { call in
            if isAskedLater { try await call.services.authentication.require(role, of: call.caller, in: call.session) }
        }
    }
}

extension Access<Caller> {
    /// The same of a live feed, whose key, or a ticket for it, may be in the query: a viewer.
    static var live: Self {
        Access(section: .bots, credentials: .apiKey(.bots, .viewer)) { request, services in
            try await services.authentication.follower(of: request, in: services.session(for: request))
        }
    }
}

enum BotsAPI {
    static let endpoints: [Endpoint] =
        BotEndpoints.all + BotsMeetingEndpoints.all + PlanEndpoints.all
        + [TimelineEndpoint.get, ScreenshotEndpoint.get] + TranscriptEndpoint.all + [RecordingEndpoint.get]
        + EventStreamEndpoints.all
        + [LiveSocketEndpoint.open, LiveTicketEndpoint.create] + CallerEndpoint.all
        + UserWebhookEndpoints.all + CalendarEndpoints.all
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

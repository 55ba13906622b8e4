import HTTP
import Usher

/// `GET /ws`: the live feed as a WebSocket (docs/live.md, "The WebSocket").
enum LiveSocketEndpoint {
    /// Who asks is found out once the socket is open, so that a browser's page is told why it is closed: a refused
    /// handshake tells a page nothing.
    private static let access = Access<Void>(section: .bots, credentials: .apiKey(.bots, .viewer)) {
        request, services in
        if !isHandshake(request) {
            _ = try await services.authentication.follower(of: request, in: services.session(for: request))
        }
    }

    static let open = Endpoint(
        .get, "/ws", id: "openLiveFeed", access, summary: "Open the live feed",
        details: """
            A WebSocket (RFC 6455) of JSON objects: `subscribe` names meetings, and what changes in them follows, each with \
            a `cursor` to go on from. A wrong key is told in the open socket, which is then closed with 4401.
            """,
        takes: Input<String?>.query(
            "api_key", .string, "The API key, for browsers, whose sockets can send no fields. Better is a `ticket`."
        ) { $0 }, .ticket,
        answers: [
            Answer(status: .switchingProtocols, meaning: "The socket is open.", content: .none)
        ],
        errors: [
            DescribedError(
                APIError(426, "Open a WebSocket here (RFC 6455): Upgrade: websocket."),
                "The request opens no WebSocket.")
        ]
    ) { call, _, _ in
        guard let live = call.services.live else { throw APIError.noFeeds }
        do {
            let (services, request) = (call.services, call.request)
            return try WebSocketHandshake.accept(request) { socket in
                await LiveSocket(socket, request, services, live).serve()
            }
        } catch let error as WebSocketHandshake.Refusal {
            var response = APIError(Status(error.status), error.detail).response(.bots)
            response.headers += error.fields.filter { $0.name != "Connection" }
            return response
        }
    }

    private static func isHandshake(_ request: Request) -> Bool {
        (try? WebSocketHandshake.accept(request) { _ in }) != nil
    }
}

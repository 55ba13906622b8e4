import HTTP
import Usher

/// `POST /ws/ticket`: what a page puts into the address of a live feed, so that its key is in none (docs/live.md, "In a
/// page").
enum LiveTicketEndpoint {
    private static let tooMany = DescribedError(
        APIError(
            429, "\(Callers.maximumTickets) tickets of this workspace wait to be used. Use some, or wait.",
            retryAfterSeconds: Callers.ticketMilliseconds / 1_000),
        "The workspace has as many unused tickets as it may have.")

    static let create = Endpoint(
        .post, "/ws/ticket", id: "createLiveTicket", .bots(.viewer), summary: "Make a ticket for a live feed",
        details: """
            A browser's `WebSocket` and `EventSource` can send no fields, and what stands in an address is kept: by \
            histories, by proxies. A ticket opens one live feed, as its parameter `ticket`, for this key and soon: then \
            it is worth nothing.
            """,
        answers: [
            .json(
                201, "The ticket.",
                .object(
                    .required("ticket", .string),
                    .required("expires_in", .integer, "For how many seconds it opens one, from now on.")),
                example: ["ticket": "ticket_...", "expires_in": 30])
        ],
        errors: [tooMany]
    ) { call in
        guard let ticket = try await call.session.callers.ticket(for: call.caller) else { throw tooMany.error }
        var object = JSONText()
        object.add("ticket", ticket)
        object.add("expires_in", Callers.ticketMilliseconds / 1_000)
        return .json(object.bytes, status: 201)
    }
}

extension Input where Value == String? {
    static var ticket: Input {
        .query("ticket", .string, "One of `POST /ws/ticket`, in place of the API key.") { $0 }
    }
}

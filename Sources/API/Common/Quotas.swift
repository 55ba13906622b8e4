import Usher

extension APIError {
    /// A workspace has reached a limit of its meetings.
    init(_ refusal: QuotaRefusal) {
        switch refusal {
        case .meetings(let limit):
            self.init(
                429, title: "Too many meetings",
                "This workspace has as many meetings as it may have: \(limit). Delete planned ones (DELETE /meetings/...); "
                    + "others go when the time is over that meetings are kept, if there is one. The operator of the "
                    + "service can set another limit.",
                retryAfterSeconds: 3600)
        case .bytes(let limit):
            self.init(413, title: "Workspace full", Self.full(limit))
        }
    }

    /// A change of a record would make its workspace pass the limit, whatever that is.
    static let workspaceFull = APIError(413, title: "Workspace full", full(nil))

    private static func full(_ limit: Int?) -> String {
        "The meetings of this workspace would take more bytes than they may\(limit.map { ": \($0)" } ?? ""). Delete the "
            + "transcripts of old ones (DELETE /meetings/...), or ask the operator of the service for another limit."
    }
}

/// What `usher up` makes so that there is something to try.
struct Demo: Equatable, Sendable {
    var workspaceID: String
    /// The owner's, with every scope.
    var apiKey: String
    var meetingID: String
    var meetingURL: String

    /// Makes it, once the nodes answer. Stop signals are not looked at meanwhile, so this is bounded in time.
    ///
    /// - Parameters:
    ///   - settings: those of the nodes, with the Redis URL and the admin key that are in use.
    ///   - baseURL: of the nodes, such as "http://127.0.0.1:8080".
    /// - Returns: nil to show no demo.
    /// - Throws: `UpFailure`; everything is then stopped.
    static func make(_ settings: Settings, baseURL: String) throws(UpFailure) -> Demo? {
        nil
    }
}

import Usher

/// Whose keys `usher keys` is to print.
enum KeysRequest: Equatable, Sendable {
    /// A workspace's, a meeting's or a bot's.
    case id(String)
    /// A meeting's.
    case number(Int)
    /// - Parameter workspace: nil: in any workspace that is listed.
    case room(MeetingLink, workspace: String?)
}

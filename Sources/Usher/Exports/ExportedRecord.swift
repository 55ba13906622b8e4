/// One thing that an export has of a workspace: a line of its file (docs/operations.md, "Move, back up and restore a
/// workspace").
public struct ExportedRecord: Equatable, Sendable {
    /// In the order in which an export has them, as they are imported in it: a meeting after what was said in it, plans
    /// and calendars once all meetings are there, and last the keys, which open the workspace.
    public enum Kind: String, CaseIterable, Sendable {
        case workspace, user, webhook, names
        /// Some of what was said in the meeting that follows.
        case segments
        /// A meeting that is not exported: what there is of its segments does not count.
        case leftOut = "left_out"
        case meeting
        case plan
        /// What a calendar that follows has planned.
        case occurrences
        case calendar, key

        /// None comes after one of a higher rank.
        public var rank: Int {
            switch self {
            case .workspace: 0
            case .user: 1
            case .webhook: 2
            case .names: 3
            case .segments, .leftOut, .meeting: 4
            case .plan: 5
            case .occurrences, .calendar: 6
            case .key: 7
            }
        }
    }

    public let kind: Kind
    /// The record's own; of segments the meeting's, of occurrences the calendar's, of a key its hash, of names none.
    public let id: String
    /// What is known of it beside its fields, by names that `ExportedRecord.allowed` lists.
    public var with: [String: String]
    /// Those of its hash.
    public var fields: [String: String]
    /// What happened to a meeting: what, bot_id, from, to, why, at and trace_id of each change.
    public var events: [[String]]

    public init(
        _ kind: Kind, id: String = "", with: [String: String] = [:], fields: [String: String] = [:],
        events: [[String]] = []
    ) {
        (self.kind, self.id, self.with, self.fields, self.events) = (kind, id, with, fields, events)
    }
}

/// Why a workspace is not exported.
public enum ExportRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownWorkspace(String)
    case halfImported(String)
    /// A bot is in a meeting, or on its way.
    case running(number: Int)
    /// Its transcript is in an archive.
    case archiveNeeded(number: Int)
    case changing(number: Int)
    case odd(String)

    public var description: String {
        switch self {
        case .unknownWorkspace(let id): "There is no workspace \(id)."
        case .halfImported(let id):
            "The workspace \(id) is not whole: an import of it was interrupted. Run that again first."
        case .running(let number):
            "A bot is in meeting \(number), or on its way there. Wait until it has ended, or leave such meetings out with "
                + "--running skip."
        case .archiveNeeded(let number):
            "The transcript of meeting \(number) is in an archive: name that with --archive, as nodes are given it."
        case .changing(let number): "Meeting \(number) changed each time it was read. Try again."
        case .odd(let what): "\(what)."
        }
    }
}

import Glibc
import Log
import Redis

/// A workspace, with what it has now of what its limits count.
public struct WorkspaceUse: Sendable {
    public let workspace: Workspace
    /// Records of meetings, and bots that have not ended.
    public let meetings: Int
    public let bots: Int
}

/// All workspaces, for whoever runs the service: those that a node of this version made, or saw a key of.
extension Workspaces {
    /// How many are looked through for those that are sought, and read in one go.
    private static let maximumWorkspacesSeen = 1_000
    private static let workspacesPerRead = 100

    /// Has a workspace listed; once, however often. The clock of a node does: it is for the order alone.
    static func listing(_ workspace: String) -> Command {
        Command("ZADD", Keys.workspaces, "NX", String(WallClock.milliseconds), workspace)
    }

    /// A page of all workspaces, the one that was listed first first.
    /// - Parameters:
    ///   - search: a part of the name, in any case, or the beginning of the id; empty for all. One whose id it is, is
    ///     found also if it is not listed.
    /// - Returns: where to go on; nil if there are no more.
    public func all(
        search: String, offset: Int, limit: Int
    ) async throws(RedisError) -> (page: [WorkspaceUse], next: Int?) {
        let sought = search.lowercased()
        if Identifier.isUUID(sought) {
            guard let workspace = try await workspace(id: sought) else { return ([], nil) }
            return (try await use(of: [workspace]), nil)
        }
        var page: [Workspace] = []
        var position = offset
        let end = offset.addingClamped(Self.maximumWorkspacesSeen)
        while page.count < limit, position < end {
            let last = position.addingClamped(Self.workspacesPerRead - 1)
            let ids = try await session.send(Command("ZRANGE", Keys.workspaces, String(position), String(last)))
                .arrayOrThrow().compactMap(\.string)
            var rest = try await workspaces(ids)[...]
            while page.count < limit, let workspace = rest.popFirst() {
                position += 1
                if let workspace, workspace.isFound(by: sought) { page.append(workspace) }
            }
            if ids.count < Self.workspacesPerRead, rest.isEmpty { return (try await use(of: page), nil) }
        }
        return (try await use(of: page), position)
    }

    /// - Returns: nil for each that is not there, or no workspace's record.
    private func workspaces(_ ids: [String]) async throws(RedisError) -> [Workspace?] {
        guard !ids.isEmpty else { return [] }
        let keys = ids.map { WorkspaceKeys(workspace: $0).workspace }
        let replies = try await session.replies(to: keys.map { Command("HGETALL", $0) })
        var workspaces: [Workspace?] = []
        for (key, reply) in zip(keys, replies) {
            let found = try session.oddRecords.leavingOut(key, reply) { reply throws(RedisError) -> Workspace? in
                let fields = try reply.hash()
                return fields.isEmpty ? nil : try Workspace(fields)
            }
            workspaces.append(found ?? nil)
        }
        return workspaces
    }

    private func use(of workspaces: [Workspace]) async throws(RedisError) -> [WorkspaceUse] {
        guard !workspaces.isEmpty else { return [] }
        let keys = workspaces.map { WorkspaceKeys(workspace: $0.id) }
        let replies = try await session.replies(
            to: keys.flatMap { [Command("ZCARD", $0.meetings), Command("ZCARD", $0.bots)] })
        var use: [WorkspaceUse] = []
        for (index, workspace) in workspaces.enumerated() {
            use.append(
                WorkspaceUse(
                    workspace: workspace,
                    meetings: try session.oddRecords.count(keys[index].meetings, replies[2 * index]),
                    bots: try session.oddRecords.count(keys[index].bots, replies[2 * index + 1])))
        }
        return use
    }
}

extension Workspace {
    /// - Parameter text: in lower case. It is compared by bytes (strstr(3)), in a time that grows with their number alone:
    ///   what people see as characters takes up to a thousand times as long.
    fileprivate func isFound(by text: String) -> Bool {
        id.hasPrefix(text) || strstr(name.lowercased(), text) != nil
    }
}

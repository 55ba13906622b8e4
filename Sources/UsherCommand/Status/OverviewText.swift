import Log
import Usher

/// What `usher status` prints for people.
enum OverviewText {
    static func lines(_ overview: Overview) -> [String] {
        var lines: [String] = []
        lines.append(heading("nodes", overview.nodes.isEmpty ? "none" : String(overview.nodes.count)))
        lines += table(
            ["ID", "HOST", "PROCESS", "VERSION", "ADDRESS", "STATE", "UP", "SEEN"],
            overview.nodes.map { start($0) + [$0.address ?? ""] + end($0, at: overview.at) })
        lines.append(
            heading(
                "runners",
                overview.runners.isEmpty
                    ? "none"
                    : "\(overview.runners.count), with \(overview.running) of \(overview.capacity) places taken"))
        lines += table(
            ["ID", "HOST", "PROCESS", "VERSION", "BOTS", "STATE", "UP", "SEEN"],
            overview.runners.map { runner in
                start(runner) + ["\(runner.running ?? 0)/\(runner.capacity ?? 0)"] + end(runner, at: overview.at)
            })
        for runner in overview.runners {
            if let problem = runner.problem { lines.append("  \(runner.id.jsonEscaped): \(problem.jsonEscaped)") }
        }
        lines.append(heading("rooms", rooms(overview)))
        lines.append(
            heading(
                "queue",
                overview.queue.waiting == 0
                    ? "empty"
                    : "\(overview.queue.waiting) waiting, the oldest for \(duration(overview.queue.oldestMilliseconds))"
            ))
        lines.append(heading("leases", "\(overview.queue.leased - overview.overdue) live, \(overview.overdue) overdue"))
        lines.append(
            heading("plans", overview.planned == 0 ? "none within the hour" : "\(overview.planned) within the hour"))
        lines.append(heading("webhooks", webhooks(overview.queue)))
        if let text = operatorEndpoint(overview.queue.operatorEndpoint) { lines.append(heading("operator", text)) }
        if let archive = archive(overview) { lines.append(heading("archive", archive)) }
        return lines
    }

    /// Nothing where there is none.
    private static func archive(_ overview: Overview) -> String? {
        let (moved, removals, problem) = overview.archive
        guard moved > 0 || removals > 0 || problem != nil else { return nil }
        let removed = removals == 0 ? "" : ", \(removals) objects to be removed"
        return "\(moved) meetings moved\(removed)" + (problem.map { "; it cannot be used: \($0.jsonEscaped)" } ?? "")
    }

    private static func webhooks(_ queue: QueueReading) -> String {
        guard queue.waitingWebhooks > 0 || queue.unfiledChanges > 0 else { return "nothing waits" }
        return "\(queue.waitingWebhooks) wait to be told, the first for \(duration(queue.overdueMilliseconds)); "
            + "\(queue.unfiledChanges) changes not filed yet"
    }

    /// Nothing where there is none.
    private static func operatorEndpoint(_ reading: OperatorReading) -> String? {
        guard reading.isThere || reading.waiting > 0 else { return nil }
        let failing = reading.failingMilliseconds.map { ", failing for \(duration($0))" } ?? ""
        let dropped = reading.dropped > 0 ? ", \(reading.dropped) events dropped" : ""
        return (reading.waiting == 0 ? "nothing waits" : "something waits of \(reading.waiting) workspaces")
            + "\(failing)\(dropped)"
    }

    private static func rooms(_ overview: Overview) -> String {
        guard overview.roomsHeld > 0 else { return "none held" }
        let parts = BotStatus.allCases.compactMap { status in
            overview.statuses[status].map { "\($0) \(status.rawValue)" }
        }
        let isPart = overview.roomsCounted < overview.roomsHeld
        return "\(overview.roomsHeld) held: \(parts.joined(separator: ", "))"
            + (isPart ? " (of the first \(overview.roomsCounted))" : "")
    }

    private static func heading(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: 10 - name.count) + text
    }

    private static func start(_ peer: Peer) -> [String] {
        [peer.id, peer.host, String(peer.process), peer.version]
    }

    private static func end(_ peer: Peer, at now: Int) -> [String] {
        [
            peer.state, duration(now.subtractingClamped(peer.startedAt)),
            "\(duration(now.subtractingClamped(peer.seenAt))) ago",
        ]
    }

    /// Columns as wide as their widest cell, two spaces apart; nothing at all without rows.
    static func table(_ header: [String], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let rows = [header] + rows.map { $0.map(\.jsonEscaped) }
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = " "
            for (cell, width) in zip(row, widths) {
                line += " " + cell + String(repeating: " ", count: width - cell.count + 1)
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// `0.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: the two largest units.
    static func duration(_ milliseconds: Int) -> String {
        let milliseconds = max(0, milliseconds)
        let seconds = milliseconds / 1_000
        switch seconds {
        case ..<60: return "\(seconds).\(milliseconds % 1_000 / 100) s"
        case ..<3_600: return "\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400: return "\(seconds / 3_600) h \(seconds / 60 % 60) min"
        default: return "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
        }
    }
}

import FoundationEssentials
import Redis

/// A meeting as it is at one moment: it is read again where it has changed meanwhile, so that a transcript of any length is
/// never held as a whole, but for what the archive has.
extension WorkspaceExport {
    private static let attempts = 5
    /// About the bytes of a record of segments.
    private static let recordBytes = 65_536
    /// By which it is seen that nothing has come in, gone or been moved meanwhile.
    private static let watched = [
        "status", "bot_status", "bot_id", "segments_revision", "archived", "redacted_at", "bytes", "updated_at",
    ]
    /// What is of this Redis alone.
    private static let own = [
        "moving", "archived", "archived_participants", "archived_languages", "positions", "events",
    ]

    /// - Returns: when a bot is to be sent to it, if one is, as text.
    func give(
        meeting id: String, number: Int, _ take: (ExportedRecord) async throws -> Void
    ) async throws -> String? {
        var hasSegments = false
        for _ in 0..<Self.attempts {
            let fields = try await session.send(Command("HGETALL", keys.partition.meeting(id))).hash()
            guard !fields.isEmpty else { return try await leaveOut(id, hasSegments ? "removed" : nil, take) }
            guard let meeting = try? Meeting(fields) else { return try await leaveOut(id, "unreadable", take) }
            if try await isRunning(meeting) {
                guard skipsRunning else { throw ExportRefusal.running(number: number) }
                return try await leaveOut(id, "running", take)
            }
            // What was read before counts no more, also where there is nothing now.
            if hasSegments { try await take(ExportedRecord(.segments, id: id, with: ["first": "1"])) }
            var taken: (here: Int, all: Int)?
            var fault: ArchiveFault?
            do {
                taken = try await giveSegments(of: meeting) { record in
                    hasSegments = true
                    try await take(record)
                }
            } catch let error as ArchiveFault {
                fault = error
            }
            let around = try await surroundings(of: meeting)
            guard Self.watched.allSatisfy({ around.fields[$0] == fields[$0] }) else { continue }
            if let fault { throw fault }
            return try await give(around, of: meeting, taken: taken ?? (0, 0), try await changes(of: meeting), take)
        }
        throw ExportRefusal.changing(number: number)
    }

    private func leaveOut(
        _ id: String, _ why: String?, _ take: (ExportedRecord) async throws -> Void
    ) async throws -> String? {
        if let why { try await give(ExportedRecord(.leftOut, id: id, with: ["why": why]), take) }
        return nil
    }

    private func isRunning(_ meeting: Meeting) async throws(RedisError) -> Bool {
        if meeting.botStatus.flatMap(BotStatus.init)?.isRunning ?? false { return true }
        return try await session.send(Command("GET", keys.holder(meeting.room))).optionalString() == meeting.id
    }

    /// What was said, from Redis and from the archive.
    /// - Returns: how many bytes of it quotas count, of what is in Redis and of all.
    private func giveSegments(
        of meeting: Meeting, _ take: (ExportedRecord) async throws -> Void
    ) async throws -> (here: Int, all: Int) {
        var isFirst = true
        func give(_ segments: [(field: [UInt8], value: String)]) async throws {
            var rest = segments[...]
            while !rest.isEmpty {
                var fields: [String: String] = [:]
                var bytes = 0
                while fields.count < Self.fieldsAtOnce, bytes < Self.recordBytes, let next = rest.first {
                    let name = String(decoding: next.field, as: UTF8.self)
                    // Texts that differ by their bytes alone are one to Swift: they go into another record.
                    guard fields[name] == nil else { break }
                    rest = rest.dropFirst()
                    // What another hand has spoilt must not spoil the rest.
                    guard ExportedRecord.isSegment(next.field, next.value) else { continue }
                    fields[name] = next.value
                    bytes += next.value.utf8.count
                }
                try await take(
                    ExportedRecord(.segments, id: meeting.id, with: isFirst ? ["first": "1"] : [:], fields: fields))
                isFirst = false
            }
        }
        var (here, all) = (0, 0)
        var archived = try await session.archivedSegments(
            meeting.fields["archived"], of: meeting.id, workspace: workspaceID)
        var scan = SegmentScan(segmentsOfMeeting: meeting.id, of: workspaceID)
        while var batch = try await scan.next(in: session) {
            for index in batch.indices {
                here += StoredSegment.taken(field: batch[index].field, value: batch[index].value)
                if let other = archived.removeValue(forKey: batch[index].field),
                    !StoredSegment.takesPlace(batch[index].value, of: other)
                {
                    batch[index].value = other
                }
                all += StoredSegment.taken(field: batch[index].field, value: batch[index].value)
            }
            try await give(batch)
        }
        all += archived.reduce(0) { $0 + StoredSegment.taken(field: $1.key, value: $1.value) }
        try await give(archived.map { ($0.key, $0.value) })
        return (here, all)
    }

    private struct Surroundings {
        let fields: [String: String]
        let endedAt: String?
        let analyzingAt: String?
        let due: String?
        let isHeld: Bool
    }

    private func surroundings(of meeting: Meeting) async throws(RedisError) -> Surroundings {
        let (partition, id) = (keys.partition, meeting.id)
        let replies = try await session.pipeline([
            Command("HGETALL", partition.meeting(id)), Command("ZSCORE", partition.ended, id),
            Command("ZSCORE", partition.archived, id), Command("ZSCORE", partition.analyzing, id),
            Command("ZSCORE", partition.plans, keys.member(id)), Command("GET", keys.held(meeting.room)),
        ])
        func score(_ reply: Value) -> String? {
            reply.string.flatMap(Double.init).flatMap { Int(exactly: $0.rounded()) }.map { String($0) }
        }
        return Surroundings(
            fields: try replies[0].hash(), endedAt: score(replies[1]) ?? score(replies[2]),
            analyzingAt: score(replies[3]), due: score(replies[4]), isHeld: try replies[5].optionalString() == id)
    }

    private func changes(of meeting: Meeting) async throws(RedisError) -> [[String]] {
        try await session.meetings.timeline(of: meeting).events.map {
            [$0.what, $0.botID, $0.from, $0.to, $0.why, String($0.at), $0.traceID]
        }
    }

    private func give(
        _ around: Surroundings, of meeting: Meeting, taken: (here: Int, all: Int), _ events: [[String]],
        _ take: (ExportedRecord) async throws -> Void
    ) async throws -> String? {
        var fields = around.fields
        for name in Self.own { fields[name] = nil }
        // As if all of it had been in Redis, and nothing packed.
        let kept = meeting.fields["archived"].flatMap {
            ArchivedObject($0, workspaceID: workspaceID, meetingID: meeting.id)?.kept
        }
        fields["bytes"] = String(max(0, (meeting.number("bytes") ?? 0) - taken.here - (kept ?? 0) + taken.all))
        var with: [String: String] = [:]
        with["ended_at"] = around.endedAt
        with["analyzing_at"] =
            around.analyzingAt ?? (meeting.status == MeetingStatus.analyzing.rawValue ? fields["end_time"] : nil)
        with["held"] = around.isHeld ? "1" : nil
        let record = ExportedRecord(.meeting, id: meeting.id, with: with, fields: fields, events: events)
        guard record.problem(in: workspaceID) == nil else { return try await leaveOut(meeting.id, "unreadable", take) }
        try await take(record)
        return meeting.isPlanned ? around.due : nil
    }
}

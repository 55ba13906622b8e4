import Redis
import Scripts

/// What the records know of recordings.
struct Recordings: Sendable {
    let session: Session

    /// Notes that a recording is kept. Safe to repeat.
    /// - Parameter bytes: of its file.
    func note(_ place: RecordingPlace, bytes: Int) async throws(RedisError) -> Scripts.NoteRecording.Reply {
        let keys = WorkspaceKeys(workspace: place.workspaceID)
        return try await session.run(
            Scripts.NoteRecording(
                meetingKey: keys.partition.meeting(place.meetingID), workspaceKey: keys.workspace,
                botKey: keys.partition.bot(place.botID), eventsKey: keys.partition.events, webhooksKey: keys.webhooks,
                outboxKey: keys.partition.outbox,
                operatorKey: keys.partition.operatorEndpoint, removedKey: keys.partition.removed,
                meetingID: place.meetingID,
                botID: place.botID, bytes: bytes, most: Recording.maximumListed,
                maxEvents: session.configuration.maximumEvents, workspaceID: place.workspaceID))
    }
}

extension Session {
    var recordings: Recordings { Recordings(session: self) }
}

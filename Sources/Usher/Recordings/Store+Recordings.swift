import EventLoop
import Redis
import Scripts

extension Store {
    /// Notes that a recording is kept. Safe to repeat.
    /// - Parameter bytes: of its file.
    func noteRecording(
        _ place: RecordingPlace, bytes: Int, deadline: MonotonicTime
    ) async throws(RedisError) -> Scripts.NoteRecording.Reply {
        let keys = WorkspaceKeys(workspace: place.workspaceID)
        return try await run(
            Scripts.NoteRecording(
                meetingKey: keys.partition.meeting(place.meetingID), workspaceKey: keys.workspace,
                botKey: keys.partition.bot(place.botID), eventsKey: keys.partition.events,
                webhooksKey: keys.webhooks, outboxKey: keys.partition.outbox,
                feedKey: keys.partition.feed(ofMeeting: place.meetingID), feedsKey: keys.feed,
                meetingID: place.meetingID, botID: place.botID, bytes: bytes, most: Recording.maximumListed,
                maxEvents: configuration.maximumEvents),
            by: deadline)
    }
}

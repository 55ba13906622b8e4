import BotWire
import EventLoop
import Log

/// The file of the confirmed segments that Redis has acknowledged, beside the presence file: for each a line
/// `<CLOCK_BOOTTIME ns> <bot_id> <meeting_id> <segment_id> <text>`. From then on the segment is the service's to keep.
/// Belongs to the bot's loop's thread.
final class AcknowledgedSegments {
    private let botID: String
    private let file: RoomFile

    /// Opens `<folder>/<platform>:<native_meeting_id>.segments` to append to it.
    /// - Throws: `SystemError` if that cannot be done.
    init(folder: String, room: String, botID: String, logger: Logger) throws(SystemError) {
        self.botID = botID
        file = try RoomFile(folder: folder, room: room, kind: "segments", logger: logger)
    }

    func note(_ segment: TranscriptSegment, meeting: Int) {
        file.writeLine("\(botID) \(meeting) \(segment.segmentID) \(segment.text)")
    }
}

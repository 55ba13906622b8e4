import Compression
import JSON
import Log
import Usher

/// The form of an object of the archive: lines of JSON, as gzip packs them (RFC 1952). The first tells of the meeting, each
/// of the others is a segment: `["<bot_id>:<segment_id>", "<its stored form>"]`.
///
/// All of it takes as long as it takes: not on a loop that others need.
enum TranscriptObject {
    private static let form = 1
    /// Of the first line, and of the others, about what a segment may have.
    private static let maximumLineBytes = 1 << 20

    private struct Head: Decodable {
        let form: Int
        let meetingID: String
        let segments: Int

        enum CodingKeys: String, CodingKey {
            case segments
            case form = "usher_archive"
            case meetingID = "meeting_id"
        }
    }

    /// - Returns: nil if zlib has no memory.
    static func pack(
        _ transcript: MovedTranscript, _ name: ArchiveName, number: Int
    ) -> (bytes: [UInt8], unpackedBytes: Int)? {
        let head =
            #"{"usher_archive":\#(form),"workspace_id":"\#(name.workspaceID)","meeting_id":"\#(name.meetingID)","#
            + #""number":\#(number),"segments":\#(transcript.segments.count)}"#
        var lines = Array(head.utf8) + [UInt8(ascii: "\n")]
        for (field, value) in transcript.segments {
            lines += "[\"".utf8
            String(decoding: field, as: UTF8.self).appendJSONEscaped(to: &lines)
            lines += "\",\"".utf8
            value.appendJSONEscaped(to: &lines)
            lines += "\"]\n".utf8
        }
        return Gzip.packed(lines).map { ($0, lines.count) }
    }

    /// - Throws: `.spoilt` unless it is what was written.
    static func unpack(_ bytes: [UInt8], _ object: ArchivedObject) throws(ArchiveFault) -> StoredSegments {
        guard bytes.count == object.bytes, Digest.sha256(bytes) == object.sha256 else {
            throw .spoilt("an object of the archive is not what was written")
        }
        guard let lines = Gzip.unpacked(bytes, count: object.unpackedBytes) else {
            throw .spoilt("an object of the archive cannot be unpacked")
        }
        var segments: StoredSegments = [:]
        segments.reserveCapacity(min(object.segments, 200_000))
        var head: Head?
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let limits = JSONLimits(bytes: maximumLineBytes, levels: 2, values: 8)
            if head == nil {
                head = try? Head(json: Array(line), limits: limits)
                guard let head, head.form == form, head.meetingID == object.name.meetingID else {
                    throw .spoilt("an object of the archive is of another form, or another meeting's")
                }
            } else {
                guard let parts = try? [String](json: Array(line), limits: limits), parts.count == 2 else {
                    throw .spoilt("a line of an object of the archive cannot be read")
                }
                segments[Array(parts[0].utf8)] = parts[1]
            }
        }
        guard segments.count == object.segments, head?.segments == object.segments else {
            throw .spoilt("an object of the archive has not as many segments as were written")
        }
        return segments
    }
}

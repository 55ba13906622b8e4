import CZlib
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

/// What is packed once, and may be read as often.
enum Gzip {
    /// - Returns: nil if zlib has no memory.
    static func packed(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard usher_deflate_init_gzip(&stream, Z_DEFAULT_COMPRESSION) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        return run(&stream, bytes, room: Int(deflateBound(&stream, UInt(bytes.count)))) { deflate(&$0, Z_FINISH) }
    }

    /// - Parameter count: how many bytes it has unpacked.
    /// - Returns: nil if it has not so many, or is none.
    static func unpacked(_ bytes: [UInt8], count: Int) -> [UInt8]? {
        var stream = z_stream()
        guard usher_inflate_init_gzip(&stream) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // With room for one more, which must not come.
        let unpacked = run(&stream, bytes, room: count + 1) { inflate(&$0, Z_FINISH) }
        return unpacked?.count == count && stream.avail_in == 0 ? unpacked : nil
    }

    private static func run(
        _ stream: inout z_stream, _ bytes: [UInt8], room: Int, _ body: (inout z_stream) -> Int32
    ) -> [UInt8]? {
        guard bytes.count <= 1 << 30, room <= 1 << 30 else { return nil }
        var input = bytes
        var output = [UInt8](repeating: 0, count: room)
        let isDone = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                return body(&stream) == Z_STREAM_END
            }
        }
        guard isDone else { return nil }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }
}

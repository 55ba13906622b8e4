import CHiredis

/// hiredis' parser of replies: what reads and writes sockets is our own, since hiredis' connections end the process by an
/// assertion as soon as Redis says something odd.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>

    init() {
        guard let reader = redisReaderCreate() else { fatalError("out of memory") }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
    }

    /// Bytes of a reply that is not complete.
    var unparsedBytes: Int { reader.pointee.len - reader.pointee.pos }

    /// Whether a reply has begun that is not complete. hiredis keeps its type, at any depth, and -1 before one begins.
    var hasBegun: Bool {
        let reader = reader.pointee
        return unparsedBytes > 0 || reader.ridx > 0 || (reader.ridx == 0 && reader.rstack.0.type >= 0)
    }

    func feed(_ bytes: UnsafeBufferPointer<UInt8>) {
        bytes.withMemoryRebound(to: CChar.self) { _ = redisReaderFeed(reader, $0.baseAddress, $0.count) }
    }

    /// The next reply, or nil if it is not complete.
    /// - Throws: `RedisError.unexpectedReply` if what came is no reply; then nothing after it can be understood.
    func next() throws(RedisError) -> Value? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw .unexpectedReply("not a reply of Redis") }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return Value(UnsafePointer(reply.assumingMemoryBound(to: redisReply.self)))
    }
}

import CHiredis

/// hiredis' parser of replies on its own: for connections whose replies do not answer commands one by one, for which
/// hiredis' connections end the process by an assertion as soon as Redis says something odd.
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

import CHiredis

/// hiredis' parser of replies, which makes our values of them: nothing is read twice, and nothing that a reply announces is
/// believed before it has come. What reads and writes sockets is our own, since hiredis' connections end the process by an
/// assertion as soon as Redis says something odd.
package final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let builder: ReplyBuilder

    /// - Parameter maximumBytes: what a reply may take, each value counted as 16 and its text.
    package init(maximumBytes: Int = 64 << 20) {
        builder = ReplyBuilder(maximumBytes: maximumBytes)
        guard let reader = redisReaderCreateWithFunctions(ReplyBuilder.functions) else { fatalError("out of memory") }
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
    }

    /// Bytes of a reply that is not complete, and not of its parts that are.
    package var unparsedBytes: Int { reader.pointee.len - reader.pointee.pos }

    /// Whether a reply has begun that is not complete. hiredis keeps its type, at any depth, and -1 before one begins.
    package var hasBegun: Bool {
        let reader = reader.pointee
        return unparsedBytes > 0 || reader.ridx > 0 || (reader.ridx == 0 && reader.rstack.0.type >= 0)
    }

    package func feed(_ bytes: UnsafeBufferPointer<UInt8>) {
        bytes.withMemoryRebound(to: CChar.self) { _ = redisReaderFeed(reader, $0.baseAddress, $0.count) }
    }

    /// The next reply, or nil if it is not complete.
    /// - Throws: `RedisError.unexpectedReply` if what came is no reply, or too large; then nothing after it can be
    ///   understood.
    package func next() throws(RedisError) -> Value? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else {
            throw .unexpectedReply(
                builder.isFull ? "a reply of over \(builder.maximumBytes) bytes" : "not a reply of Redis")
        }
        return reply == nil ? nil : builder.takeReply()
    }
}

/// Makes values as hiredis reads them: it tells of an array before its parts, and of these in their order.
private final class ReplyBuilder {
    private struct Begun {
        let count: Int
        var values: [Value] = []
    }

    /// How many places an array gets at once on the word of its head.
    private static let mostReserved = 1_024
    private static let bytesOfValue = 16

    let maximumBytes: Int
    private(set) var isFull = false
    private var bytes = 0
    /// The arrays that are not complete, the outermost first.
    private var begun: [Begun] = []
    private var reply: Value?

    init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    func takeReply() -> Value? {
        defer {
            reply = nil
            bytes = 0
        }
        return reply
    }

    private func counts(_ count: Int) -> Bool {
        bytes += Self.bytesOfValue + count
        if bytes > maximumBytes { isFull = true }
        return !isFull
    }

    private func add(_ value: Value) {
        var value = value
        while !begun.isEmpty {
            let last = begun.count - 1
            begun[last].values.append(value)
            guard begun[last].values.count == begun[last].count else { return }
            value = .array(begun.removeLast().values)
        }
        reply = value
    }

    // MARK: What hiredis calls

    /// Anything but nil, which means that there is no memory.
    private static var made: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

    private static func builder(_ task: UnsafePointer<redisReadTask>?) -> ReplyBuilder {
        Unmanaged<ReplyBuilder>.fromOpaque(task!.pointee.privdata!).takeUnretainedValue()
    }

    /// hiredis keeps the pointer, and changes nothing.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, text, count in
                    let builder = ReplyBuilder.builder(task)
                    guard builder.counts(count) else { return nil }
                    let text = String(decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
                    builder.add(task!.pointee.type == REDIS_REPLY_ERROR ? .error(text) : .string(text))
                    return made
                },
                createArray: { task, count in
                    let builder = ReplyBuilder.builder(task)
                    guard builder.counts(0) else { return nil }
                    if count == 0 {
                        builder.add(.array([]))
                    } else {
                        var begun = Begun(count: Int(count))
                        begun.values.reserveCapacity(min(begun.count, mostReserved))
                        builder.begun.append(begun)
                    }
                    return made
                },
                createInteger: { task, number in
                    let builder = ReplyBuilder.builder(task)
                    guard builder.counts(0) else { return nil }
                    builder.add(.integer(Int(number)))
                    return made
                },
                createNil: { task in
                    let builder = ReplyBuilder.builder(task)
                    guard builder.counts(0) else { return nil }
                    builder.add(.null)
                    return made
                },
                freeObject: { _ in }))
        return functions
    }()
}

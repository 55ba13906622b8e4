import EventLoop

/// Makes the bots' ids of one loop. For each request alone, libcrypto's generator would cost as much as a command; so
/// the random bits of many ids are drawn at once. Ids are no secrets.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
final class BotIdentifiers: @unchecked Sendable {
    private static let idsPerDraw = 128

    private let loop: EventLoop
    private var bits = [UInt64](repeating: 0, count: 2 * BotIdentifiers.idsPerDraw)
    /// Those before it have been used.
    private var position = 2 * BotIdentifiers.idsPerDraw

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// See `Identifier.bot`.
    func next(in partition: Partition) -> String {
        loop.preconditionCurrent()
        if position == bits.count {
            Identifier.fillRandomly(&bits, bits.count * MemoryLayout<UInt64>.size)
            position = 0
        }
        defer { position += 2 }
        return Identifier.bot(in: partition, bits[position], bits[position + 1])
    }
}

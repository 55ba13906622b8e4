import Redis

extension Session {
    /// The next number of a sequence that nobody has.
    ///
    /// A failover may take a sequence back to numbers that it has given out, while what bears them lies on another
    /// primary of a Cluster, and has stayed: so a number counts once it is seen to be free. What was lost of the sequence
    /// is passed by in growing steps.
    /// - Parameter take: whether the number is free, and is now taken.
    func newNumber(of sequence: String, take: (Int) async throws(RedisError) -> Bool) async throws(RedisError) -> Int {
        var step = 1
        while step <= 10_000 {
            let replies = try await pipeline(Array(repeating: Command("INCR", sequence), count: step))
            let number = try replies[step - 1].integerOrThrow()
            if try await take(number) { return number }
            step *= 10
        }
        throw .unexpectedReply("\(sequence) is behind the numbers that are taken")
    }
}

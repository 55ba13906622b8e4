import Redis

extension Target {
    /// The parser of Redis' replies.
    static let replies = Target(
        name: "replies", maximumBytes: 4_096,
        tokens: [
            "\r\n", "+", "-", ":", "$", "*", "$-1\r\n", "*-1\r\n", "*0\r\n", "$0\r\n\r\n", "*1\r\n", "*2\r\n", ":1\r\n",
            "+OK\r\n", "-ERR x\r\n", "9223372036854775807", "-9223372036854775808", "4294967295", "NOSCRIPT", "é",
            "\u{0}",
        ]
    ) { input, mutator in ReplyTarget.violation(input, cuts: mutator.cuts(of: input.count)) }
}

/// What must hold of what a Redis sends, or whatever answers in its place.
enum ReplyTarget {
    private struct Outcome: Equatable {
        var replies: [Value] = []
        var isRefused = false
        var hasBegun = false
    }

    /// - Returns: what does not hold, or nil.
    static func violation(_ input: [UInt8], cuts: [Int]) -> String? {
        let whole = read(input, cutAt: [])
        for (name, places) in [("cut at \(cuts)", cuts), ("byte by byte", Array(0..<input.count))] {
            let other = read(input, cutAt: places)
            guard other == whole else { return "\(name) gives \(other), whole \(whole)" }
        }
        let count = whole.replies.reduce(0) { $0 + size(of: $1) }
        guard count <= input.count else { return "\(count) values of \(input.count) bytes" }
        return nil
    }

    private static func read(_ input: [UInt8], cutAt cuts: [Int]) -> Outcome {
        let reader = ReplyReader()
        var outcome = Outcome()
        var start = 0
        for end in cuts + [input.count] where end > start && end <= input.count {
            input[start..<end].withUnsafeBufferPointer { reader.feed($0) }
            start = end
            do throws(RedisError) {
                while let reply = try reader.next() { outcome.replies.append(reply) }
            } catch {
                outcome.isRefused = true
                return outcome
            }
        }
        outcome.hasBegun = reader.hasBegun
        return outcome
    }

    private static func size(of value: Value) -> Int {
        if case .array(let values) = value { values.reduce(1) { $0 + size(of: $1) } } else { 1 }
    }
}

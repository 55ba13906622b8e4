import Glibc

/// Tries a target with one input after the other, and keeps the one that took longest.
struct Session {
    /// What one input took.
    struct Slowest {
        let input: [UInt8]
        let nanoseconds: Int
    }

    let target: Target
    /// How long an input may take; nil where nothing is said of time, as in a build that is not optimised.
    let maximumNanoseconds: Int?
    private(set) var slowest: Slowest?

    init(_ target: Target, maximumNanoseconds: Int? = nil) {
        self.target = target
        self.maximumNanoseconds = maximumNanoseconds
    }

    /// How often an input is tried again that seems to be slow: what else the machine does must not count.
    private static let repetitions = 3

    /// - Returns: what does not hold for the input, or nil.
    mutating func violation(_ input: [UInt8], _ mutator: inout Mutator) -> String? {
        let began = Self.nanoseconds(CLOCK_MONOTONIC)
        if let violation = target.violation(input, &mutator) { return violation }
        let elapsed = Self.nanoseconds(CLOCK_MONOTONIC) - began
        guard elapsed > slowest?.nanoseconds ?? 0 else { return nil }
        return measure(input, &mutator)
    }

    /// Measures an input by the processor time of this thread, the least of several times.
    private mutating func measure(_ input: [UInt8], _ mutator: inout Mutator) -> String? {
        var least = Int.max
        for _ in 0..<Self.repetitions {
            let began = Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID)
            if let violation = target.violation(input, &mutator) { return violation }
            least = min(least, Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID) - began)
        }
        if least > slowest?.nanoseconds ?? 0 { slowest = Slowest(input: input, nanoseconds: least) }
        guard let maximumNanoseconds, least > maximumNanoseconds else { return nil }
        return "takes \(least / 1_000) us, and may take \(maximumNanoseconds / 1_000)"
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Tries inputs made of a corpus.
    /// - Returns: what does not hold, with the input, or nil.
    mutating func run(seed: UInt64, count: Int, corpus: [[UInt8]]) -> String? {
        var mutator = Mutator(seed: seed, corpus: corpus, target: target)
        for number in 0..<count {
            let input = mutator.input()
            if let violation = violation(input, &mutator) {
                return "\(target.name), seed \(seed), run \(number), input \(Self.excerpt(of: input)): \(violation)"
            }
        }
        return nil
    }

    /// An input as a text that can be read, and pasted into a test if it is short.
    static func excerpt(of input: [UInt8]) -> String {
        let text = String(reflecting: String(decoding: input.prefix(2_000), as: UTF8.self))
        return input.count > 2_000 ? "\(text)... (\(input.count) bytes)" : text
    }
}

/// Makes inputs out of others, the same ones for the same seed (xorshift64*, Vigna 2014).
struct Mutator {
    private var state: UInt64
    private let corpus: [[UInt8]]

    private let target: Target

    /// The longest of most inputs: what is short is tried often.
    private static let usualBytes = 2_048
    /// One input in so many is as long as the target takes them, for what costs more than its length is worth.
    private static let longOneIn = 4_096

    init(seed: UInt64, corpus: [[UInt8]], target: Target) {
        state = seed == 0 ? 1 : seed
        self.corpus = corpus
        self.target = target
    }

    mutating func number(below bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    mutating func input() -> [UInt8] {
        var input = corpus[number(below: corpus.count)]
        for _ in 0...number(below: 6) { mutate(&input) }
        input = Array(input.prefix(min(Self.usualBytes, target.maximumBytes)))
        if number(below: Self.longOneIn) == 0 { lengthen(&input) }
        return input
    }

    /// Repeats a piece until the input is as long as any may be.
    private mutating func lengthen(_ input: inout [UInt8]) {
        let start = number(below: input.count + 1)
        let end = min(input.count, start + 1 + number(below: 64))
        let piece = start < end ? Array(input[start..<end]) : target.tokens[number(below: target.tokens.count)]
        let count = (target.maximumBytes - input.count) / piece.count
        input.insert(contentsOf: repeatElement(piece, count: count).joined(), at: end)
    }

    /// Places where an input of `count` bytes is cut, ascending.
    mutating func cuts(of count: Int) -> [Int] {
        (0...number(below: 4)).map { _ in number(below: count + 1) }.sorted()
    }

    private mutating func mutate(_ input: inout [UInt8]) {
        let start = number(below: input.count + 1)
        let end = start + number(below: min(16, input.count - start) + 1)
        switch number(below: 7) {
        case 0: input.insert(contentsOf: target.tokens[number(below: target.tokens.count)], at: start)
        case 1: input.replaceSubrange(start..<end, with: target.tokens[number(below: target.tokens.count)])
        case 2: input.removeSubrange(start..<end)
        case 3: input.insert(contentsOf: input[start..<end], at: number(below: input.count + 1))
        case 4 where start < input.count: input[start] ^= 1 << UInt8(number(below: 8))
        case 5 where start < input.count: input[start] = UInt8(number(below: 256))
        default:
            let other = corpus[number(below: corpus.count)]
            input = Array(input[..<start] + other[number(below: other.count + 1)...])
        }
    }
}

/// Makes inputs out of others, the same ones for the same seed (xorshift64*, Vigna 2014).
struct Mutator {
    private var state: UInt64
    private let corpus: [[UInt8]]

    private static let inputBytes = 2_048
    /// What decides how messages are understood, and what has fooled servers before.
    private static let tokens: [[UInt8]] = [
        "\r\n", "\r\n\r\n", "\n", "\r", "\0", " ", "\t", ":", ";", ",", "0\r\n\r\n", "5\r\nhello\r\n",
        "GET / HTTP/1.1\r\n",
        "HTTP/1.0", "HTTP/2.0", "Host: a\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length:",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "transfer-encoding:", "chunked",
        "Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "http://a:80", "*", "%2f",
        "%00", "%", "?", "#", "ffffffffffffffff", "99999999999999999999", "0x", "+", "-", "[::1]", "@", "\u{7f}",
        "\u{e4}",
    ].map { Array($0.utf8) }

    init(seed: UInt64, corpus: [[UInt8]]) {
        state = seed == 0 ? 1 : seed
        self.corpus = corpus
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
        return Array(input.prefix(Self.inputBytes))
    }

    /// Places where an input of `count` bytes is cut, ascending.
    mutating func cuts(of count: Int) -> [Int] {
        (0...number(below: 4)).map { _ in number(below: count + 1) }.sorted()
    }

    private mutating func mutate(_ input: inout [UInt8]) {
        let start = number(below: input.count + 1)
        let end = start + number(below: min(16, input.count - start) + 1)
        switch number(below: 7) {
        case 0: input.insert(contentsOf: Self.tokens[number(below: Self.tokens.count)], at: start)
        case 1: input.replaceSubrange(start..<end, with: Self.tokens[number(below: Self.tokens.count)])
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

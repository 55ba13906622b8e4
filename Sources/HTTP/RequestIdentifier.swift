/// What tells a request from all others, on its answer and in every line that is logged about it.
enum RequestIdentifier: Hashable, Sendable {
    /// 32 hexadecimal digits: one half belongs to a loop, the other to a request.
    case made(UInt64, UInt64)
    case given(String)

    static let givenBytes = 128

    /// The caller's own, if it sent one that is fit to be logged and sent back: 1...128 of `A-Za-z0-9._-`.
    static func given(in head: RequestHead) -> RequestIdentifier? {
        var found: ByteRange?
        var count = 0
        head.forEachField(named: "X-Request-Id") {
            found = $0
            count += 1
        }
        guard count == 1, let found, (1...givenBytes).contains(found.count),
            head.bytes[found.range].allSatisfy(ByteSet.requestIdentifier.contains)
        else { return nil }
        return .given(head.text(found))
    }

    func append(to output: inout [UInt8]) {
        switch self {
        case .given(let text): output.append(contentsOf: text.utf8)
        case .made(let high, let low):
            Self.append(hexadecimal: high, to: &output)
            Self.append(hexadecimal: low, to: &output)
        }
    }

    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(hexadecimal number: UInt64, to output: inout [UInt8]) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            let digit = UInt8(number >> shift & 15)
            output.append(digit < 10 ? ASCII.zero + digit : 0x61 - 10 + digit)
        }
    }
}

/// What the server gives each request to be told from all others by: a request id if the caller sent none, a trace if it
/// brought none, and in any trace the operation.
struct RequestSerial: Sendable {
    /// The loop's half.
    let high: UInt64
    /// The request's half.
    let low: UInt64

    var identifier: RequestIdentifier { .made(high, low) }
}

/// Makes the serials of one loop: unpredictable enough to be unique everywhere, and cheap, since they are no
/// secrets. The loop's half is random; the request's half is a counter scrambled by a bijection (SplitMix64's finaliser,
/// Steele, Lea and Flood, 2014), so that none comes twice.
struct RequestIdentifierSource {
    private let loopHalf: UInt64
    private var counter: UInt64

    init() {
        var generator = SystemRandomNumberGenerator()
        loopHalf = generator.next()
        counter = generator.next()
    }

    mutating func next() -> RequestSerial {
        counter &+= 0x9e37_79b9_7f4a_7c15
        var mixed = counter
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return RequestSerial(high: loopHalf, low: mixed ^ mixed >> 31)
    }
}

import Testing

@testable import HTTP

/// The frames of RFC 6455, section 5, and everything that is none.
@Suite struct WebSocketParserTests {
    private typealias Event = WebSocketParser.Event

    /// A frame as a client sends it.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8] = [], final: Bool = true, reserved: UInt8 = 0, masked: Bool = true,
        mask: [UInt8] = [0x12, 0x34, 0x56, 0x78], lengthBytes: Int? = nil
    ) -> [UInt8] {
        var bytes = [(final ? 0x80 : 0) | reserved | opcode]
        let bit: UInt8 = masked ? 0x80 : 0
        let count = lengthBytes ?? (payload.count < 126 ? 0 : payload.count < 65_536 ? 2 : 8)
        bytes.append(bit | (count == 0 ? UInt8(payload.count) : count == 2 ? 126 : 127))
        for place in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: payload.count >> (8 * place))) }
        if masked { bytes += mask }
        return bytes + payload.enumerated().map { masked ? $1 ^ mask[$0 & 3] : $1 }
    }

    /// A header that announces a length, and nothing of it.
    private static func header(_ opcode: UInt8, length: UInt64, bytes count: Int) -> [UInt8] {
        [0x80 | opcode, 0x80 | (count == 2 ? 126 : 127)]
            + (0..<count).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
    }

    private static func events(_ input: [UInt8], pieces: Int = .max, maximum: Int = 1_000) -> [Event] {
        var parser = WebSocketParser(maximumMessageBytes: maximum)
        var events: [Event] = []
        for start in stride(from: 0, to: input.count, by: min(pieces, max(1, input.count))) {
            let piece = Array(input[start..<min(input.count, pieces == .max ? input.count : start + pieces)])
            piece.withUnsafeBufferPointer { piece in
                var position = 0
                while let event = parser.advance(piece, at: &position) { events.append(event) }
                #expect(position == piece.count)
            }
        }
        return events
    }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    // MARK: What is right

    @Test func messagesComeWhole() {
        let long = [UInt8](repeating: 0x61, count: 126)
        let longer = [UInt8](repeating: 0x62, count: 65_536)
        let frames: [[UInt8]] = [
            Self.frame(1, Self.text("Hello")), Self.frame(1), Self.frame(2, [0xff, 0]), Self.frame(1, long),
            Self.frame(2, longer), Self.frame(9, Self.text("p")), Self.frame(10),
            Self.frame(1, Self.text("Hel"), final: false), Self.frame(9, [1]), Self.frame(0, [], final: false),
            Self.frame(0, Self.text("lo")), Self.frame(8, [0x03, 0xe8] + Self.text("bye")),
            Self.frame(1, Self.text("after the end")),
        ]
        let input = Array(frames.joined())
        let expected: [Event] = [
            .text(Self.text("Hello")), .text([]), .binary([0xff, 0]), .text(long), .binary(longer),
            .ping(Self.text("p")), .pong([]), .ping([1]), .text(Self.text("Hello")), .close(code: 1000),
        ]
        for pieces in [Int.max, 1, 2, 3, 7, 1_000] {
            #expect(Self.events(input, pieces: pieces, maximum: 65_536) == expected, "in pieces of \(pieces)")
        }
        #expect(Self.events(Self.frame(8)) == [.close(code: nil)])
    }

    /// A character may be cut anywhere, also between fragments.
    @Test func textMayBeCutWithinACharacter() {
        let bytes = Self.text("aé€😀z")
        for cut in 0...bytes.count {
            let input = Self.frame(1, Array(bytes[..<cut]), final: false) + Self.frame(0, Array(bytes[cut...]))
            #expect(Self.events(input) == [.text(bytes)])
            #expect(Self.events(input, pieces: 1) == [.text(bytes)])
        }
    }

    @Test func theLongestMessageIsTaken() {
        let payload = [UInt8](repeating: 0x61, count: 1_000)
        #expect(Self.events(Self.frame(1, payload)) == [.text(payload)])
        let parts = Self.frame(1, Array(payload[..<600]), final: false) + Self.frame(0, Array(payload[600...]))
        #expect(Self.events(parts) == [.text(payload)])
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
    func codesThatMayBeSentAreTaken(_ code: Int) {
        let payload = [UInt8(code >> 8), UInt8(code & 0xff)]
        #expect(Self.events(Self.frame(8, payload)) == [.close(code: code)])
    }

    // MARK: What is wrong

    struct Malformed: CustomTestStringConvertible, Sendable {
        let name: String
        let input: [UInt8]
        let code: Int

        init(_ name: String, _ code: Int, _ frames: [UInt8]...) {
            self.name = name
            self.code = code
            input = Array(frames.joined())
        }

        var testDescription: String { name }
    }

    static let malformed = [reserved, opcodes, fragments, lengths, closes, texts].flatMap { $0 }

    private static var reserved: [Malformed] {
        var all: [Malformed] = []
        for bits in [0x10, 0x20, 0x40, 0x30, 0x50, 0x60, 0x70] as [UInt8] {
            all.append(Malformed("reserved bits \(bits) of a text", 1002, frame(1, text("a"), reserved: bits)))
            all.append(Malformed("reserved bits \(bits) of a ping", 1002, frame(9, reserved: bits)))
        }
        let continuation: [UInt8] = frame(1, [], final: false) + frame(0, reserved: 0x40)
        all.append(Malformed("reserved bit of a continuation", 1002, continuation))
        all.append(Malformed("reserved bit of a close", 1002, frame(8, [0x03, 0xe8], reserved: 0x10)))
        return all
    }

    private static var opcodes: [Malformed] {
        var all: [Malformed] = []
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8] {
            all.append(Malformed("opcode \(opcode)", 1002, frame(opcode)))
        }
        for opcode in [0, 1, 2, 8, 9, 10] as [UInt8] {
            let before: [UInt8] = opcode == 0 ? frame(1, [], final: false) : []
            all.append(Malformed("no mask with opcode \(opcode)", 1002, before + frame(opcode, masked: false)))
        }
        return all
    }

    private static let fragments: [Malformed] = [
        Malformed("a continuation of nothing", 1002, frame(0, text("a"))),
        Malformed("a fragment of nothing", 1002, frame(0, text("a"), final: false)),
        Malformed("a continuation after a whole message", 1002, frame(1, text("a")), frame(0)),
        Malformed("a continuation after its last", 1002, frame(1, final: false), frame(0), frame(0)),
        Malformed("a text within a text", 1002, frame(1, final: false), frame(1, text("a"))),
        Malformed("a binary within a text", 1002, frame(1, final: false), frame(2)),
        Malformed("a text within a binary", 1002, frame(2, final: false), frame(1)),
        Malformed("a text's beginning within one", 1002, frame(1, final: false), frame(1, final: false)),
        Malformed("a ping in fragments", 1002, frame(9, final: false)),
        Malformed("a pong in fragments", 1002, frame(10, final: false)),
        Malformed("a close in fragments", 1002, frame(8, [0x03, 0xe8], final: false)),
        Malformed("a ping in fragments within a text", 1002, frame(1, final: false), frame(9, final: false)),
    ]

    private static let lengths: [Malformed] = [
        Malformed("a ping of 126 bytes", 1002, frame(9, [UInt8](repeating: 0, count: 126))),
        Malformed("a pong of 126 bytes", 1002, frame(10, [UInt8](repeating: 0, count: 126))),
        Malformed("a close of 126 bytes", 1002, frame(8, [UInt8](repeating: 0x61, count: 126))),
        Malformed("a ping with two bytes of length", 1002, frame(9, [1], lengthBytes: 2)),
        Malformed("a ping with eight bytes of length", 1002, frame(9, [1], lengthBytes: 8)),
        Malformed("0 in two bytes", 1002, frame(1, lengthBytes: 2)),
        Malformed("125 in two bytes", 1002, frame(1, [UInt8](repeating: 0x61, count: 125), lengthBytes: 2)),
        Malformed("0 in eight bytes", 1002, frame(1, lengthBytes: 8)),
        Malformed("126 in eight bytes", 1002, frame(1, [UInt8](repeating: 0x61, count: 126), lengthBytes: 8)),
        Malformed("65535 in eight bytes", 1002, header(1, length: 65_535, bytes: 8)),
        Malformed("the highest bit of a length", 1002, header(1, length: 1 << 63, bytes: 8)),
        Malformed("all bits of a length", 1002, header(1, length: .max, bytes: 8)),
        Malformed("one byte too many", 1009, header(1, length: 1_001, bytes: 2)),
        Malformed("65536 bytes", 1009, header(1, length: 65_536, bytes: 8)),
        Malformed("all that 63 bits can say", 1009, header(2, length: .max >> 1, bytes: 8)),
        Malformed(
            "fragments of one byte too many", 1009,
            frame(1, [UInt8](repeating: 0x61, count: 1_000), final: false), frame(0, text("a"))),
        Malformed(
            "a fragment of one byte too many", 1009,
            frame(2, [1], final: false), frame(0, [UInt8](repeating: 0, count: 1_000), final: false)),
    ]

    private static var closes: [Malformed] {
        var all: [Malformed] = []
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535] {
            let payload = [UInt8(code >> 8), UInt8(code & 0xff)]
            all.append(Malformed("close with \(code)", 1002, frame(8, payload)))
        }
        all.append(Malformed("close with half a code", 1002, frame(8, [0x03])))
        all.append(Malformed("close with a reason that is not UTF-8", 1007, frame(8, [0x03, 0xe8, 0xff])))
        all.append(Malformed("close with half a character", 1007, frame(8, [0x03, 0xe8, 0xc3])))
        return all
    }

    private static let notUTF8: [[UInt8]] = [
        [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x9f, 0xbf], [0xe2, 0x82],
        [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98], [0xf4, 0x90, 0x80, 0x80],
        [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff], [0x61, 0xff, 0x62],
    ]

    private static var texts: [Malformed] {
        var all = notUTF8.map { Malformed("text of \($0)", 1007, frame(1, $0)) }
        let cut: [UInt8] = frame(1, [0xe2], final: false) + frame(0, [0x82])
        all.append(Malformed("text cut at its end over fragments", 1007, cut))
        let wrong: [UInt8] = frame(1, [0xf0, 0x9f], final: false) + frame(9) + frame(0, [0x41], final: false)
        all.append(Malformed("a character that goes wrong in the next fragment", 1007, wrong))
        return all
    }

    @Test func theTableIsLongEnough() {
        #expect(Self.malformed.count >= 60)
        #expect(Set(Self.malformed.map(\.name)).count == Self.malformed.count)
    }

    /// Nothing after it is read, however it comes.
    @Test(arguments: malformed) func whatIsMalformedEndsIt(_ malformed: Malformed) throws {
        let input = malformed.input + Self.frame(1, Self.text("more"))
        for pieces in [Int.max, 1, 3] {
            let events = Self.events(input, pieces: pieces)
            guard case .failed(let closure)? = events.last else {
                Issue.record("\(malformed.name) in pieces of \(pieces) gives \(events)")
                continue
            }
            #expect(closure.code == malformed.code, "\(malformed.name): \(closure)")
            #expect(!events.contains(.text(Self.text("more"))))
        }
    }

    /// It is told at once: a text goes wrong at its first wrong byte, a length in its header.
    @Test func whatCannotBecomeRightIsToldAtOnce() {
        var parser = WebSocketParser(maximumMessageBytes: 1_000)
        let beginning = Array(Self.frame(1, [0x61, 0xff, 0x62, 0x62])[..<8])
        beginning.withUnsafeBufferPointer { input in
            var position = 0
            guard case .failed(let closure)? = parser.advance(input, at: &position) else {
                Issue.record("nothing was told")
                return
            }
            #expect(closure.code == 1007)
        }
    }

    @Test func theKeyOfTheRFCHasItsAnswer() {
        #expect(WebSocketHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}

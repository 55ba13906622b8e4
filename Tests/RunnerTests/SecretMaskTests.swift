import TestTurns
import Testing

@testable import Runner

/// What is kept of a bot's output holds no secret, nor the half of one.
@Suite(.takesTurns) struct SecretMaskTests {
    private static let secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

    private func tail(_ chunks: [String], _ secrets: [String] = [secret]) -> String {
        var tail = OutputTail(masking: SecretMask(secrets))
        for chunk in chunks { tail.append(chunk.utf8) }
        return tail.text
    }

    @Test func aSecretIsTakenOutWhereverItStands() {
        let secret = Self.secret
        #expect(tail(["\(secret)\na\(secret)b \(secret)"]) == "***\na***b ***")
        #expect(tail(["nothing secret"]) == "nothing secret")
        #expect(
            tail(["pin 123, code 1234"], ["123", "1234"]) == "pin 123, code ***", "what is very short is no secret")
        #expect(tail(["abcdef abcd"], ["abcd", "abcdef"]) == "*** ***")
    }

    @Test(arguments: [
        #"p"a/s s"#, #"p\"a/s s"#, #"p\"a\/s s"#, #"p\\\"a/s s"#, "p%22a%2Fs%20s", "p%22a%2fs%20s",
    ])
    func aSecretIsKnownInTheFormsThatLogsGiveIt(form: String) {
        #expect(tail(["<\(form)>"], [#"p"a/s s"#]) == "<***>")
    }

    @Test(arguments: ["geheim-\u{fc}", "geheim-\\u00fc", "geheim-%C3%BC", "geheim-%c3%bc"])
    func lettersBeyondASCIIHaveFormsToo(form: String) {
        #expect(tail(["<\(form)>"], ["geheim-\u{fc}"]) == "<***>")
    }

    @Test func aSecretMayComeInPieces() {
        #expect(tail(["x" + Self.secret.prefix(27), Self.secret.dropFirst(27) + "y"]) == "x***y")
        #expect(tail(Self.secret.map(String.init)) == "***")
    }

    /// Of a secret that is cut off at the kept text's beginning, the rest would stand there.
    @Test func noPartOfASecretIsLeftAtTheBeginning() {
        for length in stride(from: 0, to: 18_000, by: 61) {
            let text = tail([Self.secret, String(repeating: "x", count: length)])
            #expect(!text.contains { $0 != "x" && $0 != "*" }, "\(length) letters later")
        }
        for length in 4_000...4_200 {
            let text = tail(["\(Self.secret)\(String(repeating: "x", count: length))"])
            #expect(!text.contains { $0 != "x" && $0 != "*" }, "\(length) letters later")
        }
    }

    @Test func muchOutputInPiecesOfAnySizeShowsNone() {
        let line = "token=\(Self.secret) "
        for size in [1, 7, 63, 64, 65, 1_000, 65_536] {
            var tail = OutputTail(masking: SecretMask([Self.secret]))
            var bytes = Array(String(repeating: line, count: 1_000).utf8)[...]
            while !bytes.isEmpty {
                tail.append(bytes.prefix(size))
                bytes = bytes.dropFirst(size)
            }
            let rest = tail.text.replacing("token=*** ", with: "")
            #expect(!rest.contains { $0.isNumber }, "in pieces of \(size) bytes: \(rest)")
            #expect(tail.text.hasSuffix("token=*** "))
        }
    }

    /// The program was killed while it wrote.
    @Test func noPartOfASecretIsLeftAtTheEnd() {
        for length in 4...64 { #expect(tail(["x" + Self.secret.prefix(length)]) == "x***") }
        #expect(tail(["x" + Self.secret.prefix(3)]) == "x012", "which tells nobody anything")
    }

    /// A line that is longer than what is passed on at once.
    @Test func aSecretThatALongLineIsCutInIsNotShown() {
        for place in stride(from: 16_300, to: 16_400, by: 7) {
            var relay = OutputRelay(masking: SecretMask([Self.secret]))
            let line = String(repeating: "x", count: place) + Self.secret + String(repeating: "y", count: 500) + "\n"
            var (shown, left): ([UInt8], ArraySlice<UInt8>) = ([], Array(line.utf8)[...])
            while !left.isEmpty {
                shown += relay.take(left.prefix(16_385)) ?? []
                left = left.dropFirst(16_385)
            }
            let text = String(decoding: shown, as: UTF8.self)
            // Three letters tell nobody anything.
            #expect(text.count { $0.isNumber } < 4 && text.hasSuffix("y\n"), "\(place): \(text.drop { $0 == "x" })")
        }
    }
}

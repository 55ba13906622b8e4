import Foundation
import TestTurns
import Testing

@testable import Fuzz
@testable import JSON

@Suite(.takesTurns) struct FuzzTests {
    private static func corpus(of target: String) throws -> [[UInt8]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus")
        return try Fuzz.corpus(in: folder.appendingPathComponent(target).path)
    }

    private static func target(_ name: String) throws -> Target {
        try #require(Target.all.first { $0.name == name })
    }

    @Test(arguments: ["http", "json", "stream", "links", "websocket", "ical", "replies"])
    func theCorpusKeepsTheInvariants(_ name: String) throws {
        let inputs = try Self.corpus(of: name)
        #expect(inputs.count >= 7)
        var session = Session(try Self.target(name))
        var mutator = Mutator(seed: 1, corpus: inputs, target: session.target)
        for input in inputs { #expect(session.violation(input, &mutator) == nil) }
    }

    /// A bounded run, of which nothing is said of time, as no test may depend on how fast the machine is; `make fuzz` goes
    /// further. The failure names the seed and the input.
    @Test(arguments: [
        ("http", 2_000), ("json", 20_000), ("stream", 20_000), ("links", 20_000), ("websocket", 10_000), ("ical", 60),
        ("replies", 3_000),
    ])
    func mutatedInputsKeepTheInvariants(_ name: String, _ count: Int) throws {
        var target = try Self.target(name)
        // A build that is not optimised takes a second for the longest.
        target.maximumBytes = min(target.maximumBytes, 8_192)
        for seed in [1, .random(in: 2 ... .max)] as [UInt64] {
            var session = Session(target)
            #expect(session.run(seed: seed, count: count, corpus: try Self.corpus(of: name)) == nil)
            #expect(session.slowest != nil)
        }
    }

    @Test func aSeedGivesTheSameInputsAgain() throws {
        let corpus = try Self.corpus(of: "json")
        var (one, other) = (
            Mutator(seed: 7, corpus: corpus, target: .json), Mutator(seed: 7, corpus: corpus, target: .json)
        )
        for _ in 0..<100 { #expect(one.input() == other.input()) }
    }

    @Test func whatTakesTooLongIsFound() throws {
        let slow = Target(name: "slow", maximumBytes: 16, tokens: ["x"]) { input, _ in
            // More than any machine does in a nanosecond.
            input.sorted() == [0] ? "0" : nil
        }
        var session = Session(slow, maximumNanoseconds: 1)
        #expect(session.run(seed: 1, count: 10, corpus: [[1, 2, 3]])?.contains("and may take 0") == true)
        #expect(session.slowest.map { $0.nanoseconds > 1 } == true)
    }

    /// Foundation's parser takes more than RFC 8259 allows, and nothing less, but for numbers that it cannot hold.
    @Test func whatIsTakenIsJSONForOthersToo() throws {
        var target = Target.json
        target.maximumBytes = 8_192
        let limits = JSONLimits(mendsTexts: false)
        var mutator = Mutator(seed: .random(in: 1 ... .max), corpus: try Self.corpus(of: "json"), target: target)
        var taken = 0
        for _ in 0..<20_000 {
            let input = mutator.input()
            let hasExponent = zip(input, input.dropFirst()).contains { isDigit($0) && $1 | 0x20 == UInt8(ascii: "e") }
            guard !hasExponent, (try? JSONDocument(input, limits: limits)) != nil else { continue }
            taken += 1
            let text = String(decoding: input, as: UTF8.self)
            #expect(throws: Never.self, "\(text)") {
                try JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)
            }
        }
        #expect(taken > 100)
    }
}

import Foundation
import TestTurns
import Testing

@testable import HTTPFuzz

@Suite(.takesTurns) struct FuzzTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Corpus").path

    @Test func theCorpusKeepsTheInvariants() throws {
        let inputs = try Fuzz.corpus(in: Self.corpus)
        #expect(inputs.count >= 20)
        for input in inputs { #expect(Invariants.violation(input, cuts: [input.count / 2]) == nil) }
    }

    /// A bounded run; `HTTPFuzz` and libFuzzer go further. The failure names the seed and the input.
    @Test(arguments: [1, .random(in: 2 ... .max)] as [UInt64])
    func mutatedInputsKeepTheInvariants(_ seed: UInt64) throws {
        let failure = Fuzz.run(seed: seed, count: 2_000, corpus: try Fuzz.corpus(in: Self.corpus))
        #expect(failure == nil)
    }

    @Test func aSeedGivesTheSameInputsAgain() throws {
        let corpus = try Fuzz.corpus(in: Self.corpus)
        var (one, other) = (Mutator(seed: 7, corpus: corpus), Mutator(seed: 7, corpus: corpus))
        for _ in 0..<100 { #expect(one.input() == other.input()) }
    }
}

import Foundation
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct VoiceActivityTests {
    /// A tone of so many seconds; 0 of full scale is silence.
    private static func tone(_ seconds: Double, _ level: Double = 0.2) -> [Int16] {
        (0..<Int(seconds * 16_000)).map { Int16(32_767 * level * sin(Double($0) * 2 * .pi * 300 / 16_000)) }
    }

    private static func noise(_ seconds: Double, _ level: Int16) -> [Int16] {
        var generator = SystemRandomNumberGenerator()
        return (0..<Int(seconds * 16_000)).map { _ in Int16.random(in: -level...level, using: &generator) }
    }

    /// In pieces of a tenth of a second, as they come.
    private static func heard(_ samples: [Int16]) -> [VoiceActivity.Utterance] {
        var activity = VoiceActivity()
        var utterances: [VoiceActivity.Utterance] = []
        for begin in stride(from: 0, to: samples.count, by: 1_600) {
            utterances += activity.take(Array(samples[begin..<min(begin + 1_600, samples.count)]), at: begin)
        }
        if let rest = activity.finish() { utterances.append(rest) }
        return utterances
    }

    private static func seconds(_ utterance: VoiceActivity.Utterance) -> (begin: Double, end: Double) {
        (Double(utterance.begin) / 16_000, Double(utterance.end) / 16_000)
    }

    @Test func silenceAndSteadyNoiseAreNoVoice() {
        #expect(Self.heard(Self.tone(10, 0)).isEmpty)
        #expect(Self.heard(Self.noise(10, 200)).isEmpty)
        // Too short for a word.
        #expect(Self.heard(Self.tone(1, 0) + Self.tone(0.1) + Self.tone(1, 0)).isEmpty)
    }

    @Test func anUtteranceBeginsABitBeforeItsVoiceAndEndsABitAfter() {
        let whole = Self.heard(Self.tone(1, 0) + Self.tone(1.5) + Self.tone(2, 0)).filter(\.isWhole)
        #expect(whole.count == 1 && whole.first?.number == 1)
        let (begin, end) = Self.seconds(whole[0])
        #expect((0.7...1).contains(begin) && (2.5...2.8).contains(end), "\(begin) to \(end)")
    }

    @Test func aPauseMakesTwoOfThemAndAShortOneDoesNot() {
        let twice = Self.tone(1, 0) + Self.tone(1) + Self.tone(1, 0) + Self.tone(1) + Self.tone(1, 0)
        #expect(Self.heard(twice).filter(\.isWhole).map(\.number) == [1, 2])
        let once = Self.tone(1, 0) + Self.tone(1) + Self.tone(0.3, 0) + Self.tone(1) + Self.tone(1, 0)
        #expect(Self.heard(once).filter(\.isWhole).count == 1)
    }

    @Test func aVoiceOverNoiseIsCutOutOfIt() {
        let sound = Self.noise(5, 300) + zip(Self.tone(1.5), Self.noise(1.5, 300)).map { $0 &+ $1 } + Self.noise(3, 300)
        let whole = Self.heard(sound).filter(\.isWhole)
        #expect(whole.count == 1)
        let (begin, end) = Self.seconds(whole[0])
        #expect((4.5...5.1).contains(begin) && (6.4...7).contains(end), "\(begin) to \(end)")
    }

    @Test func draftsComeWhileItGoesOnAndItIsCutAtLast() {
        let utterances = Self.heard(Self.tone(1, 0) + Self.tone(20) + Self.tone(1, 0))
        #expect(utterances.prefix(3).map(\.isWhole) == [false, false, false])
        #expect(utterances.prefix(3).allSatisfy { $0.number == 1 })
        let whole = utterances.filter(\.isWhole)
        #expect(whole.count == 2 && whole[0].samples.count == 15 * 16_000)
        // Nothing of it is lost between the two.
        #expect(whole[1].begin == whole[0].end)
    }

    @Test func whatIsNotSentIsSilenceOnTheClock() {
        var activity = VoiceActivity()
        #expect(activity.skip(to: 16_000 * 3_600).isEmpty)
        #expect(activity.position == 16_000 * 3_600)
        var utterances = activity.take(Self.tone(1), at: 16_000 * 3_600)
        utterances += activity.skip(to: 16_000 * 3_602)
        #expect(utterances.count == 1)
        let (begin, end) = Self.seconds(utterances[0])
        #expect((3_599.7...3_600).contains(begin) && (3_601...3_601.3).contains(end), "\(begin) to \(end)")
        // What has come already is left out.
        #expect(activity.take(Self.tone(1), at: 0).isEmpty && activity.position == 16_000 * 3_602)
    }
}

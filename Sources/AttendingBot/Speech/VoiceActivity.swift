/// Cuts the sound of one track into utterances: by its energy over the noise of the last seconds. Pure.
struct VoiceActivity {
    /// One utterance, or its beginning if it still goes on.
    struct Utterance: Equatable {
        /// Counts the utterances of the track, from 1.
        let number: Int
        let samples: [Int16]
        /// In samples since the track's first frame.
        let begin: Int
        /// Whether it has ended; if not, the same number comes again.
        let isWhole: Bool

        var end: Int { begin + samples.count }
    }

    /// In frames of 20 ms.
    private enum Frames {
        /// What is kept of before the voice.
        static let preRoll = 12
        /// How much silence ends an utterance, and one that is long already.
        static let hangover = 30
        static let hangoverOfLong = 12
        /// What is kept of the silence after it.
        static let tail = 10
        /// Less voice than this is none.
        static let leastVoice = 10
        static let long = 500
        static let longest = 750
        /// From one draft to the next.
        static let draft = 100
        /// Over how many the noise is looked for.
        static let memory = 200
        /// A gap is silence up to this; beyond, only the clock goes on.
        static let longestGap = 100
    }

    static let frameSamples = WAV.samplesPerSecond / 50
    /// Of full scale.
    private static let leastLevel: Float = 0.004
    private static let highestNoise: Float = 0.02
    private static let overNoise: Float = 3

    /// Of the next sample to come.
    private(set) var position = 0
    private var unframed: [Int16] = []
    private var levels: [Float] = []
    private var nextLevel = 0
    /// Of the utterance that goes on; else the last frames before one.
    private var samples: [Int16] = []
    private var isSpeaking = false
    private var number = 0
    private var voiced = 0
    private var silent = 0
    private var drafted = 0

    /// Takes the samples from `begin` on. What has not come before them was silence; what has come already is left out.
    mutating func take(_ new: [Int16], at begin: Int) -> [Utterance] {
        var utterances = skip(to: begin)
        utterances += append(new[min(new.count, max(0, position - begin))...])
        return utterances
    }

    /// Nothing but silence comes until `end`.
    mutating func skip(to end: Int) -> [Utterance] {
        guard end > position else { return [] }
        let silence = min(end - position, Frames.longestGap * Self.frameSamples)
        let utterances = append([Int16](repeating: 0, count: silence)[...])
        if position < end {
            // After so much silence nothing is going on.
            samples = []
            unframed = []
            position = end
        }
        return utterances
    }

    /// No more comes.
    mutating func finish() -> Utterance? {
        defer { isSpeaking = false }
        guard isSpeaking, voiced >= Frames.leastVoice else { return nil }
        return utterance(isWhole: true)
    }

    private mutating func append(_ new: ArraySlice<Int16>) -> [Utterance] {
        position += new.count
        unframed += new
        var utterances: [Utterance] = []
        var start = 0
        while unframed.count - start >= Self.frameSamples {
            let frame = unframed[start..<start + Self.frameSamples]
            start += Self.frameSamples
            if let utterance = take(frame, endingAt: position - (unframed.count - start)) {
                utterances.append(utterance)
            }
        }
        unframed.removeFirst(start)
        return utterances
    }

    private var begin = 0

    private mutating func take(_ frame: ArraySlice<Int16>, endingAt end: Int) -> Utterance? {
        let level = Self.level(frame)
        remember(level)
        let isLoud = level > max(Self.leastLevel, Self.overNoise * min(Self.highestNoise, noise))
        samples += frame
        guard isSpeaking else {
            let kept = (Frames.preRoll + 1) * Self.frameSamples
            if samples.count > kept { samples.removeFirst(samples.count - kept) }
            if isLoud {
                isSpeaking = true
                number += 1
                (voiced, silent, drafted) = (1, 0, 0)
                begin = end - samples.count
            }
            return nil
        }
        if isLoud {
            voiced += 1
            silent = 0
        } else {
            silent += 1
        }
        let length = samples.count / Self.frameSamples
        let hangover = length >= Frames.long ? Frames.hangoverOfLong : Frames.hangover
        if silent >= hangover || length >= Frames.longest {
            defer {
                isSpeaking = false
                samples = []
            }
            return voiced >= Frames.leastVoice ? utterance(isWhole: true) : nil
        }
        guard length - drafted >= Frames.draft, voiced >= Frames.leastVoice else { return nil }
        drafted = length
        return utterance(isWhole: false)
    }

    private func utterance(isWhole: Bool) -> Utterance {
        let dropped = isWhole ? max(0, silent - Frames.tail) * Self.frameSamples : 0
        return Utterance(number: number, samples: Array(samples.dropLast(dropped)), begin: begin, isWhole: isWhole)
    }

    // MARK: Noise

    private mutating func remember(_ level: Float) {
        if levels.count < Frames.memory {
            levels.append(level)
        } else {
            levels[nextLevel] = level
            nextLevel = (nextLevel + 1) % Frames.memory
        }
    }

    /// What a tenth of the last seconds stays below: pauses are among any four seconds of speech.
    private var noise: Float { levels.sorted()[levels.count / 10] }

    private static func level(_ frame: ArraySlice<Int16>) -> Float {
        var sum: Float = 0
        for sample in frame {
            let value = Float(sample) / 32_768
            sum += value * value
        }
        return (sum / Float(frame.count)).squareRoot()
    }
}

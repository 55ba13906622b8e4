/// Mixes all voices into one sound, each at its place on the clock. Pure.
struct SoundMixer {
    /// How long after its place sound may come, in samples: what is older is given out.
    static let lateness = 2 * WAV.samplesPerSecond
    /// Sound further ahead than this is none: a page can name any place.
    private static let farthestAhead = 10 * WAV.samplesPerSecond

    /// One track, as far as it has come.
    private struct Voice {
        /// From its own clock to the mix's.
        var offset: Int
        /// Its next sample, on its own clock.
        var next: Int
    }

    /// When the mix begins, in seconds since 1970 by the page's clock.
    private let start: Double
    private var voices: [Int: Voice] = [:]
    private var sums: [Int32] = []
    /// Of the next sample that is given out.
    private(set) var position = 0
    /// Of pieces that came too late, or for a place that is too far ahead; a few at its beginning are no part of it.
    private(set) var droppedSamples = 0

    init(start: Double) {
        self.start = start
    }

    /// Adds samples of a voice.
    /// - Parameters: as of `HeardSound.sound`.
    mutating func add(_ samples: [Int16], of number: Int, at begin: Int, trackStart: Double) {
        // What follows on is not torn from what was before, however the page has come to see the track's beginning.
        var voice = voices[number] ?? Voice(offset: 0, next: -1)
        if voice.next != begin { voice.offset = Int(((trackStart - start) * Double(WAV.samplesPerSecond)).rounded()) }
        voice.next = begin + samples.count
        voices[number] = voice
        let place = voice.offset + begin
        guard place + samples.count > position, place <= position + Self.lateness + Self.farthestAhead else {
            if !(-Self.lateness..<0).contains(place) { droppedSamples += samples.count }
            return
        }
        let end = place + samples.count - position
        if sums.count < end { sums += [Int32](repeating: 0, count: end - sums.count) }
        for index in max(0, position - place)..<samples.count {
            // A page may tell the same place again and again.
            let at = place + index - position
            sums[at] = Int32(clamping: Int(sums[at]) + Int(samples[index]))
        }
    }

    /// A voice has ended.
    mutating func forget(_ number: Int) {
        voices[number] = nil
    }

    /// Gives out what there is until `end`; where nobody spoke that is silence.
    mutating func take(until end: Int) -> [Int16] {
        guard end > position else { return [] }
        let count = end - position
        var samples = sums.prefix(count).map { Int16(clamping: $0) }
        sums.removeFirst(samples.count)
        samples += [Int16](repeating: 0, count: count - samples.count)
        position = end
        return samples
    }
}

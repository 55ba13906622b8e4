import EventLoop

/// Which voice of a bot's stay a track of the page is: pages are loaded anew, and number their tracks from 1 again. Pure;
/// the times are given.
struct Voices {
    /// How many are heard at once; further tracks have to wait until one has ended.
    static let maximumAtOnce = 64
    /// A page tells of each track every second, also that it is silent: one that is not heard of has ended.
    private static let goneMilliseconds = 10_000
    /// How far a page may be ahead of the clock.
    private static let aheadMilliseconds = 10_000

    private struct Voice {
        let number: Int
        /// When its first sound came, and where that is on the track's own clock.
        let first: MonotonicTime
        let firstBegin: Int
        var last: MonotonicTime
    }

    private var voices: [Int: Voice] = [:]
    private var lastNumber = 0

    /// What is to be made of what a page tells: the same with the voice's number in place of the track's, and the ends of
    /// voices that are gone. Nothing of sound that comes faster than anybody speaks.
    mutating func take(_ heard: HeardSound, now: MonotonicTime) -> [HeardSound] {
        var found: [HeardSound] = []
        for (track, voice) in voices where now.milliseconds(since: voice.last) > Self.goneMilliseconds {
            voices[track] = nil
            found.append(.end(track: voice.number))
        }
        // What is no sound says nothing of where the track's clock is.
        guard var voice = voices[heard.track] ?? heard.range.flatMap({ makeVoice($0.lowerBound, now) }) else {
            return found
        }
        voice.last = now
        voices[heard.track] = voice
        if case .end = heard { voices[heard.track] = nil }
        if let end = heard.range?.upperBound {
            let most = now.milliseconds(since: voice.first) + Self.aheadMilliseconds
            guard end - voice.firstBegin <= most * (WAV.samplesPerSecond / 1_000) else { return found }
        }
        return found + [heard.said(by: voice.number)]
    }

    private mutating func makeVoice(_ begin: Int, _ now: MonotonicTime) -> Voice? {
        guard voices.count < Self.maximumAtOnce else { return nil }
        lastNumber += 1
        return Voice(number: lastNumber, first: now, firstBegin: begin, last: now)
    }
}

extension HeardSound {
    /// On its track's own clock, in samples; nil for what is no sound.
    fileprivate var range: Range<Int>? {
        switch self {
        case .sound(_, let begin, _, let samples): begin..<begin + samples.count
        case .silence(_, let begin, _): begin..<begin
        case .name, .end: nil
        }
    }

    fileprivate func said(by number: Int) -> HeardSound {
        switch self {
        case .sound(_, let begin, let start, let samples):
            .sound(track: number, begin: begin, start: start, samples: samples)
        case .silence(_, let begin, let start): .silence(track: number, begin: begin, start: start)
        case .name(_, let name, let weight): .name(track: number, name: name, weight: weight)
        case .end: .end(track: number)
        }
    }
}

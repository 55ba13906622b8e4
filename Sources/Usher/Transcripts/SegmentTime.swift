/// What the times in bots' messages mean (docs/bot-wire.md, "Transcript segments"): from 1e9 on they are seconds since
/// 1970, as today's bots send them; smaller ones, as older bots send them, are seconds from the start of the session.
enum SegmentTime {
    private static let firstAbsolute = 1e9
    /// In the year 5138: what is beyond is no number of seconds, but of milliseconds perhaps.
    private static let lastAbsolute = 1e11
    /// Over a year, either way.
    private static let longest = 4e7

    static func isTime(_ seconds: Double) -> Bool {
        seconds.magnitude <= longest || (firstAbsolute..<lastAbsolute).contains(seconds)
    }

    static func isAbsolute(_ seconds: Double) -> Bool { seconds >= firstAbsolute }

    /// Never traps on a time: what is none counts as 0.
    static func milliseconds(_ seconds: Double) -> Int { isTime(seconds) ? Int((seconds * 1_000).rounded()) : 0 }

    /// A time since 1970 as one from the start of a session, to the millisecond.
    /// - Parameter milliseconds: when the session began, since 1970. Any number: it comes from a record.
    static func seconds(_ seconds: Double, from milliseconds: Int) -> Double {
        (seconds * 1_000 - Double(min(max(milliseconds, 0), Int(lastAbsolute) * 1_000))).rounded() / 1_000
    }
}

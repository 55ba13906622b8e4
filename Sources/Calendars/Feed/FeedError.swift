/// Why a feed cannot be used: a sentence without a subject, for people.
public struct FeedError: Error, Equatable, Sendable {
    public let reason: String
}

/// What a feed may have, before anything is made of it. The bounds are far beyond what people's calendars have.
enum FeedLimits {
    static let bytes = 10_485_760
    static let events = 20_000
    /// One component in another: a calendar, an event and its alarm are three.
    static let depth = 8
    /// Of a component, of those that are looked at.
    static let properties = 1_000
    /// Of an unfolded line; of the rest nothing is kept.
    static let lineBytes = 65_536
    /// Of an unfolded line that is no text, rule or list.
    static let wordBytes = 1_024
    static let ruleBytes = 8_192
    static let zones = 100
    /// Of all zones together.
    static let observances = 200
    /// Of one event within the window, and what may be moved into it; one with more is left out.
    static let occurrencesOfEvent = 2_000
    /// That are handed on, the first ones.
    static let occurrences = 500
    /// Of an event, or a zone, and of all together: see `FeedBudget`.
    static let stepsOfEvent = 200_000
    static let steps = 20_000_000
    /// The time of a thread.
    static let threadMilliseconds = 2_000
    /// Of a title.
    static let titleBytes = 200
}

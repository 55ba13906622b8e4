/// Why a feed cannot be used: a sentence without a subject, for people.
public struct FeedError: Error, Equatable, Sendable {
    public let reason: String
}

/// What a feed may have, before anything is made of it. The bounds are far beyond what people's calendars have.
enum FeedLimits {
    static let bytes = 2_097_152
    static let events = 20_000
    /// One component in another: a calendar, an event and its alarm are three.
    static let depth = 8
    /// Of a component, of those that are looked at.
    static let properties = 1_000
    /// Of an unfolded line; of the rest nothing is kept.
    static let lineBytes = 65_536
    /// That are named one by one, in all.
    static let dates = 50_000
    static let zones = 100
    /// Of all zones together: libical takes some milliseconds for each.
    static let observances = 200
    /// Of one event within the window; one with more is left out.
    static let occurrencesOfEvent = 2_000
    /// That are handed on, the first ones.
    static let occurrences = 500
    /// Days and times that are looked at for one rule, and for all together.
    static let stepsOfRule = 200_000
    static let steps = 2_000_000
    /// Of a title.
    static let titleBytes = 200
}

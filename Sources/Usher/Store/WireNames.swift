/// Names on the wire between Usher and its bots (docs/bot-wire.md).
public enum WireNames {
    /// Where bots write their transcript segments.
    public static let segmentStream = "transcription_segments"

    /// Where a bot listens for commands.
    public static func commandChannel(_ number: Int) -> String { "bot_commands:meeting:\(number)" }

    /// Where a bot tells live what is said.
    public static func liveChannel(_ number: Int) -> String { "tc:meeting:\(number):mutable" }
}

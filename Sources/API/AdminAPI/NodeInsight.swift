import Metrics
import Usher

/// What a node tells administrators beside the records.
public struct NodeInsight: Sendable {
    /// What an examination of Redis has found.
    public struct Findings: Sendable {
        public let findings: [Finding]
        /// When it was done, in milliseconds since 1970.
        public let at: Int

        public init(_ findings: [Finding], at: Int) {
            self.findings = findings
            self.at = at
        }
    }

    /// Looks, or says what was found a moment ago; nil if that takes longer than so many milliseconds.
    let findings: @Sendable (_ patienceMilliseconds: Int) async -> Findings?
    /// The last minutes of this node, the oldest first.
    let history: @Sendable () async -> [MinuteHistory.Minute]

    public init(
        findings: @escaping @Sendable (_ patienceMilliseconds: Int) async -> Findings? = { _ in nil },
        history: @escaping @Sendable () async -> [MinuteHistory.Minute] = { [] }
    ) {
        self.findings = findings
        self.history = history
    }
}

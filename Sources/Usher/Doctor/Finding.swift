/// One thing that was looked at in a Redis: how it is and, unless it is right, what to do.
public struct Finding: Equatable, Sendable {
    public enum Level: Comparable, CaseIterable, Sendable {
        /// As it should be.
        case ok
        /// It works, and less is promised than could be; or nobody could look.
        case warn
        /// Usher cannot keep its promises on this Redis, or does not run on it at all.
        case fail

        /// How it begins a line.
        public var word: String {
            switch self {
            case .ok: "ok"
            case .warn: "warn"
            case .fail: "FAIL"
            }
        }

        /// For programs.
        public var name: String { word.lowercased() }
    }

    public let level: Level
    /// What was looked at, in a word or two.
    public let subject: String
    /// How it is: a sentence or more without its full stop.
    public let found: String
    /// What to do: whole sentences; nil if nothing needs to be done.
    public let advice: String?

    static func ok(_ subject: String, _ found: String) -> Finding {
        Finding(level: .ok, subject: subject, found: found, advice: nil)
    }

    static func warn(_ subject: String, _ found: String, _ advice: String) -> Finding {
        Finding(level: .warn, subject: subject, found: found, advice: advice)
    }

    static func fail(_ subject: String, _ found: String, _ advice: String) -> Finding {
        Finding(level: .fail, subject: subject, found: found, advice: advice)
    }

    /// Redis does not tell this user.
    static func unknown(_ subject: String, because reason: String, _ advice: String) -> Finding {
        warn(subject, "unknown: could not look, because \(reason)", advice)
    }

    /// The same of one of several.
    public func of(_ address: String) -> Finding {
        Finding(level: level, subject: "\(subject) of \(address)", found: found, advice: advice)
    }

    /// The finding as one line.
    public var line: String {
        let word = level.word + String(repeating: " ", count: 4 - level.word.count)
        return "\(word)  \(subject): \(found)." + (advice.map { " " + $0 } ?? "")
    }

    /// The last line of an examination: how much of what was found.
    public static func sum(of findings: [Finding]) -> String {
        func count(_ level: Level) -> Int { findings.count { $0.level == level } }
        return "\(counted(findings.count, "finding")): \(count(.ok)) ok, \(count(.warn)) warn, \(count(.fail)) FAIL"
    }
}

/// `text` of Redis' own as it can stand in a line: without control characters, and not longer than it is of use.
func shown(_ text: String) -> String {
    let maximum = 160
    let scalars = text.unicodeScalars.prefix(maximum).map { scalar in
        scalar.properties.generalCategory == .control ? "?" : Character(scalar)
    }
    return String(scalars) + (text.unicodeScalars.count > maximum ? "..." : "")
}

/// `1 replica`, `2 replicas`.
func counted(_ count: Int, _ noun: String) -> String {
    count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}

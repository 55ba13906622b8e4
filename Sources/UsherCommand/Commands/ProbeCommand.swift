/// `usher probe`: a health check for containers, whose images need no HTTP client for it.
enum ProbeCommand {
    /// - Returns: 0 if the server answers 200, 1 if not, or not within a second.
    static func run(_ settings: Settings, path: String) -> Int32 {
        let answer = Probe.get(path, host: settings.host, port: settings.port)
        if Probe.isOK(answer) { return 0 }
        let body = answer.components(after: "\r\n\r\n") ?? answer
        Terminal.complain(answer.isEmpty ? "Nothing answers at \(settings.host), port \(settings.port)." : body)
        return 1
    }
}

extension String {
    /// What follows the first `separator`; nil if it is not there, or nothing follows.
    fileprivate func components(after separator: String) -> String? {
        guard let range = firstRange(of: separator), range.upperBound < endIndex else { return nil }
        return String(self[range.upperBound...])
    }
}

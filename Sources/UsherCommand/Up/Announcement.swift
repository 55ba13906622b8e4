import Redis

/// What `usher up` prints once everything runs.
struct Announcement {
    let baseURL: String
    /// Lines on what has a port of its own.
    var ports: [String] = []
    let adminKey: String
    let nodes: [Int32]
    let runners: [Int32]
    /// nil: it is not there.
    let consoleURL: String?
    /// Whether the bots attend no meeting.
    let simulates: Bool
    let redisURL: String
    /// The lab in which its bots attend; nil: elsewhere.
    var labURL: String?
    /// nil if the Redis is not ours.
    let dataFolder: String?
    let demo: Demo

    var text: String {
        func processes(_ ids: [Int32]) -> String { ids.map(String.init).joined(separator: ", ") }
        var lines = [
            "Usher is up at \(baseURL)",
            "  nodes      \(nodes.count), sharing the port (process \(processes(nodes)))",
            "  runners    \(runners.count)"
                + (runners.isEmpty ? "" : ", of \(simulates ? "simulated " : "")bots (process \(processes(runners)))"),
            "  Redis      \((try? RedisURL(redisURL))?.redacted ?? "")"
                + (dataFolder.map { ", private; its data and log are in \($0)" } ?? ""),
            "  admin key  \(adminKey)",
        ]
        lines += ports
        if let consoleURL { lines.append("  console    \(consoleURL), to be signed in to with the API key below") }
        let url = "\(baseURL)/api/v1/public/meeting/\(demo.workspaceID)/meetings/\(demo.meetingID)/reinvite_bot"
        let request = "  curl -i -X POST '\(url)' -H 'Authorization: Bearer \(demo.apiKey)'"
        lines += [
            "  workspace  \(demo.workspaceID), its owner's API key \(demo.apiKey)",
            "             (new at each start; the key of the last start is revoked)",
            "  meeting    \(demo.meetingID), \(demo.meetingURL)",
            "",
            "Send a bot into the meeting; the answer is 202:",
            request,
            "Send a second one, and it is refused with 409: code 12107 while the first is on its way, 12103 once it is there:",
            request,
        ]
        if let labURL, let code = demo.meetingURL.split(separator: "/").last {
            lines += [
                "", "Be its host in a browser: let the bot in, and talk:", "  \(labURL)/m/\(code)?host&name=You",
                "Read what was said:",
                "  curl -s '\(baseURL)/transcripts/google_meet/\(code)' -H 'X-API-Key: \(demo.apiKey)'",
            ]
        }
        if let url = try? RedisURL(redisURL), case .unix(let path) = url.location {
            let quotedPath = path.replacing("'", with: "'\\''")
            // Only a Redis of ours has one to be shown, and it is as new as the keys above.
            let password = dataFolder == nil ? nil : url.password
            let login = password.map { "REDISCLI_AUTH=\($0) " } ?? ""
            lines += ["", "Look at the records:", "  \(login)redis-cli -s '\(quotedPath)'"]
        }
        return (lines + ["", "Ctrl-C stops everything."]).joined(separator: "\n")
    }
}

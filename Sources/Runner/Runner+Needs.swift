import EventLoop
import HTTP
import Log

/// What bots need besides a runner with a place for them: their program, and nodes that take their reports.
extension Runner {
    private static let timeoutMilliseconds = 5_000
    /// How often the log repeats what is wrong, at most.
    private static let warningMilliseconds = 60_000

    /// Looks whether they are there, and says so in the log, and by way of the heartbeat in `usher status`, if not.
    func lookAfterNeeds() {
        guard !isLookingAtNeeds, nextLookAtNeeds <= .now() else { return }
        isLookingAtNeeds = true
        Task(executorPreference: loop) { [self] in
            nodesProblem = await problemOfNodes()
            let found =
                obstacle("--launch", configuration.launch) ?? obstacle("--clean-up", configuration.cleanUp)
            tell(found ?? shortage ?? nodesProblem)
            nextLookAtNeeds = .now().advanced(byMilliseconds: configuration.lookMilliseconds)
            isLookingAtNeeds = false
        }
    }

    private func obstacle(_ setting: String, _ command: LaunchCommand?) -> String? {
        guard let command else { return nil }
        let found = command.obstacle(searchPath: configuration.environment["PATH"] ?? "")
        return found.map { "\(setting) names \(command.words[0]), which \($0)" }
    }

    private func tell(_ found: String?) {
        defer { problem = found }
        guard let found else {
            if problem != nil { logger.info("Bots have again what they need") }
            return
        }
        guard found != problem || nextWarning <= .now() else { return }
        nextWarning = .now().advanced(byMilliseconds: Self.warningMilliseconds)
        logger.warning("Bots lack something that they need", ["problem": found])
    }

    /// Sends what a bot would send, a report, but of no bot: a node refuses it, and whatever else may answer there does
    /// not know where that would go.
    private func problemOfNodes() async -> String? {
        // What is reached by TLS is reached by way of others.
        guard let url = try? HTTPURL("\(configuration.apiURL)/internal/bots/\(Self.noBot)/status") else { return nil }
        let request = ClientRequest(
            .post, url, headers: [("Content-Type", "application/json"), ("User-Agent", "usher-runner")],
            body: Array("{}".utf8))
        let place = "at \(configuration.apiURL) (--api-url)"
        do throws(ClientError) {
            let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.timeoutMilliseconds)
            let status = try await HTTPClient(loop: loop).send(request, deadline: deadline).status
            switch status {
            case 404, 405: return "no node takes bots' reports \(place): the answer to one is \(status)"
            case 500...: return "no node is well \(place): the answer to a report is \(status)"
            default: return nil
            }
        } catch {
            return "no node answers \(place): \(error)"
        }
    }

    private static let noBot = "00000000-0000-0000-0000-000000000000"
}

import Glibc
import Redis
import Runner

extension Settings {
    /// Refuses programs that cannot be run, before any bot depends on them.
    /// - Throws: `UsageError` that names the first of them.
    func checkPrograms(searchPath: String) throws(UsageError) {
        for path in [\SettingsTable.launch, \.cleanUp] {
            guard let command = self[dynamicMember: path], let obstacle = command.obstacle(searchPath: searchPath)
            else { continue }
            throw UsageError("\(Setting[path].flag) names \(quoted(command.words[0])), which \(obstacle).")
        }
    }

    /// Those of `environment` that bots get: what nearly every program needs, and what is passed on by name.
    func botEnvironment(from environment: [String: String]) -> [String: String] {
        let names = ["PATH", "HOME", "LANG"] + (self.passEnvironment ?? "").split(separator: ",").map(String.init)
        let passed = environment.filter { variable, _ in
            names.contains { $0.hasSuffix("*") ? variable.hasPrefix($0.dropLast()) : variable == $0 }
        }
        return passed.merging(botTLS) { passed, _ in passed }
    }

    /// The settings by which our bots verify a Redis with TLS as their runner does, whatever folder they run in.
    private var botTLS: [String: String] {
        guard (try? RedisURL(self.botRedisURL))?.isEncrypted == true else { return [:] }
        var variables: [String: String] = [:]
        for path in [\SettingsTable.redisAuthorities, \.redisCertificate, \.redisKey] {
            variables[Setting[path].variable] = self[dynamicMember: path].map(Self.absolutePath)
        }
        variables[Setting[\.redisServerName].variable] = self.redisServerName
        return variables
    }

    private static func absolutePath(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The absolute path of the folder of recordings, which is made if it is not there; nil for none.
    /// - Throws: `UsageError` if nothing can be kept in it.
    func folderOfRecordings() throws(UsageError) -> String? {
        guard let path = self.recordings else { return nil }
        mkdir(path, 0o750)
        try checkRecordings(R_OK | W_OK)
        return Self.absolutePath(path)
    }

    /// The speech service that bots are told of; nil for none.
    var transcription: TranscriptionService? {
        self.transcriptionURL.map {
            TranscriptionService(
                url: $0, token: self.transcriptionToken, model: self.transcriptionModel, tier: self.transcriptionTier)
        }
    }
}

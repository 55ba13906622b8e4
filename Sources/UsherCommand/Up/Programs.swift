import CLinux
import EventLoop
import Glibc
import Processes

/// The programs that `usher up` runs. They end with it even if it is killed.
struct Programs {
    /// Without settings of Usher, so that no child gets a secret that is not meant for it.
    private let environment: [String: String]
    /// What simulated bots go by.
    private let simulation: [String: String]
    private let searchPath: String

    init(environment: [String: String]) {
        self.environment = environment.filter { !$0.key.hasPrefix("USHER_") }
        simulation = environment.filter { $0.key.hasPrefix("USHER_SIMULATE") }
        searchPath = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    }

    /// - Throws: `UpFailure` that tells how to install Redis.
    func redisServerPath() throws(UpFailure) -> String {
        for folder in searchPath.split(separator: ":") {
            let path = folder + "/redis-server"
            if access(String(path), X_OK) == 0 { return String(path) }
        }
        throw UpFailure(
            "There is no redis-server in PATH; install it with `apt-get install redis-server`, or name a Redis with "
                + "--redis.")
    }

    /// A Redis that has on disk what it has acknowledged, and is reached by the folder's socket and, if there is one, the
    /// bots' door.
    func startRedis(_ path: String, in folder: DataFolder, _ door: BotsDoor?) throws(UpFailure) -> ChildProcess {
        let log = try folder.openLog()
        defer { close(log) }
        let configuration = try Self.pipe(holding: door?.secretOptions ?? "")
        defer { close(configuration) }
        // Relative to the folder, so that no letter of its path can be taken for a part of Redis' configuration.
        let options =
            [
                "-", "--unixsocket", "redis.sock", "--unixsocketperm", "700", "--dir", ".", "--appendonly", "yes",
                "--appendfsync", "always", "--save", "", "--daemonize", "no",
                // Nothing that Usher or a bot has to say is longer: docs/operations.md, "What Redis takes at once".
                "--proto-max-bulk-len", "2mb",
            ] + (door?.options ?? ["--port", "0"])
        return try start(
            ChildProcess.Program(
                path: path, arguments: ["redis-server"] + options, environment: environment, directory: folder.path,
                descriptors: [configuration, log, log, folder.lock], parentDeathSignal: SIGKILL))
    }

    /// A node with `settings`.
    func startNode(_ settings: Settings) throws(UpFailure) -> ChildProcess {
        // No balancer looks at it: its port is the kernel's to share out.
        let settings = settings.with(\.drainDelayMilliseconds, "0").with(\.sharesPort, "yes")
        return try start(.serve, with: settings.environment(of: .serve))
    }

    /// A runner with `settings`, of simulated bots if they name no others.
    func startRunner(_ settings: Settings) throws(UpFailure) -> ChildProcess {
        var settings = settings
        if settings.launch == nil {
            let path = Self.executablePath().replacing("'", with: "'\\''")
            let names = settings.attends ? AttendCommand.variables : "USHER_SIMULATE*"
            let passed = settings.passEnvironment.map { "\($0),\(names)" } ?? names
            if settings.attends, !settings.has(\.cleanUp) {
                settings = settings.with(\.cleanUp, AttendCommand.cleanUp(environment))
            }
            settings =
                settings
                .with(\.launch, "'\(path)' \(settings.attends ? "attend" : "simulate-bot")")
                .with(\.passEnvironment, passed)
        }
        var variables = settings.environment(of: .runner).merging(simulation) { own, _ in own }
        if settings.attends { variables.merge(settings.environment(of: .attend)) { own, _ in own } }
        return try start(.runner, with: variables)
    }

    /// Settings go by the environment: other users of the machine can read command lines.
    private func start(_ command: Command, with variables: [String: String]) throws(UpFailure) -> ChildProcess {
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }
        return try start(
            ChildProcess.Program(
                path: Self.executablePath(), arguments: ["usher", command.rawValue],
                environment: environment.merging(variables) { _, new in new },
                descriptors: [null, STDOUT_FILENO, STDERR_FILENO], parentDeathSignal: SIGKILL))
    }

    private func start(_ program: ChildProcess.Program) throws(UpFailure) -> ChildProcess {
        do throws(SystemError) {
            return try ChildProcess(starting: program)
        } catch {
            throw UpFailure("\(program.arguments[0]) could not be started (\(error)).")
        }
    }

    /// A pipe to read a short text from, which other users of the machine cannot see.
    private static func pipe(holding text: String) throws(UpFailure) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else {
            throw UpFailure("No pipe could be made: \(SystemError("pipe").reason).")
        }
        defer { close(ends[1]) }
        // An empty pipe takes a page at least.
        guard write(ends[1], text, text.utf8.count) == text.utf8.count else {
            close(ends[0])
            throw UpFailure("A pipe could not be written: \(SystemError("write").reason).")
        }
        return ends[0]
    }

    /// This program's own file. Its link works even if the file has been replaced since, but names the process "exe".
    static func executablePath() -> String {
        let link = "/proc/self/exe"
        guard let resolved = realpath(link, nil) else { return link }
        defer { free(resolved) }
        return access(resolved, X_OK) == 0 ? String(cString: resolved) : link
    }
}

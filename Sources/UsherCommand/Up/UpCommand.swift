import EventLoop
import Glibc
import Log
import Processes

/// `usher up`: a whole Usher on this machine.
///
/// Everything runs on the main thread, which the children's parent death signal is bound to.
enum UpCommand {
    /// - Returns: 0 if it was stopped by a signal, 1 if it could not start or go on, 2 if what is asked for does not go
    ///   together or names what cannot be used. Nothing is left running.
    static func run(_ settings: Settings, environment: [String: String]) -> Int32 {
        do {
            // What is made here and by all that is started, Redis' files too, is for its owner's eyes alone.
            umask(0o077)
            try settings.checkPrograms(searchPath: environment["PATH"] ?? "")
            if settings.recordingsOfBots.areMade, !settings.attends, settings.launch == nil {
                Terminal.complain("Recordings need --attend or --launch: simulated bots hear nothing.")
                return 2
            }
            _ = try settings.folderOfRecordings()
            _ = try settings.archiveConfiguration()
            if settings.attends { _ = try AttendCommand.browserPath(settings) }
            let signals = try StopSignals()
            return try Ensemble(settings, Programs(environment: environment), signals).run()
        } catch let error as UsageError {
            Terminal.complain(error.description)
            return 2
        } catch {
            Terminal.complain("\(error)")
            return 1
        }
    }
}

/// The processes of one `usher up`.
private final class Ensemble {
    private enum End: Error {
        case asked
        case failed(UpFailure)
    }

    private enum Role: String {
        case node = "Node"
        case runner = "Runner"
    }

    private struct Worker {
        let role: Role
        /// Tells it apart from others of its role: 1, 2, ...
        let number: Int
        var process: ChildProcess?
        var policy = RestartPolicy()
        /// When it is started again, while it has no process.
        var restartTime: MonotonicTime?
    }

    /// How long the announcement may take before everything is watched without it.
    private static let announcementMilliseconds = 1_000

    private let programs: Programs
    private let signals: StopSignals
    /// Standard output. Whoever reads it may have stopped to; that must keep nobody from being watched.
    private let output = LineWriter(STDOUT_FILENO)
    private let folder: DataFolder?
    private let redisServerPath: String?
    /// nil if bots need none: simulated ones know the folder's socket.
    private let door: BotsDoor?
    private let ports: UpPorts
    /// What every node and runner gets.
    private let workerSettings: Settings
    private var redis: ChildProcess?
    private var workers: [Worker]
    private var isHurrying = false

    /// Checks everything that can be checked before anything starts.
    init(_ settings: Settings, _ programs: Programs, _ signals: StopSignals) throws(UpFailure) {
        self.programs = programs
        self.signals = signals
        ports = try UpPorts(settings)
        if !settings.has(\.redisURL) {
            redisServerPath = try programs.redisServerPath()
            let folder = try DataFolder(settings.dataFolder)
            self.folder = folder
            if folder.wasOpen {
                Terminal.complain(
                    "Other users could look into the data folder \(quoted(settings.dataFolder)); it is its owner's alone "
                        + "from now on.")
            }
            door = settings.launch == nil || settings.has(\.botRedisURL) ? nil : try BotsDoor()
        } else {
            redisServerPath = nil
            folder = nil
            door = nil
        }
        var workerSettings = ports.settings
            .with(\.redisURL, folder?.redisURL(password: door?.password) ?? settings.redisURL)
            .with(\.adminKey, settings.adminKey ?? randomHex())
        // Nobody else's nodes read what is there.
        if folder != nil, !settings.has(\.archive) { workerSettings = workerSettings.with(\.archive, "redis:") }
        if let door { workerSettings = workerSettings.with(\.botRedisURL, door.url) }
        self.workerSettings = workerSettings
        workers =
            (1...settings.nodes).map { Worker(role: .node, number: $0) }
            + (0..<settings.runners).map { Worker(role: .runner, number: $0 + 1) }
    }

    func run() -> Int32 {
        do throws(End) {
            try start()
            while true { try watch(until: nil) }
        } catch {
            switch error {
            case .asked:
                say("Stopping.")
                stop()
                output.flush(withinMilliseconds: Self.announcementMilliseconds)
                return 0
            case .failed(let failure):
                Terminal.complain(failure.description)
                stop()
                return 1
            }
        }
    }

    // MARK: Starting

    private func start() throws(End) {
        do throws(UpFailure) {
            if let folder, let redisServerPath { redis = try programs.startRedis(redisServerPath, in: folder, door) }
        } catch {
            throw .failed(error)
        }
        if let folder { try waitForRedis(folder) }
        do throws(UpFailure) {
            try door?.open(workerSettings)
        } catch {
            throw .failed(error)
        }
        try start(.node)
        try waitForNodes()
        try start(.runner)
        let demo: Demo
        do throws(UpFailure) {
            demo = try Demo.make(workerSettings)
        } catch {
            throw .failed(error)
        }
        say(
            Announcement(
                baseURL: ports.baseURL, ports: ports.announcement, adminKey: workerSettings.adminKey ?? "",
                nodes: processes(of: .node), runners: processes(of: .runner),
                consoleURL: workerSettings.servesConsole ? ports.consoleURL : nil,
                simulates: workerSettings.launch == nil && !workerSettings.attends,
                redisURL: workerSettings.redisURL,
                labURL: workerSettings.attends ? workerSettings.attending.labURL : nil,
                dataFolder: folder?.path, demo: demo
            ).text)
        try waitForAnnouncement(demo)
    }

    private func say(_ text: String) {
        output.write(Array((text + "\n").utf8))
    }

    /// Its keys are shown this once: without them nothing can be done here.
    private func waitForAnnouncement(_ demo: Demo) throws(End) {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: Self.announcementMilliseconds)
        while !output.flush(withinMilliseconds: 0), MonotonicTime.now() < deadline {
            try watch(until: .now().advanced(byMilliseconds: 20))
        }
        guard let code = output.lastFailure else { return }
        let reason = SystemError("write", code: code).reason
        let isRevoked = (try? demo.revokeKey(workerSettings)) != nil
        throw .failed(
            UpFailure(
                "What is up could not be told, since standard output cannot be written (\(reason)), so everything is "
                    + "stopped; the demo's new API key is \(isRevoked ? "revoked" : "left behind")."))
    }

    private func processes(of role: Role) -> [Int32] {
        workers.compactMap { $0.role == role ? $0.process?.id : nil }
    }

    private func waitForRedis(_ folder: DataFolder) throws(End) {
        // A large append-only file takes long to load; as long as Redis says so, it gets more time.
        var deadline = MonotonicTime.now().advanced(byMilliseconds: 30_000)
        var isLoading = false
        while true {
            switch Probe.redis(socketPath: folder.socketPath, password: door?.password) {
            case .ready: return
            case .loading:
                if !isLoading { say("Redis is loading its data from \(folder.path).") }
                isLoading = true
                deadline = MonotonicTime.now().advanced(byMilliseconds: 30_000)
            case .absent: break
            }
            guard MonotonicTime.now() < deadline else {
                throw .failed(
                    UpFailure("redis-server did not answer within 30 seconds; its log is \(quoted(folder.logPath))."))
            }
            try watch(until: .now().advanced(byMilliseconds: 20))
        }
    }

    private func start(_ role: Role) throws(End) {
        do throws(UpFailure) {
            for index in workers.indices where workers[index].role == role { try startWorker(index) }
        } catch {
            throw .failed(error)
        }
    }

    private func startWorker(_ index: Int) throws(UpFailure) {
        workers[index].process =
            switch workers[index].role {
            case .node:
                try programs.startNode(ports.settings(workerSettings, ofNode: workers[index].number))
            case .runner:
                try programs.startRunner(ports.settings(workerSettings, ofRunner: workers[index].number))
            }
        workers[index].restartTime = nil
    }

    private func waitForNodes() throws(End) {
        let deadline = MonotonicTime.now().advanced(byMilliseconds: 60_000)
        // A port that they share tells of one of them.
        let own = ports.metricsPortsOfNodes
        while !(Probe.node(host: workerSettings.host, port: workerSettings.port)
            && own.allSatisfy { Probe.node(host: workerSettings.privateHost, port: $0) })
        {
            guard MonotonicTime.now() < deadline else {
                throw .failed(UpFailure("The nodes did not answer GET /healthz within 60 seconds."))
            }
            try watch(until: .now().advanced(byMilliseconds: 20))
        }
    }

    // MARK: Watching

    /// Sees to the children until `deadline`, or for ever.
    ///
    /// - Throws: the reason to stop everything.
    private func watch(until deadline: MonotonicTime?) throws(End) {
        repeat {
            for index in workers.indices {
                if let time = workers[index].restartTime, time <= .now() { restart(worker: index) }
            }
            let processes = workers.compactMap(\.process) + [redis].compactMap { $0 }
            let times = workers.compactMap(\.restartTime) + [deadline].compactMap { $0 }
            _ = waitUntilReadable([signals.descriptor] + processes.map(\.exitDescriptor), deadline: times.min())

            if signals.next() != nil { throw .asked }
            if let redis, let status = redis.exitStatus {
                let line = folder?.lastLogLine.map { ", and the last line of its log is \(quoted($0))" } ?? ""
                throw .failed(UpFailure("redis-server (process \(redis.id)) \(status)\(line)."))
            }
            for index in workers.indices { try noticeEnd(ofWorker: index) }
        } while deadline.map { MonotonicTime.now() < $0 } ?? true
    }

    private func noticeEnd(ofWorker index: Int) throws(End) {
        guard let process = workers[index].process, let status = process.exitStatus else { return }
        let end = "\(workers[index].role.rawValue) \(workers[index].number) (process \(process.id)) \(status)"
        let age = MonotonicTime.now().milliseconds(since: process.startTime)
        workers[index].process = nil
        guard let delay = workers[index].policy.delay(afterRunningFor: age) else {
            throw .failed(UpFailure("\(end), at once and again, so everything is stopped."))
        }
        Terminal.complain("\(end); it is started again in \(delay) ms.")
        workers[index].restartTime = .now().advanced(byMilliseconds: delay)
    }

    /// A machine that is short of processes or memory is no reason to end all that runs on it.
    private func restart(worker index: Int) {
        do throws(UpFailure) {
            try startWorker(index)
        } catch {
            let delay = RestartPolicy.shortageMilliseconds
            let worker = "\(workers[index].role.rawValue) \(workers[index].number)"
            Terminal.complain("\(worker): \(error) It is tried again in \(delay) ms.")
            workers[index].restartTime = .now().advanced(byMilliseconds: delay)
        }
    }

    // MARK: Stopping

    /// Runners first, since their bots report to nodes that they have left; then nodes, since they answer what is under
    /// way with the help of Redis. Another signal hurries; where bots are waited for, nothing else does.
    private func stop() {
        let grace = workerSettings.onStop == .wait ? nil : workerSettings.stopGraceMilliseconds + 5000
        end(.runner, graceMilliseconds: grace)
        end(.node, graceMilliseconds: workerSettings.drainTimeoutMilliseconds + 2000)
        end([redis].compactMap { $0 }, graceMilliseconds: 10_000)
    }

    private func end(_ role: Role, graceMilliseconds: Int?) {
        end(workers.compactMap { $0.role == role ? $0.process : nil }, graceMilliseconds: graceMilliseconds)
    }

    private func end(_ processes: [ChildProcess], graceMilliseconds: Int?) {
        for process in processes { process.signalGroup(SIGTERM) }
        let deadline = graceMilliseconds.map { MonotonicTime.now().advanced(byMilliseconds: $0) }
        var running = processes
        while !isHurrying {
            running.removeAll { $0.exitStatus != nil }
            guard !running.isEmpty, deadline.map({ MonotonicTime.now() < $0 }) ?? true else { break }
            _ = waitUntilReadable([signals.descriptor] + running.map(\.exitDescriptor), deadline: deadline)
            if signals.next() != nil { isHurrying = true }
        }
        for process in running where process.stop(graceMilliseconds: 0) == nil {
            Terminal.complain("Process \(process.id) was killed, but the kernel still holds it.")
        }
    }
}

import Log
import Processes
import Runner
import SimulatedBot

extension Setting {
    /// Every setting, in the order in which help and docs/configuration.md show them. What stands here is the only place for names,
    /// defaults and ranges.
    static let all: [Setting] = [
        Setting(
            key: .host, kind: .address, defaultValue: .value("127.0.0.1"), commands: node.union([.probe]),
            meaning: "The address to listen on; 0.0.0.0 and :: are all of the machine's"),
        number(
            .port, 0...65535, default: 8080, commands: node.union([.probe]),
            "The TCP port to listen on; 0 lets the system choose"),
        Setting(
            key: .redis, kind: .redisURL, defaultValue: .value("redis://127.0.0.1:6379/0"),
            commands: [.serve, .runner, .up, .admin, .keys, .webhooks, .status, .watch, .doctor],
            meaning: "The Redis that holds all records: `redis://`, `redis+unix://`, `redis+sentinel://` or "
                + "`redis+cluster://`; without it `usher up` starts a private one"),
        Setting(
            key: .adminKey, kind: .secret(length: 16...512),
            defaultValue: .none(description: "none: every admin request is refused; `usher up` makes one"),
            commands: node, meaning: "The secret that admin requests carry in X-Admin-API-Key"),
        Setting(
            key: .metricsPort, kind: .number(0...65535, unit: ""),
            defaultValue: .none(description: "none: `/metrics` is on `--port`, and runners have none"),
            commands: [.serve, .runner, .up],
            meaning: "A port of its own for `/metrics`, which is then not on the public one; 0 lets the system choose. "
                + "`usher up` gives its nodes and runners this port and those after it, one each"),
        Setting(
            key: .adminPort, kind: .number(0...65535, unit: ""),
            defaultValue: .none(description: "none: `/admin` is on `--port`"), commands: node,
            meaning: "A port of its own for `/admin`, which is then not on the public one; 0 lets the system choose"),
        Setting(
            key: .internalPort, kind: .number(0...65535, unit: ""),
            defaultValue: .none(description: "none: `/internal` is on `--port`"), commands: node,
            meaning: "A port of its own for `/internal`, where bots report (the `--api-url` of runners), which is then "
                + "not on the public one; 0 lets the system choose"),
        Setting(
            key: .privateHost, kind: .address,
            defaultValue: .none(description: "that of `--host`, and of runners 127.0.0.1"),
            commands: [.serve, .runner, .up],
            meaning: "The address that the ports of `/metrics`, `/admin` and `/internal` listen on"),
        Setting(
            key: .sharePort, kind: .toggle, defaultValue: .value("no"), commands: [.serve],
            meaning:
                "Whether this node may listen where nodes of the same Redis listen already, as one that is started in "
                + "place of another does: the kernel shares the connections out. The ports of `/admin` and `/internal` too; "
                + "that of `/metrics` is a node's own. `usher up` has its nodes do so"),
        number(.nodes, 1...64, default: 2, commands: [.up], "How many nodes share the port"),
        Setting(
            key: .data, kind: .folder, defaultValue: .value("./data"), commands: [.up],
            meaning: "The folder of the private Redis: its socket, its append-only file and its log"),
        Setting(
            key: .loops, kind: .number(1...256, unit: ""),
            defaultValue: .computed(
                description: "one a processor", value: { String(min(256, ProcessLimits.availableProcessors)) }),
            commands: node, meaning: "How many event loops a node runs, each a thread with its own Redis connection"),

        number(
            .redisTimeout, 50...60_000, unit: "ms", default: 2000,
            commands: [.serve, .runner, .up, .admin, .keys, .webhooks, .status, .watch, .doctor],
            "How long a Redis command may take; without an answer by then its outcome counts as unknown"),
        number(
            .redisWaitReplicas, 0...100, default: 0, commands: [.serve, .runner, .up, .admin, .doctor],
            "On how many replicas claims, bots' reports and segments, and all that other requests change are to be before "
                + "they count: all that a primary has; 0 waits for none, and a failover may lose the last of them"),
        number(
            .redisWait, 10...10_000, unit: "ms", default: 500, commands: [.serve, .runner, .up, .admin],
            "How long that is waited for; then the request is answered 500 (12109), or 503, and may be sent again"),
        number(
            .requestTimeout, 100...60_000, unit: "ms", default: 5000,
            "How long a request may take, from its header section to its answer"),
        number(
            .lockTTL, 100...60_000, unit: "ms", default: 5000, commands: [.serve, .up, .doctor],
            "How long the lock of a workspace outlives a node that took it and died"),
        number(
            .lockWait, 0...150, unit: "ms", default: 150, commands: [.serve, .up, .doctor],
            "How long a request tries again for a lock that another one holds, before it answers 503 (12108)"),
        number(
            .inFlightTTL, 1000...3_600_000, unit: "ms", default: 600_000,
            "How long a dispatched bot that is not heard of keeps its room"),
        number(
            .maxConcurrentBots, 1...100_000, default: 10, commands: [.serve, .up, .admin],
            "How many bots a new workspace may have at once, unless it is made with a limit of its own"),
        number(
            .maxMeetings, 1...1_000_000_000, default: 100_000,
            "How many meetings a workspace may have that has no limit of its own; more get 429"),
        number(
            .maxWorkspaceBytes, 1_000_000...1_000_000_000_000, unit: "bytes", default: 134_217_728,
            "How many bytes the meetings of such a workspace may take, with their transcripts; more get 413"),
        number(
            .retention, 0...315_360_000_000, unit: "ms", default: 0,
            "How long a meeting and its transcript are kept after its end; 0 keeps them for ever"),
        number(
            .eventsMaxLength, 1000...10_000_000, default: 100_000, commands: [.serve, .runner, .up],
            "About how many status changes a partition's event stream keeps"),

        number(
            .maxRequestLine, 256...65_536, unit: "bytes", default: 8192,
            "The longest request line; a longer one gets 414"),
        number(
            .maxHeader, 1024...262_144, unit: "bytes", default: 16_384,
            "The longest header section; a longer one gets 431"),
        number(.maxHeaderFields, 10...1000, default: 100, "The most header fields; more get 431"),
        number(.maxBody, 1024...16_777_216, unit: "bytes", default: 65_536, "The longest body; a longer one gets 413"),
        number(
            .maxReport, 1024...67_108_864, unit: "bytes", default: 1_048_576,
            "The longest body of a bot's report, with its logs, or of its segments"),
        number(
            .answerMemory, 4_194_304...4_294_967_296, unit: "bytes", default: 50_331_648,
            "What all large answers of a node, such as long lists, may hold at once; more of them wait their turn, and get "
                + "503 if it does not come in time. No workspace has more than half"),
        number(
            .headerTimeout, 100...600_000, unit: "ms", default: 10_000,
            "How long a client may take to send a header section it has begun; then it gets 408"),
        number(
            .bodyTimeout, 100...600_000, unit: "ms", default: 10_000,
            "How long a client may take to send a body; then it gets 408"),
        number(
            .idleTimeout, 100...600_000, unit: "ms", default: 60_000,
            "How long a connection may be idle between requests before it is closed"),
        number(
            .writeTimeout, 100...600_000, unit: "ms", default: 10_000,
            "How long a client may take none of its answer before it is cut off"),
        number(
            .maxConnections, 1...1_000_000, default: 10_000,
            "How many connections each port of a node serves at once; further ones wait in the kernel's queue"),
        Setting(
            key: .webhookAllow, kind: .addressRanges,
            defaultValue: .none(description: "none: webhooks go to the internet alone"), commands: node,
            meaning: "Blocks of private addresses that webhooks may go to all the same"),
        Setting(
            key: .webhookCertificates, kind: .file, defaultValue: .none(description: "those of the system"),
            commands: node,
            meaning: "A file of the certificates (PEM) by which receivers of webhooks are verified, in place of the "
                + "system's"),
        number(
            .backlog, 1...65_535, default: 1024, "How many new connections wait in the kernel's queue, for each loop"),
        number(
            .maxConnectionsPerAddress, 0...1_000_000, default: 0,
            "How many connections may come from one address (of IPv6: a /64) that is none of the trusted proxies; further "
                + "ones are closed. 0: any number"),
        number(
            .rateLimit, 0...1_000_000, default: 1000,
            "How many requests a second an API key may send in the long run, on all nodes together; more get 429. 0: any "
                + "number"),
        number(.rateLimitBurst, 1...10_000_000, default: 20_000, "How many of them may come at once"),
        number(
            .addressRateLimit, 0...1_000_000, default: 50,
            "How many requests a second without a valid key an address (of IPv6: a /64) may send in the long run; more "
                + "get 429. 0: any number"),
        number(.addressRateLimitBurst, 1...10_000_000, default: 1000, "How many of those may come at once"),
        Setting(
            key: .trustedProxies, kind: .addressRanges,
            defaultValue: .none(description: "none: a request comes from where its connection comes from"),
            commands: node,
            meaning: "The load balancers whose `X-Forwarded-For` tells where a request comes from"),
        Setting(
            key: .corsOrigins, kind: .origins,
            defaultValue: .none(description: "none: pages of other origins cannot use the APIs"), commands: node,
            meaning: "The origins of the web pages that may use the APIs from a browser (CORS); never `/admin` and "
                + "`/internal`"),
        number(
            .drainDelay, 0...600_000, unit: "ms", default: 5000, commands: [.serve],
            "How long a node that gets SIGTERM serves on while /readyz says that it is about to stop, for balancers to "
                + "see that; another signal ends it, and Ctrl-C has none"),
        number(
            .drainTimeout, 0...600_000, unit: "ms", default: 10_000,
            "How long a node that was told to stop answers what is under way"),

        number(.runners, 0...64, default: 1, commands: [.up], "How many runners it starts"),
        Setting(
            key: .launch, kind: .command,
            defaultValue: .none(description: "none: `usher runner` needs it, `usher up` runs simulated bots"),
            commands: [.runner, .up],
            meaning: "The command that is run for each bot; {bot_id}, {container_name}, {meeting_id}, {number} and "
                + "{platform} are replaced"),
        Setting(
            key: .cleanUp, kind: .command, defaultValue: .none(description: "none"), commands: [.runner, .up],
            meaning: "A command that is run after each bot's end, however it ended, for what outlives its process; the "
                + "same names are replaced"),
        Setting(
            key: .apiURL, kind: .httpURL, defaultValue: .value("http://127.0.0.1:8080"), commands: [.runner],
            meaning: "Where the nodes are, as bots reach them"),
        Setting(
            key: .botRedis, kind: .redisURL, defaultValue: .none(description: "the runner's own"),
            commands: [.runner, .up],
            meaning: "The Redis that bots are told to use, by an address that follows the primary if that may change; "
                + "its user needs to be able to do only what their wire needs"),
        Setting(
            key: .botRedisUsers, kind: .choice(BotUsers.Mode.allCases.map(\.rawValue)), defaultValue: .value("auto"),
            commands: [.runner, .up],
            meaning: "Whether a runner makes a user of Redis for each bot, in place of the one that `--bot-redis` "
                + "names; `auto`: where Redis lets it"),
        Setting(
            key: .sharedStream, kind: .choice(["on", "off"]), defaultValue: .value("on"),
            commands: [.serve, .runner, .up],
            meaning: "Whether bots may write their segments to the stream `transcription_segments`; `off`: nodes do "
                + "not read it, and bots send them by HTTP"),
        number(.capacity, 1...10_000, default: 10, commands: [.runner, .up], "How many bots a runner runs at once"),
        Setting(
            key: .onStop, kind: .choice(RunnerConfiguration.OnStop.allCases.map(\.rawValue)),
            defaultValue: .value("leave"), commands: [.runner, .up],
            meaning: "Whether the bots of a runner that is told to stop leave, or are waited for"),
        Setting(
            key: .passEnvironment, kind: .variables, defaultValue: .none(description: "PATH, HOME and LANG alone"),
            commands: [.runner, .up], meaning: "Further variables of a runner's environment that its bots get"),
        Setting(
            key: .botOutput, kind: .choice(["keep", "show"]), defaultValue: .value("keep"), commands: [.runner, .up],
            meaning: "Whether the last lines of a bot's output are kept for the record, or all of it goes to the "
                + "runner's standard error; what nobody takes there is dropped"),
        Setting(
            key: .botName, kind: .text(maximumBytes: 100), defaultValue: .value("Usher"), commands: [.runner, .up],
            meaning: "The name of a bot that was asked for without one"),
        Setting(
            key: .transcriptionURL, kind: .httpURL,
            defaultValue: .none(description: "none: bots that need a speech service stay silent"),
            commands: [.runner, .up], meaning: "The speech service through which bots are told to transcribe"),
        Setting(
            key: .transcriptionToken, kind: .secret(length: 1...1024), defaultValue: .none(description: "none"),
            commands: [.runner, .up],
            meaning: "The secret that the speech service asks of bots; rather by the variable or the file, since other "
                + "users of the machine can read flags"),
        Setting(
            key: .transcriptionTokenFile, kind: .file, defaultValue: .none(description: "none"),
            commands: [.runner, .up], meaning: "A file that holds that secret, and nothing else, in its place"),
        Setting(
            key: .transcriptionModel, kind: .text(maximumBytes: 200),
            defaultValue: .none(description: "the speech service's own"), commands: [.runner, .up],
            meaning: "The model that bots ask of the speech service"),
        Setting(
            key: .transcriptionTier, kind: .choice(["realtime", "deferred"]),
            defaultValue: .none(description: "the bots' own"), commands: [.runner, .up],
            meaning: "Whether bots transcribe at once, or when the speech service has time"),
        number(
            .joinTimeout, 1000...86_400_000, unit: "ms", default: 600_000, commands: [.runner, .up],
            "How long a bot may take until it is in the room, or as long as it may wait to be let in, if that is longer; "
                + "then it is ended"),
        number(
            .waitingRoomTimeout, 1000...86_400_000, unit: "ms", default: 300_000, commands: [.runner, .up],
            "How long a bot waits to be let in before it gives up"),
        number(
            .noOneJoinedTimeout, 1000...86_400_000, unit: "ms", default: 600_000, commands: [.runner, .up],
            "How long a bot that nobody joins stays"),
        number(
            .everyoneLeftTimeout, 1000...86_400_000, unit: "ms", default: 120_000, commands: [.runner, .up],
            "How long a bot that is left alone stays"),
        number(
            .leaseTTL, 1000...600_000, unit: "ms", default: 15_000, commands: [.serve, .runner, .up, .doctor],
            "How long a bot may be in its room without its runner saying so; the runner says so three times as often"),
        number(
            .stopGrace, 1000...600_000, unit: "ms", default: 30_000, commands: [.runner, .up],
            "How long after it was told to stop a bot has ended at the latest"),
        number(
            .maxAttempts, 1...100, default: 3, commands: [.serve, .runner, .up],
            "How many bots a dispatch may take until one is in the room"),

        Setting(
            key: .attend, kind: .toggle, defaultValue: .value("no"), commands: [.up],
            meaning:
                "Whether its bots attend meetings, in Chromium, instead of simulating that; `--transcription-url` says "
                + "who writes down what they hear"),
        Setting(
            key: .lab, kind: .httpURL, defaultValue: .none(description: "none: meetings are where their links lead"),
            commands: [.attend, .up],
            meaning: "The address of a lab (`Tests/lab`), on whose page every meeting is then held, whatever its link"),
        Setting(
            key: .chromium, kind: .file, defaultValue: .none(description: "none: that of Debian, or another usual one"),
            commands: [.attend, .up], meaning: "The program of the Chromium or Chrome in which meetings are attended"),
        Setting(
            key: .platforms, kind: .folder, defaultValue: .none(description: "none: the built-in data alone"),
            commands: [.attend, .up],
            meaning: "A folder of files such as `google_meet.json`, which say how the platforms' pages are dealt with"),
        Setting(
            key: .screenshots, kind: .folder, defaultValue: .none(description: "none: no pictures are kept"),
            commands: [.attend, .up],
            meaning: "The folder that gets a picture of the page, `<bot_id>.png`, when attending has failed"),
        number(
            .attendPage, 100...600_000, unit: "ms", default: 60_000, commands: [.attend, .up],
            "How long a page may take to show that it is one of a meeting, and to react to the request to join"),
        number(
            .attendLongest, 1000...604_800_000, unit: "ms", default: 14_400_000, commands: [.attend, .up],
            "How long a meeting is attended at most"),

        Setting(
            key: .simulate, kind: .choices(Simulation.Behaviour.allCases.map(\.rawValue)),
            defaultValue: .none(description: "none: a good meeting"), commands: [.simulateBot],
            meaning: "How the simulated bot misbehaves, or its meeting; `usher simulate-bot --help` explains each"),
        number(
            .simulateJoin, 0...3_600_000, unit: "ms", default: 500, commands: [.simulateBot],
            "How long the simulated bot takes from its start to the lobby"),
        number(
            .simulateLobby, 0...3_600_000, unit: "ms", default: 1000, commands: [.simulateBot],
            "How long it waits in the lobby until it is let in"),
        number(
            .simulateSegment, 2...3_600_000, unit: "ms", default: 1000, commands: [.simulateBot],
            "How long each speaker speaks, which makes a draft and a confirmed segment"),
        Setting(
            key: .simulateMeeting, kind: .number(1...86_400_000, unit: "ms"),
            defaultValue: .none(description: "none: it stays until it is told to leave"), commands: [.simulateBot],
            meaning: "How long it is in the room before it is left alone there and leaves"),
        Setting(
            key: .simulatePresence, kind: .folder, defaultValue: .none(description: "none: no such files"),
            commands: [.simulateBot],
            meaning: "The folder of the file to which it appends a line every 50 ms while it is in the room, and of "
                + "the one of its acknowledged segments"),

        Setting(
            key: .logLevel, kind: .choice(Logger.Level.allCases.map(\.rawValue)), defaultValue: .value("info"),
            commands: [.serve, .runner, .up, .admin, .keys, .webhooks, .watch, .attend, .simulateBot],
            meaning: "The least severe log lines that are written"),
        Setting(
            key: .logFormat, kind: .choice(Logger.Format.allCases.map(\.rawValue)),
            defaultValue: .none(description: "people on a terminal, else json"),
            commands: [.serve, .runner, .up, .watch, .attend, .simulateBot],
            meaning: "The form of log lines: a JSON object each, or a line for people"),
    ]

    static func of(_ command: Command) -> [Setting] {
        all.filter { $0.commands.contains(command) }
    }

    static subscript(key: Key) -> Setting {
        byKey[key]!
    }

    /// The commands that run nodes.
    private static let node: Set<Command> = [.serve, .up]

    private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    private static func number(
        _ key: Key, _ range: ClosedRange<Int>, unit: String = "", default value: Int, commands: Set<Command> = node,
        _ meaning: String
    ) -> Setting {
        Setting(
            key: key, kind: .number(range, unit: unit), defaultValue: .value(String(value)), commands: commands,
            meaning: meaning)
    }
}

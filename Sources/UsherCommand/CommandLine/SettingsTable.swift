import Archive
import AttendingBot
import Calendars
import HTTP
import Log
import Node
import Processes
import Redis
import Runner
import SimulatedBot
import Usher
import Webhooks

/// Every setting, in the order in which help and docs/configuration.md show them. What stands here is all that there is
/// of one: its name, its default, its range, its words, its type, and the configurations that it goes into as it is.
struct SettingsTable: Sendable {
    let host = text(
        "host", .address, default: "127.0.0.1", commands: Command.nodes.union([.probe]),
        "The address to listen on; 0.0.0.0 and :: are all of the machine's")
    let port = number(
        "port", 0...65535, default: 8080, commands: Command.nodes.union([.probe]),
        "The TCP port to listen on; 0 lets the system choose")
    let redisURL = text(
        "redis", .redisURL, default: "redis://127.0.0.1:6379/0",
        commands: Command.records,
        "The Redis that holds all records: `redis://`, `redis+unix://`, `redis+sentinel://` or "
            + "`redis+cluster://`, and with TLS `rediss://`, `rediss+sentinel://` or `rediss+cluster://`; without it "
            + "`usher up` starts a private one")
    let redisAuthorities = text(
        "redis-ca", .file, absent: "those of the system", commands: Command.redisClients,
        "The certificates (PEM) of the authorities by which a Redis with TLS is verified")
    let redisCertificate = text(
        "redis-cert", .file, absent: "none", commands: Command.redisClients,
        "The certificate (PEM) that such a Redis is shown, if it asks for one")
    let redisKey = text(
        "redis-key", .file, absent: "in the same file", commands: Command.redisClients,
        "The key (PEM) of that certificate")
    let redisServerName = text(
        "redis-server-name", .text(maximumBytes: 253), absent: "the host by which it is reached",
        commands: Command.redisClients,
        "The name that the certificates of such a Redis are for, where it is not the host's: as with Sentinels and "
            + "clusters, which tell of addresses")
    let adminKey = text(
        "admin-key", .secret(length: 16...512), absent: "none: every admin request is refused; `usher up` makes one",
        "The secret that admin requests carry in X-Admin-API-Key"
    )
    .sets(\NodeConfiguration.adminKey)
    let metricsPort = number(
        "metrics-port", 0...65535, absent: "none: `/metrics` is on `--port`, and runners have none",
        commands: [.serve, .runner, .up],
        "A port of its own for `/metrics`, which is then not on the public one; 0 lets the system choose. "
            + "`usher up` gives its nodes and runners this port and those after it, one each")
    let adminPort = number(
        "admin-port", 0...65535, absent: "none: `/admin` is on `--port`",
        "A port of its own for `/admin`, which is then not on the public one; 0 lets the system choose")
    let internalPort = number(
        "internal-port", 0...65535, absent: "none: `/internal` is on `--port`",
        "A port of its own for `/internal`, where bots report (the `--api-url` of runners), which is then "
            + "not on the public one; 0 lets the system choose")
    let privateHost = text(
        "private-host", .address, absent: "that of `--host`, and of runners 127.0.0.1",
        commands: [.serve, .runner, .up],
        "The address that the ports of `/metrics`, `/admin`, `/internal` and `/console` listen on")
    let sharesPort = toggle(
        "share-port", default: false, commands: [.serve],
        "Whether this node may listen where nodes of the same Redis listen already, as one that is started in "
            + "place of another does: the kernel shares the connections out. The ports of `/admin`, `/internal` and "
            + "`/console` too; that of `/metrics` is a node's own. `usher up` has its nodes do so"
    )
    .sets(\NodeConfiguration.sharesPort)
    let nodes = number("nodes", 1...64, default: 2, commands: [.up], "How many nodes share the port")
    let dataFolder = text(
        "data", .folder, default: "./data", commands: [.up],
        "The folder of the private Redis: its socket, its append-only file and its log")
    let loops = number(
        "loops", 1...256, by: "one a processor", { min(256, ProcessLimits.availableProcessors) },
        "How many event loops a node runs, each a thread with its own Redis connection"
    )
    .sets(\NodeConfiguration.loops)

    let redisTimeoutMilliseconds = number(
        "redis-timeout-ms", 50...60_000, unit: "ms", default: 2000,
        commands: Command.records,
        "How long a Redis command may take; without an answer by then its outcome counts as unknown"
    )
    .sets(\StoreConfiguration.redisTimeoutMilliseconds)
    .sets(\RunnerConfiguration.redisTimeoutMilliseconds)
    .sets(\ClientConfiguration.connectTimeoutMilliseconds)
    let redisWaitReplicas = number(
        "redis-wait-replicas", 0...100, default: 0,
        commands: [.serve, .runner, .up, .admin, .send, .stop, .importing, .doctor],
        "On how many replicas claims, bots' reports and segments, and all that other requests change are to be before "
            + "they count: all that a primary has. Those that have been away for 30 s are not waited for, down to a majority "
            + "of the servers; 0 waits for none, and a failover may lose the last of them")
    let redisWaitMilliseconds = number(
        "redis-wait-ms", 10...10_000, unit: "ms", default: 500,
        commands: [.serve, .runner, .up, .admin, .send, .stop, .importing],
        "How long that is waited for; then the request is answered 500 (12109), or 503, and may be sent again")
    let requestTimeoutMilliseconds = number(
        "request-timeout-ms", 100...60_000, unit: "ms", default: 5000,
        "How long a request may take, from its header section to its answer"
    )
    .sets(\HTTPConfiguration.requestDeadlineMilliseconds)
    let lockTTLMilliseconds = number(
        "lock-ttl-ms", 100...60_000, unit: "ms", default: 5000, commands: [.serve, .up, .doctor],
        "How long the lock of a workspace outlives a node that took it and died"
    )
    .sets(\StoreConfiguration.lockTimeToLiveMilliseconds)
    let lockWaitMilliseconds = number(
        "lock-wait-ms", 0...150, unit: "ms", default: 150, commands: [.serve, .up, .doctor],
        "How long a request tries again for a lock that another one holds, before it answers 503 (12108)"
    )
    .sets(\StoreConfiguration.lockWaitMilliseconds)
    let inFlightTTLMilliseconds = number(
        "in-flight-ttl-ms", 1000...3_600_000, unit: "ms", default: 600_000, commands: Command.botRequests,
        "How long a dispatched bot that is not heard of keeps its room"
    )
    .sets(\StoreConfiguration.inFlightTimeToLiveMilliseconds)
    let joinLeadMilliseconds = number(
        "join-lead-ms", 0...3_600_000, unit: "ms", default: 60_000,
        "How long before the time of a planned meeting its bot is sent"
    )
    .sets(\StoreConfiguration.joinLeadMilliseconds)
    let joinLateMilliseconds = number(
        "join-late-ms", 1000...86_400_000, unit: "ms", default: 600_000,
        "How long after that time it is still tried to send one; then the meeting counts as missed"
    )
    .sets(\StoreConfiguration.joinLateMilliseconds)
    let maxConcurrentBots = number(
        "max-concurrent-bots", 1...100_000, default: 10, commands: Command.botRequests.union([.admin]),
        "How many bots a new workspace may have at once, unless it is made with a limit of its own"
    )
    .sets(\StoreConfiguration.defaultMaximumConcurrentBots)
    let maxMeetings = number(
        "max-meetings", 1...1_000_000_000, default: 100_000, commands: Command.botRequests,
        "How many meetings a workspace may have that has no limit of its own; more get 429"
    )
    .sets(\StoreConfiguration.defaultMaximumMeetings)
    let maxWorkspaceBytes = number(
        "max-workspace-bytes", 1_000_000...1_000_000_000_000, unit: "bytes", default: 134_217_728,
        commands: Command.botRequests,
        "How many bytes the meetings of such a workspace may take, with their transcripts; more get 413"
    )
    .sets(\StoreConfiguration.defaultMaximumBytes)
    let retentionMilliseconds = number(
        "retention-ms", 0...315_360_000_000, unit: "ms", default: 0,
        "How long a meeting and its transcript are kept after its end; 0 keeps them for ever"
    )
    .sets(\StoreConfiguration.retentionMilliseconds)
    let archive = text(
        "archive", .text(maximumBytes: 1000),
        absent: "`none`; of `usher up` with a Redis of its own `redis:`",
        commands: Command.archiveReaders,
        "Where transcripts are moved some time after their meetings' ends: `redis:`, Redis itself, where they take a "
            + "third of the memory then; a folder that all nodes share; `s3://bucket/prefix` of a store that speaks S3; or "
            + "`none`: they stay as they are. All nodes are given the same")
    let archiveAfterMilliseconds = number(
        "archive-after-ms", 0...315_360_000_000, unit: "ms", default: 3_600_000,
        "How long after its end a meeting's transcript is moved to the archive"
    )
    .sets(\ArchiveConfiguration.afterMilliseconds)
    let archiveEndpoint = text(
        "archive-s3-endpoint", .httpURL, absent: "Amazon's of the region",
        commands: Command.archiveReaders,
        "The address of a store that speaks S3. Its buckets are named by the path"
    )
    .sets(\BucketConfiguration.endpoint)
    let archiveRegion = text(
        "archive-s3-region", .text(maximumBytes: 64), default: "us-east-1",
        commands: Command.archiveReaders,
        "The region that requests to it are signed for"
    )
    .sets(\BucketConfiguration.region)
    let archiveAccessKey = text(
        "archive-s3-access-key", .secret(length: 1...512), absent: "none",
        commands: Command.archiveReaders,
        "The name of the key that they are signed with"
    )
    .sets(\BucketConfiguration.accessKey)
    let archiveSecretKey = text(
        "archive-s3-secret-key", .secret(length: 1...512), absent: "none",
        commands: Command.archiveReaders,
        "That key; rather by the variable or a file, since other users of the machine can read flags"
    )
    .sets(\BucketConfiguration.secretKey)
    let archiveCertificates = text(
        "archive-s3-ca", .file, absent: "those of the system",
        commands: Command.archiveReaders,
        "The certificates (PEM) of the authorities by which that store is verified"
    )
    .sets(\BucketConfiguration.certificates)
    let eventsMaxLength = number(
        "events-max-length", 1000...10_000_000, default: 100_000, commands: Command.botRequests.union([.runner]),
        "About how many status changes a partition's event stream keeps"
    )
    .sets(\StoreConfiguration.maximumEvents)

    let maxRequestLineBytes = number(
        "max-request-line-bytes", 256...65_536, unit: "bytes", default: 8192,
        "The longest request line; a longer one gets 414"
    )
    .sets(\HTTPConfiguration.limits.requestLineBytes)
    let maxHeaderBytes = number(
        "max-header-bytes", 1024...262_144, unit: "bytes", default: 16_384,
        "The longest header section; a longer one gets 431"
    )
    .sets(\HTTPConfiguration.limits.headerSectionBytes)
    let maxHeaderFields = number("max-header-fields", 10...1000, default: 100, "The most header fields; more get 431")
        .sets(\HTTPConfiguration.limits.headerFields)
    let maxBodyBytes = number(
        "max-body-bytes", 1024...16_777_216, unit: "bytes", default: 65_536, "The longest body; a longer one gets 413"
    )
    .sets(\HTTPConfiguration.limits.bodyBytes)
    let maxReportBytes = number(
        "max-report-bytes", 1024...67_108_864, unit: "bytes", default: 1_048_576,
        "The longest body of a bot's report, with its logs, or of its segments"
    )
    .sets(\NodeConfiguration.maximumReportBytes)
    let answerMemoryBytes = number(
        "answer-memory-bytes", 4_194_304...4_294_967_296, unit: "bytes", default: 50_331_648,
        "What all large answers of a node, such as long lists, may hold at once; more of them wait their turn, and get "
            + "503 if it does not come in time. No workspace has more than half"
    )
    .sets(\NodeConfiguration.answerMemoryBytes)
    let headerTimeoutMilliseconds = number(
        "header-timeout-ms", 100...600_000, unit: "ms", default: 10_000,
        "How long a client may take to send a header section it has begun; then it gets 408"
    )
    .sets(\HTTPConfiguration.headerTimeoutMilliseconds)
    let bodyTimeoutMilliseconds = number(
        "body-timeout-ms", 100...600_000, unit: "ms", default: 10_000,
        "How long a client may take to send a body, and no longer than its request may; then it gets 408"
    )
    .sets(\HTTPConfiguration.bodyTimeoutMilliseconds)
    let idleTimeoutMilliseconds = number(
        "idle-timeout-ms", 100...600_000, unit: "ms", default: 60_000,
        "How long a connection may be idle between requests before it is closed"
    )
    .sets(\HTTPConfiguration.idleTimeoutMilliseconds)
    let writeTimeoutMilliseconds = number(
        "write-timeout-ms", 100...600_000, unit: "ms", default: 10_000,
        "How long a client may take none of its answer before it is cut off"
    )
    .sets(\HTTPConfiguration.writeTimeoutMilliseconds)
    let maxConnections = number(
        "max-connections", 1...1_000_000, default: 10_000,
        "How many connections each port of a node serves at once; further ones wait in the kernel's queue"
    )
    .sets(\HTTPConfiguration.maximumConnections)
    let webhookAllow = addressRanges(
        "webhook-allow", absent: "none: both are of the internet alone",
        "Blocks of private addresses that webhooks may go to, and calendars be read from, all the same")
    let calendarSyncMilliseconds = number(
        "calendar-sync-ms", 1_000...86_400_000, unit: "ms", default: 300_000,
        "After how long the feed of a calendar is read again; later where it cannot be read"
    )
    .sets(\CalendarConfiguration.syncMilliseconds)
    let webhookCertificates = text(
        "webhook-certificates", .file, absent: "those of the system",
        "A file of the certificates (PEM) by which receivers of webhooks are verified, in place of the system's"
    )
    .sets(\DelivererConfiguration.certificates)
    let webhookURL = text(
        "webhook-url", .receiverURL, absent: "none",
        "An address that is told what happens in all workspaces. All nodes are given the same")
    let webhookSecret = text(
        "webhook-secret", .secret(length: 1...256), absent: "none: they are not signed",
        "What deliveries to that address are signed with")
    let webhookEvents = choices(
        "webhook-events", of: Webhook.Event.self, absent: "all", "Of which types of events that address is told")
    let backlog = number(
        "backlog", 1...65_535, default: 1024, "How many new connections wait in the kernel's queue, for each loop"
    )
    .sets(\HTTPConfiguration.backlog)
    let maxConnectionsPerAddress = number(
        "max-connections-per-address", 0...1_000_000, default: 0,
        "How many connections may come from one address (of IPv6: a /64) that is none of the trusted proxies; further "
            + "ones are closed. 0: any number"
    )
    .sets(\NodeConfiguration.maximumConnectionsPerAddress)
    let liveFeedsPerKey = number(
        "live-feeds-per-key", 1...1_000_000, default: 200,
        "How many live feeds (`GET /ws` and streams of events) a node serves to one API key at once"
    )
    .sets(\NodeConfiguration.liveFeedsPerKey)
    let liveFeedsPerAddress = number(
        "live-feeds-per-address", 1...1_000_000, default: 1000,
        "How many to one address (of IPv6: a /64), whatever their keys"
    )
    .sets(\NodeConfiguration.liveFeedsPerAddress)
    let liveBufferBytes = number(
        "live-buffer-bytes", 16_384...67_108_864, unit: "bytes", default: 1_048_576,
        "How much a client of `GET /ws` may leave untaken before it is closed with 4408"
    )
    .sets(\HTTPConfiguration.webSockets.unsentBytes)
    let livePingMilliseconds = number(
        "live-ping-ms", 100...600_000, unit: "ms", default: 20_000,
        "How often clients of `GET /ws` are asked whether they are there; one that is silent three times as long is cut off"
    )
    .sets(\HTTPConfiguration.webSockets.pingMilliseconds)
    let rateLimitPerSecond = number(
        "rate-limit-per-second", 0...1_000_000, default: 1000,
        "How many requests a second an API key may send in the long run, on all nodes together; more get 429. 0: any "
            + "number")
    let rateLimitBurst = number(
        "rate-limit-burst", 1...10_000_000, default: 20_000, "How many of them may come at once")
    let addressRateLimitPerSecond = number(
        "address-rate-limit-per-second", 0...1_000_000, default: 50,
        "How many requests a second without a valid key an address (of IPv6: a /64) may send in the long run; more "
            + "get 429. 0: any number")
    let addressRateLimitBurst = number(
        "address-rate-limit-burst", 1...10_000_000, default: 1000, "How many of those may come at once")
    let trustedProxies = addressRanges(
        "trusted-proxies", absent: "none: a request comes from where its connection comes from",
        "The load balancers whose `X-Forwarded-For` tells where a request comes from"
    )
    .sets(\NodeConfiguration.trustedProxies)
    let corsOrigins = list(
        "cors-origins", .origins, absent: "none: pages of other origins cannot use the APIs",
        "The origins of the web pages that may use the APIs from a browser (CORS); never `/admin` and "
            + "`/internal`"
    )
    .sets(\NodeConfiguration.corsOrigins)
    let servesConsole = either(
        "console", "on", or: "off", default: true,
        "Whether `/console` is there, a page on which people of a workspace see and steer its meetings"
    )
    .sets(\NodeConfiguration.servesConsole)
    let consolePort = number(
        "console-port", 0...65535, absent: "none: `/console` is on `--port`",
        "A port of its own for `/console` and the APIs that it asks there; it is then not on the public one, which "
            + "has these APIs too; 0 lets the system choose")
    let drainDelayMilliseconds = number(
        "drain-delay-ms", 0...600_000, unit: "ms", default: 5000, commands: [.serve],
        "How long a node that gets SIGTERM serves on while /readyz says that it is about to stop, for balancers to "
            + "see that; another signal ends it, and Ctrl-C has none")
    let drainTimeoutMilliseconds = number(
        "drain-timeout-ms", 0...600_000, unit: "ms", default: 10_000,
        "How long a node that was told to stop answers what is under way"
    )
    .sets(\NodeConfiguration.drainTimeoutMilliseconds)

    let runners = number("runners", 0...64, default: 1, commands: [.up], "How many runners it starts")
    let launch = command(
        "launch", absent: "none: `usher runner` needs it, `usher up` runs simulated bots", commands: [.runner, .up],
        "The command that is run for each bot; {bot_id}, {container_name}, {meeting_id}, {number} and "
            + "{platform} are replaced")
    let cleanUp = command(
        "clean-up", absent: "none", commands: [.runner, .up],
        "A command that is run after each bot's end, however it ended, for what outlives its process; the "
            + "same names are replaced"
    )
    .sets(\RunnerConfiguration.cleanUp)
    let apiURL = text(
        "api-url", .httpURL, default: "http://127.0.0.1:8080", commands: [.runner],
        "Where the nodes are, as bots reach them")
    let botRedisURL = text(
        "bot-redis", .redisURL, absent: "the runner's own", commands: [.runner, .up],
        "The Redis that bots are told to use, by an address that follows the primary if that may change; "
            + "its user needs to be able to do only what their wire needs")
    let botUsers = choice(
        "bot-redis-users", default: BotUsers.Mode.auto, commands: [.runner, .up],
        "Whether a runner makes a user of Redis for each bot, in place of the one that `--bot-redis` "
            + "names; `auto`: where Redis lets it"
    )
    .sets(\RunnerConfiguration.botUsers)
    let isStreamShared = either(
        "shared-stream", "on", or: "off", default: true, commands: [.serve, .runner, .up],
        "Whether bots may write their segments to the stream `transcription_segments`; `off`: nodes do "
            + "not read it, and bots send them by HTTP"
    )
    .sets(\RunnerConfiguration.isStreamShared)
    .sets(\NodeConfiguration.readsStream)
    let capacity = number(
        "capacity", 1...10_000, default: 10, commands: [.runner, .up], "How many bots a runner runs at once")
    let onStop = choice(
        "on-stop", default: RunnerConfiguration.OnStop.leave, commands: [.runner, .up],
        "Whether the bots of a runner that is told to stop leave, or are waited for"
    )
    .sets(\RunnerConfiguration.onStop)
    let passEnvironment = text(
        "pass-environment", .variables, absent: "PATH, HOME and LANG alone", commands: [.runner, .up],
        "Further variables of a runner's environment that its bots get")
    let showsBotOutput = either(
        "bot-output", "show", or: "keep", default: false, commands: [.runner, .up],
        "Whether the last lines of a bot's output are kept for the record, or all of it goes to the "
            + "runner's standard error; what nobody takes there is dropped"
    )
    .sets(\RunnerConfiguration.showsOutput)
    let botName = text(
        "bot-name", .text(maximumBytes: 100), default: "Usher", commands: [.runner, .up],
        "The name of a bot that was asked for without one"
    )
    .sets(\RunnerConfiguration.defaultBotName)
    let transcriptionURL = text(
        "transcription-url", .httpURL, absent: "none: bots that need a speech service stay silent",
        commands: [.runner, .up],
        "The speech service through which bots are told to transcribe")
    let transcriptionToken = text(
        "transcription-token", .secret(length: 1...1024), absent: "none", commands: [.runner, .up],
        "The secret that the speech service asks of bots; rather by the variable or a file, since other users of the "
            + "machine can read flags")
    let transcriptionModel = text(
        "transcription-model", .text(maximumBytes: 200), absent: "the speech service's own", commands: [.runner, .up],
        "The model that bots ask of the speech service")
    let transcriptionTier = text(
        "transcription-tier", .choice(["realtime", "deferred"]), absent: "the bots' own", commands: [.runner, .up],
        "Whether bots transcribe at once, or when the speech service has time")
    let recordings = text(
        "recordings", .folder, absent: "none: nothing is recorded", commands: [.serve, .runner, .up],
        "The folder of recordings. A runner's bots write them there, and nodes read them: on other machines the same "
            + "folder, by whatever shares it. With it `recording_enabled` can be asked for"
    )
    .sets(\RunnerConfiguration.recordingsFolder)
    let recordingUploadURL = text(
        "recording-upload-url", .httpURL, absent: "none: recordings go into the folder",
        commands: [.serve, .runner, .up],
        "The address that bots send recordings to in place of `--recordings`. Nodes are given it too, since they refuse "
            + "`recording_enabled` where neither is set"
    )
    .sets(\RunnerConfiguration.recordingUploadURL)
    let recordingUploadToken = text(
        "recording-upload-token", .secret(length: 1...1024), absent: "none", commands: [.runner, .up],
        "The secret that goes with it; rather by the variable or a file, since other users of the machine can read "
            + "flags"
    )
    .sets(\RunnerConfiguration.recordingUploadToken)
    let joinTimeoutMilliseconds = number(
        "join-timeout-ms", 1000...86_400_000, unit: "ms", default: 600_000, commands: [.runner, .up],
        "How long a bot may take until it is in the room, or a fifth of this more than it may wait to be let in, if that "
            + "is longer; then it is ended"
    )
    .sets(\RunnerConfiguration.joinTimeoutMilliseconds)
    let waitingRoomTimeoutMilliseconds = number(
        "waiting-room-timeout-ms", 1000...86_400_000, unit: "ms", default: 300_000, commands: [.runner, .up],
        "How long a bot waits to be let in before it gives up"
    )
    .sets(\RunnerConfiguration.waitingRoomTimeoutMilliseconds)
    let noOneJoinedTimeoutMilliseconds = number(
        "no-one-joined-timeout-ms", 1000...86_400_000, unit: "ms", default: 600_000, commands: [.runner, .up],
        "How long a bot that nobody joins stays"
    )
    .sets(\RunnerConfiguration.noOneJoinedTimeoutMilliseconds)
    let everyoneLeftTimeoutMilliseconds = number(
        "everyone-left-timeout-ms", 1000...86_400_000, unit: "ms", default: 120_000, commands: [.runner, .up],
        "How long a bot that is left alone stays"
    )
    .sets(\RunnerConfiguration.everyoneLeftTimeoutMilliseconds)
    let leaseTTLMilliseconds = number(
        "lease-ttl-ms", 1000...600_000, unit: "ms", default: 15_000, commands: [.serve, .runner, .up, .doctor],
        "How long a bot may be in its room without its runner saying so; the runner says so three times as often"
    )
    .sets(\StoreConfiguration.leaseTimeToLiveMilliseconds)
    .sets(\RunnerConfiguration.leaseTimeToLiveMilliseconds)
    let stopGraceMilliseconds = number(
        "stop-grace-ms", 1000...600_000, unit: "ms", default: 30_000, commands: [.runner, .up],
        "How long after it was told to stop a bot has ended at the latest"
    )
    .sets(\RunnerConfiguration.stopGraceMilliseconds)
    let maxAttempts = number(
        "max-attempts", 1...100, default: 3, commands: [.serve, .runner, .up],
        "How many bots a dispatch may take until one is in the room"
    )
    .sets(\StoreConfiguration.maximumAttempts)

    let attends = toggle(
        "attend", default: false, commands: [.up],
        "Whether its bots attend meetings, in Chromium, instead of simulating that; `--transcription-url` says "
            + "who writes down what they hear")
    let lab = text(
        "lab", .httpURL, absent: "none: meetings are where their links lead", commands: [.attend, .up],
        "The address of a lab (`usher lab`), on whose page every meeting is then held, whatever its link")
    let chromium = text(
        "chromium", .file, absent: "none: that of Debian, or another usual one", commands: [.attend, .up],
        "The program of the Chromium or Chrome in which meetings are attended")
    let platforms = text(
        "platforms", .folder, absent: "none: the built-in data alone", commands: [.attend, .up],
        "A folder of files such as `google_meet.json`, which say how the platforms' pages are dealt with"
    )
    .sets(\AttendingSettings.platformsFolder)
    let screenshots = text(
        "screenshots", .folder, absent: "none: no pictures are kept", commands: [.attend, .up],
        "The folder that gets a picture of the page too, `<bot_id>.jpg`, when a bot needs help or has failed"
    )
    .sets(\AttendingSettings.screenshotsFolder)
    let attendProfile = text(
        "attend-profile", .folder, absent: "none: bots are nobody's account", commands: [.attend, .up],
        "A folder with a profile of the browser that somebody has signed in with. Each bot gets a copy; the folder stays as it "
            + "is. Whoever reads it can be that account"
    )
    .sets(\AttendingSettings.profileFolder)
    let attendWordsMilliseconds = number(
        "attend-words-ms", 0...600_000, unit: "ms", default: 12_000, commands: [.attend, .up],
        "How long a bot that leaves waits for the words of what was said last: less than `--stop-grace-ms` of its runner"
    )
    .sets(\AttendingSettings.wordsMilliseconds)
    let attendCertificates = text(
        "attend-certificates", .file, absent: "those of the system", commands: [.attend, .up],
        "A file of the certificates (PEM) by which speech services and places for recordings are verified"
    )
    .sets(\AttendingSettings.certificates)
    let attendRecordingBytes = number(
        "attend-recording-bytes", 100_000...4_000_000_000, unit: "bytes", default: 536_870_912,
        commands: [.attend, .up],
        "The most that a recording may have: 115 MB an hour. What is heard after that is not recorded, which is told"
    )
    .sets(\AttendingSettings.recordingBytes)
    let attendWaitingBytes = number(
        "attend-waiting-bytes", 100_000...4_000_000_000, unit: "bytes", default: 115_200_000,
        commands: [.attend, .up],
        "The most sound that waits on disk for a speech service that is away: an hour of speech. What waits for longest then "
            + "makes room, which the transcript tells"
    )
    .sets(\AttendingSettings.waitingBytes)
    let attendPageMilliseconds = number(
        "attend-page-ms", 100...600_000, unit: "ms", default: 60_000, commands: [.attend, .up],
        "How long a page may take to show that it is one of a meeting, and to react to the request to join"
    )
    .sets(\AttendingSettings.pageMilliseconds)
    let attendLongestMilliseconds = number(
        "attend-longest-ms", 1000...604_800_000, unit: "ms", default: 14_400_000, commands: [.attend, .up],
        "How long a meeting is attended at most"
    )
    .sets(\AttendingSettings.longestMilliseconds)

    let labPort = number(
        "lab-port", 0...65535, default: 8090, commands: [.lab],
        "The port of this machine that the lab listens on; 0 lets the system choose")
    let labFiles = text(
        "lab-files", .folder, absent: "none", commands: [.lab],
        "A folder of files that the lab's pages may ask for: with `?sound=ana.wav` one speaks that one in place of a microphone"
    )

    let simulatedBehaviours = choices(
        "simulate", of: Simulation.Behaviour.self, absent: "none: a good meeting", commands: [.simulateBot],
        "How the simulated bot misbehaves, or its meeting; `usher simulate-bot --help` explains each"
    )
    .sets(\Simulation.behaviours)
    let simulateJoin = number(
        "simulate-join-ms", 0...3_600_000, unit: "ms", default: 500, commands: [.simulateBot],
        "How long the simulated bot takes from its start to the lobby"
    )
    .sets(\Simulation.joinMilliseconds)
    let simulateLobby = number(
        "simulate-lobby-ms", 0...3_600_000, unit: "ms", default: 1000, commands: [.simulateBot],
        "How long it waits in the lobby until it is let in"
    )
    .sets(\Simulation.lobbyMilliseconds)
    let simulateSegment = number(
        "simulate-segment-ms", 2...3_600_000, unit: "ms", default: 1000, commands: [.simulateBot],
        "How long each speaker speaks, which makes a draft and a confirmed segment"
    )
    .sets(\Simulation.segmentMilliseconds)
    let simulateMeeting = number(
        "simulate-meeting-ms", 1...86_400_000, unit: "ms", absent: "none: it stays until it is told to leave",
        commands: [.simulateBot],
        "How long it is in the room before it is left alone there and leaves"
    )
    .sets(\Simulation.meetingMilliseconds)
    let simulatePresence = text(
        "simulate-presence", .folder, absent: "none: no such files", commands: [.simulateBot],
        "The folder of the file to which it appends a line every 50 ms while it is in the room, and of "
            + "the one of its acknowledged segments"
    )
    .sets(\Simulation.presenceFolder)

    let logLevel = choice(
        "log-level", default: Logger.Level.info,
        commands: [.serve, .runner, .up, .admin, .keys, .webhooks, .calendars, .watch, .attend, .simulateBot],
        "The least severe log lines that are written")
    let logFormat = choice(
        "log-format", of: Logger.Format.self, absent: "people on a terminal, else json",
        commands: [.serve, .runner, .up, .watch, .attend, .simulateBot],
        "The form of log lines: a JSON object each, or a line for people")

    private init() {}

    static let shared = SettingsTable()

    static let declared = Mirror(reflecting: shared).children.compactMap { $0.value as? any DeclaredSetting }
}

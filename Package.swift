// swift-tools-version: 6.1
import PackageDescription

// No package dependencies: the C libraries come from the operating system through system library targets.
// Targets stand bottom to top; one may depend only on those above it in this list.
let package = Package(
    name: "usher",
    products: [
        .executable(name: "usher", targets: ["UsherCommand"])
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CLibical"),
        .systemLibrary(name: "CZlib"),
        .target(name: "Texts", dependencies: []),
        .target(name: "JSON", dependencies: ["Texts"]),
        .target(name: "Compression", dependencies: ["CZlib"]),
        .target(name: "Log", dependencies: ["CLinux"]),
        .target(name: "Metrics", dependencies: []),
        .target(name: "EventLoop", dependencies: ["CLinux"]),
        .target(name: "Processes", dependencies: ["CLinux", "EventLoop"]),
        .target(name: "TLS", dependencies: ["CCrypto", "EventLoop"]),
        .target(name: "HTTP", dependencies: ["CCrypto", "CLinux", "EventLoop", "Log", "Metrics", "Texts"]),
        .target(name: "Transfers", dependencies: ["CCurl", "CLinux", "EventLoop"]),
        .target(name: "Redis", dependencies: ["CHiredis", "CLinux", "EventLoop", "Log", "Metrics", "TLS"]),
        .target(name: "Scripts", dependencies: ["EventLoop", "Redis"], resources: [.embedInCode("lua")]),
        .target(name: "Console", resources: [.embedInCode("Page")]),
        .target(name: "Usher", dependencies: ["CCrypto", "EventLoop", "JSON", "Log", "Metrics", "Redis", "Scripts"]),
        .target(
            name: "Webhooks",
            dependencies: ["EventLoop", "Log", "Metrics", "Redis", "Transfers", "Usher"]),
        .target(
            name: "Calendars",
            dependencies: ["CLibical", "EventLoop", "Log", "Metrics", "Redis", "Transfers", "Usher"]),
        .target(
            name: "Archive",
            dependencies: ["Compression", "EventLoop", "JSON", "Log", "Metrics", "Redis", "Transfers", "Usher"]),
        .target(name: "Backup", dependencies: ["CZlib", "EventLoop", "JSON", "Log", "Usher"]),
        .target(
            name: "API",
            dependencies: ["Compression", "Console", "EventLoop", "HTTP", "JSON", "Log", "Metrics", "Redis", "Usher"]),
        .target(
            name: "Node",
            dependencies: [
                "API", "Archive", "CLinux", "Calendars", "EventLoop", "HTTP", "Log", "Metrics", "Processes", "Redis",
                "Usher",
                "Webhooks",
            ]),
        .target(
            name: "Runner",
            dependencies: ["CLinux", "EventLoop", "HTTP", "Log", "Metrics", "Processes", "Redis", "TLS", "Usher"]),
        .target(name: "BotWire", dependencies: ["EventLoop", "HTTP", "JSON", "Log", "Redis"]),
        .target(
            name: "AttendingBot",
            dependencies: [
                "BotWire", "CLinux", "EventLoop", "HTTP", "JSON", "Log", "Processes", "Redis", "TLS", "Transfers",
            ],
            resources: [.embedInCode("Page"), .embedInCode("Platforms")]),
        .target(
            name: "Lab", dependencies: ["EventLoop", "HTTP", "JSON"], resources: [.embedInCode("Page")]),
        .target(name: "SimulatedBot", dependencies: ["BotWire", "EventLoop", "HTTP", "Log", "Redis", "TLS"]),
        .executableTarget(
            name: "UsherCommand",
            dependencies: [
                "API", "Archive", "AttendingBot", "Backup", "BotWire", "CLinux", "Calendars", "EventLoop", "HTTP",
                "Lab",
                "Log", "Metrics", "Node", "Processes", "Redis", "Runner", "SimulatedBot", "TLS", "Usher", "Webhooks",
            ]),

        .executableTarget(name: "GenerateScripts"),
        .executableTarget(name: "Fuzz", dependencies: ["API", "Calendars", "HTTP", "Redis", "Usher"]),

        .testTarget(name: "EventLoopTests", dependencies: ["CLinux", "EventLoop", "TestTurns"]),
        .testTarget(
            name: "HTTPTests", dependencies: ["CLinux", "EventLoop", "Fuzz", "HTTP", "Log", "TestTurns"]),
        .testTarget(name: "FuzzTests", dependencies: ["Fuzz", "JSON", "TestTurns"], exclude: ["Corpus"]),
        .testTarget(name: "TextsTests", dependencies: ["Texts"]),
        .testTarget(name: "JSONTests", dependencies: ["JSON"]),
        .testTarget(name: "CompressionTests", dependencies: ["Compression"]),
        .testTarget(name: "LogTests", dependencies: ["Log"]),
        .testTarget(name: "MetricsTests", dependencies: ["Metrics"]),
        .testTarget(name: "ProcessesTests", dependencies: ["EventLoop", "Processes", "TestTurns"]),
        .testTarget(name: "NodeTests", dependencies: ["API", "HTTP", "Metrics", "Node", "Redis", "TestTurns"]),
        .testTarget(
            name: "UsherCommandTests",
            dependencies: [
                "API", "EventLoop", "HTTP", "Metrics", "Node", "Redis", "Runner", "SimulatedBot", "TestTurns", "Usher",
                "UsherCommand",
            ]),
        .target(name: "TestTurns", path: "Tests/TestTurns"),
        .target(
            name: "RedisTestSupport", dependencies: ["CLinux", "EventLoop", "Log", "Redis"],
            path: "Tests/RedisTestSupport"),
        .testTarget(name: "ScriptsTests", dependencies: ["GenerateScripts", "Scripts"]),
        .testTarget(
            name: "UsherTests",
            dependencies: ["EventLoop", "Log", "Redis", "RedisTestSupport", "Scripts", "TestTurns", "Usher"]),
        .testTarget(name: "WebhooksTests", dependencies: ["Transfers", "Usher", "Webhooks"]),
        .testTarget(
            name: "ArchiveTests",
            dependencies: ["Archive", "Compression", "EventLoop", "RedisTestSupport", "TestTurns", "Usher"]),
        .testTarget(name: "CalendarsTests", dependencies: ["Calendars", "Usher"]),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "EventLoop", "HTTP", "JSON", "Log", "Redis", "RedisTestSupport", "TestTurns", "Usher",
            ]),
        .testTarget(
            name: "RedisTests",
            dependencies: ["EventLoop", "Log", "Redis", "RedisTestSupport", "TLS", "TestTurns"]),
        .executableTarget(name: "PatientSupervisor", dependencies: ["Runner"], path: "Tests/PatientSupervisor"),
        // Two of its dependencies are programs that it starts.
        .testTarget(
            name: "RunnerTests",
            dependencies: [
                "CLinux", "EventLoop", "Log", "PatientSupervisor", "Processes", "Redis", "RedisTestSupport", "Runner",
                "TestTurns", "Usher",
                "UsherCommand",
            ]),
        .testTarget(
            name: "HTTPClientTests", dependencies: ["EventLoop", "HTTP", "Log", "RedisTestSupport", "TestTurns"]),
        .testTarget(
            name: "AttendingBotTests",
            dependencies: ["AttendingBot", "BotWire", "EventLoop", "HTTP", "Log", "RedisTestSupport", "TestTurns"]),
        .testTarget(name: "BotWireTests", dependencies: ["BotWire", "HTTP", "Redis", "TestTurns"]),
        .testTarget(
            name: "SimulatedBotTests",
            dependencies: [
                "BotWire", "EventLoop", "HTTP", "Log", "Redis", "RedisTestSupport", "SimulatedBot", "TestTurns",
            ]),
    ],
    swiftLanguageModes: [.v6]
)

import API
import Glibc
import HTTP
import Redis
import TestTurns
import Testing

@testable import Node
@testable import UsherCommand

@Suite(.takesTurns) struct PortsTests {
    @Test func everythingIsOnThePublicPortUnlessItIsGivenOneOfItsOwn() {
        #expect(
            ServedPort.all(Settings(given: ["port": "80"])) == [
                ServedPort(host: "127.0.0.1", port: 80, surfaces: [.api, .admin, .internal, .metrics])
            ])
        let ports = ServedPort.all(
            Settings(given: ["host": "0.0.0.0", "port": "80", "admin-port": "81", "metrics-port": "82"]))
        #expect(
            ports == [
                ServedPort(host: "0.0.0.0", port: 80, surfaces: [.api, .internal]),
                ServedPort(host: "0.0.0.0", port: 81, surfaces: [.admin]),
                ServedPort(host: "0.0.0.0", port: 82, surfaces: [.metrics]),
            ])
        #expect(ports.map(\.isExclusive) == [false, false, true])
        #expect(ports.map(\.serves) == ["api, internal", "admin", "metrics"])
    }

    @Test func surfacesShareAPortThatIsGivenToSeveral() {
        let shared: [String: String] = ["port": "80", "admin-port": "81", "internal-port": "81", "metrics-port": "81"]
        #expect(
            ServedPort.all(Settings(given: shared)).map(\.surfaces) == [[.api], [.admin, .internal, .metrics]])
        // The same number at another address is another port.
        let elsewhere = ServedPort.all(
            Settings(given: ["port": "80", "admin-port": "80", "private-host": "127.0.0.2"]))
        #expect(elsewhere.map(\.host) == ["127.0.0.1", "127.0.0.2"])
        // Port 0 is another one each time.
        let chosen: [String: String] = ["port": "0", "admin-port": "0", "internal-port": "0"]
        #expect(ServedPort.all(Settings(given: chosen)).map(\.surfaces) == [[.api, .metrics], [.admin], [.internal]])
    }

    @Test func theConsoleIsWithTheAPIsUnlessItIsGivenAPortOfItsOwn() {
        let alone = ServedPort.all(Settings(given: ["port": "80", "console-port": "81"]))
        #expect(alone.map(\.surfaces) == [[.api, .admin, .internal, .metrics], [.console]])
        #expect(alone.map(\.flag) == ["--port", "--console-port"])
        let shared: [String: String] = ["port": "80", "console-port": "81", "admin-port": "81"]
        #expect(ServedPort.all(Settings(given: shared)).last?.surfaces == [.admin, .console])
        // One that is not there needs none.
        let off: [String: String] = ["port": "80", "console-port": "81", "console": "off"]
        #expect(ServedPort.all(Settings(given: off)).map(\.port) == [80])
    }

    @Test(
        arguments: [
            ("--admin-port", "/admin"), ("--internal-port", "/internal"), ("--metrics-port", "/metrics"),
            ("--console-port", "/console"),
        ])
    func aPortOfItsOwnIsNotThePublicOne(flag: String, path: String) throws {
        let reader = CommandLineReader(environment: ["USHER_PORT": "81"])
        for command in ["serve", "up"] {
            let error = #expect(throws: UsageError.self) { try reader.read([command, flag, "81"]) }
            #expect(error?.description.hasPrefix("\(flag) is 81, which is the public port: \(path) would be") == true)
            for others in [[flag, "82"], [flag, "81", "--private-host", "127.0.0.2"], [flag, "0", "--port", "0"]] {
                _ = try reader.read([command] + others)
            }
        }
    }

    @Test func longReportsAreTakenOnlyWhereBotsReport() throws {
        let configuration = try Settings().nodeConfiguration(RedisURL("redis://127.0.0.1:6379/0"))
        #expect(configuration.http(of: [.api]).limits.bodyBytesByPath.isEmpty)
        #expect(configuration.http(of: [.internal]).limits.bodyBytesByPath == ["/internal/bots/": 1_048_576])
    }

    @Test func upGivesEachProcessAMetricsPortAndBotsThePortThatTheyReportTo() throws {
        let given: [String: String] = [
            "port": "0", "internal-port": "0", "admin-port": "0", "metrics-port": "65000", "console-port": "0",
            "nodes": "2", "runners": "1",
        ]
        let ports = try UpPorts(Settings(given: given))
        let settings = ports.settings
        let chosen = try [
            settings.port, #require(settings.adminPort), #require(settings.internalPort),
            #require(settings.consolePort),
        ]
        #expect(Set(chosen).count == 4 && !chosen.contains(0))
        #expect(ports.baseURL == "http://127.0.0.1:\(chosen[0])")
        #expect(settings.apiURL == "http://127.0.0.1:\(chosen[2])")
        #expect(ports.consoleURL == "http://127.0.0.1:\(chosen[3])/console")
        let own = [
            ports.settings(settings, ofNode: 1), ports.settings(settings, ofNode: 2),
            ports.settings(settings, ofRunner: 1),
        ]
        #expect(own.map(\.metricsPort) == [65_000, 65_001, 65_002])
        #expect(
            ports.announcement == [
                "  admin      http://127.0.0.1:\(chosen[1])/admin",
                "  reports    http://127.0.0.1:\(chosen[2])/internal",
                "  metrics    http://127.0.0.1:65000/metrics, http://127.0.0.1:65001/metrics, "
                    + "http://127.0.0.1:65002/metrics",
            ])
        #expect(try UpPorts(Settings(given: ["port": "0"])).announcement.isEmpty)
    }

    @Test func upRefusesPortsThatAreTakenOrTooFew() throws {
        let taken = try PortReservation(host: "127.0.0.1", port: 0)
        let failure = #expect(throws: UpFailure.self) {
            try UpPorts(Settings(given: ["port": "0", "admin-port": String(taken.port)]))
        }
        #expect(failure?.description.hasSuffix("choose another with --admin-port.") == true)
        let metrics = #expect(throws: UpFailure.self) {
            try UpPorts(Settings(given: ["port": "0", "metrics-port": "65535"]))
        }
        #expect(metrics?.description.contains("the ports 65535 to 65537 for metrics") == true)
        // Among them is one that is for something else.
        let port = try PortReservation(host: "127.0.0.1", port: 0).port
        let overlapping = #expect(throws: UpFailure.self) {
            try UpPorts(Settings(given: ["port": String(port), "metrics-port": String(port - 1)]))
        }
        #expect(overlapping?.description.contains("not all of them are free") == true)
    }

    @Test(arguments: [
        ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.2", "127.0.0.2"), ("2001:db8::1", "2001:db8::1"),
    ])
    func whatListensEverywhereIsReachedHere(_ host: String, _ reachable: String) {
        #expect(UpPorts.reachable(host) == reachable)
    }
}

import Foundation
import TestTurns
import Testing

@testable import UsherCommand

@Suite(.takesTurns) struct SettingsTests {
    @Test func everyNameHasExactlyOneEntryThatSomeCommandTakes() {
        // Every property of the table is a setting: none is left out for its type.
        #expect(Setting.all.count == Mirror(reflecting: SettingsTable.shared).children.count)
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        #expect(Setting.all.allSatisfy { !$0.commands.isEmpty && !$0.meaning.isEmpty && !$0.meaning.hasSuffix(".") })
    }

    @Test(arguments: Setting.all) func everyDefaultIsAllowed(setting: Setting) {
        switch setting.defaultValue {
        case .value(let text): #expect(setting.accepts(text))
        case .computed(_, let value): #expect(setting.accepts(value()))
        case .none: break
        }
    }

    @Test func aVariableAndAFlagHaveTheSameName() {
        #expect(Setting[\.port].variable == "USHER_PORT")
        #expect(Setting[\.port].flag == "--port")
        #expect(Setting[\.lockTTLMilliseconds].variable == "USHER_LOCK_TTL_MS")
        #expect(Setting[\.lockTTLMilliseconds].flag == "--lock-ttl-ms")
    }

    /// The documented defaults.
    @Test func theDefaultsAreThoseOfTheIssue() throws {
        let settings = try serve([])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.redisURL == "redis://127.0.0.1:6379/0")
        #expect(!settings.has(\.redisURL))
        #expect(settings.adminKey == nil)
        #expect(settings.loops >= 1)
        #expect(settings.lockTTLMilliseconds == 5000)
        #expect(settings.lockWaitMilliseconds == 150)
        #expect(settings.inFlightTTLMilliseconds == 600_000)
        #expect(settings.maxRequestLineBytes == 8192)
        #expect(settings.maxHeaderBytes == 16_384)
        #expect(settings.maxHeaderFields == 100)
        #expect(settings.maxBodyBytes == 65_536)
        #expect(settings.headerTimeoutMilliseconds == 10_000)
        #expect(settings.bodyTimeoutMilliseconds == 10_000)
        #expect(settings.idleTimeoutMilliseconds == 60_000)
        #expect(settings.logLevel == .info)
    }

    @Test func aFlagBeatsItsVariableAndAnEmptyVariableIsAbsent() throws {
        let environment = ["USHER_PORT": "9000", "USHER_HOST": "::1", "USHER_REDIS": "", "USHER_ADMIN_KEY": ""]
        let settings = try serve(["--port=9001", "--lock-wait-ms", "0"], environment)
        #expect(settings.port == 9001)
        #expect(settings.host == "::1")
        #expect(settings.lockWaitMilliseconds == 0)
        #expect(settings.redisURL == "redis://127.0.0.1:6379/0")
        #expect(settings.adminKey == nil)
    }

    @Test(arguments: Setting.all)
    func aNumberIsTakenAtBothEndsOfItsRangeAndNotBeyond(setting: Setting) throws {
        guard case .number(let range, _) = setting.kind else { return }
        for value in [range.lowerBound, range.upperBound] { #expect(setting.accepts(String(value))) }
        let beyond = [
            "\(range.lowerBound - 1)", "\(range.upperBound + 1)", "+5", " 5", "5.0", "0x10", "ten", "", "٥", "1e3",
        ]
        for text in beyond {
            #expect(!setting.accepts(text), "\(setting.flag) \(text)")
        }
        let command = try #require(setting.commands.first).rawValue
        let error = #expect(throws: UsageError.self) {
            try CommandLineReader(environment: [setting.variable: "99999999999999999999"]).read([command])
        }
        #expect(
            error?.description
                == "\(setting.variable) is \"99999999999999999999\", but must be a whole number from "
                + "\(range.lowerBound) to \(range.upperBound).")
    }

    @Test func aBadValueIsNamedWithItsSourceAndWhatIsAllowed() {
        #expect(
            message(["serve", "--port", "http"])
                == "--port is \"http\", but must be a whole number from 0 to 65535.")
        #expect(
            message(["serve"], ["USHER_LOG_LEVEL": "loud"])
                == "USHER_LOG_LEVEL is \"loud\", but must be one of debug, info, warning, error.")
        #expect(
            message(["serve", "--host=localhost"]) == "--host is \"localhost\", but must be an IPv4 or IPv6 address.")
        for name in ["a\u{7}b", "a\nb", "a\u{7f}"] {
            #expect(message(["runner", "--bot-name", name])?.contains("must be a text of 1 to") == true)
        }
        #expect(message(["serve", "--host=a\u{1b}[31m\n"])?.contains("a?[31m?") == true)
        #expect((message(["serve", "--host=" + String(repeating: "x", count: 9999)])?.count ?? 0) < 250)
        // Only what a command takes is checked.
        #expect(message(["serve"], ["USHER_NODES": "none"]) == nil)
        #expect(message(["up"], ["USHER_NODES": "none"])?.hasPrefix("USHER_NODES is \"none\"") == true)
    }

    @Test func anAdminKeyIsNeverRepeated() {
        for key in [
            "short-secret", String(repeating: "secret", count: 100), "secret secret secret", "geheimnis-ü-secret",
        ] {
            for text in [message(["serve", "--admin-key", key]), message(["serve"], ["USHER_ADMIN_KEY": key])] {
                #expect(text?.contains("ADMIN_KEY") == true || text?.contains("--admin-key") == true)
                #expect(text?.contains("must be 16 to 512") == true)
                #expect(text?.contains("secret") == false)
            }
        }
        #expect(message(["serve", "--admin-kye=secretsecretsecret"])?.contains("secret") == false)
        #expect(message(["serve", "--admin-kye", "secretsecretsecret"])?.contains("secret") == false)
        #expect(message(["serve", "--admin-key", "secret1", "secret2"])?.contains("secret") == false)
        #expect(message(["--admin-key=secretsecretsecret", "serve"])?.contains("secret") == false)
        #expect(message(["serve", "--admin-key", "0123456789abcdef"]) == nil)
    }

    @Test(arguments: [
        "redis://user:secret@host:port/0", "redis://:secret@", "rediss://:secret@host:port", "secret@host",
        "user:secret@host:1",
        "redis://user:sec@ret@[::1", "redis+unix://user:secret@relative", "redis://secret@host",
    ])
    func aPasswordInARedisURLIsNeverRepeated(url: String) {
        for text in [message(["serve", "--redis", url]), message(["keys", "abc"], ["USHER_REDIS": url])] {
            #expect(text?.contains("must be redis://[USER:PASSWORD@]HOST") == true)
            #expect(text?.contains("secret") == false && text?.contains("sec@") == false)
            #expect(text?.contains("ret@") == false)
        }
    }

    @Test func whatIsForTLSIsTakenWithTLSAlone() throws {
        let file = "/nonexistent/ca.pem"
        #expect(message(["serve", "--redis-ca", file])?.hasPrefix("--redis-ca is of use with TLS alone") == true)
        #expect(
            message(["keys", "--redis-server-name", "h", "abc"])?.hasPrefix("--redis-server-name is of use") == true)
        let encrypted = ["serve", "--redis", "rediss://u:secret@host"]
        #expect(message(encrypted) == nil)
        #expect(
            message(encrypted + ["--redis-ca", file])?.hasPrefix("The authorities of \(file) cannot be used: ") == true)
        #expect(
            message(encrypted + ["--redis-cert", file])?.hasPrefix("The certificate of \(file) cannot be used: ")
                == true)
        #expect(message(encrypted + ["--redis-key", file]) == "The key of \(file) has no certificate.")
    }

    @Test func redisURLsAreTaken() throws {
        for url in [
            "redis://127.0.0.1:6379/0", "redis://redis", "redis://u:p%40@[::1]:7000/3", "redis+unix:///run/redis.sock",
        ] {
            #expect(try serve(["--redis", url]).redisURL == url)
        }
    }

    @Test func aChildGetsExactlyTheGivenSettingsOfItsCommand() throws {
        guard
            case .up(let settings) = try CommandLineReader(environment: ["USHER_LOOPS": "3"]).read(
                ["up", "--nodes", "4", "--data", "/d", "--lock-ttl-ms", "700"])
        else { throw UsageError("not up") }
        let variables = settings.with(\.port, "1").with(\.redisURL, "redis+unix:///d/redis.sock").environment(
            of: .serve)
        #expect(
            variables == [
                "USHER_LOOPS": "3", "USHER_LOCK_TTL_MS": "700", "USHER_PORT": "1",
                "USHER_REDIS": "redis+unix:///d/redis.sock",
            ])
        guard case .serve(let child) = try CommandLineReader(environment: variables).read(["serve"]) else {
            throw UsageError("not serve")
        }
        #expect(child.lockTTLMilliseconds == 700 && child.loops == 3 && child.port == 1)
    }

    @Test func theOperatorsEndpointIsOneThatMayBeTold() throws {
        let url = "https://o.example/hook?key=1"
        let endpoint = try serve(["--webhook-url", url, "--webhook-secret", "s", "--webhook-events", "bot.failed"])
            .operatorEndpoint()
        #expect(endpoint?.url == url && endpoint?.secret == "s" && endpoint?.events == [.failed])
        #expect(try serve(["--webhook-url", url]).operatorEndpoint()?.events == nil)
        #expect(try serve([]).operatorEndpoint() == nil)
        for (arguments, refusal) in [
            (
                ["--webhook-url", "http://10.1.0.1/"],
                "--webhook-url must name a host of the internet, or one in a block of --webhook-allow."
            ),
            (
                ["--webhook-url", "http://user:pass@o.example/"],
                "--webhook-url must be http(s)://host/path, without a user, a password or a fragment; its value is not "
                    + "shown here."
            ),
            (
                ["--webhook-url", url, "--webhook-secret", "whsec_!"],
                "--webhook-secret must have Base64 behind whsec_."
            ),
            (
                ["--webhook-secret", "s"],
                "--webhook-secret is of use with --webhook-url alone: give that too, or leave it out."
            ),
            (
                ["--webhook-events", "bot.failed"],
                "--webhook-events is of use with --webhook-url alone: give that too, or leave it out."
            ),
        ] {
            for command in ["serve", "up"] { #expect(message([command] + arguments) == refusal) }
        }
        #expect(message(["serve", "--webhook-url", "http://10.1.0.1/", "--webhook-allow", "10.1.0.0/16"]) == nil)
    }

    private func serve(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Settings {
        guard case .serve(let settings) = try CommandLineReader(environment: environment).read(["serve"] + arguments)
        else { throw UsageError("not serve") }
        return settings
    }
}

/// The refusal of a command line, or nil if it is understood.
func message(_ arguments: [String], _ environment: [String: String] = [:]) -> String? {
    do throws(UsageError) {
        _ = try CommandLineReader(environment: environment).read(arguments)
        return nil
    } catch {
        return error.description
    }
}

import EventLoop
import Foundation
import Log
import RedisTestSupport
import TLS
import TestTurns
import Testing

@testable import Redis

/// Connections to a Redis that speaks TLS alone.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct TLSTests {
    /// A Redis with a certificate of the tests' authority.
    struct Scene {
        let certificates: Certificates
        let server: RedisServer
        let port: UInt16

        init(names: String = "DNS:localhost,IP:127.0.0.1", days: Int = 2, _ arguments: [String] = []) throws {
            certificates = try Certificates()
            let own = try certificates.make("server", names: names, days: days)
            port = try freePort()
            var options = RedisServer.Options()
            options.arguments =
                [
                    "--tls-port", String(port), "--tls-cert-file", own.certificate, "--tls-key-file", own.key,
                    "--tls-ca-cert-file", certificates.authority, "--tls-auth-clients", "no",
                ] + arguments
            server = try RedisServer(options)
        }

        func context(_ change: (inout TLSContext.Settings) -> Void = { _ in }) throws -> TLSContext {
            var settings = TLSContext.Settings(authorities: certificates.authority)
            change(&settings)
            return try TLSContext(settings)
        }

        func url(_ host: String = "127.0.0.1") throws -> RedisURL { try RedisURL("rediss://\(host):\(port)") }

        /// Why a connection that says PING ends; `answered` if it has an answer.
        func end(
            of context: TLSContext, host: String? = nil, port: UInt16? = nil
        ) async throws -> String {
            let loop = try EventLoop(name: "test")
            try loop.start()
            defer {
                loop.stop()
                loop.join()
            }
            return await Task(executorPreference: loop) { [port = port ?? self.port] in
                let connection = Connection(loop: loop, silenceLimitMilliseconds: 60_000, tls: context)
                let end = await withUnsafeContinuation { (continuation: UnsafeContinuation<String, Never>) in
                    connection.onClose = { continuation.resume(returning: $0) }
                    connection.onConnect = { [unowned connection] in
                        let now = MonotonicTime.now()
                        let batch = Batch(count: 1, sentAt: now, deadline: now.advanced(byMilliseconds: 60_000)) {
                            result in
                            if case .success = result { connection.close(because: "answered") }
                        }
                        connection.send([Command("PING")], batch)
                    }
                    connection.connect(to: .address("127.0.0.1", port: port, host: host))
                }
                return end
            }.value
        }
    }

    @Test func whatIsAskedIsAnsweredHoweverLongItIs() async throws {
        let scene = try Scene()
        for host in ["127.0.0.1", "localhost"] {
            var configuration = ClientConfiguration(url: try scene.url(host), name: "n")
            configuration.tls = try scene.context()
            try await withClient(configuration) { client in
                try await client.waitUntilConnected()
                // Longer than a record, than a read, and than what a socket takes at once.
                for length in [0, 1, 16_384, 16_385, 3_000_000] {
                    let text = String(repeating: "x", count: length)
                    #expect(try await client.send("ECHO", text) == .string(text))
                }
                let replies = try await client.pipeline(
                    (0..<5_000).map { Command("ECHO", String($0)) }, deadline: Client.soon)
                #expect(replies == (0..<5_000).map { .string(String($0)) })
            }
        }
    }

    @Test func aSubscriberHears() async throws {
        let scene = try Scene()
        var configuration = ClientConfiguration(url: try scene.url(), name: "n")
        configuration.tls = try scene.context()
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        let heard = await Task(executorPreference: loop) { [configuration] in
            await withUnsafeContinuation { (continuation: UnsafeContinuation<String, Never>) in
                var subscriber: Subscriber?
                subscriber = Subscriber(loop: loop, configuration: configuration, logger: Logger(minimum: .error)) {
                    event in
                    switch event {
                    case .subscribed: _ = try? scene.server.ask("PUBLISH c words")
                    case .message(_, let payload):
                        subscriber?.shutDown()
                        subscriber = nil
                        continuation.resume(returning: payload)
                    case .lost(let reason): continuation.resume(returning: "lost: \(reason)")
                    }
                }
                subscriber?.subscribe(to: "c")
                subscriber?.start()
            }
        }.value
        #expect(heard == "words")
    }

    @Test func whoIsNotTrustedIsNotTalkedTo() async throws {
        let scene = try Scene()
        let refused = "the server's certificate is not accepted: "
        #expect(try await scene.end(of: scene.context()) == "answered")
        let other = try Certificates()
        #expect(
            try await scene.end(of: scene.context { $0.authorities = other.authority }).hasPrefix(refused))
        #expect(try await scene.end(of: TLSContext()).hasPrefix(refused))
        #expect(try await scene.end(of: scene.context(), host: "other.example") == refused + "hostname mismatch")
        #expect(try await scene.end(of: scene.context(), host: "127.0.0.2") == refused + "IP address mismatch")
        // By another name than that of the host.
        let named = try scene.context { $0.serverName = "localhost" }
        #expect(try await scene.end(of: named, host: "other.example") == "answered")
    }

    @Test func aCertificateThatIsOverIsNotAccepted() async throws {
        let scene = try Scene(days: 0)
        // In the second in which it was made, it holds.
        try await waitFor("the end of the certificate") { try await scene.end(of: scene.context()) != "answered" }
        let end = try await scene.end(of: scene.context())
        #expect(end == "the server's certificate is not accepted: certificate has expired")
    }

    @Test func aServerMayWantToKnowItsClients() async throws {
        let scene = try Scene(["--tls-auth-clients", "yes"])
        let end = try await scene.end(of: scene.context())
        #expect(end == "TLS: tlsv13 alert certificate required: it wants a client's certificate", "\(end)")
        let own = try scene.certificates.make("client", names: "DNS:client")
        let known = try scene.context {
            $0.certificate = own.certificate
            $0.key = own.key
        }
        #expect(try await scene.end(of: known) == "answered")
        // One of another authority.
        let foreign = try Certificates().make("client", names: "DNS:client")
        let unknown = try scene.context {
            $0.certificate = foreign.certificate
            $0.key = foreign.key
        }
        #expect(try await scene.end(of: unknown).hasPrefix("TLS: "))
    }

    @Test func aServerWithoutTLSIsToldFromOneWithIt() throws {
        let session = try TLSContext().session(with: "h")
        #expect(!session.takeOutput().isEmpty && session.takeOutput().isEmpty && !session.isReady)
        let answer = Array("-ERR Protocol error\r\n".utf8)
        let failure = #expect(throws: LayerFailure.self) {
            _ = try answer.withUnsafeBufferPointer { try session.unwrap($0) { _ in } }
        }
        #expect(failure?.reason == "TLS: wrong version number: it does not speak TLS")
    }

    @Test func whatCannotBeUsedIsNamed() throws {
        let certificates = try Certificates()
        let own = try certificates.make("one", names: "DNS:one")
        let other = try certificates.make("other", names: "DNS:other")
        let cases: [(TLSContext.Settings, String)] = [
            (.init(authorities: "/nonexistent"), "The authorities of /nonexistent cannot be used: "),
            (.init(authorities: own.key), "The authorities of \(own.key) cannot be used: "),
            (.init(certificate: own.key), "The certificate of \(own.key) cannot be used: "),
            (.init(certificate: own.certificate), "The key of \(own.certificate) cannot be used: "),
            (.init(certificate: own.certificate, key: other.key), "The key of \(other.key) cannot be used: "),
            (.init(key: own.key), "The key of \(own.key) has no certificate"),
        ]
        for (settings, words) in cases {
            let invalid = #expect(throws: TLSContext.Invalid.self) { try TLSContext(settings) }
            #expect(invalid?.description.hasPrefix(words) == true, "\(invalid?.description ?? "")")
        }
    }
}

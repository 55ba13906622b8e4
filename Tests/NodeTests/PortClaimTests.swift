import API
import Glibc
import HTTP
import Redis
import TestTurns
import Testing

@testable import Node

@Suite(.takesTurns) struct PortClaimTests {
    private static let redis = try! RedisURL("redis://user:secret@127.0.0.1:6379/0")

    /// A listener that would share its port with anybody.
    private func claim(
        _ host: String = "127.0.0.1", port: Int = 0, redis: RedisURL = redis, isShared: Bool = false
    ) throws -> (claim: PortClaim, listener: Listener) {
        var listener: Listener?
        let served = ServedPort(host: host, port: port, surfaces: [.admin])
        let claim = try PortClaim(served, redis: redis, isShared: isShared) {
            let bound = try Listener.bind(host: host, port: port)
            listener = bound
            return bound.port
        }
        return (claim, try #require(listener))
    }

    @Test func aPortIsSharedByNodesOfOneRedisAndOnlyIfTheyAreToldTo() throws {
        let first = try claim()
        let port = first.listener.port
        for host in ["127.0.0.1", "0.0.0.0", "::"] {
            let unasked = #expect(throws: PortTaken.self) { try self.claim(host, port: port) }
            #expect(
                unasked?.description
                    == "\(host):\(port) is in use by another node (process \(getpid())): stop it, choose another port with "
                    + "--admin-port, or let both share it with --share-port, if they use the same Redis.")
        }
        // By whom it is used makes no difference, but what is used does.
        let sameRedis = try RedisURL("redis://127.0.0.1:6379/0")
        let second = try claim(port: port, redis: sameRedis, isShared: true)
        for other in ["redis://127.0.0.1:6379/1", "redis://127.0.0.1:6380/0", "redis+unix:///tmp/redis.sock"] {
            let failure = #expect(throws: PortTaken.self) {
                try self.claim(port: port, redis: RedisURL(other), isShared: true)
            }
            #expect(failure?.description.contains("with another Redis, or another address of the same") == true)
        }
        withExtendedLifetime((first, second)) {}
    }

    @Test func aPortThatIsFreeAgainIsAnybodys() throws {
        var first: (claim: PortClaim, listener: Listener)? = try claim()
        let port = try #require(first?.listener.port)
        #expect(throws: PortTaken.self) { try self.claim(port: port) }
        // Elsewhere it is another port.
        let elsewhere = try claim("127.0.0.2", port: port)
        first = nil
        let next = try claim(port: port, redis: RedisURL("redis://127.0.0.1:1/0"))
        withExtendedLifetime((elsewhere, next)) {}
    }

    @Test func aFailureToListenHoldsNothing() throws {
        struct Failure: Error {}
        let port = try claim().listener.port
        let served = ServedPort(host: "127.0.0.1", port: port, surfaces: [.api])
        #expect(throws: Failure.self) {
            try PortClaim(served, redis: Self.redis, isShared: false) { throw Failure() }
        }
        #expect(!Neighbour.all().contains { $0.port == port })
        _ = try claim(port: port)
    }

    @Test(arguments: [
        "usher node at ::1 8080 0123456789abcdef 12", "usher node at 0.0.0.0 1 x -1",
    ])
    func aNeighboursNameIsReadAsItIsWritten(name: String) throws {
        #expect(try #require(Neighbour(name: name[...])).name == name)
    }

    @Test(arguments: [
        "", "usher node at ", "usher node at a b c d", "usher node at a 1 c", "usher node at a 1 c 2 3",
        "usher node at a 99999999999999999999 c 1", "usher node at a 1 c 99999999999", "another program",
    ])
    func aNameThatIsNoNodesIsPassedOver(name: String) {
        #expect(Neighbour(name: name[...]) == nil)
    }
}

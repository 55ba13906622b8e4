import EventLoop
import Testing

@testable import Redis

/// Without a Redis: what it says, at times of the test's own.
@Suite struct ReplicaQuorumTests {
    /// Online replicas, by address: how many seconds ago each said something.
    static func info(id: String = "a1", _ replicas: KeyValuePairs<String, Int> = [:]) -> Value {
        let lines = replicas.enumerated().map { index, replica in
            "slave\(index):ip=\(replica.key),port=6379,state=online,offset=1,lag=\(replica.value)"
        }
        return .string(
            (["# Replication", "role:master", "connected_slaves:\(replicas.count)", "master_replid:\(id)"] + lines)
                .joined(separator: "\r\n"))
    }

    static func at(_ seconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000).advanced(byMilliseconds: seconds * 1_000)
    }

    /// Has seen these replicas once a second from the first second to the last.
    static func looking(_ wanted: Int = 2, at replicas: KeyValuePairs<String, Int>, from: Int, to: Int) -> ReplicaQuorum
    {
        var quorum = ReplicaQuorum(ReplicaWait(replicas: wanted, milliseconds: 100))
        for second in from...to { quorum.see(info(replicas), at: at(second)) }
        return quorum
    }

    @Test func oneThatIsAwayIsWaitedForUntilNoFailoverPrefersIt() {
        var quorum = Self.looking(at: ["10.0.0.1": 0], from: 0, to: 29)
        #expect(quorum.required(at: Self.at(29)) == 2)
        quorum.see(Self.info(["10.0.0.1": 0]), at: Self.at(30))
        #expect(quorum.required(at: Self.at(30)) == 1)
        quorum.see(Self.info(["10.0.0.1": 0, "10.0.0.2": 0]), at: Self.at(31))
        #expect(quorum.required(at: Self.at(31)) == 2)
        // From its last word on, which it may have said before it was looked at.
        for second in 32...59 { quorum.see(Self.info(["10.0.0.1": 0, "10.0.0.2": second - 31]), at: Self.at(second)) }
        #expect(quorum.required(at: Self.at(59)) == 2)
        for second in 60...61 { quorum.see(Self.info(["10.0.0.1": 0, "10.0.0.2": second - 31]), at: Self.at(second)) }
        #expect(quorum.required(at: Self.at(61)) == 1)
    }

    @Test func replicasBehindOneAddressAreSeveral() {
        var quorum = Self.looking(at: ["10.0.0.1": 0], from: 0, to: 30)
        #expect(quorum.required(at: Self.at(30)) == 1)
        quorum.see(Self.info(["10.0.0.1": 0, "10.0.0.1": 0]), at: Self.at(31))
        #expect(quorum.required(at: Self.at(31)) == 2)
    }

    /// Of two servers none may be missing, of five two.
    @Test(arguments: [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
    func aMajorityOfTheServersHasIt(_ wanted: Int, _ least: Int) {
        let quorum = Self.looking(wanted, at: [:], from: 0, to: 40)
        #expect(quorum.required(at: Self.at(40)) == least)
    }

    /// This process may have stood still, or the connection was lost: nobody knows what was there meanwhile.
    @Test func aGapBeginsAnew() {
        var quorum = Self.looking(at: ["10.0.0.1": 0], from: 0, to: 40)
        #expect(quorum.required(at: Self.at(43)) == 1)
        #expect(quorum.required(at: Self.at(44)) == 2)
        quorum.see(Self.info(["10.0.0.1": 0]), at: Self.at(45))
        #expect(quorum.required(at: Self.at(45)) == 2)
        for second in 46...75 { quorum.see(Self.info(["10.0.0.1": 0]), at: Self.at(second)) }
        #expect(quorum.required(at: Self.at(75)) == 1)
    }

    @Test func anotherPrimaryBeginsAnew() {
        var quorum = Self.looking(at: ["10.0.0.1": 0], from: 0, to: 40)
        quorum.see(Self.info(id: "b2", ["10.0.0.1": 0]), at: Self.at(41))
        #expect(quorum.required(at: Self.at(41)) == 2)
    }

    /// Where one of two may not be missing, nothing needs to be known of them.
    @Test func itLooksWhereThatMayChangeSomething() {
        for wanted in 1...3 {
            #expect(ReplicaQuorum(ReplicaWait(replicas: wanted, milliseconds: 100)).looks == (wanted > 1))
        }
    }

    /// It says so all the while, and has nothing yet.
    @Test func oneThatLoadsIsNotThere() {
        var quorum = Self.looking(at: ["10.0.0.1": 0], from: 0, to: 30)
        let loading =
            "master_replid:a1\nconnected_slaves:2\nslave0:ip=10.0.0.1,port=6379,state=online,offset=1,lag=0\n"
            + "slave1:ip=10.0.0.2,port=6379,state=online,offset=0,lag=0"
        quorum.see(.string(loading), at: Self.at(31))
        #expect(quorum.required(at: Self.at(31)) == 1)
    }

    @Test func whatIsNoWordOfAPrimaryLeavesAllWanted() {
        var quorum = ReplicaQuorum(ReplicaWait(replicas: 2, milliseconds: 100))
        for second in 0...60 { quorum.see(.error("NOPERM"), at: Self.at(second)) }
        #expect(quorum.required(at: Self.at(60)) == 2)
        // One that is still being sent all, and one whose silence is no time.
        let odd =
            "master_replid:a1\nconnected_slaves:9223372036854775807\n"
            + "slave0:ip=10.0.0.1,port=6379,state=wait_bgsave,offset=0,lag=0\n"
            + "slave1:ip=10.0.0.2,port=6379,state=online,offset=9,lag=-9223372036854775808"
        for second in 61...100 { quorum.see(.string(odd), at: Self.at(second)) }
        #expect(quorum.required(at: Self.at(100)) == 1)
    }
}

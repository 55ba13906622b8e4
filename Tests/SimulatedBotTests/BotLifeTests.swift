import BotWire
import Foundation
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import SimulatedBot

/// What a bot reports in its life, and how it ends.
@Suite(.takesTurns, .timeLimit(.minutes(14))) struct BotLifeTests {
    struct Life: CustomTestStringConvertible, Sendable {
        let behaviours: Set<Simulation.Behaviour>
        let statuses: [String]
        let reason: String?
        let stage: String?
        let exitCode: Int32

        init(
            _ behaviours: Set<Simulation.Behaviour>, _ statuses: [String], reason: String? = nil, stage: String? = nil,
            exitCode: Int32
        ) {
            (self.behaviours, self.statuses, self.reason) = (behaviours, statuses, reason)
            (self.stage, self.exitCode) = (stage, exitCode)
        }

        var testDescription: String { behaviours.map(\.rawValue).sorted().joined(separator: ",") }
    }

    static let toLobby = ["joining", "awaiting_admission"]
    static let toRoom = toLobby + ["active"]

    static let lives = [
        Life([], toRoom + ["completed"], reason: "left_alone", exitCode: 0),
        Life([.noLobby], ["joining", "active", "completed"], reason: "left_alone", exitCode: 0),
        Life(
            [.needsHelp], toLobby + ["needs_help", "active", "completed"], reason: "left_alone", exitCode: 0),
        Life([.alone], toRoom + ["completed"], reason: "startup_alone", exitCode: 0),
        Life(
            [.neverAdmitted], toLobby + ["failed"], reason: "awaiting_admission_timeout", stage: "awaiting_admission",
            exitCode: 1),
        Life(
            [.rejected], toLobby + ["failed"], reason: "awaiting_admission_rejected", stage: "awaiting_admission",
            exitCode: 1),
        Life([.joinFailure], ["joining", "failed"], reason: "join_failure", stage: "joining", exitCode: 1),
        Life([.crashStart], [], exitCode: 70), Life([.crashJoining], ["joining"], exitCode: 70),
        Life([.crashLobby], toLobby, exitCode: 70), Life([.crashActive], toRoom, exitCode: 70),
        Life([.exitWithoutReport], toRoom, exitCode: 0),
        Life([.exitWithoutReport, .rejected], toLobby, exitCode: 1),
    ]

    @Test(arguments: lives) func eachBehaviourHasItsReports(life: Life) async throws {
        let fixture = try await BotFixture(
            life.behaviours,
            configure: { configuration, simulation in
                // These two have an end of their own, which must come first on a busy machine too.
                let endsItself = !life.behaviours.isDisjoint(with: [.alone, .crashActive])
                simulation.meetingMilliseconds = endsItself ? nil : 100
                configuration.noOneJoinedTimeoutMilliseconds = 50
                if life.behaviours.contains(.neverAdmitted) { configuration.waitingRoomTimeoutMilliseconds = 50 }
            })
        #expect(try await fixture.ended() == life.exitCode)
        #expect(fixture.statuses == life.statuses)
        for report in fixture.received {
            #expect(report.secret == BotFixture.secret)
            #expect(report.member("connection_id") == fixture.botID)
            #expect(report.member("container_id") == "simulated-bot-\(fixture.botID)")
            #expect(report.member("timestamp")?.hasSuffix("Z") == true)
        }
        let last = fixture.received.last
        #expect(last?.member("completion_reason") == life.reason)
        #expect(last?.member("failure_stage") == life.stage)
        if life.reason != nil { #expect(last?.member("exit_code") == String(life.exitCode)) }
        let wasInRoom = life.statuses.contains("active")
        #expect(fixture.presence.isEmpty == !wasInRoom)
        if wasInRoom { #expect(fixture.presence.last?.hasSuffix(" left") == (life.exitCode == 0)) }
    }

    @Test func theLobbyTakesNoLongerThanTheTimeoutAllows() async throws {
        let fixture = try await BotFixture(configure: { configuration, simulation in
            simulation.lobbyMilliseconds = 3_600_000
            configuration.waitingRoomTimeoutMilliseconds = 30
        })
        #expect(try await fixture.ended() == 1)
        #expect(fixture.received.last?.member("completion_reason") == "awaiting_admission_timeout")
    }

    // MARK: Leaving

    static let stages = ["joining", "awaiting_admission", "active"]

    static func fixtureThatStays(
        at stage: String, _ behaviours: Set<Simulation.Behaviour> = []
    ) async throws -> BotFixture {
        let fixture = try await BotFixture(
            behaviours,
            configure: { _, simulation in
                if stage == "joining" { simulation.joinMilliseconds = 3_600_000 }
                if stage == "awaiting_admission" { simulation.lobbyMilliseconds = 3_600_000 }
            })
        try await fixture.reported(stage)
        return fixture
    }

    @Test(arguments: stages) func theLeaveCommandIsObeyedAtEveryStage(stage: String) async throws {
        let fixture = try await Self.fixtureThatStays(at: stage)
        try await fixture.command("{\"action\":\"leave\"}")
        #expect(try await fixture.ended() == 0)
        #expect(fixture.received.last?.status == "completed")
        #expect(fixture.received.last?.member("completion_reason") == "stopped")
        #expect(fixture.presence.isEmpty == (stage != "active"))
    }

    @Test(arguments: stages) func aStopSignalIsObeyedAtEveryStage(stage: String) async throws {
        let fixture = try await Self.fixtureThatStays(at: stage)
        fixture.stop()
        fixture.stop()
        #expect(try await fixture.ended() == 0)
        #expect(fixture.received.last?.member("completion_reason") == "stopped")
    }

    @Test func othersMessagesAreIgnored() async throws {
        let fixture = try await Self.fixtureThatStays(at: "active")
        for message in ["nonsense", "{}", "{\"action\":\"speak\",\"text\":\"hi\"}", "{\"action\":\"dance\"}"] {
            try await fixture.command(message)
        }
        let lines = fixture.presence.count
        try await waitFor("it is still in the room") { fixture.presence.count > lines + 3 }
        #expect(fixture.exitCode == nil)
        fixture.stop()
        #expect(try await fixture.ended() == 0)
    }

    @Test func leaveIsNotHeededWhereItIsToldSo() async throws {
        let fixture = try await Self.fixtureThatStays(at: "active", [.ignoreLeave])
        try await fixture.command("{\"action\":\"leave\"}")
        let lines = fixture.presence.count
        try await waitFor("it is still in the room") { fixture.presence.count > lines + 3 }
        #expect(fixture.exitCode == nil)
        fixture.stop()
        #expect(try await fixture.ended() == 0)
    }

    @Test func theStopSignalIsNotHeededWhereItIsToldSo() async throws {
        let fixture = try await Self.fixtureThatStays(at: "active", [.ignoreTerm])
        fixture.stop()
        let lines = fixture.presence.count
        try await waitFor("it is still in the room") { fixture.presence.count > lines + 3 }
        #expect(fixture.exitCode == nil)
        try await fixture.command("{\"action\":\"leave\"}")
        #expect(try await fixture.ended() == 0)
    }

    /// A bot that hangs is still in the room, and whoever looks there sees it.
    @Test func aHangHeedsNothingAndStaysInTheRoom() async throws {
        let fixture = try await Self.fixtureThatStays(at: "active", [.hangActive])
        try await fixture.command("{\"action\":\"leave\"}")
        fixture.stop()
        let lines = fixture.presence.count
        try await waitFor("it is still in the room") { fixture.presence.count > lines + 10 }
        #expect(fixture.exitCode == nil)
        #expect(fixture.statuses == Self.toRoom)
        #expect(try await fixture.segments().isEmpty)
    }

    @Test(arguments: [(Simulation.Behaviour.hangJoining, ["joining"]), (.hangLobby, toLobby)])
    func aHangOutsideTheRoomReportsNothingMore(behaviour: Simulation.Behaviour, statuses: [String]) async throws {
        let fixture = try await BotFixture([behaviour])
        try await fixture.reported(statuses.last!)
        try await fixture.command("{\"action\":\"leave\"}")
        fixture.stop()
        // Far longer than all its stages take; more time could only find more.
        try await Task.sleep(for: .milliseconds(300))
        #expect(fixture.exitCode == nil && fixture.statuses == statuses && fixture.presence.isEmpty)
    }

    @Test func presenceIsALineWithClockBotAndProcess() async throws {
        let fixture = try await BotFixture(configure: { $1.meetingMilliseconds = 300 })
        #expect(try await fixture.ended() == 0)
        let lines = fixture.presence
        #expect(lines.count >= 3)
        var last: UInt64 = 0
        for (index, line) in lines.enumerated() {
            let words = line.split(separator: " ").map(String.init)
            let end = index == lines.count - 1 ? ["left"] : []
            #expect(Array(words.dropFirst()) == [fixture.botID, String(getpid())] + end)
            let time = try #require(UInt64(words[0]))
            #expect(time >= last)
            last = time
        }
    }
}

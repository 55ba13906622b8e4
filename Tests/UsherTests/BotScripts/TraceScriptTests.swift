import Log
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// The trace of a dispatch in the records: it goes with the bot, also with one that takes its place, and the records of
/// nodes that know nothing of traces do as well without.
@Suite(.takesTurns) struct TraceScriptTests {
    private static let foreign = TraceContext(
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "congo=t61rcWkgMzE")!

    private static func events(_ world: World) async throws -> [[String: String]] {
        try await world.snapshot()[world.keys.partition.events]?.stream ?? []
    }

    private static func entry(_ world: World) async throws -> DispatchEntry {
        let entries = try await world.client.send("XRANGE", world.keys.partition.dispatch, "-", "+").arrayOrThrow()
        return try #require(entries.first.flatMap(DispatchEntry.init))
    }

    @Test func itGoesWithEveryBotOfTheDispatchToTheEnd() async throws {
        try await World.make { world in
            let link = try MeetingLink(platform: World.room.platform, nativeID: World.room.nativeID)
            let meeting = try await world.session.bots.request(
                BotRequest(link: link), by: world.owner, trace: Self.foreign
            ).meeting
            let first = try await Self.entry(world)
            #expect(first.place.trace?.traceparent == Self.foreign.traceparent)
            try await world.claim(first.place, runner: "runner")
            #expect(try await world.release(first.place) == .string("released"))
            #expect(try await Self.entry(world).place.traceID == Self.foreign.traceID)
            try await world.claim(first.place, runner: "runner")
            let loss = BotLoss(reason: "bot_exited", mayBeReplaced: true, runnerID: "runner")
            #expect(try await world.session.bots.lose(first.place, loss) == .replaced)

            let second = try await Self.entry(world)
            let claim = try await world.session.bots.claim(
                second, runner: "runner", secret: "secret", container: "container")
            guard case .claimed(_, let trace, _) = claim else {
                Issue.record("the claim is void")
                return
            }
            #expect(second.place.botID != first.place.botID && trace == Self.foreign)
            #expect(
                try await world.session.bots.authenticate(bot: second.place.botID, secret: "secret")?.trace?.traceparent
                    == Self.foreign.traceparent)
            try await world.tell(second.place, [.joining, .active])
            let (stop, place) = try await world.session.bots.stop(in: World.room, by: world.owner)
            #expect(stop == .leaving && place.traceID == Self.foreign.traceID)
            try await world.tell(second.place, [.completed])
            #expect(try await world.fields(meeting.id)["status"] == "OFFLINE")
            let events = try await Self.events(world)
            #expect(
                events.map { $0["what"] } == [
                    "dispatched", "replaced", "joining", "active", "stopping", "completed", "finalised",
                ])
            #expect(Set(events.map { $0["trace_id"] }) == [Self.foreign.traceID])
        }
    }

    /// In a rolling upgrade old nodes and runners write, and hand back, what has no trace.
    @Test func recordsWithoutOneGoOnAsBefore() async throws {
        try await World.make { world in
            let place = try await world.send(to: try await world.meeting())
            let partition = world.keys.partition
            _ = try await world.client.send("HDEL", partition.bot(place.botID), "traceparent")
            var fields = try await world.entry()
            let id = fields.removeValue(forKey: "<id>") ?? ""
            fields["traceparent"] = nil
            _ = try await world.client.send("XDEL", partition.dispatch, id)
            let words = ["XADD", partition.dispatch, "*"] + fields.flatMap { name, value in [name, value] }
            _ = try await world.client.send(Command(words: words), deadline: Client.soon)

            let entry = try await Self.entry(world)
            #expect(entry.place.trace == nil && entry.place.traceID == "")
            let claim = try await world.session.bots.claim(
                entry, runner: "runner", secret: "secret", container: "container")
            guard case .claimed(_, nil, _) = claim else {
                Issue.record("\(claim)")
                return
            }
            #expect(try await world.release(place) == .string("released"))
            try await world.claim(place)
            try await world.tell(place, [.joining])
            #expect(try await Self.events(world).last?["trace_id"] == "")
            let loss = BotLoss(reason: "bot_exited", mayBeReplaced: true, runnerID: "runner")
            #expect(try await world.session.bots.lose(place, loss) == .replaced)
            let replacement = try await Self.entry(world).place
            #expect(replacement.trace == nil)
            try await world.claim(replacement)
            #expect(try await world.stop(replacement) == .parts("leaving", ""))
        }
    }
}

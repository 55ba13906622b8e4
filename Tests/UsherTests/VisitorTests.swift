import EventLoop
import Redis
import RedisTestSupport
import TestTurns
import Testing

@testable import Usher

/// What a node finds out in one exchange about a caller that it has seen before, and what it still asks Redis.
@Suite(.takesTurns) struct VisitorTests {
    @Test func aKeyThatWasSeenBringsTheMeetingWithIt() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = try await world.ownersKey()
            let stranger = try #require(try await world.visit(key, meeting))
            #expect(stranger.replies == nil)
            let visitor = try #require(try await world.visit(key, meeting))
            #expect(visitor.caller.userID == world.owner.userID && visitor.caller.workspaceID == world.workspaceID)
            #expect(visitor.replies?.count == 2)
            #expect(visitor.replies?.first == .string("owner"))
            let reinvitation = Reinvitation(
                in: world.session, visitor: visitor, forceRestart: false, trace: World.trace)
            #expect(try await reinvitation.perform().meetingID == meeting)
        }
    }

    /// What a key may do, and whether it is still there, is asked each time.
    @Test func aRevocationAndALostRoleCountAtOnce() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = try await world.ownersKey()
            _ = try await world.visit(key, meeting)
            _ = try await world.client.send(
                Command("HSET", world.keys.members, world.owner.userID, "viewer"), deadline: Client.soon)
            let visitor = try #require(try await world.visit(key, meeting))
            let reinvitation = Reinvitation(
                in: world.session, visitor: visitor, forceRestart: false, trace: World.trace)
            do throws(ReinviteRefusal) {
                _ = try await reinvitation.perform()
                Issue.record("a viewer sent a bot")
            } catch {
                #expect(error == .roleTooLow)
            }
            let id = visitor.caller.keyID
            #expect(try await world.session.apiKeys.revoke(id: id))
            let gone = try await world.visit(key, meeting)
            #expect(gone == nil)
        }
    }

    @Test func nothingIsReadInAnotherWorkspace() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = try await world.ownersKey()
            for _ in 1...2 {
                let visitor = try await Reinvitation.visitor(
                    in: world.session, apiKey: key, from: { nil }, workspaceID: "another", meetingID: meeting,
                    idempotencyKey: nil)
                #expect(try #require(visitor.found).replies == nil)
            }
        }
    }

    /// A guess that is wrong, which no sequence of our own can bring about, is dropped for what Redis says.
    @Test func aWrongGuessIsDropped() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let key = try await world.ownersKey()
            let hash = Digest.sha256(key)
            world.store.keyOwners[hash] = KnownKey(
                owner: KeyOwner(workspaceID: world.workspaceID, userID: "999"), limit: nil)
            let visitor = try #require(try await world.visit(key, meeting))
            #expect(visitor.replies == nil && visitor.caller.userID == world.owner.userID)
            #expect(world.store.keyOwners[hash]?.owner?.userID == world.owner.userID)
        }
    }

    @Test func theRoleOfNowComesWithTheKey() async throws {
        try await World.make { world in
            let key = try await world.ownersKey()
            let (hash, user) = (Digest.sha256(key), world.owner.userID)
            func role() async throws -> Role? {
                let found = try await world.session.callers.recogniseMember(keyHash: hash, from: { nil }).found
                let (caller, role) = try #require(found)
                #expect(caller.userID == user)
                #expect(try await world.session.callers.now(caller)?.role == role)
                return role
            }
            // The first time it is new to this loop.
            for _ in 1...2 { #expect(try await role() == .owner) }
            _ = try await world.client.send("HSET", world.keys.members, user, "viewer")
            #expect(try await role() == .viewer)
            world.store.keyOwners[hash] = KnownKey(
                owner: KeyOwner(workspaceID: world.workspaceID, userID: "999"), limit: nil)
            _ = try await world.client.send("HSET", world.keys.members, "999", "owner")
            #expect(try await role() == .viewer)
            _ = try await world.client.send("HDEL", world.keys.members, user)
            #expect(try await role() == nil)
            let caller = try #require(try await world.session.callers.caller(apiKey: key))
            #expect(try await world.session.apiKeys.revoke(id: caller.keyID))
            #expect(try await world.session.callers.recogniseMember(keyHash: hash, from: { nil }).found == nil)
            #expect(try await world.session.callers.now(caller) == nil)
        }
    }

    /// Whoever tries many keys does not make a node grow: unknown ones are not kept, and known ones up to a number.
    @Test func whatIsKeptIsBounded() async throws {
        try await World.make { world in
            let unknown = try await world.visit("usher_unknown", "0123")
            #expect(unknown == nil)
            #expect(world.store.keyOwners[Digest.sha256("usher_unknown")] == nil)
            let owners = world.store.keyOwners
            for number in 0...KeyOwners.maximumCount {
                owners[String(number)] = KnownKey(limit: nil)
            }
            #expect(owners["0"] == nil && owners[String(KeyOwners.maximumCount)] != nil)
        }
    }
}

extension World {
    /// A new API key of the owner's.
    func ownersKey() async throws -> String {
        let new = NewAPIKey(
            workspaceID: workspaceID, userID: Int(owner.userID)!, scopes: [.seameet], label: nil, expiresAt: nil)
        return try #require(try await session.apiKeys.create(new).made).key
    }

    fileprivate func visit(_ key: String, _ meeting: String) async throws -> Reinvitation.Visitor? {
        try await Reinvitation.visitor(
            in: session, apiKey: key, from: { nil }, workspaceID: workspaceID, meetingID: meeting,
            idempotencyKey: nil
        ).found
    }
}

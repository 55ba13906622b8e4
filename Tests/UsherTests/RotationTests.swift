import EventLoop
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// Keys that are replaced, their last use, and their form.
@Suite(.takesTurns) struct RotationTests {
    private static let day = 86_400_000

    @Test func aRotatedKeyHasASuccessorAndAnEnd() async throws {
        try await World.make { world in
            let (key, old) = try await world.newKey(label: "CI")
            let before = try await world.snapshot()
            let now = try await world.now()
            let (newKey, new) = try #require(try await world.rotate(old.id))
            let after = try await world.snapshot()
            let (hash, newHash) = (Digest.sha256(key), Digest.sha256(newKey))
            #expect(
                after.changes(since: before) == [
                    Keys.apiKey(hash: hash), Keys.apiKey(hash: newHash), Keys.apiKeyHash(id: new.id),
                    Keys.apiKeyMaking(id: new.id), Keys.apiKeyHash(id: old.id), world.keys.apiKeys,
                ])
            let record = try #require(after[Keys.apiKey(hash: hash)]?.hash)
            #expect(record["rotated_to"] == new.id)
            let end = try #require(record["expires_at"].flatMap { Int($0) })
            #expect((now + Self.day...now + Self.day + 60_000).contains(end))
            #expect(after.timeToLive[Keys.apiKey(hash: hash)].map { $0 > Self.day - 60_000 } == true)
            var fields = try #require(before[Keys.apiKey(hash: hash)]?.hash)
            fields.merge(["id": new.id, "rotated_from": old.id, "created_at": String(new.createdAt)]) { $1 }
            #expect(after[Keys.apiKey(hash: newHash)] == .hash(fields))

            // Both are valid and listed.
            for valid in [key, newKey] {
                #expect(try await world.session.callers.caller(apiKey: valid) != nil)
            }
            let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
            #expect(listed.first { $0.id == old.id }?.rotatedTo == new.id)
            #expect(listed.first { $0.id == new.id }?.rotatedFrom == old.id)

            // The old one has its successor; the new one may have one in turn.
            try await world.expectNoChange {
                let again = try await world.rotate(old.id)
                #expect(again == nil)
            }
            #expect(try await world.rotate(new.id) != nil)
            #expect(try await world.rotate("none") == nil)
        }
    }

    @Test func theEndIsNeverLaterThanItWas() async throws {
        try await World.make { world in
            let end = try await world.now() + 60_000
            let (key, old) = try await world.newKey(expiresAt: end)
            let (newKey, _) = try #require(try await world.rotate(old.id))
            for key in [key, newKey] {
                let record = try await world.client.send("HGETALL", Keys.apiKey(hash: Digest.sha256(key))).hash()
                #expect(record["expires_at"] == String(end))
            }
        }
    }

    /// What leads to a key ends with it, and its entry in the list when the next key is made, listed or not.
    @Test func keysThatEndLeaveNothingBehind() async throws {
        try await World.make { world in
            let end = try await world.now() + 3_600_000
            let (_, brief) = try await world.newKey(expiresAt: end)
            let (_, old) = try await world.newKey()
            let (_, new) = try #require(try await world.rotate(old.id))
            let lives = try await world.snapshot().timeToLive
            for (id, milliseconds) in [(brief.id, 3_600_000), (old.id, Self.day)] {
                let life = try #require(lives[Keys.apiKeyHash(id: id)])
                #expect((milliseconds - 60_000...milliseconds).contains(life))
            }
            #expect(lives[Keys.apiKeyHash(id: new.id)] == nil)

            var last = new
            for _ in 0..<3 { last = try #require(try await world.rotate(last.id, grace: 0)).record }
            // What is being made is no leftover, as long as it may take.
            let making = try await world.snapshot().stored.keys.filter { $0.hasPrefix(Keys.apiKeyMaking(id: "")) }
            for key in making { _ = try await world.client.send("DEL", key) }
            let (_, next) = try await world.newKey()
            let after = try await world.snapshot()
            let ids = [brief.id, old.id, last.id, next.id].sorted()
            #expect(after[world.keys.apiKeys]?.hash?.keys.sorted() == ids)
            let pointers = ids.map { Keys.apiKeyHash(id: $0) }
            #expect(after.stored.keys.filter { $0.hasPrefix(Keys.apiKeyHash(id: "")) }.sorted() == pointers)
        }
    }

    @Test func withoutGraceTheOldKeyEndsAtOnce() async throws {
        try await World.make { world in
            let (key, old) = try await world.newKey()
            let (newKey, new) = try #require(try await world.rotate(old.id, grace: 0))
            #expect(try await world.session.callers.caller(apiKey: key) == nil)
            #expect(try await world.session.callers.caller(apiKey: newKey) != nil)
            let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
            #expect(listed.map(\.id) == [new.id])
        }
    }

    @Test func twoAtOnceLeaveOneSuccessor() async throws {
        try await World.make { world in
            let (key, old) = try await world.newKey()
            let made: [String] = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<16 {
                    group.addTask(executorPreference: world.client.loop) { try await world.rotate(old.id)?.key }
                }
                return try await group.reduce(into: []) { if let key = $1 { $0.append(key) } }
            }
            #expect(made.count == 1)
            let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
            #expect(listed.count == 2)
            for valid in made + [key] {
                #expect(try await world.session.callers.caller(apiKey: valid) != nil)
            }
        }
    }

    @Test func theScriptTellsEachCase() async throws {
        try await World.make { world in
            func retire(_ hash: String, _ successor: String) async throws -> Value {
                try await world.run(
                    Scripts.RetireKey(
                        recordKey: Keys.apiKey(hash: hash), successor: successor, graceMilliseconds: 60_000))
            }
            try await world.expectNoChange {
                let answer = try await retire("none", "s")
                #expect(answer == .parts("unknown_key"))
            }
            let (key, _) = try await world.newKey()
            let hash = Digest.sha256(key)
            #expect(try await retire(hash, "s").array?.first == .string("retired"))
            try await world.expectNoChange {
                let answer = try await retire(hash, "t")
                #expect(answer == .parts("retired_before", "s"))
            }
        }
    }

    /// A listing that meets a key whose record is still to be written leaves it alone.
    @Test func aKeyThatIsBeingMadeIsNotForgotten() async throws {
        try await World.make { world in
            let (key, record) = try await world.newKey()
            let hash = Digest.sha256(key)
            let fields = try await world.client.send("HGETALL", Keys.apiKey(hash: hash)).hash()
            _ = try await world.client.send("DEL", Keys.apiKey(hash: hash))
            try await world.expectNoChange {
                let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
                #expect(listed.isEmpty)
            }
            try await world.set(Keys.apiKey(hash: hash), fields)
            let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
            #expect(listed.map(\.id) == [record.id])
            #expect(try await world.session.apiKeys.revoke(id: record.id))
        }
    }

    // MARK: The last use

    @Test func aUseIsNotedToTheMinuteAndBringsNothingBack() async throws {
        try await World.make { world in
            func note(_ hash: String) async throws -> Value {
                try await world.run(Scripts.NoteUse(recordKey: Keys.apiKey(hash: hash)))
            }
            try await world.expectNoChange {
                let answer = try await note("none")
                #expect(answer == .string("unknown_key"))
            }
            let (key, record) = try await world.newKey(expiresAt: try await world.now() + 3_600_000)
            let hash = Digest.sha256(key)
            let before = try await world.snapshot()
            let now = try await world.now()
            #expect(try await note(hash) == .string("noted"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [Keys.apiKey(hash: hash)])
            #expect(after.timeToLive[Keys.apiKey(hash: hash)] != nil)
            let noted = try #require(after[Keys.apiKey(hash: hash)]?.hash?["last_used_at"].flatMap { Int($0) })
            #expect(noted % 60_000 == 0 && noted >= now - 60_000 && noted <= now + 60_000)
            // The same minute; or else another one has just begun, and is not over yet.
            if try await note(hash) == .string("noted") { #expect(try await note(hash) == .string("known")) }
            let listed = try await world.session.apiKeys.all(workspace: world.workspaceID)
            #expect(listed.first { $0.id == record.id }?.lastUsedAt ?? 0 >= noted)
        }
    }

    @Test func aRequestHasItsUseNoted() async throws {
        try await World.make { world in
            let (key, _) = try await world.newKey()
            let bucket = Keys.apiKey(hash: Digest.sha256(key))
            #expect(try await world.session.callers.recognise(apiKey: key, from: { nil }).found != nil)
            let deadline = MonotonicTime.now().advanced(byMilliseconds: 30_000)
            while try await world.client.send("HEXISTS", bucket, "last_used_at") == .integer(0) {
                guard MonotonicTime.now() < deadline else {
                    Issue.record("the use was not noted within 30 s")
                    return
                }
            }
        }
    }

    // MARK: The form

    /// The check value of CRC-32 in the catalogue of parametrised CRC algorithms, and a key made by hand.
    @Test func aKeyEndsWithItsChecksum() {
        #expect(Digest.crc32("123456789".utf8) == 0xcbf4_3926)
        for _ in 0..<100 {
            let key = Identifier.apiKey()
            let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
            let checksum = key.suffix(6).reduce(0) { 62 * $0 + (digits.firstIndex(of: $1) ?? -1_000_000_000) }
            #expect(checksum == Int(Digest.crc32(key.utf8.dropLast(6))))
        }
    }
}

extension World {
    fileprivate func newKey(label: String? = nil, expiresAt: Int? = nil) async throws -> (key: String, record: APIKey) {
        try #require(
            try await session.apiKeys.create(
                NewAPIKey(
                    workspaceID: workspaceID, userID: 1, scopes: [.seameet, .bots], label: label, expiresAt: expiresAt)
            ).made)
    }

    /// Nil if the key is not there, or has been rotated before.
    fileprivate func rotate(_ id: String, grace: Int = 86_400_000) async throws -> (key: String, record: APIKey)? {
        let rotation = try await session.apiKeys.rotate(id: id, graceMilliseconds: grace)
        guard case .rotated(let key, let record) = rotation else { return nil }
        return (key, record)
    }
}

import Redis
import TestTurns
import Testing

@testable import Usher

@Suite(.takesTurns) struct KeysTests {
    @Test func aWorkspaceLivesInOnePartitionAndAllAreUsed() {
        #expect(Partition(workspace: "123456789") == Partition(number: 3))
        var used: Set<Int> = []
        for _ in 0..<1_000 {
            let id = Identifier.uuid()
            let number = Partition(workspace: id).number
            #expect(number == Int(HashSlot.checksum(of: id)) % 16)
            used.insert(number)
        }
        #expect(used == Set(0..<16))
    }

    @Test func keysAreThoseOfTheDesign() {
        let keys = WorkspaceKeys(workspace: "123456789")
        let room = Room(platform: .googleMeet, nativeID: "abc-defg-hij")
        #expect(keys.workspace == "usher:{p3}:ws:123456789")
        #expect(keys.members == "usher:{p3}:ws:123456789:members")
        #expect(keys.apiKeys == "usher:{p3}:ws:123456789:keys")
        #expect(keys.lock == "usher:{p3}:ws:123456789:lock")
        #expect(keys.meetings == "usher:{p3}:ws:123456789:meetings")
        #expect(keys.bots == "usher:{p3}:ws:123456789:bots")
        #expect(keys.inFlight(room) == "usher:{p3}:ws:123456789:inflight:google_meet:abc-defg-hij")
        #expect(keys.holder(room) == "usher:{p3}:ws:123456789:room:google_meet:abc-defg-hij")
        #expect(keys.held(room) == "usher:{p3}:ws:123456789:held:google_meet:abc-defg-hij")
        #expect(keys.names == "usher:{p3}:ws:123456789:names")
        #expect(keys.latest(room) == "usher:{p3}:ws:123456789:latest:google_meet:abc-defg-hij")
        #expect(keys.partition.meeting("m") == "usher:{p3}:meeting:m")
        #expect(keys.partition.bot("b") == "usher:{p3}:bot:b")
        #expect(keys.partition.dispatch == "usher:{p3}:dispatch")
        #expect(keys.partition.events == "usher:{p3}:events")
        #expect(Partition(number: 15).events == "usher:{pf}:events")
        #expect(Keys.apiKey(hash: "h") == "usher:key:h")
        #expect(Keys.apiKeyHash(id: "i") == "usher:key:id:i")
        #expect(Keys.bucket(apiKeyHash: "h") == "usher:rate:{usher:key:h}")
        #expect(HashSlot.of(Keys.bucket(apiKeyHash: "h")) == HashSlot.of(Keys.apiKey(hash: "h")))
        #expect(Keys.locator(meeting: "m") == "usher:meeting:m")
        #expect(Keys.user(7) == "usher:user:7")
        #expect(Keys.userID(email: "a@b.c") == "usher:user:email:a@b.c")
    }
}

@Suite(.takesTurns) struct IdentifierTests {
    @Test func identifiersHaveTheirFormAndAreNotRepeated() {
        var seen: Set<String> = []
        for _ in 0..<5_000 {
            let hex = Identifier.hex()
            #expect(hex.wholeMatch(of: /[0-9a-f]{32}/) != nil)
            let uuid = Identifier.uuid()
            #expect(uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
            #expect(Identifier.isUUID(uuid))
            let key = Identifier.apiKey()
            #expect(key.wholeMatch(of: /usher_[0-9a-f]{64}[0-9A-Za-z]{6}/) != nil)
            seen.formUnion([hex, uuid, key])
        }
        #expect(seen.count == 15_000)
    }

    /// More of them than are drawn at once.
    @Test func theBotsOfALoopHaveIdsThatTellTheirPartition() async throws {
        try await World.make { world in
            let identifiers = world.store.botIdentifiers
            var seen: Set<String> = []
            for number in 0..<1_000 {
                let partition = Partition(number: number % 16)
                let id = identifiers.next(in: partition)
                #expect(
                    id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
                #expect(Partition(bot: id) == partition)
                // Whichever partition they are in.
                seen.insert(String(id.dropLast()))
            }
            #expect(seen.count == 1_000)
        }
    }

    @Test(arguments: [
        "", "x", "3fa85f64-5717-4562-b3fc-2c963f66afa", "3fa85f64-5717-4562-b3fc-2c963f66afa66",
        "3FA85F64-5717-4562-B3FC-2C963F66AFA6", "3fa85f64571745 62-b3fc-2c963f66afa6",
        "3fa85f6457174562b3fc2c963f66afa6",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6:members", "3fa85f64-5717-4562-b3fc-2c963f66afg6", "-----", "----",
    ])
    func whatIsNoUUIDIsNotTakenForOne(_ text: String) {
        #expect(!Identifier.isUUID(text))
        #expect(Partition(bot: text) == nil)
    }

    /// FIPS 180-2, appendix B, and the empty text.
    @Test func theDigestIsSHA256() {
        #expect(Digest.sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Digest.sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test func secretsAreComparedWhole() {
        #expect(Digest.areEqual("secret", "secret"))
        #expect(!Digest.areEqual("secret", "secre"))
        #expect(!Digest.areEqual("secret", "secret "))
        #expect(!Digest.areEqual("secret", ""))
    }
}

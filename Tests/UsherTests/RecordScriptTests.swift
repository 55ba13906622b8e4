import EventLoop
import Redis
import RedisTestSupport
import Scripts
import TestTurns
import Testing

@testable import Usher

/// The scripts that write users, workspaces, members, meetings and API keys: every result, by the raw keys.
@Suite(.takesTurns) struct RecordScriptTests {
    // MARK: Users and workspaces

    @Test func aUserIsMadeOnceWithAPersonalWorkspace() async throws {
        try await World.make { world in
            let new = NewUser(
                email: "Anna@Example.com", name: "Anna", imageURL: "https://x/y", maximumConcurrentBots: 3)
            let before = try await world.snapshot()
            let (user, isNew) = try await world.session.users.create(new)
            let after = try await world.snapshot()
            let keys = WorkspaceKeys(workspace: user.workspaceID)
            #expect(isNew && user.email == "anna@example.com" && user.name == "Anna" && user.maximumConcurrentBots == 3)
            #expect(
                after.changes(since: before) == [
                    Keys.user(user.id), Keys.userID(email: "anna@example.com"), Keys.userSequence, Keys.users,
                    Keys.workspaces, keys.workspace, keys.members,
                ])
            #expect(after[Keys.userID(email: "anna@example.com")] == .string(String(user.id)))
            #expect(
                after[Keys.user(user.id)]
                    == .hash([
                        "id": String(user.id), "email": "anna@example.com", "workspace_id": user.workspaceID,
                        "created_at": String(user.createdAt), "name": "Anna", "image_url": "https://x/y",
                        "max_concurrent_bots": "3",
                    ]))
            #expect(after[keys.members] == .hash([String(user.id): "owner"]))
            #expect(after[Keys.workspaces]?.sortedSet?[user.workspaceID] != nil)
            let workspace = try #require(after[keys.workspace]?.hash)
            #expect(workspace["id"] == user.workspaceID && workspace["max_concurrent_bots"] == "3")
            #expect(after.timeToLive.isEmpty)

            let again = NewUser(email: "anna@EXAMPLE.com", name: "Other", maximumConcurrentBots: 9)
            let (found, isNewAgain) = try await world.session.users.create(again)
            #expect(!isNewAgain && found.id == user.id && found.name == "Anna" && found.maximumConcurrentBots == 3)
            #expect(try await world.snapshot().changes(since: after) == [])
        }
    }

    /// A node can die after each step of making a user; the next call for the email finishes the work.
    @Test func aUserThatWasMadeHalfWayIsFinished() async throws {
        try await World.make { world in
            let new = NewUser(email: "anna@example.com")
            let (user, _) = try await world.session.users.create(new)
            let keys = WorkspaceKeys(workspace: user.workspaceID)
            let steps = [[Keys.users], [Keys.workspaces], [keys.workspace, keys.members], [Keys.user(user.id)]]
            for end in 1...steps.count {
                for key in steps[..<end].joined() {
                    _ = try await world.client.send("DEL", key)
                }
                let (again, isNew) = try await world.session.users.create(new)
                #expect(!isNew && again.id == user.id)
                let after = try await world.snapshot()
                #expect(after[WorkspaceKeys(workspace: again.workspaceID).members] == .hash([String(user.id): "owner"]))
                #expect(after[Keys.userID(email: "anna@example.com")] == .string(String(user.id)))
                #expect(after[Keys.users]?.sortedSet?[String(user.id)] == String(user.id))
                #expect(after[Keys.workspaces]?.sortedSet?[again.workspaceID] != nil)
            }
        }
    }

    @Test func twoAtOnceMakeOneUser() async throws {
        try await World.make { world in
            let users = try await withThrowingTaskGroup(of: (User, Bool).self) { group in
                for _ in 0..<16 {
                    group.addTask(executorPreference: world.client.loop) {
                        try await world.session.users.create(NewUser(email: "anna@example.com"))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(users.map(\.0.id)).count == 1)
            #expect(Set(users.map(\.0.workspaceID)).count == 1)
            #expect(users.filter(\.1).count == 1)
            let snapshot = try await world.snapshot()
            #expect(snapshot.stored.keys.filter { $0.hasSuffix(":members") }.count == 2)
            #expect(snapshot[Keys.users]?.sortedSet?.count == 2)
        }
    }

    // MARK: Members

    @Test func aMemberIsSetChangedAndRemoved() async throws {
        try await World.make { world in
            let keys = world.keys
            func set(
                _ user: Int, _ role: String, of whom: Workspaces.RoleTaker = .anybody, most: Int = 2,
                in workspace: String? = nil
            ) async throws -> Value {
                try await world.run(
                    Scripts.SetMember(
                        workspaceKey: workspace ?? keys.workspace, membersKey: keys.members, userID: user, role: role,
                        whom: whom.rawValue, most: most))
            }
            func remove(_ user: Int) async throws -> Value {
                try await world.run(Scripts.RemoveMember(membersKey: keys.members, userID: user))
            }
            let before = try await world.snapshot()
            // No such workspace; the last owner can neither step down nor leave; no member.
            #expect(try await set(7, "manager", in: "usher:{p0}:ws:none") == .string("unknown_workspace"))
            for role in ["manager", "member", "viewer"] { #expect(try await set(1, role) == .string("last_owner")) }
            #expect(try await remove(1) == .string("last_owner"))
            #expect(try await remove(7) == .string("unknown_member"))
            #expect(try await set(1, "owner") == .string("changed"))
            // Who was to be a member is none, or the other way round; or there are as many as there may be.
            #expect(try await set(7, "viewer", of: .member) == .string("unknown_member"))
            #expect(try await set(1, "viewer", of: .newcomer) == .string("member_before"))
            #expect(try await set(1, "owner", of: .newcomer) == .string("changed"))
            #expect(try await set(7, "viewer", most: 1) == .string("too_many"))
            #expect(try await world.snapshot().changes(since: before) == [])

            #expect(try await set(7, "viewer", of: .newcomer) == .string("changed"))
            #expect(try await set(7, "viewer", most: 1) == .string("changed"))
            #expect(try await set(7, "member", of: .member) == .string("changed"))
            #expect(try await set(7, "owner") == .string("changed"))
            #expect(try await set(1, "manager") == .string("changed"))
            #expect(try await set(7, "member") == .string("last_owner"))
            #expect(try await remove(7) == .string("last_owner"))
            let after = try await world.snapshot()
            #expect(after.changes(since: before) == [keys.members])
            #expect(after[keys.members] == .hash(["1": "manager", "7": "owner"]))
            #expect(try await remove(1) == .string("removed"))
            #expect(try await world.snapshot()[keys.members] == .hash(["7": "owner"]))
        }
    }

    // MARK: Meetings

    @Test func aMeetingIsMadeInInitialWithoutABot() async throws {
        try await World.make { world in
            let before = try await world.snapshot()
            let link = try MeetingLink(url: "https://zoom.us/j/123456789?pwd=x")
            let new = NewMeeting(link: link, title: "Planning", language: "de")
            let meeting = try #require(try await world.session.meetings.create(new, by: world.owner).made)
            let after = try await world.snapshot()
            let partition = world.keys.partition
            #expect(
                after.changes(since: before) == [
                    Keys.meetingSequence, Keys.locator(meeting: meeting.id),
                    Keys.locator(number: meeting.number), world.keys.meetings,
                    world.keys.latest(link.room), partition.meeting(meeting.id), partition.events,
                    world.keys.workspace,
                ])
            #expect(after[Keys.locator(meeting: meeting.id)] == .string(world.workspaceID))
            #expect(after[world.keys.meetings] == .sortedSet([meeting.id: String(meeting.number)]))
            #expect(after[world.keys.latest(link.room)] == .string(meeting.id))
            #expect(
                after[partition.meeting(meeting.id)]
                    == .hash([
                        "id": meeting.id, "number": String(meeting.number), "status": "INITIAL",
                        "created_at": String(meeting.createdAt), "workspace_id": world.workspaceID, "platform": "zoom",
                        "native_meeting_id": "123456789", "meeting_url": "https://zoom.us/j/123456789?pwd=x",
                        "created_by": "1", "passcode": "x", "title": "Planning", "language": "de",
                        "bytes": after[world.keys.workspace]?.hash?["bytes"] ?? "",
                        "events": after.events(of: meeting.id, world.keys),
                    ]))
            var event = try #require(after[partition.events]?.stream?.last)
            event["<id>"] = nil
            #expect(
                event == [
                    "what": "created", "meeting_id": meeting.id, "bot_id": "", "from": "/", "to": "INITIAL/",
                    "why": "user 1", "at": String(meeting.createdAt), "trace_id": "",
                ])
        }
    }

    /// As after a failover in a Cluster that has lost the last numbers of a sequence, and not what bears them.
    @Test func aNumberThatIsTakenIsGivenToNobodyElse() async throws {
        try await World.make { world in
            func make() async throws -> Meeting {
                let new = NewMeeting(link: try MeetingLink(url: "https://zoom.us/j/123456789"))
                return try #require(try await world.session.meetings.create(new, by: world.owner).made)
            }
            var numbers: [Int] = []
            var locators: [String: Stored?] = [:]
            for _ in 1...30 {
                let meeting = try await make()
                numbers.append(meeting.number)
                locators[Keys.locator(number: meeting.number)] = .string("\(world.workspaceID) \(meeting.id)")
            }
            _ = try await world.client.send("SET", Keys.meetingSequence, String(numbers[0] - 1))
            let later = try await make()
            #expect(!numbers.contains(later.number))
            let after = try await world.snapshot()
            for (key, locator) in locators { #expect(after[key] == locator) }
            #expect(after[Keys.locator(number: later.number)] == .string("\(world.workspaceID) \(later.id)"))

            let (first, _) = try await world.session.users.create(NewUser(email: "a@example.com"))
            let before = try await world.snapshot()
            _ = try await world.client.send("SET", Keys.userSequence, "0")
            let (second, isNew) = try await world.session.users.create(NewUser(email: "b@example.com"))
            #expect(isNew && second.id != first.id && second.workspaceID != first.workspaceID)
            #expect(try await world.snapshot()[Keys.user(first.id)] == before[Keys.user(first.id)])
        }
    }

    /// Such as by a number that a failover has had given out twice.
    @Test func anEmailThatLeadsToAnotherUserLeadsNowhere() async throws {
        try await World.make { world in
            let users = world.session.users
            let (other, _) = try await users.create(NewUser(email: "b@example.com"))
            let before = try await world.snapshot()
            let key = Keys.userID(email: "a@example.com")
            func mislead() async throws { _ = try await world.client.send("SET", key, String(other.id)) }

            try await mislead()
            #expect(try await users.user(email: "a@example.com") == nil)
            #expect(try await users.user(email: "b@example.com")?.id == other.id)
            let (user, isNew) = try await users.create(NewUser(email: "a@example.com"))
            #expect(isNew && user.id != other.id && user.workspaceID != other.workspaceID)
            #expect(try await users.user(email: "a@example.com")?.id == user.id)
            #expect(try await world.snapshot()[Keys.user(other.id)] == before[Keys.user(other.id)])

            // Nor does the removal of one user, or an import, touch what leads to another.
            try await mislead()
            _ = try await users.remove(user: user.id)
            #expect(try await world.client.send("GET", key) == .string(String(other.id)))
            #expect(try await !users.restore(other.id, email: "a@example.com", fields: [:]))
            #expect(try await world.client.send("GET", key) == .null)
        }
    }

    @Test func aMeetingNeedsItsWorkspaceAndANewId() async throws {
        try await World.make { world in
            let meeting = try await world.meeting()
            let keys = world.keys
            func create(_ id: String, in workspace: String) async throws -> Value {
                try await world.run(
                    Scripts.CreateMeeting(
                        workspaceKey: workspace, meetingsKey: keys.meetings, latestKey: keys.latest(World.room),
                        meetingKey: keys.partition.meeting(id), eventsKey: keys.partition.events,
                        heldKey: keys.held(World.room), namesKey: keys.names, plansKey: keys.partition.plans,
                        plannedKey: keys.planned(World.room), dedupKey: keys.latest(World.room),
                        calendarKey: keys.workspace, occurrencesKey: keys.workspace, webhooksKey: keys.webhooks,
                        outboxKey: keys.partition.outbox,
                        operatorKey: keys.partition.operatorEndpoint, meetingID: id, number: 99,
                        maxEvents: 1_000, why: "user 1", requestMilliseconds: 600_000,
                        room: World.room.description, names: "", forgotten: "", defaultMaxMeetings: 1_000,
                        defaultMaxBytes: 1_000_000, plan: keys.member(id), lateMilliseconds: 600_000,
                        scheduledAt: nil, due: nil, owner: nil, dedupMilliseconds: 0, leaseEnd: nil, occurrence: nil,
                        entry: nil, fields: ["platform", "zoom"]))
            }
            let before = try await world.snapshot()
            #expect(try await create("new", in: "usher:{p0}:ws:none") == .parts("unknown_workspace"))
            #expect(try await create(meeting, in: keys.workspace) == .parts("id_taken"))
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    // MARK: API keys

    @Test(arguments: [nil, 60_000, 1, 0, -1, -1_000_000_000_000_000])
    func anAPIKeyEndsWhenItExpires(_ offset: Int?) async throws {
        try await World.make { world in
            let now = try await world.client.send("TIME").arrayOrThrow()[0].stringOrThrow()
            // Beside offsets from now: the epoch itself, which a zero must not make "never".
            let expiresAt = offset.map { $0 == 0 ? 0 : try! #require(Int(now)) * 1_000 + $0 * 1_000 }
            let before = try await world.snapshot()
            let made = try await world.session.apiKeys.create(
                NewAPIKey(
                    workspaceID: world.workspaceID, userID: 1, scopes: [.seameet, .bots], label: "CI",
                    expiresAt: expiresAt)
            ).made
            let after = try await world.snapshot()
            guard let made else {
                #expect(try #require(offset) <= 1)
                #expect(after.changes(since: before) == [])
                return
            }
            #expect(offset ?? 1 > 0)
            let hash = Digest.sha256(made.key)
            var fields = [
                "id": made.record.id, "workspace_id": world.workspaceID, "user_id": "1", "scopes": "seameet bots",
                "label": "CI", "created_at": String(made.record.createdAt),
            ]
            if let expiresAt { fields["expires_at"] = String(expiresAt) }
            // A key that ends within a second may be gone already.
            if offset != 1 {
                #expect(
                    after.changes(since: before)
                        == [
                            Keys.apiKey(hash: hash), Keys.apiKeyHash(id: made.record.id), world.keys.apiKeys,
                            Keys.apiKeyMaking(id: made.record.id),
                        ])
                #expect(after[Keys.apiKey(hash: hash)] == .hash(fields))
            }
            #expect(after.stored.values.allSatisfy { !$0.description.contains(made.key) })
            if offset == 60_000 {
                #expect(try #require(after.timeToLive[Keys.apiKey(hash: hash)]) > 50_000_000)
            } else if offset == nil {
                #expect(Set(after.timeToLive.keys) == [Keys.apiKeyMaking(id: made.record.id)])
            }
        }
    }

    @Test func keysAreListedRevokedAndForgotten() async throws {
        try await World.make { world in
            func make(_ label: String) async throws -> (key: String, record: APIKey) {
                try #require(
                    try await world.session.apiKeys.create(
                        NewAPIKey(workspaceID: world.workspaceID, userID: 1, scopes: [.seameet], label: label)
                    ).made)
            }
            func listed() async throws -> [String?] {
                try await world.session.apiKeys.all(workspace: world.workspaceID).map(\.label)
            }
            let before = try await world.snapshot()
            #expect(try await listed() == [])
            let first = try await make("first")
            let second = try await make("second")
            #expect(Set(try await listed()) == ["first", "second"])
            let caller = try #require(try await world.session.callers.caller(apiKey: first.key))
            #expect(caller.workspaceID == world.workspaceID && caller.userID == "1" && caller.scopes == ["seameet"])
            #expect(try await world.session.callers.caller(apiKey: first.key + "0") == nil)

            #expect(try await world.session.apiKeys.revoke(id: first.record.id))
            #expect(try await world.session.callers.caller(apiKey: first.key) == nil)
            #expect(try await !world.session.apiKeys.revoke(id: first.record.id))
            #expect(try await !world.session.apiKeys.revoke(id: "none"))
            #expect(try await listed() == ["second"])
            // As Redis does when it expires.
            for key in [Keys.apiKey(hash: Digest.sha256(second.key)), Keys.apiKeyMaking(id: second.record.id)] {
                _ = try await world.client.send("DEL", key)
            }
            #expect(try await listed() == [])
            #expect(try await world.snapshot().changes(since: before) == [])
        }
    }

    /// Making one looks at few others, until the list of them is full; what has expired then makes room.
    @Test func aWorkspaceHasNoMoreThanItsNumberOfKeys() async throws {
        try await World.make { world in
            let new = NewAPIKey(workspaceID: world.workspaceID, userID: 1, scopes: [.seameet])
            func make() async throws -> KeyCreation {
                try await world.session.apiKeys.create(new)
            }
            func listedCount() async throws -> Int? {
                try await world.client.send("HLEN", world.keys.apiKeys).integer
            }
            // Entries of keys that have expired.
            let expired = (2..<APIKeys.maximum).flatMap { ["expired-\($0)", "none-\($0)"] }
            _ = try await world.client.send(
                Command(words: ["HSET", world.keys.apiKeys] + expired), deadline: Client.soon)
            let last = try #require(try await make().made)
            let left = try #require(try await listedCount())
            #expect((APIKeys.maximum - 20..<APIKeys.maximum).contains(left))

            // So many that some of them must go before there is room.
            let hash = Digest.sha256(last.key)
            let others = (2..<APIKeys.maximum).flatMap { ["other-\($0)", hash] }
            _ = try await world.client.send(
                Command(words: ["HSET", world.keys.apiKeys] + others), deadline: Client.soon)
            #expect(try await make().made != nil)
            #expect(try await listedCount() == APIKeys.maximum)
            try await world.expectNoChange { () async throws in
                if case .full = try await make() {} else { Issue.record("a key too many was made") }
                let rotation = try await world.session.apiKeys.rotate(id: last.record.id, graceMilliseconds: 1)
                if case .full = rotation {} else { Issue.record("a rotation made a key too many") }
            }
        }
    }
}

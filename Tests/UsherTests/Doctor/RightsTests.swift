import Foundation
import Scripts
import TestTurns
import Testing

@testable import Usher

@Suite(.takesTurns) struct RightsTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static let containers = ["SCRIPT", "XGROUP", "XINFO", "CLIENT", "CLUSTER"]

    /// A command as ACL rules name it, from its name and the word after it.
    private static func rule(_ name: Substring, _ next: Substring?) -> String {
        let isContainer = containers.contains(String(name))
        return (isContainer ? "\(name)|\(next ?? "?")" : String(name)).lowercased()
    }

    private let listed = Set(Rights.needs.map(\.command))

    @Test func everyCommandOfTheScriptsIsListed() {
        var used: Set<String> = []
        for script in Scripts.all {
            for call in script.text.matches(of: #/redis\.p?call\('([A-Z]+)'(?:, '([A-Z]+)')?/#) {
                used.insert(Self.rule(call.1, call.2))
            }
        }
        #expect(used.count > 20 && used.isSubset(of: listed), "not in Rights: \(used.subtracting(listed))")
    }

    /// What the client of bots sends is their users' affair, and SENTINEL is no command of the primary; AUTH needs no
    /// right, and a SELECT that is refused ends the login. ACL is for those runners alone that are to make users of bots.
    @Test func everyCommandOfNodesAndRunnersIsListed() throws {
        let others: Set = ["acl", "auth", "select", "sentinel", "subscribe", "unsubscribe"]
        var used: Set<String> = []
        for module in ["Redis", "Usher", "Runner", "API", "Node", "UsherCommand"] {
            let files = FileManager.default.enumerator(
                at: Self.root.appendingPathComponent("Sources/\(module)"), includingPropertiesForKeys: nil)
            for case let file as URL in try #require(files)
            where file.pathExtension == "swift" && !file.path.contains("/Doctor/") {
                let text = try String(contentsOf: file, encoding: .utf8)
                let calls = #/(?:Command|CommandForKeys|scriptCall)\(\s*(?:words: \[)?"([A-Z]+)"(?:, "([A-Z]+)")?/#
                for call in text.matches(of: calls) { used.insert(Self.rule(call.1, call.2)) }
                for call in text.matches(of: #/words = \["([A-Z]+)", "([A-Z]+)"/#) {
                    used.insert(Self.rule(call.1, call.2))
                }
            }
        }
        used.subtract(others)
        #expect(used.count > 30 && used.isSubset(of: listed), "not in Rights: \(used.subtracting(listed))")
    }

    /// Each kind of key that `Keys` builds is tried.
    @Test func everyKindOfKeyIsListed() {
        let partition = Partition(number: 0)
        let keys = [
            Keys.userSequence, Keys.meetingSequence, Keys.users, Keys.workspaces, Keys.deadLetters,
            Keys.deadLetterCount, partition.dispatch, partition.events, partition.leases, partition.analyzing,
            partition.ended,
            WireNames.segmentStream, WireNames.commandChannel(0),
        ]
        let tried = Set(Rights.needs.flatMap(\.words))
        for key in keys { #expect(tried.contains(key)) }
    }

    /// So that whoever follows it has a user that can do everything, and nothing else but what the doctor asks.
    @Test func theDocumentedUserMayDoWhatIsListed() throws {
        let document = Self.root.appendingPathComponent("docs/operations.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("ACL SETUSER usher reset ") })
        let words = line.split(separator: " ").map(String.init)
        let asked = ["info", "role", "pubsub|numsub", "cluster|info", "acl|whoami", "multi", "discard", "select"]
        let wanted = listed.union(asked)
        let all = wanted.sorted().map { "+" + $0 }.joined(separator: " ")
        let given = words.filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) }
        #expect(Set(given) == wanted, "the commands of the line should be \(all)")
        for word in ["~usher:*", "~\(WireNames.segmentStream)", "&bot_commands:meeting:*", "-@all"] {
            #expect(words.contains(word))
        }
    }
}

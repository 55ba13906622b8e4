import Foundation
import GenerateScripts
import Scripts
import Testing

/// The files of `lua/`, by name.
private enum LuaFolder {
    static let scripts = read("lua", ".lua")
    static let includes = read("lua/includes", ".lua")
    static let calls = read("Sources/Scripts/Calls", "")

    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..")

    private static func read(_ path: String, _ ending: String) -> [String: String] {
        let folder = package.appendingPathComponent(path)
        var files: [String: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        where ending.isEmpty || name.hasSuffix(ending) {
            files[String(name.dropLast(ending.count))] = try? String(
                contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        return files
    }
}

@Suite struct ScriptsTests {
    @Test(arguments: LuaFolder.scripts.keys.sorted())
    func aScriptIsWhatItsHeaderSays(_ name: String) throws {
        let text = try #require(LuaFolder.scripts[name])
        #expect(LuaLint(text, includes: LuaFolder.includes).problems == [])
    }

    @Test(arguments: LuaFolder.includes.keys.sorted())
    func anIncludeTouchesOnlyTheKeysThatItIsGiven(_ name: String) throws {
        let text = try #require(LuaFolder.includes[name])
        let problems = LuaLint.problems(ofInclude: text, includes: LuaFolder.includes)
        #expect(problems == [])
    }

    @Test func callsAreMadeOfTheHeaders() {
        // `make scripts` makes them.
        #expect(SwiftWriter.calls(of: LuaFolder.scripts, includes: LuaFolder.includes) == LuaFolder.calls)
    }

    @Test func everyFileIsEmbeddedAndEveryIncludeUsed() {
        #expect(Scripts.all.map(\.name).sorted() == LuaFolder.scripts.keys.sorted())
        let directives = LuaFolder.scripts.values.flatMap { $0.split(separator: "\n") }
            .filter { $0.hasPrefix("-- include: ") }.map { String($0.dropFirst(12)) }
        #expect(Set(directives) == Set(LuaFolder.includes.keys))
    }

    @Test(arguments: Scripts.all.map(\.name))
    func whatRedisGetsHasItsIncludesOnceAndNoComments(_ name: String) throws {
        let text = try #require(Scripts.all.first { $0.name == name }).text
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if let flags = lines.first, flags.hasPrefix("#!lua flags=") {
            lines.removeFirst()
            #expect(LuaFolder.scripts[name]?.contains("\n-- flags: \(flags.dropFirst(12))\n") == true)
        } else {
            #expect(LuaFolder.scripts[name]?.contains("\n-- flags: ") == false)
        }
        #expect(!lines.contains { $0.hasPrefix("--") || $0.isEmpty })
        let functions = lines.filter { $0.hasPrefix("local function ") }
        #expect(functions.count == Set(functions).count)
        let file = try #require(LuaFolder.scripts[name])
        for (include, includeText) in LuaFolder.includes {
            let isIncluded = lines.joined(separator: "\n").contains(code(of: includeText))
            #expect(isIncluded == file.contains("\n-- include: \(include)\n"), "\(include)")
        }
        // All that is left is the script's own code.
        #expect(text.hasSuffix(code(of: file)))
    }

    private func code(of text: String) -> String {
        text.split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: "\n")
    }
}

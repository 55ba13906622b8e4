import Foundation
import Testing

/// A folder of `Sources/Usher` needs only those above it in docs/architecture.md, "Modules".
@Suite struct FolderTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// As the document lists them: what a session has of each is named behind it.
    private static func documented() throws -> [(folder: String, names: [String])] {
        let document = try String(contentsOf: root.appendingPathComponent("docs/architecture.md"), encoding: .utf8)
        let table = document.split(separator: "| folder | a session's |")[1].split(separator: "\n\n")[0]
        return table.split(separator: "\n").dropFirst(2).map { row in
            let cells = row.split(separator: "|").map { $0.split(separator: "`").map(String.init) }
            return (cells[0][1], cells[1].filter { $0.allSatisfy(\.isLetter) })
        }
    }

    /// The sources of a folder, each without comments and texts.
    private static func sources(_ folder: String) -> [String: String] {
        let place = root.appendingPathComponent("Sources/Usher/\(folder)")
        var sources: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: place.path) ?? .init()
        where path.hasSuffix(".swift") {
            let text = try? String(contentsOf: place.appendingPathComponent(path), encoding: .utf8)
            sources["\(folder)/\(path)"] = text?.replacing(#/"(?:\\.|[^"\\\n])*"|//[^\n]*/#, with: "")
        }
        return sources
    }

    @Test func noFolderNeedsOneBelowIt() throws {
        let folders = try Self.documented()
        #expect(folders.count > 10)
        let sources = folders.map { Self.sources($0.folder) }
        #expect(sources.allSatisfy { !$0.isEmpty })
        let types = sources.map { files in
            Set(
                files.values.flatMap {
                    $0.matches(of: #/\b(?:struct|enum|class|typealias) ([A-Z]\w*)/#).map { String($0.1) }
                })
        }
        for index in folders.indices {
            let known = types[...index].reduce(into: Set()) { $0.formUnion($1) }
            let below = types[(index + 1)...].reduce(into: Set()) { $0.formUnion($1) }.subtracting(known)
            let parts = folders[(index + 1)...].flatMap(\.names).map { "session.\($0)" }
            for (file, text) in sources[index] {
                let words = Set(text.matches(of: #/\b[A-Z]\w*/#).map { String($0.0) })
                #expect(words.isDisjoint(with: below), "\(file): \(words.intersection(below))")
                let used = parts.filter { text.contains($0) }
                #expect(used.isEmpty, "\(file): \(used)")
            }
        }
    }
}

import Foundation

/// Writes the files of `Sources/Scripts/Calls` anew from the headers of `lua/*.lua` (`make scripts`).
@main
enum Generator {
    static func main() throws {
        let scripts = try texts(in: "lua")
        let includes = try texts(in: "lua/includes")
        for (name, text) in scripts.merging(includes, uniquingKeysWith: { $1 }) {
            for problem in ScriptHeader(text).problems { throw Problem(description: "\(name).lua \(problem)") }
        }
        let folder = "Sources/Scripts/Calls"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in SwiftWriter.calls(of: scripts, includes: includes) {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
    }

    private struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private static func texts(in folder: String) throws -> [String: String] {
        var texts: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".lua") {
            texts[String(name.dropLast(4))] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
        return texts
    }
}

import EventLoop
import Foundation
import Log
import RedisTestSupport

@testable import AttendingBot

/// A program that speaks as much of the protocol as a page of a meeting needs, and shows the same page all the time. It
/// answers an expression by the first of the words in it that it knows.
struct FakeBrowser {
    /// A statement for each call that is not answered as usual, by a word in it: Python, which has `answer(result)` and
    /// `tell()`, by which the page tells that it hears something.
    var statements: [String: String] = [:]
    let folder: URL

    init() throws {
        folder = try TemporaryFolder.make()
    }

    /// The calls that it has got, one a line.
    var calls: [String] {
        let text = try? String(contentsOf: folder.appendingPathComponent("calls"), encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    func start(on loop: EventLoop) throws -> Browser {
        let program = folder.appendingPathComponent("browser")
        try Data(text.utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program.path)
        while true {
            do {
                return try Browser(
                    loop: loop, program: BrowserProgram(path: program.path, folder: folder.path, botID: "fake"),
                    logger: Logger(minimum: .error))
            } catch {
                // What another test starts at the moment has it open for writing, until that is another program.
                guard "\(error)".contains("Text file busy") else { throw error }
                usleep(1_000)
            }
        }
    }

    private var text: String {
        let cases = statements.map { "    if '\($0.key)' in line:\n        \($0.value)\n        return\n" }.joined()
        return """
            #!/usr/bin/python3
            import json, os
            told = []
            def tell():
                told.append({"method": "Runtime.bindingCalled", "params": {"name": "usherHears", "payload": "{}"}})
            def react(call, line):
                def answer(result):
                    told.append({"id": call["id"], "result": result})
            \(cases)
                if "getTargets" in line:
                    answer({"targetInfos": [{"targetId": "t", "type": "page"}]})
                elif "attachToTarget" in line:
                    answer({"sessionId": "s"})
                elif "'join'" in line or "'leave'" in line:
                    answer({"result": {"value": {"x": 1, "y": 2}}})
                elif "evaluate" in line:
                    answer({"result": {"value": None}})
                else:
                    answer({})
            line = text = b""
            while "Browser.close" not in str(line) and (part := os.read(3, 65536)):
                *messages, text = (text + part).split(b"\\0")
                for message in messages:
                    call = json.loads(message)
                    line = call["method"] + " " + call["params"].get("expression", call["params"].get("type", ""))
                    with open("\(folder.path)/calls", "a") as file:
                        file.write(line + "\\n")
                    react(call, line)
                    # At once, so that all of it is read at once.
                    os.write(4, b"".join(json.dumps(each).encode() + b"\\0" for each in told))
                    told.clear()

            """
    }
}

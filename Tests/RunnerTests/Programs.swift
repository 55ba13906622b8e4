import CLinux
import EventLoop
import Foundation
import RedisTestSupport

@testable import Runner

/// The `usher` that was built with these tests: it stands beside them.
enum Binary {
    static let path = built("usher")

    static var supervisor: [String] { [path, "supervise"] }

    /// A supervisor that may have no more descriptors than this: it begins with three.
    static func supervisor(withDescriptors count: Int) -> [String] {
        ["/bin/sh", "-c", "ulimit -n \(count); exec '\(path)' supervise"]
    }

    /// One that the kernel does not end when it is late.
    static let patientSupervisor = [built("PatientSupervisor")]

    private static func built(_ name: String) -> String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(name).path
    }
}

/// A program written in shell, with the environment that bots get here.
func shell(_ script: String, cleanUp: [String] = []) -> SupervisedProgram {
    SupervisedProgram(
        words: ["sh", "-c", script], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], cleanUp: cleanUp)
}

/// Whether there is such a process, also one that has ended but was not reaped.
func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 }

/// The numbers in a file, one a line; none while there is no such file.
func numbers(in file: URL) -> [Int32] {
    ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n").compactMap { Int32($0) }
}

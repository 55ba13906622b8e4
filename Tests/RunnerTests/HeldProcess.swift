import EventLoop
import Foundation

/// A process that nobody but this one can reap until it is let go, since it is traced (ptrace(2)): to who started it, one
/// that takes long to be gone once it was killed.
struct HeldProcess: Sendable {
    private let id: Int32

    /// - Parameter id: of a process that this one started, or a child of it did.
    init(_ id: Int32) throws {
        self.id = id
        // Swift imports no variadic function; all that this one is ever given are words.
        typealias Function = @convention(c) (Int, Int32, Int, Int) -> Int
        let seize = 0x4206
        let ptrace = unsafeBitCast(dlsym(nil, "ptrace"), to: Function.self)
        guard ptrace(seize, id, 0, 0) == 0 else { throw SystemError("trace process \(id)") }
    }

    var hasEnded: Bool {
        let state = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
        return state.contains(") Z")
    }

    /// To be called once, after its end.
    func letGo() {
        let anyKind: Int32 = 0x4000_0000
        waitpid(id, nil, anyKind)
    }
}

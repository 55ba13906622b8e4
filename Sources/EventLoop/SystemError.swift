import Glibc

/// A system call that failed.
public struct SystemError: Error, CustomStringConvertible, Sendable {
    public let operation: String
    /// The value of `errno`.
    public let code: Int32

    /// Takes the code from `errno`, so make it right after the call.
    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// The operating system's words for the code, such as "Address already in use".
    public var reason: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            strerror_r(code, text.baseAddress!, text.count) == 0 ? String(cString: text.baseAddress!) : "error \(code)"
        }
    }

    /// Whether the machine is short of something that others may give back: the same may succeed a moment later.
    public var mayPass: Bool { [EAGAIN, ENOMEM, EMFILE, ENFILE, ENOBUFS].contains(code) }

    public var description: String { "\(operation): \(reason)" }
}

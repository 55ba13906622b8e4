import CLinux
import EventLoop
import Foundation
import Synchronization

@testable import HTTP

/// What a test waited for and did not get.
struct Missed: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Far longer than anything takes on a machine that is not broken; only a failing test waits it out.
let patienceSeconds = 30

/// Waits until `condition` holds.
func wait(for what: String, until condition: () throws -> Bool) throws {
    let deadline = MonotonicTime.now().advanced(byMilliseconds: patienceSeconds * 1_000)
    while try !condition() {
        guard MonotonicTime.now() < deadline else { throw Missed("\(what) did not happen in \(patienceSeconds) s") }
        usleep(1_000)
    }
}

/// A blocking HTTP client that does what it is told, byte by byte, sound or not.
final class Client {
    struct Answer {
        let status: Int
        let fields: [(name: String, value: String)]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }

        subscript(name: String) -> String? {
            fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    private(set) var descriptor: Int32
    private var received: [UInt8] = []

    /// - Parameter receiveBufferBytes: a small one makes a client that takes little at a time.
    init(port: Int, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        // Pieces leave as they are sent, without waiting for the server to acknowledge those before.
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        if var bytes = receiveBufferBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        let result = SocketAddress(host: "127.0.0.1", port: port)!.withPointer { connect(descriptor, $0, $1) }
        guard result == 0 else { throw SystemError("connect") }
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }

    /// Closes with a reset in place of an orderly end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let sent = bytes.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress! + start, $0.count - start, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw SystemError("send") }
            start += sent
        }
    }

    /// Sends a request without a body.
    func request(_ target: String, method: String = "GET", fields: String = "") throws {
        try send("\(method) \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
    }

    /// Sends a text, and a letter after it again and again, until the server has something to say.
    func trickle(_ beginning: String, then letter: String) throws {
        try send(beginning)
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let deadline = MonotonicTime.now().advanced(byMilliseconds: patienceSeconds * 1_000)
        while poll(&state, 1, 5) == 0 {
            guard MonotonicTime.now() < deadline else { throw Missed("the server let a client send without end") }
            try send(letter)
        }
    }

    /// Waits for the word to send the body.
    func waitForContinue() throws {
        let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        while received.count < interim.count {
            guard try receive() else { throw Missed("the server closed before it wanted the body") }
        }
        guard received.starts(with: interim) else { throw Missed("another answer than to go on") }
        received.removeFirst(interim.count)
    }

    /// - Returns: whether there was more before the server closed.
    @discardableResult
    private func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN { throw Missed("the server neither sent nor closed in \(patienceSeconds) s") }
        guard count >= 0 else { throw SystemError("recv") }
        received += buffer[..<count]
        return count > 0
    }

    /// The next answer.
    func answer(toHead isHead: Bool = false) throws -> Answer {
        var end: Int?
        while true {
            end = received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            if end != nil { break }
            guard try receive() else { throw Missed("the server closed before an answer") }
        }
        let lines = String(decoding: received[..<(end! - 4)], as: UTF8.self).components(separatedBy: "\r\n")
        received.removeFirst(end!)
        let status = Int(lines[0].split(separator: " ")[1])!
        let fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts[1].trimmingCharacters(in: .whitespaces))
        }
        let length = isHead ? 0 : Int(fields.first { $0.name == "Content-Length" }?.value ?? "0")!
        while received.count < length {
            guard try receive() else { throw Missed("the server closed within a body") }
        }
        let body = Array(received[..<length])
        received.removeFirst(length)
        return Answer(status: status, fields: fields, body: body)
    }

    /// The rest of a body in chunks, after its head was taken as an answer to HEAD.
    /// The next bytes, as they are.
    func bytes(_ count: Int) throws -> [UInt8] {
        while received.count < count {
            guard try receive() else { throw Missed("the connection was closed before the bytes came") }
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    func chunkedBody() throws -> String {
        var body: [UInt8] = []
        while true {
            let line = Array("\r\n".utf8)
            while received.firstRange(of: line) == nil {
                guard try receive() else { throw Missed("the server closed within a body") }
            }
            let end = received.firstRange(of: line)!
            let size = Int(String(decoding: received[..<end.lowerBound], as: UTF8.self), radix: 16)!
            received.removeFirst(end.upperBound)
            while received.count < size + 2 {
                guard try receive() else { throw Missed("the server closed within a body") }
            }
            body += received[..<size]
            received.removeFirst(size + 2)
            if size == 0 { return String(decoding: body, as: UTF8.self) }
        }
    }

    /// Whether the server ends the connection by a reset, whatever it sends before.
    func isReset() throws -> Bool {
        do {
            while try receive() {}
            return false
        } catch let error as SystemError where error.code == ECONNRESET {
            return true
        }
    }

    /// What the server sends until it closes.
    func rest() throws -> String {
        while try receive() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }
}

/// Holds handlers until the test opens it.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

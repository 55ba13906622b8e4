import EventLoop
import Glibc

/// Where a body is written that is too long to be held as a whole: its pieces go to the client one after the other.
public struct BodyWriter: Sendable {
    let connection: Connection
    let request: Request

    /// The client is gone, or took nothing for too long: nobody is left to write for.
    public struct ClientGone: Error {}

    /// Writes a piece, and waits until the client has taken it; others have their turn in between.
    /// - Parameter bytes: at most some tens of kilobytes, as it is held as a whole.
    public func write(_ bytes: [UInt8]) async throws(ClientGone) {
        guard await connection.write(piece: bytes, of: request) else { throw ClientGone() }
        await connection.server.loop.nextTurn()
    }

    /// Whether the server stops: a body without an end of its own is to end.
    public var isEnding: Bool { connection.server.isDraining || connection.stream?.request !== request }

    /// Has `body` called, on the loop's thread, when `isEnding` becomes true.
    public func whenEnding(_ body: @escaping () -> Void) {
        if isEnding { body() } else { connection.stream?.onEnd = body }
    }
}

/// A body had fewer bytes than its answer told.
private struct BodyTooShort: Error {}

/// An answer whose body is being written piece by piece.
struct StreamedAnswer {
    let request: Request
    let response: Response
    let isKept: Bool
    /// How many bytes are still to be written, where their number was told.
    var bytesLeft: Int?
    /// In chunks (RFC 9112 section 7.1), or as it is until the connection closes, for clients of HTTP/1.0.
    let isChunked: Bool
    /// Told when nothing more can be written, or the server stops.
    var onEnd: (() -> Void)?
    /// Who waits for the client to take what it was sent.
    var waiter: UnsafeContinuation<Bool, Never>?
}

extension Connection {
    /// Has the body written; the head is on its way.
    func beginStream(_ answer: StreamedAnswer, _ write: @escaping Response.Stream) {
        stream = answer
        enter(.streaming)
        let request = answer.request
        if answer.response.isLive { server.note(request, request.head, request.identifier, answer.response) }
        Task(executorPreference: server.loop) { [self] in
            var failure: (any Error)?
            do {
                try await write(BodyWriter(connection: self, request: request))
            } catch {
                failure = error
            }
            endStream(of: request, failure)
        }
    }

    /// - Returns: false if the answer has ended: its client is gone.
    fileprivate func write(piece: [UInt8], of request: Request) async -> Bool {
        guard await isTaken(of: request), let stream else { return false }
        guard !piece.isEmpty else { return true }
        if let left = stream.bytesLeft {
            precondition(piece.count <= left, "a body is longer than was told")
            self.stream?.bytesLeft = left - piece.count
        }
        enter(.streaming)
        if stream.isChunked {
            server.output += String(piece.count, radix: 16).utf8
            server.output.append("\r\n")
            server.output += piece
            server.output.append("\r\n")
        } else {
            server.output += piece
        }
        conclude()
        return await isTaken(of: request)
    }

    /// Waits until the client has taken what it was sent.
    /// - Returns: false if the answer has ended.
    private func isTaken(of request: Request) async -> Bool {
        server.loop.preconditionCurrent()
        guard stream?.request === request else { return false }
        if output.isEmpty { return true }
        return await withUnsafeContinuation { stream?.waiter = $0 }
    }

    /// Tells who waits for the client to take what it was sent that it has.
    func continueStream() {
        let waiter = stream?.waiter
        stream?.waiter = nil
        waiter?.resume(returning: true)
    }

    /// The connection is gone.
    func dropStream() {
        let (waiter, onEnd) = (stream?.waiter, stream?.onEnd)
        stream = nil
        onEnd?()
        waiter?.resume(returning: false)
    }

    private func endStream(of request: Request, _ failure: (any Error)?) {
        server.loop.preconditionCurrent()
        guard let ended = stream, ended.request === request else { return }
        let failure = failure ?? (ended.bytesLeft ?? 0 > 0 ? BodyTooShort() : nil)
        if !ended.response.isLive { server.note(request, request.head, request.identifier, ended.response) }
        if let failure {
            server.logger.error(
                "an answer was broken off",
                [
                    "request_id": request.id, "trace_id": request.trace.traceID, "route": request.route ?? "",
                    "cause": "\(failure)",
                ])
            return close()
        }
        stream = nil
        if ended.isChunked { server.output.append("0\r\n\r\n") }
        enter(ended.isKept ? .idle : .closing)
        resume()
    }

    /// Has the connection be reset as it is closed, so that the client takes what it got for no more than that.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout.size(ofValue: option)))
    }
}

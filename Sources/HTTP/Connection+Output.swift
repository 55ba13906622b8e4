import EventLoop
import Glibc

/// Writing. Answers are gathered in the server's buffer and leave in one system call; what the client does not take
/// then is kept here until it does.
extension Connection {
    func send(interim: StaticString) {
        if output.isEmpty {
            server.output.append(interim)
        } else {
            output.append(interim)
        }
    }

    func send(_ response: Response, _ identifier: RequestIdentifier, head: RequestHead, isKept: Bool) {
        let option: ResponseWriter.ConnectionOption =
            response.socket != nil ? .upgrade : !isKept ? .close : head.line.minorVersion == 0 ? .keepAlive : .none
        let dateLine = server.dateLine.current(at: server.loop.now)
        let omitsBody = head.method == .head
        let framing: ResponseWriter.Framing =
            response.stream == nil || response.streamedBytes != nil
            ? .length : head.line.minorVersion == 0 ? .untilClose : .chunked
        if output.isEmpty {
            ResponseWriter.append(
                response, identifier: identifier, dateLine: dateLine, common: server.commonFields, connection: option,
                framing: framing, omitsBody: omitsBody, to: &server.output)
            if server.output.count >= Server.gatheredBytes { flush() }
        } else {
            ResponseWriter.append(
                response, identifier: identifier, dateLine: dateLine, common: server.commonFields, connection: option,
                framing: framing, omitsBody: omitsBody, to: &output)
        }
    }

    /// Writes what has been gathered; what the kernel does not take waits in `output`.
    func flush() {
        guard !server.output.isEmpty else { return }
        let count = server.output.count
        let sent = write(server.output, from: 0)
        if let sent, sent < count {
            output = Array(server.output[sent...])
            outputStart = 0
            writeDeadline = server.loop.now.advanced(byMilliseconds: server.configuration.writeTimeoutMilliseconds)
        }
        if server.output.capacity > 4 * Server.gatheredBytes {
            server.output = []
        } else {
            server.output.removeAll(keepingCapacity: true)
        }
        if sent == nil { close() }
    }

    /// The client has read some: writes on, and goes on with its requests once all is written.
    func continueWriting() {
        guard !output.isEmpty else { return }
        guard let sent = write(output, from: outputStart) else {
            close()
            return
        }
        outputStart += sent
        if sent > 0 {
            writeDeadline = server.loop.now.advanced(byMilliseconds: server.configuration.writeTimeoutMilliseconds)
        }
        guard outputStart == output.count else {
            // A WebSocket's goes on and on: one who is always a little behind must not make it grow.
            if outputStart > output.count / 2 {
                output.removeFirst(outputStart)
                outputStart = 0
            }
            socket?.hasSent()
            return
        }
        output = []
        outputStart = 0
        socket?.hasSent()
        resume()
    }

    /// - Returns: how many bytes the kernel took, or nil if the connection has failed.
    private func write(_ bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            while true {
                let sent = Glibc.send(
                    descriptor, bytes.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
                if sent >= 0 { return sent }
                if errno == EAGAIN { return 0 }
                guard errno == EINTR else { return nil }
            }
        }
    }
}

import CLinux
import EventLoop
import Glibc
import TestTurns
import Testing

@Suite(.takesTurns) struct OutgoingConnectionTests {
    /// Such as of a server that answers a request which is too large before it has read it, and closes.
    @Test func whatAPeerSaidBeforeAWriteFailedIsRead() async throws {
        let address = try #require(SocketAddress(abstractName: "usher-test-\(UInt64.random(in: 0 ... .max))"))
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        #expect(address.withPointer { bind(listener, $0, $1) } == 0 && listen(listener, 1) == 0)
        let (heard, reason) = try await withLoop { loop in
            let connection = OutgoingConnection(loop: loop)
            var heard = ""
            let reason = await withCheckedContinuation { continuation in
                connection.onConnect = {
                    // It has said all and gone before anything is written.
                    let peer = accept(listener, nil, nil)
                    _ = write(peer, "enough", 6)
                    close(peer)
                    connection.send([1])
                }
                connection.onInput = { heard += String(decoding: $0, as: UTF8.self) }
                connection.onClose = { continuation.resume(returning: $0) }
                connection.connect(to: address)
            }
            return (heard, reason)
        }
        #expect(heard == "enough")
        #expect(reason?.hasPrefix("send: ") == true)
    }
}

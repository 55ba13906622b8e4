import EventLoop
import Foundation
import Synchronization
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct BrowserPipeTests {
    /// Pages write what they like: a message that is too long costs nothing but itself.
    @Test func aMessageThatIsTooLongIsPassedOver() async throws {
        let loop = try EventLoop(name: "pipe")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        var (toBot, toBrowser): ([Int32], [Int32]) = ([0, 0], [0, 0])
        #expect(pipe(&toBot) == 0 && pipe(&toBrowser) == 0)
        let (reading, writing, unused) = (toBot[0], toBot[1], toBrowser)
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        let taken = Mutex<[Int]>([])
        let holder = Holder()
        try await Task(executorPreference: loop) {
            let pipe = try BrowserPipe(loop: loop, input: reading, output: unused[1])
            pipe.onMessage = { message in taken.withLock { $0.append(message.count) } }
            pipe.onClose = { _ in taken.withLock { $0.append(-1) } }
            holder.pipe = pipe
        }.value
        for count in [5, 9 << 20, 7, 8 << 20, 3] {
            let message = [UInt8](repeating: 0x20, count: count) + [0]
            var written = 0
            while written < message.count {
                written += max(0, message[written...].withUnsafeBytes { write(writing, $0.baseAddress!, $0.count) })
            }
        }
        close(writing)
        let deadline = Date(timeIntervalSinceNow: 30)
        while taken.withLock({ $0.last != -1 }), Date() < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(taken.withLock { $0 } == [5, 7, 8 << 20, 3, -1])
        close(unused[0])
        await Task(executorPreference: loop) { holder.pipe = nil }.value
    }

    /// `@unchecked Sendable`: used on the loop's thread alone.
    private final class Holder: @unchecked Sendable {
        var pipe: BrowserPipe?
    }
}

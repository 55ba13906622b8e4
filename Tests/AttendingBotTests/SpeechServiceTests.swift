import EventLoop
import HTTP
import RedisTestSupport
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct SpeechServiceTests {
    /// It may be the sound that the service hangs at; where nobody is there, it is not.
    @Test func noAnswerIsAFaultOnceTheSoundWasTaken() async throws {
        let hanging = try HTTP.Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        #expect(try await Self.failure(at: hanging.port) == true)
        #expect(try await Self.failure(at: Int(freePort())) == false)
    }

    /// Whether what became of a sound is the service's fault; nil if it is not to be asked again.
    private static func failure(at port: Int) async throws -> Bool? {
        let loop = try EventLoop(name: "speech")
        try loop.start()
        defer {
            loop.stop()
            loop.join()
        }
        return try await Task(executorPreference: loop) {
            let outbound = Outbound(loop: loop, certificates: nil)
            defer { outbound.close() }
            let service = try SpeechService(outbound, url: "http://127.0.0.1:\(port)/", token: nil, model: nil)
            do throws(SpeechService.Failure) {
                _ = try await service.transcribe([0, 1], SpeechService.Wish(), within: 500)
            } catch .later(_, _, let isFault) {
                return isFault
            }
            return nil
        }.value
    }
}

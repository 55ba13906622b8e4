import Foundation
import TestTurns
import Testing

@testable import AttendingBot

@Suite(.takesTurns) struct WaitingSoundTests {
    private static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "waiting-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private static func second(_ value: Int16) -> [Int16] { [Int16](repeating: value, count: WAV.samplesPerSecond) }

    @Test func itComesBackAsItWas() throws {
        try Self.withFolder { folder in
            let store = WaitingSound(folder: folder, maximumBytes: 1_000_000)
            let places = try (1...5).map { try #require(store.keep(Self.second($0))) }
            #expect(places[0] == .memory(Self.second(1)))
            // The file has no name.
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
            for (place, value) in zip(places, 1...) {
                #expect(try store.samples(at: place) == Self.second(Int16(value)))
                store.release(place)
            }
            #expect(store.problem == nil)
        }
    }

    @Test func whatIsReadMakesRoom() throws {
        try Self.withFolder { folder in
            let store = WaitingSound(folder: folder, maximumBytes: 120_000)
            var places: [WaitingSound.Place] = []
            for value in 1...Int16(100) {
                if places.count == 3 {
                    #expect(!store.hasRoom(for: WAV.samplesPerSecond))
                    store.release(places.removeFirst())
                }
                #expect(store.hasRoom(for: WAV.samplesPerSecond))
                places.append(try #require(store.keep(Self.second(value))))
            }
            #expect(try places.map { try store.samples(at: $0)[0] } == [98, 99, 100])
        }
    }

    @Test func withoutADiskAMinuteWaitsInMemory() throws {
        let store = WaitingSound(folder: "/nowhere", maximumBytes: 100_000_000)
        #expect(store.problem?.code == ENOENT)
        let places = try (1...60).map { try #require(store.keep(Self.second($0))) }
        #expect(store.keep(Self.second(61)) == nil)
        store.release(places[0])
        let last = try #require(store.keep(Self.second(61)))
        #expect(try store.samples(at: last) == Self.second(61))
    }
}

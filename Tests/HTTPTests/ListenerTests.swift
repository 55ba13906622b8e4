import CLinux
import EventLoop
import Foundation
import TestTurns
import Testing

@testable import HTTP

@Suite(.takesTurns) struct ListenerTests {
    @Test func aPortInUseIsToldApart() throws {
        let first = try Listener.bind(host: "127.0.0.1", port: 0, reusesPort: false)
        let port = first.port
        #expect(port > 0)
        #expect(throws: ListenError.addressInUse(host: "127.0.0.1", port: port)) {
            _ = try Listener.bind(host: "127.0.0.1", port: port, reusesPort: false).port
        }
        #expect(throws: ListenError.addressInUse(host: "127.0.0.1", port: port)) {
            _ = try Listener.bind(host: "127.0.0.1", port: port, reusesPort: true).port
        }
        #expect(
            ListenError.addressInUse(host: "127.0.0.1", port: 80).description
                == "127.0.0.1:80 is in use: stop the other program, or choose another port.")
        withExtendedLifetime(first) {}
    }

    @Test func aPortCanBeShared() throws {
        let first = try Listener.bind(host: "127.0.0.1", port: 0)
        let second = try Listener.bind(host: "127.0.0.1", port: first.port)
        #expect(second.port == first.port)
        withExtendedLifetime(first) {}
    }

    @Test(arguments: [("localhost", 80), ("", 80), ("1.2.3", 80), ("127.0.0.1", -1), ("127.0.0.1", 65_536)])
    func anAddressThatIsNoneIsRefused(_ host: String, _ port: Int) {
        #expect(throws: ListenError.invalidAddress(host: host, port: port)) {
            _ = try Listener.bind(host: host, port: port).port
        }
    }

    @Test func anotherMachinesAddressIsRefused() {
        // An address for documentation (RFC 5737), which no machine has.
        #expect(throws: ListenError.addressNotAvailable(host: "192.0.2.1")) {
            _ = try Listener.bind(host: "192.0.2.1", port: 0).port
        }
    }

    @Test func aSocketCanBeAdopted() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(throws: SystemError.self) { _ = try Listener(adopting: descriptor).port }
        let result = SocketAddress(host: "127.0.0.1", port: 0)!.withPointer { bind(descriptor, $0, $1) }
        try #require(result == 0 && listen(descriptor, 1) == 0)
        // The listener closes what it has adopted, so it gets a copy.
        let listener = try Listener(adopting: dup(descriptor))
        #expect(listener.port > 0)
        #expect(fcntl(listener.descriptor, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func anIPv6AddressCanBeListenedOn() throws {
        do {
            let listener = try Listener.bind(host: "::1", port: 0)
            #expect(listener.port > 0)
        } catch ListenError.addressNotAvailable {
            // This machine has no IPv6.
        } catch ListenError.other(_, EAFNOSUPPORT) {
        }
    }
}

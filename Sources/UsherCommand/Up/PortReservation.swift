import CLinux
import EventLoop
import Glibc

/// A port that is kept for our nodes: bound by a socket that never listens.
///
/// It is bound without `SO_REUSEPORT`, so a port that anybody listens on is noticed, another `usher up` included. Then
/// the option is set, so that nodes can bind the port too. Until they listen, Linux would let another `usher up` bind it
/// in the same way, so a name of the port's is held as well.
final class PortReservation {
    let port: Int
    private let descriptor: Int32
    private let name: Int32

    /// - Parameters:
    ///   - port: 0 lets the system choose.
    ///   - setting: which gives the port.
    /// - Throws: `UpFailure` if the port is in use or the address is not the machine's.
    init(host: String, port: Int, of setting: Setting = Setting[\.port]) throws(UpFailure) {
        guard let address = SocketAddress(host: host, port: port) else {
            throw UpFailure("\(quoted(host)) is not an IPv4 or IPv6 address.")
        }
        let descriptor = address.makeSocket()
        guard descriptor >= 0 else { throw UpFailure("No socket could be made: \(SystemError("socket").reason).") }
        // Without it, connections of an earlier run that are still winding down would count as use.
        Self.enable(SO_REUSEADDR, descriptor)
        guard address.bind(descriptor) == 0, let bound = SocketAddress.port(of: descriptor) else {
            let error = SystemError("bind")
            close(descriptor)
            throw Self.failure(error, host: host, port: port, setting)
        }
        guard let name = SocketAddress.hold(abstractName: "usher up on port \(bound)") else {
            close(descriptor)
            throw Self.failure(SystemError("bind", code: EADDRINUSE), host: host, port: port, setting)
        }
        Self.enable(SO_REUSEPORT, descriptor)
        self.descriptor = descriptor
        self.name = name
        self.port = bound
    }

    deinit {
        close(descriptor)
        close(name)
    }

    private static func enable(_ option: Int32, _ descriptor: Int32) {
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, option, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure(
        _ error: SystemError, host: String, port: Int, _ setting: Setting
    ) -> UpFailure {
        let portFlag = setting.flag
        let hostFlag = (setting.name == Setting[\.port].name ? Setting[\.host] : Setting[\.privateHost]).flag
        return switch error.code {
        case EADDRINUSE:
            UpFailure("Port \(port) on \(host) is in use; stop what listens there, or choose another with \(portFlag).")
        case EADDRNOTAVAIL:
            UpFailure("\(host) is not an address of this machine; choose another with \(hostFlag).")
        default:
            UpFailure("Port \(port) on \(host) cannot be used: \(error.reason); choose another with \(portFlag).")
        }
    }
}

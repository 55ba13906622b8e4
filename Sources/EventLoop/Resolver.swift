import CLinux
import Glibc

/// Finds the numeric addresses of a host. `getaddrinfo` blocks for as long as its servers please, so it runs on a thread
/// of its own; numeric addresses take no such detour.
public enum Resolver {
    public struct Failure: Error {
        public let reason: String
    }

    /// How many of a host's addresses are of use: each may cost a connect time-out.
    private static let maximumAddresses = 8

    /// Calls `completion` on the loop's thread, with at least one address, the one to try first before the others.
    public static func resolve(
        _ host: String, on loop: EventLoop, completion: @escaping @Sendable (Result<[String], Failure>) -> Void
    ) {
        if isNumeric(host) { return completion(.success([host])) }
        let work = Unmanaged.passRetained(Work { loop.execute { [result = lookUp(host)] in completion(result) } })
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, runWork, work.toOpaque())
        guard result == 0 else {
            work.release()
            return completion(.failure(Failure(reason: "no thread to resolve names on")))
        }
        pthread_detach(thread)
    }

    /// Whether `host` is an IPv4 or IPv6 address.
    public static func isNumeric(_ host: String) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            inet_pton(AF_INET, host, address.baseAddress!) == 1 || inet_pton(AF_INET6, host, address.baseAddress!) == 1
        }
    }

    private static func lookUp(_ host: String) -> Result<[String], Failure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(Failure(reason: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next, addresses.count < maximumAddresses {
            if let text = numericText(of: entry.pointee), !addresses.contains(text) { addresses.append(text) }
            next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(Failure(reason: "it has no address")) : .success(addresses)
    }

    private static func numericText(of entry: addrinfo) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
            let code = getnameinfo(
                entry.ai_addr, entry.ai_addrlen, text.baseAddress!, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            return code == 0 ? String(cString: text.baseAddress!) : nil
        }
    }

    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    private static let runWork: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
        return nil
    }
}

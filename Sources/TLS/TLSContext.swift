import CCrypto
import Synchronization

/// What TLS connections of a client have in common (RFC 8446, and TLS 1.2 where a server has no better): whom they trust,
/// and what they show. Made once, and shared by all threads.
///
/// `@unchecked Sendable`: nothing of it changes any more once it is made, and libssl counts its uses atomically.
public final class TLSContext: @unchecked Sendable {
    /// Paths of PEM files, and a name.
    public struct Settings: Sendable, Hashable {
        /// The authorities whose signature a server's certificate must have; nil: those of the system.
        public var authorities: String?
        /// The certificate, with what leads to its authority, that servers are shown which ask for one.
        public var certificate: String?
        /// The key of the certificate; nil: it is in the same file.
        public var key: String?
        /// The name, or the address, that a server's certificate must have; nil: what the server was called.
        public var serverName: String?

        public init(
            authorities: String? = nil, certificate: String? = nil, key: String? = nil, serverName: String? = nil
        ) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
            self.serverName = serverName
        }
    }

    /// Why it could not be made, in words that begin a sentence.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    private let context: OpaquePointer
    private let serverName: String?

    /// - Throws: `Invalid` if a file cannot be read, is none of its kind, or the key is not the certificate's.
    public init(_ settings: Settings = Settings()) throws(Invalid) {
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw Invalid(description: "TLS cannot be set up: \(TLSError.latest ?? "out of memory")")
        }
        self.context = context
        serverName = settings.serverName
        usher_tls_set_up(context)
        if let file = settings.authorities {
            guard SSL_CTX_load_verify_locations(context, file, nil) == 1 else {
                throw Self.invalid("The authorities of \(file) cannot be used")
            }
        } else if SSL_CTX_set_default_verify_paths(context) != 1 {
            throw Self.invalid("The system's authorities cannot be used")
        }
        if let file = settings.certificate {
            guard SSL_CTX_use_certificate_chain_file(context, file) == 1 else {
                throw Self.invalid("The certificate of \(file) cannot be used")
            }
            let key = settings.key ?? file
            guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
                throw Self.invalid("The key of \(key) cannot be used")
            }
        } else if let key = settings.key {
            throw Invalid(description: "The key of \(key) has no certificate")
        }
    }

    private static let made = Mutex<[Settings: TLSContext]>([:])

    /// The one of these settings, which is made once.
    /// - Throws: as `init`.
    public static func shared(_ settings: Settings = Settings()) throws(Invalid) -> TLSContext {
        try made.withLock { made throws(Invalid) in
            if let known = made[settings] { return known }
            let context = try TLSContext(settings)
            made[settings] = context
            return context
        }
    }

    deinit {
        SSL_CTX_free(context)
    }

    private static func invalid(_ what: String) -> Invalid {
        Invalid(description: "\(what): \(TLSError.latest ?? "no reason is known")")
    }

    /// A connection's part.
    /// - Parameter host: the name or the numeric address of the server.
    public func session(with host: String?) -> TLSSession {
        TLSSession(context, host: serverName ?? host)
    }
}

/// What each client has not taken on a loop, of all its sockets and streams together. Above the bound the slowest of its own
/// is ended; other clients notice nothing.
///
/// `@unchecked Sendable`: belongs to the thread of its loop, as do its shares.
public final class UnsentClients: @unchecked Sendable {
    private struct Client {
        var bytes = 0
        var shares: [ObjectIdentifier: UnsentShare] = [:]
    }

    private let maximumBytes: Int
    private var clients: [String: Client] = [:]

    /// - Parameter bytes: that may wait for one client.
    public init(bytes: Int) { maximumBytes = bytes }

    /// - Parameters:
    ///   - client: whose it is, such as a user's id.
    ///   - onTooMuch: ends what has the share, as its client takes too little.
    public func share(of client: String, onTooMuch: @escaping () -> Void) -> UnsentShare {
        let share = UnsentShare(self, client, onTooMuch)
        clients[client, default: Client()].shares[ObjectIdentifier(share)] = share
        return share
    }

    fileprivate func add(_ bytes: Int, to name: String) {
        clients[name]?.bytes += bytes
        while bytes > 0, let client = clients[name], client.bytes > maximumBytes,
            let slowest = client.shares.values.max(by: { $0.bytes < $1.bytes })
        {
            let onTooMuch = slowest.onTooMuch
            slowest.end()
            onTooMuch?()
        }
    }

    fileprivate func remove(_ share: UnsentShare) {
        guard clients[share.client]?.shares.removeValue(forKey: ObjectIdentifier(share)) != nil else { return }
        clients[share.client]?.bytes -= share.bytes
        // Nothing is kept of those who are gone.
        if clients[share.client]?.shares.isEmpty == true { clients[share.client] = nil }
    }
}

/// What one socket or stream of a client has untaken.
///
/// `@unchecked Sendable`: see `UnsentClients`.
public final class UnsentShare: @unchecked Sendable {
    private let clients: UnsentClients
    fileprivate let client: String
    fileprivate private(set) var bytes = 0
    /// Nil once it is ended.
    fileprivate private(set) var onTooMuch: (() -> Void)?

    fileprivate init(_ clients: UnsentClients, _ client: String, _ onTooMuch: @escaping () -> Void) {
        self.clients = clients
        self.client = client
        self.onTooMuch = onTooMuch
    }

    /// May end this one, or another of the client's.
    public func add(_ more: Int) {
        guard onTooMuch != nil else { return }
        bytes += more
        clients.add(more, to: client)
    }

    public func end() {
        onTooMuch = nil
        clients.remove(self)
    }
}

import Log

/// What one Sentinel says of a service: its primary, and the configuration's epoch, which grows with each failover.
struct PrimaryClaim: Equatable {
    let address: NodeAddress
    let epoch: Int

    init(address: NodeAddress, epoch: Int) {
        self.address = address
        self.epoch = epoch
    }

    /// - Parameters:
    ///   - state: what `SENTINEL MASTER` returned.
    ///   - address: what `SENTINEL GET-MASTER-ADDR-BY-NAME` returned.
    init(state: Value, address: Value) throws(RedisError) {
        for case .error(let text) in [state, address] { throw .refused(text) }
        guard let epoch = try state.hash()["config-epoch"].flatMap({ Int($0) }) else {
            throw .unexpectedReply("SENTINEL MASTER returned no config-epoch")
        }
        guard let parts = address.array, parts.count == 2, let host = parts[0].string, !host.isEmpty,
            let port = parts[1].string.flatMap({ UInt16($0) }), port > 0
        else { throw .unexpectedReply("SENTINEL GET-MASTER-ADDR-BY-NAME returned no address") }
        self.init(address: NodeAddress(host: host, port: port), epoch: epoch)
    }
}

/// The primary that is believed to be the service's. Pure: no I/O.
struct KnownPrimary {
    /// nil: it is being changed, or nothing was heard yet.
    private(set) var address: NodeAddress?
    /// None that is older is believed: it comes from a Sentinel that was cut off when the primary changed.
    private(set) var epoch = -1

    /// A Sentinel has said that this is the primary no more. That may come late, so who is must be asked; but a Sentinel
    /// that has not heard of it yet is not believed again.
    mutating func leave(_ former: NodeAddress) {
        guard former == address else { return }
        address = nil
        epoch = epoch.addingClamped(1)
    }

    /// Takes what Sentinels answered when they were asked all at once.
    /// - Parameter asked: how many that were. If all of them tell of an older epoch, their state was made anew.
    /// - Returns: whether one of the answers is believed.
    mutating func take(_ claims: [PrimaryClaim], asked: Int) -> Bool {
        guard let newest = claims.max(by: { $0.epoch < $1.epoch }) else { return false }
        guard newest.epoch >= epoch || claims.count == asked else { return false }
        address = newest.address
        epoch = newest.epoch
        return true
    }
}

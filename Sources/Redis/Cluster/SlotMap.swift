/// Which primary serves which slot, as a node of the cluster told.
struct SlotMap: Equatable {
    private(set) var primaries: [NodeAddress] = []
    /// By slot: 1 + the index of its primary, or 0 if nobody serves it.
    private var owners = [UInt16](repeating: 0, count: HashSlot.count)

    /// - Parameters:
    ///   - reply: what `CLUSTER SLOTS` returned.
    ///   - host: of the node that was asked, for one that does not know its own.
    init(_ reply: Value, toldBy host: String) throws(RedisError) {
        for range in try reply.arrayOrThrow() {
            let parts = try range.arrayOrThrow()
            guard parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                0 <= first, first <= last, last < HashSlot.count, let node = parts[2].array, node.count >= 2,
                let port = node[1].integer.flatMap({ UInt16(exactly: $0) }), port > 0
            else { throw .unexpectedReply("CLUSTER SLOTS returned something else than slots and their nodes") }
            let address = NodeAddress(host: node[0].string ?? "", port: port, known: host)
            for slot in first...last { assign(slot, to: address) }
        }
    }

    func primary(of slot: Int) -> NodeAddress? {
        let owner = owners[slot]
        return owner == 0 ? nil : primaries[Int(owner) - 1]
    }

    /// What a node knows better: the slot is another's now.
    mutating func assign(_ slot: Int, to address: NodeAddress) {
        if let index = primaries.firstIndex(of: address) {
            owners[slot] = UInt16(index) + 1
        } else if primaries.count < Int(UInt16.max) {
            primaries.append(address)
            owners[slot] = UInt16(primaries.count)
        }
    }

    /// Whether every slot has a primary.
    var isWhole: Bool { !owners.contains(0) }
}

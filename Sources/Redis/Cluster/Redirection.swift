/// What a node of a cluster answers in place of running a command (Redis Cluster specification, "Redirection and
/// resharding"). None of these has run anything, so each may be sent again.
enum Redirection: Equatable {
    /// The slot is another node's, from now on.
    case moved(slot: Int, NodeAddress)
    /// The slot moves, and this key is not here any more: this command is for the other node, after `ASKING`.
    case ask(NodeAddress)
    /// Not at the moment: keys of one command are on both sides of a move, nobody serves the slot, or a node reads its data.
    case later

    /// - Parameters:
    ///   - error: the text of an error reply.
    ///   - host: of the node that answered.
    init?(_ error: String, from host: String) {
        let words = error.split(separator: " ", maxSplits: 3)
        switch words.first {
        case "MOVED":
            guard words.count >= 3, let slot = Int(words[1]), (0..<HashSlot.count).contains(slot),
                let address = NodeAddress(words[2], known: host)
            else { return nil }
            self = .moved(slot: slot, address)
        case "ASK":
            guard words.count >= 3, let address = NodeAddress(words[2], known: host) else { return nil }
            self = .ask(address)
        case "TRYAGAIN", "CLUSTERDOWN", "LOADING": self = .later
        default: return nil
        }
    }
}

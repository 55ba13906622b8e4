/// A JSON text as a list of its values in the order of their beginnings. That is all that parsing makes of it: Swift
/// values are made of what is asked for, so that what nobody asks for costs no more than being looked through.
struct Tape: Sendable {
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            case object, list, text, name, number, yes, no, null
        }

        let kind: Kind
        /// Whether the bytes of a text or name are those of `unescaped`, as it was written with escapes.
        var isUnescaped = false
        /// Where its bytes begin, in `input` or `unescaped`.
        let start: UInt32
        var length: UInt32
        /// How many members or elements it has.
        var count: UInt32 = 0
        /// Of an object or list: the node after all that is in it. Of a name: its object.
        var link: UInt32 = 0
    }

    let input: [UInt8]
    var nodes: [Node] = []
    /// The texts that were written with escapes, one after the other, as they are meant.
    var unescaped: [UInt8] = []
    /// The names of all objects, by their bytes and their object: a hash table with open addressing. A slot holds 0, or
    /// 32 bits of the hash above a node's index plus one. Swift's hash is seeded anew in each process, so that nobody can
    /// make names that collide.
    private var slots: [UInt64] = []
    private var nameCount = 0

    init(input: [UInt8]) {
        self.input = input
        nodes.reserveCapacity(input.count / 16 + 4)
    }

    /// The node after a value and all that is in it.
    func next(after index: Int) -> Int {
        switch nodes[index].kind {
        case .object, .list: Int(nodes[index].link)
        default: index + 1
        }
    }

    func withBytes<Result>(of node: Node, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let range = Int(node.start)..<Int(node.start) + Int(node.length)
        if node.isUnescaped { return unescaped.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) } }
        return input.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    func text(of node: Node) -> String {
        withBytes(of: node) { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Names

    /// The value of an object's member, if there is one of exactly these bytes.
    func value(of name: String, in object: Int) -> Int? {
        guard !slots.isEmpty else { return nil }
        var name = name
        let slot = name.withUTF8 { name in
            let name = UnsafeRawBufferPointer(name)
            return slots[findSlot(of: name, Self.hash(name, in: UInt32(object)), in: UInt32(object))]
        }
        return slot == 0 ? nil : Self.nodeIndex(slot) + 1
    }

    /// Remembers a name.
    /// - Returns: false if its object has one of the same bytes already.
    mutating func enter(name index: Int) -> Bool {
        if nameCount * 2 >= slots.count { grow() }
        let node = nodes[index]
        let (slot, hash) = withBytes(of: node) { name in
            let hash = Self.hash(name, in: node.link)
            return (findSlot(of: name, hash, in: node.link), hash)
        }
        guard slots[slot] == 0 else { return false }
        slots[slot] = UInt64(hash) << 32 | UInt64(index + 1)
        nameCount += 1
        return true
    }

    private mutating func grow() {
        let entries = slots
        slots = Array(repeating: 0, count: max(32, entries.count * 4))
        for entry in entries where entry != 0 {
            var slot = Int(entry >> 32) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }

    private static func nodeIndex(_ slot: UInt64) -> Int { Int(slot & 0xffff_ffff) - 1 }

    private static func hash(_ name: UnsafeRawBufferPointer, in object: UInt32) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(object)
        hasher.combine(bytes: name)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// The slot that holds the name, or else the free one where it belongs.
    private func findSlot(of name: UnsafeRawBufferPointer, _ hash: UInt32, in object: UInt32) -> Int {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] >> 32 == hash {
                let node = nodes[Self.nodeIndex(slots[slot])]
                let isSame =
                    node.link == object && node.length == name.count
                    && withBytes(of: node) { $0.elementsEqual(name) }
                if isSame { break }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }
}

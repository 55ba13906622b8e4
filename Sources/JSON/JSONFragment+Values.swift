/// What a fragment is, asked for one value at a time: nothing is made of what nobody asks for.
extension JSONFragment {
    /// The whole of a document.
    public init(_ document: JSONDocument) { self.init(document.tape, 0) }

    public var isNull: Bool { node.kind == .null }
    public var isObject: Bool { node.kind == .object }

    /// Whether it is a list or an object with nothing in it.
    public var isEmpty: Bool { (node.kind == .list || node.kind == .object) && node.count == 0 }

    public var bool: Bool? {
        switch node.kind {
        case .yes: true
        case .no: false
        default: nil
        }
    }

    /// The integer that it is exactly, however it is written: `1`, `1.0`, `10e-1`; nil if there is none, or it does not fit.
    public var integer: Int? {
        guard node.kind == .number else { return nil }
        return tape.withBytes(of: node) { Number(text: $0).integer }
    }

    /// The value of a member, by the bytes of its name; nil if it has none, as what is no object.
    public func member(_ name: String) -> JSONFragment? {
        guard isObject else { return nil }
        return tape.value(of: name, in: index).map { JSONFragment(tape, $0) }
    }

    /// The members of an object, in order; nil of anything else.
    public var members: [(name: String, value: JSONFragment)]? {
        guard isObject else { return nil }
        var members: [(name: String, value: JSONFragment)] = []
        members.reserveCapacity(Int(node.count))
        var name = index + 1
        while name < Int(node.link) {
            members.append((tape.text(of: tape.nodes[name]), JSONFragment(tape, name + 1)))
            name = tape.next(after: name + 1)
        }
        return members
    }

    /// The elements of a list, in order; nil of anything else.
    public var elements: [JSONFragment]? {
        guard node.kind == .list else { return nil }
        var elements: [JSONFragment] = []
        elements.reserveCapacity(Int(node.count))
        var element = index + 1
        while element < Int(node.link) {
            elements.append(JSONFragment(tape, element))
            element = tape.next(after: element)
        }
        return elements
    }

    private var node: Tape.Node { tape.nodes[index] }
}

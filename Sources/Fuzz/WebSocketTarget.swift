import HTTP

extension Target {
    /// The parser of WebSocket frames.
    static let webSocket = Target(
        name: "websocket", maximumBytes: 4_096,
        tokens: [
            "\u{0}", "\u{1}", "\u{2}", "\u{8}", "\u{9}", "\u{a}", "~", "\u{7f}", "\u{1}\u{2}\u{3}\u{4}", "\u{0}\u{7e}",
            "é", "😀",
        ]
    ) { input, mutator in WebSocketTarget.violation(input, cuts: mutator.cuts(of: input.count)) }
}

/// What must hold of what a client sends over a WebSocket, whatever it is.
enum WebSocketTarget {
    private static let maximumMessageBytes = 512

    /// - Returns: what does not hold, or nil.
    static func violation(_ input: [UInt8], cuts: [Int]) -> String? {
        let whole = read(input, cutAt: [])
        for (name, places) in [("cut at \(cuts)", cuts), ("byte by byte", Array(0..<input.count))] {
            let other = read(input, cutAt: places)
            guard other.events == whole.events else { return "\(name) gives \(other.events), whole \(whole.events)" }
            guard other.heldBytes <= maximumMessageBytes + 125 else { return "\(other.heldBytes) bytes are held" }
        }
        for (index, event) in whole.events.enumerated() {
            switch event {
            case .text(let bytes):
                guard String(validating: bytes, as: UTF8.self) != nil else { return "a text that is not UTF-8" }
                guard bytes.count <= maximumMessageBytes else { return "a text of \(bytes.count) bytes" }
            case .binary(let bytes):
                guard bytes.count <= maximumMessageBytes else { return "a message of \(bytes.count) bytes" }
            case .ping(let bytes), .pong(let bytes):
                guard bytes.count <= 125 else { return "a control frame of \(bytes.count) bytes" }
            case .close, .failed:
                guard index == whole.events.count - 1 else { return "something comes after the end" }
            }
        }
        return nil
    }

    private static func read(
        _ input: [UInt8], cutAt cuts: [Int]
    ) -> (events: [WebSocketParser.Event], heldBytes: Int) {
        var parser = WebSocketParser(maximumMessageBytes: maximumMessageBytes)
        var (events, held): ([WebSocketParser.Event], Int) = ([], 0)
        var start = 0
        for end in cuts + [input.count] where end >= start && end <= input.count {
            Array(input[start..<end]).withUnsafeBufferPointer { piece in
                var position = 0
                while let event = parser.advance(piece, at: &position) { events.append(event) }
            }
            held = max(held, parser.heldBytes)
            start = end
        }
        return (events, held)
    }
}

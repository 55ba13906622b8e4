/// Serialises answers (RFC 9112 section 4) into one buffer, head and body together.
enum ResponseWriter {
    /// What the Connection field says.
    enum ConnectionOption {
        /// Nothing: HTTP/1.1 keeps the connection by itself.
        case none
        case close
        case keepAlive
        case upgrade
    }

    /// How the end of the body is told (RFC 9112 section 6).
    enum Framing {
        case length
        case chunked
        /// By the end of the connection, to clients of HTTP/1.0.
        case untilClose
    }

    static let interim: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    /// - Parameters:
    ///   - dateLine: the whole Date field with its line end.
    ///   - common: what the answer carries besides its own fields.
    ///   - framing: of a body that is written later, anything but `length`.
    ///   - omitsBody: for HEAD: the head is that of the answer to GET, its Content-Length included.
    static func append(
        _ response: Response, identifier: RequestIdentifier, dateLine: [UInt8], common: CommonFields,
        connection: ConnectionOption, framing: Framing, omitsBody: Bool, to output: inout [UInt8]
    ) {
        output.append("HTTP/1.1 ")
        output.append(decimal: response.status.code)
        output.append(ASCII.space)
        output.append(response.status.reason)
        output.append("\r\n")
        output.append(contentsOf: dateLine)
        if response.status.allowsBody {
            if let type = response.contentType { append("Content-Type", type, to: &output) }
            switch framing {
            case .length:
                output.append("Content-Length: ")
                output.append(decimal: response.streamedBytes ?? response.body.count)
                output.append("\r\n")
            case .chunked: output.append("Transfer-Encoding: chunked\r\n")
            case .untilClose: break
            }
        }
        output.append("X-Request-Id: ")
        identifier.append(to: &output)
        output.append("\r\n")
        common.append(besides: response.headers, to: &output)
        for (name, value) in response.headers { append(name, value, to: &output) }
        switch connection {
        case .none: break
        case .close: output.append("Connection: close\r\n")
        case .keepAlive: output.append("Connection: keep-alive\r\n")
        case .upgrade: output.append("Connection: Upgrade\r\n")
        }
        output.append("\r\n")
        if response.status.allowsBody && !omitsBody { output.append(contentsOf: response.body) }
    }

    static func append(_ name: String, _ value: String, to output: inout [UInt8]) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy(ByteSet.token.contains), "a field name is made of token characters")
        output.append(contentsOf: name.utf8)
        output.append(": ")
        let start = output.count
        output.append(contentsOf: value.utf8)
        for index in start..<output.count where !HeaderField.isValueByte(output[index]) {
            output[index] = ASCII.space
        }
        output.append("\r\n")
    }
}

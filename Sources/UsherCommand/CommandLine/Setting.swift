import API
import EventLoop
import Glibc
import HTTP
import Runner

/// What help, documents and the reader of command lines know of a setting: an environment variable and a flag of the
/// same name.
struct Setting: Sendable {
    enum Kind: Sendable {
        /// - Parameter unit: as shown in help; empty for a plain count.
        case number(ClosedRange<Int>, unit: String)
        case choice([String])
        /// yes or no; the flag alone means yes.
        case toggle
        /// Any number of names, joined by commas.
        case choices([String])
        case address
        case redisURL
        case httpURL
        /// Of a receiver of webhooks: its path and query may be known to nobody else.
        case receiverURL
        /// A command line, as `LaunchCommand` reads it.
        case command
        /// Names of environment variables, joined by commas; one that ends with * stands for all that begin so.
        case variables
        /// Blocks of addresses, joined by commas.
        case addressRanges
        /// Origins of web pages, joined by commas.
        case origins
        case text(maximumBytes: Int)
        case secret(length: ClosedRange<Int>)
        case folder
        case file
    }

    enum Default: Sendable {
        case value(String)
        /// Depends on the machine, so help and documents describe it instead of showing its value.
        case computed(description: String, value: @Sendable () -> String)
        /// - Parameter description: what its absence means.
        case none(description: String)
    }

    /// `port` of `--port` and `USHER_PORT`.
    let name: String
    let kind: Kind
    let defaultValue: Default
    let commands: Set<Command>
    /// One sentence, without its full stop.
    let meaning: String

    static let all = SettingsTable.declared.map(\.setting)

    static func of(_ command: Command) -> [Setting] {
        all.filter { $0.commands.contains(command) }
    }

    static subscript<Value>(path: KeyPath<SettingsTable, TypedSetting<Value>>) -> Setting {
        SettingsTable.shared[keyPath: path].setting
    }

    var flag: String { "--" + name }

    var variable: String {
        "USHER_" + String(name.map { $0 == "-" ? "_" : Character($0.uppercased()) })
    }

    /// Whether nobody else may see the value: then it may stand in a file, and messages do not show it.
    var isSecret: Bool {
        switch kind {
        case .secret, .redisURL, .receiverURL: true
        default: false
        }
    }

    /// What names such a file.
    var fileFlag: String { flag + "-file" }
    var fileVariable: String { variable + "_FILE" }

    /// What stands for the value in help.
    var placeholder: String {
        switch kind {
        case .number: "N"
        case .choice: "NAME"
        case .toggle: "[=yes|no]"
        case .choices: "NAME[,NAME]..."
        case .address: "ADDRESS"
        case .redisURL, .httpURL, .receiverURL: "URL"
        case .command: "COMMAND"
        case .variables: "NAME[,NAME]..."
        case .addressRanges: "CIDR[,CIDR]..."
        case .origins: "ORIGIN[,ORIGIN]..."
        case .text: "TEXT"
        case .secret: "KEY"
        case .folder: "FOLDER"
        case .file: "FILE"
        }
    }

    var unit: String {
        if case .number(_, let unit) = kind { return unit }
        return ""
    }

    var defaultText: String {
        switch defaultValue {
        case .value(let text): text
        case .computed(let description, _), .none(let description): description
        }
    }

    /// What a value may be: completes "must be ...".
    var allowed: String {
        switch kind {
        case .number(let range, _): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .toggle: "yes or no; the flag alone means yes"
        case .choices(let names): "some of " + names.joined(separator: ", ") + ", joined by commas"
        case .address: "an IPv4 or IPv6 address"
        case .redisURL: RedisAddress.allowed
        case .httpURL: "http://HOST[:PORT][/PATH] or https://..., without user, query or fragment"
        case .receiverURL: ReceiverURL.meaning
        case .command: "a program with its arguments, in quotes where they hold spaces; nothing else of a shell"
        case .variables: "names of environment variables, joined by commas; NAME* stands for all that begin so"
        case .origins: "`*`, or origins such as https://app.example.com in lower case, joined by commas"
        case .addressRanges: "IPv4 or IPv6 addresses or blocks such as 10.0.0.0/8, joined by commas"
        case .text(let maximum): "a text of 1 to \(maximum) bytes without control characters"
        case .secret(let length):
            "\(length.lowerBound) to \(length.upperBound) letters, digits or signs of ASCII, without spaces"
        case .folder: "a folder's path of at most 4096 bytes"
        case .file: "a file's path of at most 4096 bytes"
        }
    }

    /// Whether `text` is a value of this setting.
    func accepts(_ text: String) -> Bool {
        switch kind {
        case .number(let range, _):
            return text.utf8.allSatisfy { (0x30...0x39).contains($0) } && Int(text).map(range.contains) == true
        case .choice(let names): return names.contains(text)
        case .toggle: return text == "yes" || text == "no"
        case .choices(let names):
            return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                names.contains(String($0))
            }
        case .address:
            var buffer = in6_addr()
            return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
        case .redisURL: return RedisAddress.fault(text) == nil
        case .httpURL: return HTTPAddress.isValid(text)
        case .receiverURL: return text.utf8.count <= ReceiverURL.maximumBytes && ReceiverURL.host(of: text) != nil
        case .command: return (try? LaunchCommand(text)) != nil
        case .variables:
            return text.utf8.count <= 4096
                && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { name in
                    let name = name.hasSuffix("*") ? name.dropLast() : name
                    return !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                }
        case .origins:
            return text.utf8.count <= 4096
                && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(CrossOrigin.isOrigin)
        case .addressRanges:
            return text.utf8.count <= 4096
                && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { AddressRange($0) != nil }
        case .text(let maximum):
            return (1...maximum).contains(text.utf8.count) && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f }
        case .secret(let length):
            return length.contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        case .folder, .file: return !text.isEmpty && text.utf8.count <= 4096 && !text.utf8.contains(0)
        }
    }

    /// The refusal of `text`, given by way of `source` (such as the flag). A secret is not repeated.
    func refusal(of text: String, from source: String) -> UsageError {
        switch kind {
        case .secret, .receiverURL: UsageError("\(source) must be \(allowed); its value is not shown here.")
        case .redisURL:
            UsageError(
                "\(source) is \(quoted(RedisAddress.redacted(text))), which \(RedisAddress.fault(text) ?? "is refused"); "
                    + "it must be \(allowed).")
        default: UsageError("\(source) is \(quoted(text)), but must be \(allowed).")
        }
    }
}

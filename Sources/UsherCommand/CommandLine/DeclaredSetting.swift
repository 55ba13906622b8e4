import EventLoop
import Runner

/// A setting whose value has a type: what `SettingsTable` is made of.
protocol DeclaredSetting: Sendable {
    var setting: Setting { get }

    /// Puts the value into a configuration if this setting is one of its.
    func set<Configuration>(_ configuration: inout Configuration, given: String?)
}

/// - Parameter Value: optional where the setting has no default.
struct TypedSetting<Value>: DeclaredSetting {
    let setting: Setting
    /// The value by a text that the setting accepts; nil: none is given.
    let value: @Sendable (String?) -> Value
    private var destinations: [any AnyKeyPath & Sendable] = []

    init(_ setting: Setting, value: @escaping @Sendable (String?) -> Value) {
        self.setting = setting
        self.value = value
    }

    /// The same setting, which goes into a configuration as it is.
    func sets<Configuration>(_ destination: any WritableKeyPath<Configuration, Value> & Sendable) -> Self {
        var setting = self
        setting.destinations.append(destination)
        return setting
    }

    func set<Configuration>(_ configuration: inout Configuration, given: String?) {
        for case let destination as WritableKeyPath<Configuration, Value> in destinations {
            configuration[keyPath: destination] = value(given)
        }
    }
}

// MARK: Kinds of settings

func number(
    _ name: String, _ range: ClosedRange<Int>, unit: String = "", default value: Int,
    commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Int> {
    declared(name, .number(range, unit: unit), .value(String(value)), commands, meaning) { Int($0)! }
}

/// - Parameter description: of the default, which depends on the machine.
func number(
    _ name: String, _ range: ClosedRange<Int>, by description: String, _ value: @escaping @Sendable () -> Int,
    commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Int> {
    let byDefault = Setting.Default.computed(description: description, value: { String(value()) })
    return declared(name, .number(range, unit: ""), byDefault, commands, meaning) { Int($0)! }
}

/// - Parameter absent: what its absence means; so of all that have no default.
func number(
    _ name: String, _ range: ClosedRange<Int>, unit: String = "", absent: String,
    commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Int?> {
    optional(name, .number(range, unit: unit), absent, commands, meaning) { Int($0) }
}

func text(
    _ name: String, _ kind: Setting.Kind, default value: String, commands: Set<Command> = Command.nodes,
    _ meaning: String
) -> TypedSetting<String> {
    declared(name, kind, .value(value), commands, meaning) { $0 }
}

func text(
    _ name: String, _ kind: Setting.Kind, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<String?> {
    optional(name, kind, absent, commands, meaning) { $0 }
}

/// Parts joined by commas; none if it is absent.
func list(
    _ name: String, _ kind: Setting.Kind, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<[String]> {
    declared(name, kind, .none(description: absent), commands, meaning) { $0.split(separator: ",").map(String.init) }
}

/// Blocks of addresses, joined by commas; none if it is absent.
func addressRanges(
    _ name: String, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<[AddressRange]> {
    declared(name, .addressRanges, .none(description: absent), commands, meaning) {
        $0.split(separator: ",").compactMap { AddressRange($0) }
    }
}

func toggle(
    _ name: String, default value: Bool, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Bool> {
    declared(name, .toggle, .value(value ? "yes" : "no"), commands, meaning) { $0 == "yes" }
}

/// - Parameter yes: the name of what is meant by true.
func either(
    _ name: String, _ yes: String, or no: String, default value: Bool, commands: Set<Command> = Command.nodes,
    _ meaning: String
) -> TypedSetting<Bool> {
    let names = value ? [yes, no] : [no, yes]
    return declared(name, .choice(names), .value(names[0]), commands, meaning) { $0 == yes }
}

func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, default value: Choice, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Choice> {
    declared(name, .choice(Choice.names), .value(value.rawValue), commands, meaning) { Choice(rawValue: $0)! }
}

func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, of: Choice.Type, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Choice?> {
    optional(name, .choice(Choice.names), absent, commands, meaning) { Choice(rawValue: $0) }
}

/// Any of them; none if it is absent.
func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable>(
    _ name: String, of: Choice.Type, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<Set<Choice>> {
    declared(name, .choices(Choice.names), .none(description: absent), commands, meaning) {
        Set($0.split(separator: ",").compactMap { Choice(rawValue: String($0)) })
    }
}

func command(
    _ name: String, absent: String, commands: Set<Command> = Command.nodes, _ meaning: String
) -> TypedSetting<LaunchCommand?> {
    optional(name, .command, absent, commands, meaning) { try? LaunchCommand($0) }
}

/// - Parameter read: of a text that the setting accepts, or of its default's; of an empty one if it has none. The
///   table's tests see to it that every default is one that its setting accepts.
private func declared<Value>(
    _ name: String, _ kind: Setting.Kind, _ byDefault: Setting.Default, _ commands: Set<Command>, _ meaning: String,
    _ read: @escaping @Sendable (String) -> Value
) -> TypedSetting<Value> {
    let setting = Setting(name: name, kind: kind, defaultValue: byDefault, commands: commands, meaning: meaning)
    return TypedSetting(setting) { given in
        switch byDefault {
        case .value(let text): read(given ?? text)
        case .computed(_, let value): read(given ?? value())
        case .none: read(given ?? "")
        }
    }
}

private func optional<Value>(
    _ name: String, _ kind: Setting.Kind, _ absent: String, _ commands: Set<Command>, _ meaning: String,
    _ read: @escaping @Sendable (String) -> Value?
) -> TypedSetting<Value?> {
    let none = Setting.Default.none(description: absent)
    let setting = Setting(name: name, kind: kind, defaultValue: none, commands: commands, meaning: meaning)
    return TypedSetting(setting) { $0.flatMap(read) }
}

extension RawRepresentable where RawValue == String, Self: CaseIterable {
    fileprivate static var names: [String] { allCases.map(\.rawValue) }
}

import AttendingBot
import EventLoop
import HTTP
import Log
import Redis
import Runner
import Usher

/// The settings of one start, each by its name in `SettingsTable`: every value is checked, and every one has a value or
/// a documented absence.
@dynamicMemberLookup
struct Settings: Equatable, Sendable {
    /// What was given by flag or variable, by the setting's name; everything else has its default.
    private(set) var given: [String: String]

    /// - Parameter given: values that their settings accept.
    init(given: [String: String] = [:]) {
        self.given = given
    }

    subscript<Value>(dynamicMember path: KeyPath<SettingsTable, TypedSetting<Value>>) -> Value {
        let declared = SettingsTable.shared[keyPath: path]
        return declared.value(given[declared.setting.name])
    }

    /// nil: the setting is absent, though it has a default.
    func given<Value>(_ path: KeyPath<SettingsTable, TypedSetting<Value>>) -> Value? {
        has(path) ? self[dynamicMember: path] : nil
    }

    /// Whether a value was given.
    func has(_ setting: Setting) -> Bool { given[setting.name] != nil }
    func has<Value>(_ path: KeyPath<SettingsTable, TypedSetting<Value>>) -> Bool { has(Setting[path]) }

    /// These settings with another one.
    func with<Value>(_ path: KeyPath<SettingsTable, TypedSetting<Value>>, _ text: String) -> Settings {
        with([Setting[path].name: text])
    }

    /// These settings with some replaced, by their names.
    func with(_ values: [String: String]) -> Settings {
        Settings(given: given.merging(values) { _, new in new })
    }

    /// Puts those that are a configuration's into it.
    func set<Configuration>(_ configuration: inout Configuration) {
        for declared in SettingsTable.declared {
            declared.set(&configuration, given: given[declared.setting.name])
        }
    }

    /// The variables that give a child process running `command` these settings.
    func environment(of command: Command) -> [String: String] {
        var variables: [String: String] = [:]
        for setting in Setting.of(command) { variables[setting.variable] = given[setting.name] }
        return variables
    }

    // MARK: Made of more than one

    /// The address of the ports of `/metrics`, `/admin` and `/internal`.
    var privateHost: String { self[dynamicMember: \.privateHost] ?? self.host }
    var botRedisURL: String { self[dynamicMember: \.botRedisURL] ?? self.redisURL }
    /// nil: requests are not limited.
    var rateLimit: RateLimit? { limit(self.rateLimitPerSecond, burst: self.rateLimitBurst) }
    var addressRateLimit: RateLimit? { limit(self.addressRateLimitPerSecond, burst: self.addressRateLimitBurst) }
    var attending: AttendingSettings {
        var attending = AttendingSettings()
        set(&attending)
        attending.labURL = self.lab.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        return attending
    }

    /// Writes what these settings ask for.
    var logger: Logger { Logger(minimum: self.logLevel, format: self.logFormat) }

    private func limit(_ rate: Int, burst: Int) -> RateLimit? {
        rate == 0 ? nil : RateLimit(perSecond: rate, burst: burst)
    }
}

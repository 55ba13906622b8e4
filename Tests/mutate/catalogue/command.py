"""Mutants of UsherCommand."""

from mutant import Mutant

READER = "UsherCommand/CommandLine/CommandLineReader.swift"
WORDS = "UsherCommand/CommandLine/Words.swift"
SECRET_FILE = "UsherCommand/CommandLine/SecretFile.swift"
SETTING = "UsherCommand/CommandLine/Setting.swift"
SETTINGS = "UsherCommand/CommandLine/Settings.swift"
PORTS = "UsherCommand/Up/UpPorts.swift"
TEXT = "UsherCommand/Status/OverviewText.swift"
SECRETS = ("SecretFileTests",)
READING = ("CommandLineTests", "SettingsTests")

COMMAND = (
    Mutant("an empty variable is a value", READER, "environment[name].flatMap { «$0.isEmpty ? nil : $0» }", "$0", READING),
    Mutant("a setting's value is not looked at", READER,
           "guard «setting.accepts(text)» else { throw setting.refusal(of: text, from: source) }", "true", READING),
    Mutant("a secret may be given twice", READER, "guard «text == nil» else {", "true", SECRETS),
    Mutant("a secret's file has any length", SECRET_FILE, "guard «length <= maximumBytes» else", "true", SECRETS),
    Mutant("a line's end belongs to a secret", SECRET_FILE, "while let last = text.last, «last.isNewline» {", "false",
           SECRETS),
    Mutant("a flag given twice", WORDS, 'guard «before == nil» else { throw UsageError("\\(flag) is given twice.") }',
           "true", READING),
    Mutant("a misspelt variable is passed over", READER, '«$0.hasPrefix("USHER_")» &&', "false", READING),
    Mutant("a port of its own may be the public one", READER, "for other in others where «settings[dynamicMember: other.setting] == settings.port»",
           "false", ("PortsTests",)),
    Mutant("bots may be given what they cannot read", READER, "«url.isSentinel || url.isCluster» else { return }",
           "false", ("RunnerSettingsTests",)),
    Mutant("what is not understood is shown though it may be secret", WORDS,
           'argument.utf8.prefix { «$0 != UInt8(ascii: "=")» }', "true", READING),
    Mutant("digits of other scripts, and signs, in a number", SETTING,
           "text.utf8.allSatisfy { (0x30...0x39).contains($0) } && Int(text).map(range.contains) == true",
           "Int(text).map(range.contains) == true", READING),
    Mutant("a number out of its range", SETTING,
           "text.utf8.allSatisfy { (0x30...0x39).contains($0) } && Int(text).map(range.contains) == true",
           "text.utf8.allSatisfy { (0x30...0x39).contains($0) } && Int(text) != nil", READING),
    Mutant("control characters in a text", SETTING,
           "(1...maximum).contains(text.utf8.count) && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f }",
           "(1...maximum).contains(text.utf8.count)", READING),
    Mutant("a limit of zero is a limit of one", SETTINGS, "«rate == 0» ? nil :", "false",
           READING+("test_rate_limits.py -k zero",)),
    Mutant("a password in a URL is shown", "UsherCommand/CommandLine/RedisAddress.swift",
           "bytes.lastIndex(of: UInt8(ascii: \"@\"))", "bytes.firstIndex(of: UInt8(ascii: \"@\"))", READING),
    Mutant("what failed thrice is restarted without end", "UsherCommand/Up/RestartPolicy.swift",
           "quickEnds <= Self.delaysMilliseconds.count ? Self.delaysMilliseconds[quickEnds - 1] : nil",
           "Self.delaysMilliseconds[min(quickEnds, 3) - 1]", ("UpTests",)),
    Mutant("what ran for long counts as failed at once", "UsherCommand/Up/RestartPolicy.swift",
           "milliseconds < Self.quickMilliseconds ? quickEnds + 1 : 1", "quickEnds + 1", ("UpTests",)),
    Mutant("two take the same port for metrics", PORTS, "settings.nodes + number - 1", "number - 1",
           ("PortsTests", "UpTests")),
    Mutant("ports for metrics may be those of others", PORTS, "«!others.contains(where: ports.contains)» else", "true",
           ("PortsTests", "UpTests")),
    Mutant("0.0.0.0 is shown as where to go", PORTS, 'case "0.0.0.0": «"127.0.0.1"»', '"0.0.0.0"',
           ("PortsTests", "UpTests")),
    Mutant("leases that ran out count as live", TEXT, "overview.queue.leased - overview.overdue",
           "overview.queue.leased", ("StatusTests",)),
    Mutant("a time before the beginning is shown below zero", TEXT, "max(0, milliseconds)", "milliseconds",
           ("StatusTests",)),
    Mutant("control characters of a host reach the terminal", TEXT, "$0.map(\\.jsonEscaped)", "$0.map { $0 }",
           ("StatusTests",)),
    Mutant("a hint that resembles nothing", "UsherCommand/CommandLine/UsageError.swift",
           "near.distance <= max(2, near.name.count / 4)", "true", READING),
    Mutant("control characters in what is quoted", "UsherCommand/CommandLine/UsageError.swift",
           "«scalar.properties.generalCategory == .control» ?", "false", READING),
)

import Log
import Usher

/// What commands that show records, or send and stop bots, are asked for.
extension CommandLineReader {
    func list(_ command: Command, _ settings: Settings, _ words: Words) throws(UsageError) -> Invocation {
        let limit = try number(words, .limit, ListRequest.limits) ?? ListRequest.byDefault
        let skip = try number(words, .skip, 0...1_000_000_000) ?? 0
        let request: ListRequest
        switch command {
        case .users: request = .users(skip: skip)
        case .workspaces: request = .workspaces(search: words[.search] ?? "", skip: skip)
        default:
            let workspace = try recordID(words, "usher \(command.rawValue) needs the id of one workspace.")
            request =
                command == .bots
                ? .bots(workspace: workspace, cursor: try cursor(command, words, BotCursor.init))
                : .meetings(workspace: workspace, cursor: try cursor(command, words, MeetingCursor.init))
        }
        return .list(settings, request, limit: limit, asJSON: words.isJSON)
    }

    private func cursor<Cursor>(
        _ command: Command, _ words: Words, _ read: (String) -> Cursor?
    ) throws(UsageError) -> Cursor? {
        guard let text = words[.cursor] else { return nil }
        guard let cursor = read(text) else {
            throw UsageError("--cursor must be one that `usher \(command.rawValue)` has shown.")
        }
        return cursor
    }

    func act(_ command: Command, _ settings: Settings, _ words: Words) throws(UsageError) -> Invocation {
        guard words.operands.count == 2 else {
            throw UsageError("usher \(command.rawValue) needs the id of a workspace and a meeting's link or room.")
        }
        guard let userID = try number(words, .userID, 1...Int.max) else {
            throw UsageError("usher \(command.rawValue) needs --user-id N: in whose name it is done.")
        }
        let workspace = try checkedID(words.operands[0])
        var place = words.operands[1]
        let (isAsked, file) = (command == .send && place == "-", words[.passcodeFile])
        guard !isAsked || file != "-" else {
            throw UsageError("The link and --passcode-file are both to be read from standard input: leave one out.")
        }
        if isAsked { place = try SecretFile.text("-", namedBy: "Standard input", orInput: true) }
        let passcode = try file.map(passcode)
        let link: MeetingLink
        do throws(MeetingReference.Problem) {
            link = try reference(place, passcode: passcode).link()
        } catch {
            // Not repeated: a link may hold a passcode.
            let subject = error.member == .passcode ? "The passcode" : "The link or room"
            throw UsageError("\(subject) of usher \(command.rawValue) \(error.reason).")
        }
        guard command == .stop || link.passcode != nil || !link.needsPasscode else {
            throw UsageError(
                "Meetings of MS Teams need their passcode: give --passcode-file, or a link that carries it.")
        }
        return .act(
            settings, BotAction(kind: command == .send ? .send : .stop, workspace: workspace, userID: userID), link)
    }

    private func passcode(inFile path: String) throws(UsageError) -> String {
        let flag = CommandOption.passcodeFile.flag
        let text = try SecretFile.text(path, namedBy: flag, orInput: true)
        guard (1...100).contains(text.utf8.count), !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw UsageError(
                "What \(flag) \(quoted(path)) holds must be a passcode of 1 to 100 bytes without control characters; it is not "
                    + "shown here.")
        }
        return text
    }

    /// A link, or a room such as `zoom:12345678901`.
    private func reference(_ place: String, passcode: String? = nil) -> MeetingReference {
        let parts = place.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let platform = Platform(rawValue: parts[0]) else {
            return MeetingReference(url: place, passcode: passcode)
        }
        return MeetingReference(platform: platform, nativeID: parts[1], passcode: passcode)
    }

    func export(_ settings: Settings, _ words: Words) throws(UsageError) -> Invocation {
        let workspace = try recordID(words, "usher export needs the id of one workspace.")
        guard let file = words[.out], !file.isEmpty else {
            throw UsageError("usher export needs --out FILE: where it is written to; - stands for standard output.")
        }
        guard words[.running].map({ $0 == "skip" }) ?? true else {
            throw UsageError("--running must be `skip`: meetings that have a bot are left out.")
        }
        return .export(settings, workspace: workspace, file: file, skipsRunning: words[.running] != nil)
    }

    func keys(_ words: Words) throws(UsageError) -> KeysRequest {
        guard let word = words.operands.first, words.operands.count == 1 else {
            throw UsageError("usher keys needs one id, number, link or room.")
        }
        let workspace = try words[.workspace].map(checkedID)
        if word.contains(":") || word.contains("/") {
            do throws(MeetingReference.Problem) {
                return .room(try reference(word).link(), workspace: workspace)
            } catch {
                throw UsageError("The link or room of usher keys \(error.reason).")
            }
        }
        guard workspace == nil else {
            throw UsageError("--workspace goes with a link or a room: an id or a number is of one workspace.")
        }
        if word.count < 20, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(word) {
            return .number(number)
        }
        return .id(try checkedID(word))
    }

    func filter(_ words: Words) throws(UsageError) -> EventWatch.Filter {
        guard words[.workspace] == nil || words[.meeting] == nil else {
            throw UsageError("usher watch takes --workspace or --meeting, since a meeting has one workspace.")
        }
        var filter = EventWatch.Filter()
        filter.workspace = try words[.workspace].map(checkedID)
        filter.meeting = try words[.meeting].map(checkedID)
        guard let text = words[.since] else { return filter }
        guard let since = since(text) else {
            throw UsageError(
                "--since is \(quoted(text)), but must be a time, such as 2026-12-01T09:00:00Z, or how long ago that was, such as "
                    + "90s, 10m, 2h or 1d.")
        }
        filter.since = since
        return filter
    }

    private func since(_ text: String) -> EventWatch.Since? {
        if let time = Timestamp.milliseconds(iso8601: text) { return .time(time) }
        let units: [Character: Int] = ["s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...6).contains(digits.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(digits)
        else { return nil }
        return .ago(count * unit)
    }

    func shell(_ words: Words) throws(UsageError) -> Completion {
        let names = Completion.allCases.map(\.rawValue)
        guard words.operands.count == 1, let shell = Completion(rawValue: words.operands[0]) else {
            throw UsageError("usher completion needs the name of a shell: \(names.joined(separator: ", ")).")
        }
        return shell
    }

    private func number(
        _ words: Words, _ option: CommandOption, _ range: ClosedRange<Int>
    ) throws(UsageError) -> Int? {
        guard let text = words[option] else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number)
        else {
            throw UsageError(
                "\(option.flag) is \(quoted(text)), but must be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound).")
        }
        return number
    }
}

import BotWire
import EventLoop

/// The way of a bot into a room, and out of it: what each look at the page asks of it. Pure; the times are given.
struct Attendance {
    /// How long the bot waits for what; nil for ever.
    struct Patience {
        /// For a page that shows anything known, and for one that reacts to "Ask to join", in ms.
        var pageMilliseconds = 60_000
        /// For the door to open, before it asks once more, in ms.
        var askAgainMilliseconds = 10_000
        /// In the lobby, before a page that is not known asks for a person.
        var oddPageMilliseconds = 20_000
        var waitingRoomMilliseconds: Int?
        var noOneJoinedMilliseconds: Int?
        var everyoneLeftMilliseconds: Int?
        var reconnectionMilliseconds = 60_000
        var longestMilliseconds: Int?
    }

    enum Place: Equatable {
        case onTheWay, lobby, room
    }

    /// What is to be done now.
    enum Step: Equatable {
        case wait
        /// Type the name, turn microphone and camera off, ask to join.
        case ask
        case report(StatusReport.Status)
        case end(Ending)
    }

    private let patience: Patience
    private(set) var place = Place.onTheWay
    /// When it asked to join last; nil before.
    private var asked: MonotonicTime?
    private var since: MonotonicTime
    private let start: MonotonicTime
    private var wasInCompany = false
    private var aloneSince: MonotonicTime?
    private var lostSince: MonotonicTime?
    private var oddSince: MonotonicTime?
    private var needsHelp = false

    init(_ patience: Patience, now: MonotonicTime) {
        self.patience = patience
        (since, start) = (now, now)
    }

    /// - Parameter look: what the page is at; nil if it could not be looked at, as while it loads.
    mutating func next(_ look: Look?, now: MonotonicTime) -> Step {
        if let longest = patience.longestMilliseconds, now.milliseconds(since: start) >= longest, place == .room {
            return .end(.completed(.maxBotTimeExceeded))
        }
        let look = look ?? Look(.unknown)
        switch place {
        case .onTheWay: return arrive(look, now)
        case .lobby: return queue(look, now)
        case .room: return stay(look, now)
        }
    }

    // MARK: Places

    private mutating func arrive(_ look: Look, _ now: MonotonicTime) -> Step {
        switch look.sign {
        case .room: return enter(look, now)
        // Who needs a person before the lobby is on the wire one that waits to be let in.
        case .lobby, .help:
            place = .lobby
            since = now
            return .report(.awaitingAdmission)
        case .door where asked.map({ now.milliseconds(since: $0) >= patience.askAgainMilliseconds }) ?? true:
            if asked == nil { since = now }
            asked = now
            return .ask
        case .door, .unknown, .disconnected, .left:
            guard now.milliseconds(since: since) >= patience.pageMilliseconds else { return .wait }
            return .end(.missed(asked == nil ? "join" : "lobby"))
        case .denied, .unanswered, .refused, .signIn, .removed, .ended: return refusal(look)
        }
    }

    private mutating func queue(_ look: Look, _ now: MonotonicTime) -> Step {
        if let waits = patience.waitingRoomMilliseconds, now.milliseconds(since: since) >= waits, look.sign != .room {
            return .end(.failed(.awaitingAdmissionTimeout, "nobody let it in within \(waits / 1_000) s"))
        }
        switch look.sign {
        case .room: return enter(look, now)
        case .lobby:
            oddSince = nil
            return .wait
        case .denied, .unanswered, .refused, .signIn, .removed, .ended: return refusal(look)
        case .help:
            guard !needsHelp else { return .wait }
            needsHelp = true
            return .report(.needsHelp)
        case .door, .unknown, .disconnected, .left:
            let odd = oddSince ?? now
            oddSince = odd
            guard !needsHelp, now.milliseconds(since: odd) >= patience.oddPageMilliseconds else { return .wait }
            needsHelp = true
            return .report(.needsHelp)
        }
    }

    private mutating func enter(_ look: Look, _ now: MonotonicTime) -> Step {
        place = .room
        count(look, now)
        return .report(.active)
    }

    private mutating func stay(_ look: Look, _ now: MonotonicTime) -> Step {
        switch look.sign {
        // Beside the button to leave, such a text is somebody's: a line of the chat, or a name.
        case .removed where look.mayLeave, .denied where look.mayLeave, .ended where look.mayLeave,
            .help where look.mayLeave, .refused where look.mayLeave, .unanswered where look.mayLeave,
            .signIn where look.mayLeave:
            return stay(Look(.room, others: look.others), now)
        case .removed, .denied: return .end(.completed(.evicted))
        case .ended: return .end(.completed(.leftAlone))
        case .disconnected, .unknown, .left, .door, .signIn, .refused, .unanswered, .help:
            let lost = lostSince ?? now
            lostSince = lost
            guard now.milliseconds(since: lost) >= patience.reconnectionMilliseconds else { return .wait }
            let what = look.why.isEmpty ? "the page shows no meeting any more" : "the page says \"\(look.why)\""
            return .end(.failed(nil, "\(what), for \(patience.reconnectionMilliseconds / 1_000) s"))
        case .room, .lobby:
            lostSince = nil
            count(look, now)
            guard let alone = aloneSince else { return .wait }
            let (limit, reason): (Int?, StatusReport.CompletionReason) =
                wasInCompany
                ? (patience.everyoneLeftMilliseconds, .leftAlone) : (patience.noOneJoinedMilliseconds, .startupAlone)
            guard let limit, now.milliseconds(since: alone) >= limit else { return .wait }
            return .end(.completed(reason))
        }
    }

    private mutating func count(_ look: Look, _ now: MonotonicTime) {
        guard let others = look.others else { return }
        if others > 0 {
            wasInCompany = true
            aloneSince = nil
        } else if aloneSince == nil {
            aloneSince = now
        }
    }

    private func refusal(_ look: Look) -> Step {
        let what = "the page says \"\(look.why)\""
        switch look.sign {
        case .denied: return .end(.failed(.awaitingAdmissionRejected, what))
        case .unanswered: return .end(.failed(.awaitingAdmissionTimeout, what))
        case .signIn: return .end(.failed(.authSessionMissing, "the page asks for an account: \(look.why)"))
        // Who was in the lobby was not let in; who was not did not come so far.
        default: return .end(.failed(place == .lobby ? .awaitingAdmissionRejected : .joinFailure, what))
        }
    }
}

/// How a bot ends.
enum Ending: Error, Equatable {
    case completed(StatusReport.CompletionReason)
    /// With what is to be told of it, and the reason in a word of the wire if it has one.
    case failed(StatusReport.CompletionReason?, String)
    /// The page did not show what the step needs. It is looked at again, for the report.
    case missed(String)
    case unwanted(status: Int)
    /// Its first report reached nobody.
    case unreachable
    /// The machine is short of something that its browser needs to be started.
    case hindered(String)
}

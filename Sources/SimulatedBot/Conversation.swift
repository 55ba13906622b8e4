import BotWire

/// The built-in conversation: a short one in each language, told over and over.
struct Conversation {
    struct Utterance: Equatable {
        let speaker: String
        let text: String
        /// The language that it is in: en, es or zh.
        let language: String
    }

    static let speakers = ["Ana", "Ben", "Chen"]

    private static let english = [
        (0, "Good morning, everybody. Shall we begin?"), (1, "Yes, I can hear you well."),
        (2, "Good morning. I have the figures of last week."), (0, "Please tell us, Chen."),
        (2, "We sent nine hundred invitations, and every one of them once."),
        (1, "That is what we wanted. What about the two that failed?"),
        (2, "They were tried again, and both went through."), (0, "Very good. Ben, would you write that down?"),
        (1, "I already have. Let us meet again on Monday."),
    ]

    private static let spanish = [
        (0, "Buenos días a todos. ¿Empezamos?"), (1, "Sí, te oigo bien."),
        (2, "Buenos días. Tengo las cifras de la semana pasada."), (0, "Cuéntanos, Chen, por favor."),
        (2, "Enviamos novecientas invitaciones, y cada una de ellas una sola vez."),
        (1, "Es lo que queríamos. ¿Y las dos que fallaron?"),
        (2, "Se intentaron de nuevo, y las dos llegaron."), (0, "Muy bien. Ben, ¿puedes apuntarlo?"),
        (1, "Ya lo he hecho. Nos vemos otra vez el lunes."),
    ]

    private static let chinese = [
        (0, "大家早上好,我们开始吧?"), (1, "好的,我听得很清楚。"), (2, "早上好。我这里有上周的数字。"),
        (0, "请说吧,小陈。"), (2, "我们发出了九百份邀请,每一份都只发了一次。"), (1, "这正是我们想要的。失败的那两份呢?"),
        (2, "又试了一次,两份都送到了。"), (0, "非常好。小本,请你记下来好吗?"), (1, "已经记好了。我们星期一再见。"),
    ]

    private var next = 0

    /// What is said next, in the language that is wanted now: that of `language` (`es`, `zh-CN`), or English where there
    /// is no conversation in it. A translation is always into English (wire, "task").
    mutating func say(language: String?, task: BotConfiguration.Task?) -> Utterance {
        let wanted =
            task == .translate ? "en" : String((language ?? "en").lowercased().prefix { $0 != "-" && $0 != "_" })
        let (lines, spoken) =
            switch wanted {
            case "es": (Self.spanish, "es")
            case "zh": (Self.chinese, "zh")
            default: (Self.english, "en")
            }
        let (speaker, text) = lines[next % lines.count]
        next += 1
        return Utterance(speaker: Self.speakers[speaker], text: text, language: spoken)
    }

    /// What a recogniser has of a text while it is being said.
    static func draft(of text: String) -> String {
        let words = text.split(separator: " ")
        guard words.count > 1 else { return String(text.prefix((text.count + 1) / 2)) }
        return words.prefix((words.count + 1) / 2).joined(separator: " ")
    }
}

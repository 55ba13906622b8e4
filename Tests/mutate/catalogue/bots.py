"""Mutants of SimulatedBot."""

from mutant import Mutant

BOT = "SimulatedBot/SimulatedBot.swift"
REPORTER = "BotWire/Reporter.swift"
TRANSCRIPT = "SimulatedBot/Transcript.swift"
LIFE = ("BotLifeTests", "BotReportTests")

BOTS = (
    Mutant("a leave is not heeded", BOT, "departure.raise(.commanded)", "", LIFE, is_statement=True),
    Mutant("SIGTERM is not heeded", BOT, "departure.raise(.signalled)", "", LIFE, is_statement=True),
    Mutant("a bot that is not wanted goes on", BOT, "switch «outcome» {\n        case .unwanted(let status): throw",
           "Reporter.Outcome.accepted", LIFE),
    Mutant("a bot that reaches nobody goes on", BOT,
           "«reported.count == 1» && departure.value == nil", "false", LIFE),
    Mutant("the lobby has no end", BOT, "if «remaining <= milliseconds», end != nil {", "false", LIFE),
    Mutant("a meeting that is over goes on", BOT, "if let meetingEnd, «meetingEnd <= .now()» {", "false", LIFE),
    Mutant("a crashed bot says good-bye", BOT, "guard «ending != .crashed» else {", "true", LIFE),
    Mutant("what was said last is lost at the end", BOT,
           "transcript?.end()\n        «await writer.flush { departure.value != nil }»",
           "", ("BotTranscriptTests",), is_statement=True),
    Mutant("a change of language is not heeded", BOT, "if let language { self.language = language }", "",
           LIFE + ("BotTranscriptTests",), is_statement=True),
    Mutant("one try of a report is all", REPORTER, "guard «outcome.isForNow» else { return outcome }", "false", LIFE),
    Mutant("a report waits for no earlier one", REPORTER, "guard «isLast || waiting.count == 1» else {", "true", LIFE),
    Mutant("what waits is tried without a pause", REPORTER, "guard !waiting.isEmpty, «nextTime <= now» else {", "true", LIFE),
    Mutant("a refusal of what waits keeps the last report back", REPORTER, "if case .unwanted = outcome, «!isEnding» {", "true",
           LIFE),
    Mutant("a conflict is no reason to go", REPORTER, "status == 401 || «status == 409»", "false", LIFE),
    Mutant("pauses between tries do not grow", REPORTER, "Self.firstPauseMilliseconds << max(0, attempt - 1)", "0", LIFE),
    Mutant("the last report is tried no longer than others", REPORTER, "isLast ? «Self.lastTries» : Self.tries", "Self.tries",
           LIFE),
    Mutant("a bot that was told to leave goes on with its last report", REPORTER,
           "attempt >= Self.tries, «isInHurry()»", "false", LIFE),
    Mutant("a draft is never confirmed", TRANSCRIPT, "text: draft.utterance.text, completed: «true»", "false",
           ("BotTranscriptTests",)),
    Mutant("a segment may have no length", TRANSCRIPT, "max(seconds, draft.start + 0.001)", "draft.start",
           ("BotTranscriptTests",)),
    Mutant("what was said at the end is not confirmed", TRANSCRIPT,
           "func end() {\n        «confirm()»", "", ("BotTranscriptTests",), is_statement=True),
    Mutant("a bot that crashed has left its room", "SimulatedBot/Presence.swift",
           "guard «timer != nil» else { return }", "true", LIFE),
)
